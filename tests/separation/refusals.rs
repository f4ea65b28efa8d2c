//! Scored codes that cannot be separated, and options out of range: each is told by what was found.

use std::ops::ControlFlow;

use faceplane::latent::{FitMethod, LatentError, LatentSpace, Provenance, SampleSelection, Separation};
use ndarray::{Array1, Array3};

use super::{codes, scores, separate};

fn drawn() -> (Array3<f32>, Array1<f64>) {
    let codes = codes(1, 60, (1, 8), 0.0);
    let scores = scores(1, &codes, 0.1, 0.0);
    (codes, scores)
}

fn usual() -> Separation {
    Separation {
        chosen: SampleSelection::Ratio(0.5),
        ..Separation::default()
    }
}

fn least_squares() -> Separation {
    Separation {
        method: FitMethod::LeastSquares,
        ..usual()
    }
}

fn refusal(separation: &Separation, codes: &Array3<f32>, scores: &Array1<f64>) -> LatentError {
    separate(separation, codes.view(), scores.view()).unwrap_err()
}

#[test]
fn scores_that_are_no_numbers_are_told_by_their_sample() {
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let (codes, mut scores) = drawn();
        scores[7] = wrong;
        let refused = refusal(&usual(), &codes, &scores);
        assert!(
            matches!(refused, LatentError::Score { sample: 7, .. }),
            "{refused}"
        );
    }
}

#[test]
fn codes_that_are_no_numbers_are_told_by_their_place() {
    let (mut codes, scores) = drawn();
    codes[[9, 0, 3]] = f32::NAN;
    for separation in [usual(), least_squares()] {
        let refused = refusal(&separation, &codes, &scores);
        assert!(
            matches!(
                refused,
                LatentError::NotFinite {
                    row: 9,
                    column: 3,
                    ..
                }
            ),
            "{refused}"
        );
    }
}

#[test]
fn scores_that_are_all_one_number_separate_nothing() {
    let (codes, scores) = drawn();
    let refused = refusal(&usual(), &codes, &scores.mapv(|_| 0.25));
    assert_eq!(
        refused,
        LatentError::ConstantScores {
            samples: 60,
            score: 0.25
        }
    );
}

#[test]
fn an_end_that_has_only_what_the_other_has_is_no_class() {
    let (codes, mut scores) = drawn();
    scores.fill(0.0);
    scores[3] = 1.0;
    let refused = refusal(&usual(), &codes, &scores);
    assert_eq!(
        refused,
        LatentError::OneClass {
            chosen: 30,
            score: 0.0
        }
    );
}

#[test]
fn two_of_each_class_are_the_least_to_train_on() {
    let (codes, scores) = drawn();
    let few = |count| Separation {
        chosen: SampleSelection::Count(count),
        ..usual()
    };
    for (count, train) in [(0, 0), (1, 0), (2, 1)] {
        let refused = refusal(&few(count), &codes, &scores);
        assert!(
            matches!(refused, LatentError::TooFewSamples { found, least: 2, .. } if found == train),
            "{refused}"
        );
    }
    assert!(separate(&few(3), codes.view(), scores.view()).is_ok());
    let refused = refusal(&usual(), &Array3::zeros((0, 1, 8)), &Array1::zeros(0));
    assert!(
        matches!(
            refused,
            LatentError::TooFewSamples {
                found: 0,
                least: 4,
                ..
            }
        ),
        "{refused}"
    );
}

#[test]
fn every_code_needs_its_score() {
    let (codes, _) = drawn();
    let refused = refusal(&usual(), &codes, &Array1::zeros(59));
    assert_eq!(
        refused,
        LatentError::ScoreCount {
            scores: 59,
            codes: 60
        }
    );
}

#[test]
fn codes_need_the_shape_of_their_space() {
    let (codes, scores) = drawn();
    let layered = codes.into_shape_with_order((60, 2, 4)).unwrap();
    let separated = usual().separate(
        "age",
        LatentSpace::W,
        layered.view(),
        scores.view(),
        Provenance::default(),
        |_| ControlFlow::Continue(()),
    );
    assert_eq!(
        separated,
        Err(LatentError::Rows {
            space: LatentSpace::W,
            rows: 2
        })
    );
}

#[test]
fn least_squares_needs_more_codes_than_a_code_has_values_and_the_machine_does_not() {
    let codes = codes(2, 60, (1, 60), 0.0);
    let scores = scores(2, &codes, 0.1, 0.0);
    let refused = refusal(&least_squares(), &codes, &scores);
    assert!(
        matches!(
            refused,
            LatentError::TooFewSamples {
                found: 60,
                least: 61,
                ..
            }
        ),
        "{refused}"
    );
    assert!(separate(&usual(), codes.view(), scores.view()).is_ok());
}

#[test]
fn least_squares_refuses_codes_whose_values_depend_on_each_other() {
    let (mut codes, scores) = drawn();
    for mut code in codes.outer_iter_mut() {
        code[[0, 5]] = code[[0, 1]] - code[[0, 2]];
    }
    assert_eq!(
        refusal(&least_squares(), &codes, &scores),
        LatentError::Flat { dim: 8 }
    );
    assert!(separate(&usual(), codes.view(), scores.view()).is_ok());
}

#[test]
fn least_squares_refuses_codes_that_are_too_wide() {
    let refused = refusal(
        &least_squares(),
        &Array3::zeros((4, 1, 4097)),
        &Array1::linspace(0.0, 1.0, 4),
    );
    assert_eq!(
        refused,
        LatentError::TooWide {
            found: 4097,
            most: 4096
        }
    );
}

#[test]
fn options_out_of_range_are_told_by_name() {
    let (codes, scores) = drawn();
    let cases = [
        (
            "split",
            Separation {
                split: 0.0,
                ..usual()
            },
        ),
        (
            "split",
            Separation {
                split: 1.1,
                ..usual()
            },
        ),
        (
            "split",
            Separation {
                split: f64::NAN,
                ..usual()
            },
        ),
        ("cost", Separation { cost: 0.0, ..usual() }),
        (
            "cost",
            Separation {
                cost: f64::INFINITY,
                ..usual()
            },
        ),
        (
            "ratio",
            Separation {
                chosen: SampleSelection::Ratio(0.0),
                ..usual()
            },
        ),
        (
            "ratio",
            Separation {
                chosen: SampleSelection::Ratio(2.0),
                ..usual()
            },
        ),
        (
            "threshold",
            Separation {
                threshold: Some(f64::NAN),
                ..usual()
            },
        ),
    ];
    for (name, separation) in cases {
        let refused = refusal(&separation, &codes, &scores);
        assert!(
            matches!(refused, LatentError::Separation { option, .. } if option == name),
            "{refused}"
        );
    }
}

#[test]
fn codes_of_one_point_have_no_plane_between_them() {
    let (_, scores) = drawn();
    let refused = refusal(&usual(), &Array3::ones((60, 1, 8)), &scores);
    assert!(matches!(refused, LatentError::Norm { .. }), "{refused}");
}

#[test]
fn codes_too_large_for_their_products_end_in_an_error() {
    let (codes, scores) = drawn();
    let refused = refusal(&usual(), &(codes * 1e25), &scores);
    assert!(matches!(refused, LatentError::Unsettled { .. }), "{refused}");
}

#[test]
fn whoever_watches_can_stop_it_at_any_look() {
    let (codes, scores) = drawn();
    for separation in [usual(), least_squares()] {
        let mut looks = 0;
        separate(&separation, codes.view(), scores.view()).unwrap();
        loop {
            let mut left = looks;
            let separated = separation.separate(
                "age",
                LatentSpace::Z,
                codes.view(),
                scores.view(),
                Provenance::default(),
                |_| {
                    left -= 1;
                    if left < 0 {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                },
            );
            match separated {
                Err(refused) => assert_eq!(refused, LatentError::Cancelled),
                Ok(_) => break,
            }
            looks += 1;
        }
        assert!(looks > 2, "{looks}");
    }
}

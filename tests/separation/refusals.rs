//! Errors for codes that cannot be separated and options out of range; each says what was found.

use std::ops::ControlFlow;

use faceplane::latent::{FitMethod, LatentError, LatentSpace, Provenance, SampleSelection, Separation};
use ndarray::{Array1, Array3};

use super::{codes, scores, separate};

fn labelled() -> (Array3<f32>, Array1<f64>) {
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
fn a_score_that_is_not_finite_is_an_error_with_its_sample() {
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let (codes, mut scores) = labelled();
        scores[7] = wrong;
        let refused = refusal(&usual(), &codes, &scores);
        assert!(
            matches!(refused, LatentError::Score { sample: 7, .. }),
            "{refused}"
        );
    }
}

#[test]
fn a_code_that_is_not_finite_is_an_error_with_its_row_and_column() {
    let (mut codes, scores) = labelled();
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
fn equal_scores_are_an_error() {
    let (codes, scores) = labelled();
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
fn ends_with_equal_scores_are_an_error() {
    let (codes, mut scores) = labelled();
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
fn training_needs_two_samples_of_each_class() {
    let (codes, scores) = labelled();
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
fn every_code_needs_one_score() {
    let (codes, _) = labelled();
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
fn codes_must_have_the_shape_of_their_space() {
    let (codes, scores) = labelled();
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
fn only_least_squares_needs_more_codes_than_a_code_has_values() {
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
fn least_squares_refuses_linearly_dependent_values() {
    let (mut codes, scores) = labelled();
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
fn least_squares_refuses_codes_with_too_many_values() {
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
fn an_option_out_of_range_is_an_error_with_its_name() {
    let (codes, scores) = labelled();
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
fn equal_codes_are_an_error() {
    let (_, scores) = labelled();
    let refused = refusal(&usual(), &Array3::ones((60, 1, 8)), &scores);
    assert!(matches!(refused, LatentError::Norm { .. }), "{refused}");
}

#[test]
fn codes_too_large_for_their_products_are_an_error() {
    let (codes, scores) = labelled();
    let refused = refusal(&usual(), &(codes * 1e25), &scores);
    assert!(matches!(refused, LatentError::Unsettled { .. }), "{refused}");
}

#[test]
fn the_callback_can_cancel_the_fit_at_every_call() {
    let (codes, scores) = labelled();
    for separation in [usual(), least_squares()] {
        let mut calls = 0;
        separate(&separation, codes.view(), scores.view()).unwrap();
        loop {
            let mut left = calls;
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
            calls += 1;
        }
        assert!(calls > 2, "{calls}");
    }
}

//! Errors for codes that cannot be separated and options out of range; each says what was found.

use std::ops::ControlFlow;

use faceplane::latent::{
    BoundaryFit, FitError, FitMethod, LatentError, LatentSpace, Provenance, SampleSelection,
};
use ndarray::{Array1, Array3};

use super::{codes, fit, scores};

fn labelled() -> (Array3<f32>, Array1<f64>) {
    let codes = codes(1, 60, (1, 8), 0.0);
    let scores = scores(1, &codes, 0.1, 0.0);
    (codes, scores)
}

fn half() -> BoundaryFit {
    BoundaryFit {
        selection: SampleSelection::Ratio(0.5),
        ..BoundaryFit::paper()
    }
}

fn least_squares() -> BoundaryFit {
    BoundaryFit {
        method: FitMethod::LeastSquares,
        ..half()
    }
}

fn refusal(options: &BoundaryFit, codes: &Array3<f32>, scores: &Array1<f64>) -> LatentError {
    fit(options, codes.view(), scores.view()).unwrap_err()
}

#[test]
fn a_score_that_is_not_finite_is_an_error_with_its_sample() {
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let (codes, mut scores) = labelled();
        scores[7] = wrong;
        let refused = refusal(&half(), &codes, &scores);
        assert!(
            matches!(
                refused,
                LatentError::Fit(FitError::ScoreNotFinite { sample: 7, .. })
            ),
            "{refused}"
        );
    }
}

#[test]
fn a_code_that_is_not_finite_is_an_error_with_its_row_and_column() {
    let (mut codes, scores) = labelled();
    codes[[9, 0, 3]] = f32::NAN;
    for options in [half(), least_squares()] {
        let refused = refusal(&options, &codes, &scores);
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
    let refused = refusal(&half(), &codes, &scores.mapv(|_| 0.25));
    assert_eq!(
        refused,
        LatentError::Fit(FitError::ConstantScores {
            samples: 60,
            score: 0.25
        })
    );
}

#[test]
fn ends_with_equal_scores_are_an_error() {
    let (codes, mut scores) = labelled();
    scores.fill(0.0);
    scores[3] = 1.0;
    let refused = refusal(&half(), &codes, &scores);
    assert_eq!(
        refused,
        LatentError::Fit(FitError::OneClass {
            chosen: 30,
            score: 0.0
        })
    );
}

#[test]
fn training_needs_two_samples_of_each_class() {
    let (codes, scores) = labelled();
    let few = |count| BoundaryFit {
        selection: SampleSelection::Count(count),
        ..half()
    };
    for (count, train) in [(0, 0), (1, 0), (2, 1)] {
        let refused = refusal(&few(count), &codes, &scores);
        assert!(
            matches!(refused, LatentError::Fit(FitError::TooFewSamples { found, least: 2, .. }) if found == train),
            "{refused}"
        );
    }
    assert!(fit(&few(3), codes.view(), scores.view()).is_ok());
    let refused = refusal(&half(), &Array3::zeros((0, 1, 8)), &Array1::zeros(0));
    assert!(
        matches!(
            refused,
            LatentError::Fit(FitError::TooFewSamples {
                found: 0,
                least: 4,
                ..
            })
        ),
        "{refused}"
    );
}

#[test]
fn every_code_needs_one_score() {
    let (codes, _) = labelled();
    let refused = refusal(&half(), &codes, &Array1::zeros(59));
    assert_eq!(
        refused,
        LatentError::Fit(FitError::ScoreCount {
            scores: 59,
            codes: 60
        })
    );
}

#[test]
fn codes_must_have_the_shape_of_their_space() {
    let (codes, scores) = labelled();
    let layered = codes.into_shape_with_order((60, 2, 4)).unwrap();
    let fitted = half().fit(
        "age",
        LatentSpace::W,
        layered.view(),
        scores.view(),
        Provenance::default(),
        |_| ControlFlow::Continue(()),
    );
    assert_eq!(
        fitted,
        Err(LatentError::RowCount {
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
            LatentError::Fit(FitError::TooFewSamples {
                found: 60,
                least: 61,
                ..
            })
        ),
        "{refused}"
    );
    assert!(fit(&half(), codes.view(), scores.view()).is_ok());
}

#[test]
fn least_squares_refuses_linearly_dependent_values() {
    let (mut codes, scores) = labelled();
    for mut code in codes.outer_iter_mut() {
        code[[0, 5]] = code[[0, 1]] - code[[0, 2]];
    }
    assert_eq!(
        refusal(&least_squares(), &codes, &scores),
        LatentError::Fit(FitError::DependentValues { dim: 8 })
    );
    assert!(fit(&half(), codes.view(), scores.view()).is_ok());
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
        LatentError::Fit(FitError::TooManyValues {
            found: 4097,
            most: 4096
        })
    );
}

#[test]
fn an_option_out_of_range_is_an_error_with_its_name() {
    let (codes, scores) = labelled();
    let cases = [
        ("split", BoundaryFit { split: 0.0, ..half() }),
        ("split", BoundaryFit { split: 1.1, ..half() }),
        (
            "split",
            BoundaryFit {
                split: f64::NAN,
                ..half()
            },
        ),
        ("cost", BoundaryFit { cost: 0.0, ..half() }),
        (
            "cost",
            BoundaryFit {
                cost: f64::INFINITY,
                ..half()
            },
        ),
        (
            "ratio",
            BoundaryFit {
                selection: SampleSelection::Ratio(0.0),
                ..half()
            },
        ),
        (
            "ratio",
            BoundaryFit {
                selection: SampleSelection::Ratio(2.0),
                ..half()
            },
        ),
        (
            "threshold",
            BoundaryFit {
                threshold: Some(f64::NAN),
                ..half()
            },
        ),
    ];
    for (name, options) in cases {
        let refused = refusal(&options, &codes, &scores);
        assert!(
            matches!(refused, LatentError::Fit(FitError::OptionOutOfRange { option, .. }) if option == name),
            "{refused}"
        );
    }
}

#[test]
fn equal_codes_are_an_error() {
    let (_, scores) = labelled();
    let refused = refusal(&half(), &Array3::ones((60, 1, 8)), &scores);
    assert!(matches!(refused, LatentError::Norm { .. }), "{refused}");
}

#[test]
fn codes_too_large_for_their_products_are_an_error() {
    let (codes, scores) = labelled();
    let refused = refusal(&half(), &(codes * 1e25), &scores);
    assert!(
        matches!(refused, LatentError::Fit(FitError::NotConverged { .. })),
        "{refused}"
    );
}

#[test]
fn the_callback_can_cancel_the_fit_at_every_call() {
    let (codes, scores) = labelled();
    let classes = scores.mapv(|score| f64::from(u8::from(score > 0.0)));
    for (options, scores) in [
        (half(), &scores),
        (least_squares(), &scores),
        (BoundaryFit::default(), &scores),
        (BoundaryFit::default(), &classes),
    ] {
        let mut calls = 0;
        fit(&options, codes.view(), scores.view()).unwrap();
        loop {
            let mut left = calls;
            let fitted = options.fit(
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
            match fitted {
                Err(refused) => assert_eq!(refused, LatentError::Fit(FitError::Cancelled)),
                Ok(_) => break,
            }
            calls += 1;
        }
        assert!(calls > 2, "{calls}");
    }
}

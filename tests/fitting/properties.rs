//! Properties of every fit.

use std::ops::ControlFlow;

use faceplane::latent::{Boundary, BoundaryFit, FitMethod, LatentSpace, Provenance, SampleSelection};
use ndarray::{Array1, Array2, Array3, Axis, concatenate};
use proptest::prelude::*;

use super::{codes, fit, scores};

const HALF: BoundaryFit = BoundaryFit {
    method: FitMethod::Svm,
    selection: SampleSelection::Ratio(0.5),
    split: 0.7,
    seed: 5,
    cost: 1.0,
    invalid_score: None,
    threshold: Some(0.0),
};

fn labelled(seed: u32, noise: f64) -> (Array3<f32>, Array1<f64>) {
    let codes = codes(seed, 160, (1, 12), 0.0);
    let scores = scores(seed, &codes, noise, 0.0);
    (codes, scores)
}

fn found(options: &BoundaryFit, codes: &Array3<f32>, scores: &Array1<f64>) -> Boundary {
    fit(options, codes.view(), scores.view()).unwrap()
}

/// Both methods, each with its tolerance: the effect of 1e-3 in a margin, and rounding.
fn methods() -> [(BoundaryFit, f64); 2] {
    [
        (HALF, 2e-3),
        (
            BoundaryFit {
                method: FitMethod::LeastSquares,
                ..HALF
            },
            1e-9,
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn swapped_labels_give_the_negated_normal(seed in 0..1_000_000_u32, noise in 0.0..1.5) {
        let (codes, scores) = labelled(seed, noise);
        for (options, close) in methods() {
            // All samples are trained on, so the shuffle makes no difference.
            let options = BoundaryFit { split: 1.0, ..options };
            let plain = found(&options, &codes, &scores);
            let swapped = found(&options, &codes, &-&scores);
            prop_assert!(plain.cosine(&swapped).unwrap() < -1.0 + close);
            prop_assert!((plain.intercept() + swapped.intercept()).abs() < 10.0 * close);
        }
    }

    #[test]
    fn scores_in_other_units_give_the_same_boundary(seed in 0..1_000_000_u32, power in -20..20_i32) {
        let (codes, scores) = labelled(seed, 0.5);
        for (options, _) in methods() {
            let plain = found(&options, &codes, &scores);
            // A power of two keeps every bit.
            let scaled = found(&options, &codes, &(&scores * 2_f64.powi(power)));
            prop_assert!((plain.cosine(&scaled).unwrap() - 1.0).abs() < 1e-12);
            prop_assert!((plain.intercept() - scaled.intercept()).abs() < 1e-9);
        }
    }

    #[test]
    fn codes_in_other_units_give_the_same_direction_if_the_cost_is_scaled_too(seed in 0..1_000_000_u32, power in -6..6_i32) {
        let (codes, scores) = labelled(seed, 0.5);
        let scale = 2_f32.powi(power);
        let cost = f64::from(scale).powi(-2);
        for (options, close) in methods() {
            let plain = found(&options, &codes, &scores);
            let scaled = found(&BoundaryFit { cost, ..options }, &(&codes * scale), &scores);
            prop_assert!(plain.cosine(&scaled).unwrap() > 1.0 - close);
            prop_assert!((plain.intercept() - scaled.intercept() / f64::from(scale)).abs() < 10.0 * close);
        }
    }

    #[test]
    fn a_shift_of_all_codes_shifts_the_boundary(seed in 0..1_000_000_u32, by in -20.0..20.0_f32) {
        let (codes, scores) = labelled(seed, 0.5);
        for (options, _) in methods() {
            let plain = found(&options, &codes, &scores);
            let moved = found(&options, &(&codes + by), &scores);
            prop_assert!(plain.cosine(&moved).unwrap() > 0.998);
            let expected = plain.intercept() - f64::from(by) * plain.normal().sum();
            prop_assert!((moved.intercept() - expected).abs() < 0.05, "{} instead of {expected}", moved.intercept());
        }
    }

    #[test]
    fn separable_ends_are_separated_without_an_error(seed in 0..1_000_000_u32) {
        let (codes, scores) = labelled(seed, 0.0);
        let options = BoundaryFit { selection: SampleSelection::Ratio(0.2), cost: 1e4, ..HALF };
        let accuracy = found(&options, &codes, &scores).provenance().accuracy;
        prop_assert_eq!(accuracy.train, Some(1.0));
    }

    #[test]
    fn repeating_each_sample_is_doubling_the_cost(seed in 0..1_000_000_u32, noise in 0.0..1.5) {
        let (codes, scores) = labelled(seed, noise);
        let twice = concatenate![Axis(0), codes, codes];
        let twice_scores = concatenate![Axis(0), scores, scores];
        for (options, close) in methods() {
            let once = found(&BoundaryFit { split: 1.0, cost: 2.0, ..options }, &codes, &scores);
            let twice = found(&BoundaryFit { split: 1.0, ..options }, &twice, &twice_scores);
            prop_assert!(once.cosine(&twice).unwrap() > 1.0 - close);
            prop_assert!((once.intercept() - twice.intercept()).abs() < 10.0 * close);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_and_another_seed_others(seed in 0..1_000_000_u32, shuffle: u32) {
        let (codes, scores) = labelled(seed, 1.0);
        let options = BoundaryFit { seed: shuffle, ..HALF };
        let boundary = found(&options, &codes, &scores);
        prop_assert_eq!(&boundary, &found(&options, &codes, &scores));
        let other = BoundaryFit { seed: shuffle.wrapping_add(1), ..HALF };
        prop_assert_ne!(&boundary, &found(&other, &codes, &scores), "the seed shuffles");
    }
}

#[test]
fn samples_with_the_invalid_score_are_left_out() {
    let (codes, scores) = labelled(9, 0.5);
    let unscored = super::codes(10, 40, (1, 12), 7.0);
    let with = concatenate![Axis(0), unscored, codes];
    // The last value as a network's score in single precision.
    for (invalid, marked) in [(-1e6, -1e6), (f64::NAN, f64::NAN), (-12.1, f64::from(-12.1_f32))] {
        let with_scores = concatenate![Axis(0), Array1::from_elem(40, marked), scores];
        for (options, _) in methods() {
            let without = found(&options, &codes, &scores);
            let options = BoundaryFit {
                invalid_score: Some(invalid),
                ..options
            };
            let left_out = found(&options, &with, &with_scores);
            assert_eq!(left_out.normal(), without.normal());
            assert_eq!(left_out.provenance().accuracy, without.provenance().accuracy);
            assert_eq!(left_out.provenance().samples, Some(200));
        }
    }
}

#[test]
fn the_memory_order_of_the_codes_changes_nothing() {
    let (codes, scores) = labelled(11, 0.5);
    let mut columns = Array3::zeros((12, 1, 160)).reversed_axes();
    columns.assign(&codes);
    assert_eq!(found(&HALF, &columns, &scores), found(&HALF, &codes, &scores));
}

#[test]
fn codes_of_many_values_are_separated() {
    let codes = codes(14, 60, (3, 800), 0.0);
    let scores = scores(14, &codes, 0.1, 0.0);
    let boundary = found(&HALF, &codes, &scores);
    assert_eq!(boundary.normal().dim(), (3, 800));
    assert_eq!(boundary.provenance().accuracy.train, Some(1.0));
}

#[test]
fn a_boundary_records_how_it_was_fitted() {
    let (codes, scores) = labelled(12, 0.5);
    let known = Provenance {
        seed: Some(2020),
        classifier: Some("smile".into()),
        ..Provenance::default()
    };
    let options = BoundaryFit {
        selection: SampleSelection::Count(30),
        ..HALF
    };
    let mut shares = Vec::new();
    let boundary = options
        .fit(
            "smile",
            LatentSpace::W,
            codes.view(),
            scores.view(),
            known,
            |share| {
                shares.push(share);
                ControlFlow::Continue(())
            },
        )
        .unwrap();
    assert_eq!(
        (boundary.attribute(), boundary.space()),
        ("smile", LatentSpace::W)
    );
    let provenance = boundary.provenance();
    assert_eq!(
        (provenance.samples, provenance.chosen, provenance.seed),
        (Some(160), Some(30), Some(2020))
    );
    assert_eq!(provenance.classifier.as_deref(), Some("smile"));
    assert!(provenance.accuracy.held_out.unwrap() > 0.8);
    assert_eq!((shares.first(), shares.last()), (Some(&0.0), Some(&1.0)));
    assert!(shares.is_sorted(), "{shares:?}");
}

#[test]
fn a_count_above_half_of_the_samples_is_half_of_them() {
    let (codes, scores) = labelled(13, 0.5);
    let all = found(
        &BoundaryFit {
            selection: SampleSelection::Count(1000),
            ..HALF
        },
        &codes,
        &scores,
    );
    assert_eq!(all, found(&HALF, &codes, &scores));
    assert_eq!(all.provenance().chosen, Some(80));
}

#[test]
fn the_boundary_is_halfway_between_two_points() {
    let codes = Array2::from_shape_fn((4, 2), |(sample, _)| if sample < 2 { 3.0 } else { 1.0 });
    let codes = codes.insert_axis(Axis(1));
    let scores = Array1::from(vec![1.0, 1.0, 0.0, 0.0]);
    let options = BoundaryFit { split: 1.0, ..HALF };
    let boundary = found(&options, &codes, &scores);
    let half = 0.5_f64.sqrt();
    assert!(
        boundary.normal().iter().all(|value| (value - half).abs() < 1e-6),
        "{}",
        boundary.normal()
    );
    assert!(
        (boundary.intercept() + 4.0 * half).abs() < 1e-3,
        "{}",
        boundary.intercept()
    );
}

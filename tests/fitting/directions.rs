//! The default method finds the direction that scored codes hold, and says how far it can be trusted.

use faceplane::latent::{Boundary, BoundaryFit, FitMethod, Provenance, standard_normal};
use ndarray::{Array1, Array3};

use super::{codes, fit};

/// Values of a code.
pub(super) const DIM: usize = 24;

/// Codes, and the score t·x + `noise` ε of each, with the unit direction t.
pub(super) fn scored(seed: u32, samples: usize, noise: f64) -> (Array3<f32>, Array1<f64>, Vec<f64>) {
    let codes = codes(seed, samples, (1, DIM), 0.0);
    let truth = standard_normal(seed + 5000, DIM);
    let length = truth.iter().map(|value| value * value).sum::<f64>().sqrt();
    let truth: Vec<f64> = truth.iter().map(|value| value / length).collect();
    let errors = standard_normal(seed + 9000, samples);
    let along = |code: ndarray::ArrayView1<'_, f32>| -> f64 {
        code.iter()
            .zip(&truth)
            .map(|(&value, axis)| f64::from(value) * axis)
            .sum()
    };
    let scores = codes
        .rows()
        .into_iter()
        .zip(errors)
        .map(|(code, error)| along(code) + noise * error);
    let scores = scores.collect();
    (codes, scores, truth)
}

pub(super) fn cosine(boundary: &Boundary, truth: &[f64]) -> f64 {
    boundary
        .normal()
        .iter()
        .zip(truth)
        .map(|(one, other)| one * other)
        .sum()
}

pub(super) fn with(method: FitMethod) -> BoundaryFit {
    BoundaryFit {
        method,
        ..BoundaryFit::default()
    }
}

/// The mean cosine with the truth over some draws.
fn mean_cosine(options: BoundaryFit, samples: usize, score: impl Fn(f64) -> f64, noise: f64) -> f64 {
    let draws = 6;
    let cosines = (0..draws).map(|draw| {
        let (codes, scores, truth) = scored(100 * draw, samples, noise);
        let scores = scores.mapv(&score);
        cosine(&fit(&options, codes.view(), scores.view()).unwrap(), &truth)
    });
    cosines.sum::<f64>() / f64::from(draws)
}

#[test]
fn the_default_is_closer_to_the_true_direction_than_the_papers_machine() {
    for (samples, noise) in [(300, 0.3), (300, 2.0), (2000, 1.0)] {
        let best = mean_cosine(BoundaryFit::default(), samples, |score| score, noise);
        let paper = mean_cosine(BoundaryFit::paper(), samples, |score| score, noise);
        let least_squares = mean_cosine(with(FitMethod::LeastSquares), samples, |score| score, noise);
        assert!(best > paper, "{samples}, {noise}: {best}, the paper's {paper}");
        assert!(
            best > least_squares - 1e-3,
            "{samples}, {noise}: {best}, least squares {least_squares}"
        );
    }
}

#[test]
fn scores_with_outliers_are_ranked() {
    let outliers = |score: f64| score.powi(7);
    let best = mean_cosine(BoundaryFit::default(), 1000, outliers, 0.3);
    let least_squares = mean_cosine(with(FitMethod::LeastSquares), 1000, outliers, 0.3);
    assert!(
        best > 0.98 && least_squares < 0.95,
        "{best}, least squares {least_squares}"
    );
    let (codes, scores, _) = scored(7, 1000, 0.3);
    let boundary = fit(
        &BoundaryFit::default(),
        codes.view(),
        scores.mapv(outliers).view(),
    )
    .unwrap();
    assert_eq!(
        boundary.provenance().method.as_deref(),
        Some("ridge regression of ranks")
    );
}

/// Scores that saturate, with noise that never changes their sign.
fn saturated(seed: u32, samples: usize) -> (Array3<f32>, Array1<f64>, Vec<f64>) {
    let (codes, along, truth) = scored(seed, samples, 0.0);
    let noise = standard_normal(seed + 7000, samples);
    let scores = along
        .iter()
        .zip(noise)
        .map(|(along, noise)| (3.0 * along).tanh() * noise.exp());
    (codes, scores.collect(), truth)
}

#[test]
fn where_only_the_side_of_a_score_is_certain_the_default_takes_the_sides() {
    let (mut best, mut least_squares, mut sides) = (0.0, 0.0, 0.0);
    let draws = 6;
    for draw in 0..draws {
        let (codes, scores, truth) = saturated(100 * draw, 1000);
        let side = scores.mapv(|score| f64::from(u8::from(score > 0.0)));
        let cosine_of = |options: BoundaryFit, scores: &Array1<f64>| {
            cosine(&fit(&options, codes.view(), scores.view()).unwrap(), &truth) / f64::from(draws)
        };
        best += cosine_of(BoundaryFit::default(), &scores);
        least_squares += cosine_of(with(FitMethod::LeastSquares), &scores);
        sides += cosine_of(BoundaryFit::default(), &side);
    }
    assert!(
        best > least_squares + 0.002,
        "{best}, least squares {least_squares}"
    );
    assert!(best > sides - 0.002, "{best}, both sides as classes {sides}");
    let (codes, scores, _) = saturated(7, 1000);
    let boundary = fit(&BoundaryFit::default(), codes.view(), scores.view()).unwrap();
    let Provenance {
        method,
        classes,
        accuracy,
        ..
    } = boundary.provenance();
    assert_eq!(
        method.as_deref(),
        Some("logistic regression of the sides of the threshold")
    );
    assert!(classes.is_none());
    assert!(
        (0.9..1.0).contains(&accuracy.held_out_all.unwrap()),
        "{accuracy:?}"
    );
    assert!((0.98..1.0).contains(&accuracy.cosine.unwrap()), "{accuracy:?}");
}

#[test]
fn fits_are_compared_on_codes_from_everywhere_in_the_list() {
    let samples = 50_000;
    let (codes, scores, _) = saturated(7, samples);
    let mut order: Vec<usize> = (0..samples).collect();
    order.sort_by(|&one, &other| scores[one].total_cmp(&scores[other]));
    let sorted = codes.select(ndarray::Axis(0), &order);
    let boundary = fit(
        &BoundaryFit::default(),
        sorted.view(),
        scores.select(ndarray::Axis(0), &order).view(),
    )
    .unwrap();
    assert_eq!(
        boundary.provenance().method.as_deref(),
        Some("logistic regression of the sides of the threshold")
    );
    assert!(boundary.provenance().accuracy.held_out_all.unwrap() > 0.99);
}

#[test]
fn a_threshold_that_leaves_one_side_almost_empty_is_no_obstacle() {
    let (codes, scores, truth) = scored(29, 600, 0.3);
    let highest = scores.iter().fold(f64::MIN, |most, &score| most.max(score));
    for threshold in [highest, highest - 1e-9, highest + 1.0] {
        let options = BoundaryFit {
            threshold: Some(threshold),
            ..BoundaryFit::default()
        };
        let boundary = fit(&options, codes.view(), scores.view()).unwrap();
        assert!(cosine(&boundary, &truth) > 0.98, "{threshold}");
    }
}

#[test]
fn two_scores_are_classes_of_equal_weight() {
    let rare = |score: f64| f64::from(u8::from(score > 1.2));
    let best = mean_cosine(BoundaryFit::default(), 1000, rare, 0.3);
    assert!(best > 0.93, "{best}");
    let (codes, scores, _) = scored(3, 1000, 0.3);
    let boundary = fit(&BoundaryFit::default(), codes.view(), scores.mapv(rare).view()).unwrap();
    assert_eq!(
        boundary.provenance().method.as_deref(),
        Some("logistic regression")
    );
    // A tenth of the codes is positive. The plane lies between the classes and not in the middle of the codes.
    assert!(
        (-2.0..-0.5).contains(&boundary.intercept()),
        "{}",
        boundary.intercept()
    );
}

#[test]
fn classes_of_codes_whose_values_have_very_different_deviations_are_fitted() {
    let (mut codes, scores, truth) = scored(31, 2000, 0.0);
    // The values' deviations fall from 1 to 0.09.
    let deviation = |value: usize| 0.9_f32.powi(i32::try_from(value).unwrap());
    for (value, mut column) in codes.axis_iter_mut(ndarray::Axis(2)).enumerate() {
        column *= deviation(value);
    }
    let classes = scores.mapv(|score| f64::from(u8::from(score > 0.0)));
    let boundary = fit(&BoundaryFit::default(), codes.view(), classes.view()).unwrap();
    assert!(boundary.provenance().accuracy.held_out_all.unwrap() > 0.9);
    // The direction in which the classes differ, on the scale of the values.
    let normal = boundary.normal().iter().enumerate();
    let along = normal.map(|(value, weight)| weight * f64::from(deviation(value)));
    let along: Vec<f64> = along.collect();
    let length = along.iter().map(|value| value * value).sum::<f64>().sqrt();
    let cosine: f64 = along
        .iter()
        .zip(&truth)
        .map(|(one, other)| one * other)
        .sum::<f64>()
        / length;
    assert!(cosine > 0.95, "{cosine}");
}

#[test]
fn the_expected_cosine_is_that_with_the_true_direction() {
    for noise in [0.3, 1.0] {
        let close = (0..40).filter(|draw| {
            let (codes, scores, truth) = scored(100 * draw, 600, noise);
            let boundary = fit(&BoundaryFit::default(), codes.view(), scores.view()).unwrap();
            let expected = boundary.provenance().accuracy.cosine.unwrap();
            (expected - cosine(&boundary, &truth)).abs() < 0.02
        });
        let close = close.count();
        assert!(close >= 38, "noise {noise}: {close} of 40");
    }
}

#[test]
fn no_cosine_is_expected_from_fewer_than_ten_codes_for_each_value() {
    let (codes, scores, _) = scored(5, 10 * DIM - 1, 0.3);
    let boundary = fit(&BoundaryFit::default(), codes.view(), scores.view()).unwrap();
    assert_eq!(boundary.provenance().accuracy.cosine, None);
}

#[test]
fn figures_of_held_out_codes_show_noise_that_the_fitted_codes_hide() {
    let (codes, _, _) = scored(11, 60, 0.0);
    let noise: Array1<f64> = standard_normal(12, 60).into();
    for method in [FitMethod::Regression, FitMethod::LeastSquares, FitMethod::Svm] {
        let options = BoundaryFit {
            selection: faceplane::latent::SampleSelection::Ratio(0.3),
            ..with(method)
        };
        let accuracy = fit(&options, codes.view(), noise.view())
            .unwrap()
            .provenance()
            .accuracy;
        let correlation = accuracy.correlation.unwrap();
        assert!(correlation.abs() < 0.5, "{method:?}: {correlation}");
    }
    let (codes, scores, _) = scored(13, 2000, 0.5);
    let accuracy = fit(&BoundaryFit::default(), codes.view(), scores.view())
        .unwrap()
        .provenance()
        .accuracy;
    // The correlation of t·x with t·x + ε/2.
    assert!(
        (accuracy.correlation.unwrap() - 0.894).abs() < 0.02,
        "{accuracy:?}"
    );
    assert!(
        (accuracy.score_per_unit.unwrap() - 1.0).abs() < 0.05,
        "{accuracy:?}"
    );
    assert!(
        accuracy.held_out.unwrap() > accuracy.held_out_all.unwrap(),
        "{accuracy:?}"
    );
}

#[test]
fn a_unit_of_distance_moves_the_score_no_more_than_it_does_on_other_codes() {
    let draws = (0..20).map(|draw| {
        let (codes, scores, truth) = scored(1000 + draw, 600, 3.0);
        let boundary = fit(&BoundaryFit::default(), codes.view(), scores.view()).unwrap();
        let slope = boundary.provenance().accuracy.score_per_unit.unwrap();
        // The score is t·x with noise, so that a move along n changes it by n·t.
        (slope, cosine(&boundary, &truth))
    });
    let (slopes, cosines): (Vec<f64>, Vec<f64>) = draws.unzip();
    let [slope, cosine] = [slopes, cosines].map(|values| values.iter().sum::<f64>() / 20.0);
    assert!(cosine < 0.9, "{cosine}");
    // It is measured with a fit to each half, which is less exact.
    assert!(
        (cosine - 0.15..cosine + 0.03).contains(&slope),
        "{slope}, {cosine}"
    );
}

#[test]
fn without_a_threshold_the_plane_lies_at_the_median_score_whatever_the_highest_is() {
    let (codes, mut scores, _) = scored(23, 2000, 0.3);
    scores[0] = 1e6;
    let boundary = fit(&BoundaryFit::default(), codes.view(), scores.view()).unwrap();
    assert!(boundary.intercept().abs() < 0.1, "{}", boundary.intercept());
    let right = boundary.provenance().accuracy.all.unwrap();
    assert!((0.8..0.99).contains(&right), "{right}");
}

#[test]
fn few_codes_of_many_values_are_fitted() {
    let (codes, scores, truth) = scored(17, 12, 0.0);
    let boundary = fit(&BoundaryFit::default(), codes.view(), scores.view()).unwrap();
    assert!(cosine(&boundary, &truth) > 0.3);
}

#[test]
fn a_unit_of_distance_moves_the_score_alike_in_w_and_on_repeated_layers() {
    let (codes, scores, _) = scored(19, 600, 0.5);
    let layers = 4;
    let repeated = Array3::from_shape_fn((600, layers, DIM), |(sample, _, value)| codes[[sample, 0, value]]);
    let unit = |codes: &Array3<f32>| {
        let boundary = fit(&BoundaryFit::default(), codes.view(), scores.view()).unwrap();
        boundary.provenance().accuracy.score_per_unit.unwrap()
    };
    let (in_w, in_w_plus) = (unit(&codes), unit(&repeated));
    assert!((in_w / in_w_plus - 1.0).abs() < 1e-3, "{in_w} and {in_w_plus}");
}

//! Correlations of scores and cosines of normals.

use faceplane::latent::{
    Boundary, FitError, LatentError, LatentSpace, Provenance, correlation, cosines, standard_normal,
};
use ndarray::{Array2, array};
use proptest::prelude::*;

fn normal_scores(seed: u32) -> Array2<f64> {
    Array2::from_shape_vec((40, 3), standard_normal(seed, 120)).unwrap()
}

proptest! {
    #[test]
    fn correlation_does_not_depend_on_units_and_changes_sign_with_a_score(seed: u32, scale in 0.01..100.0, shift in -50.0..50.0) {
        let scores = normal_scores(seed);
        let plain = correlation(scores.view()).unwrap();
        let mut other = scores;
        other.column_mut(1).mapv_inplace(|score| shift - scale * score);
        let negated = correlation(other.view()).unwrap();
        prop_assert_eq!(plain.t(), plain.view());
        let ones = array![1.0, 1.0, 1.0];
        prop_assert_eq!(plain.diag(), ones.view());
        for row in 0..3 {
            for column in 0..row {
                let sign = if (row == 1) == (column == 1) { 1.0 } else { -1.0 };
                prop_assert!((negated[[row, column]] - sign * plain[[row, column]]).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn correlation_equals_a_textbook_example() {
    let found = correlation(array![[1.0, 2.0], [2.0, 1.0], [3.0, 4.0], [4.0, 3.0]].view()).unwrap();
    assert!((found[[0, 1]] - 0.6).abs() < 1e-15, "{found}");
}

#[test]
fn a_constant_score_has_no_correlation() {
    let refused = correlation(array![[1.0, 2.0], [2.0, 2.0]].view()).unwrap_err();
    assert_eq!(
        refused,
        LatentError::Fit(FitError::ConstantScores {
            samples: 2,
            score: 2.0
        })
    );
    let refused = correlation(array![[1.0, f64::NAN], [2.0, 2.0]].view()).unwrap_err();
    assert!(
        matches!(
            refused,
            LatentError::Fit(FitError::ScoreNotFinite { sample: 0, .. })
        ),
        "{refused}"
    );
}

#[test]
fn cosines_are_between_normals_of_one_space() {
    let boundary = |space, normal| Boundary::new("age", space, normal, 0.0, Provenance::default()).unwrap();
    let one = boundary(LatentSpace::Z, array![[2.0, 0.0]]);
    let other = boundary(LatentSpace::Z, array![[-3.0, 4.0]]);
    assert_eq!(
        cosines(&[&one, &other]).unwrap(),
        array![[1.0, -0.6], [-0.6, 1.0]]
    );
    let elsewhere = boundary(LatentSpace::W, array![[1.0, 0.0]]);
    assert!(matches!(
        cosines(&[&one, &elsewhere]),
        Err(LatentError::SpaceMismatch { .. })
    ));
}

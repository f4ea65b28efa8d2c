//! Signed distances of boundaries, and boundaries that are refused.

use faceplane::latent::{Boundary, LatentCode, LatentError, LatentSpace, LayerRange, Provenance};
use ndarray::{Array2, array};
use proptest::prelude::*;

use super::{DIM, LAYERS, boundary, code, numbers};

/// [`LAYERS`] as a number.
const LAYER_COUNT: f64 = 6.0;

fn age(normal: Array2<f64>, intercept: f64) -> Result<Boundary, LatentError> {
    Boundary::new("age", LatentSpace::W, normal, intercept, Provenance::default())
}

#[test]
fn a_normal_of_any_length_gives_distances_in_units_of_the_space() {
    let boundary = age(array![[3.0, 4.0]], 10.0).unwrap();
    assert_eq!(boundary.normal(), array![[0.6, 0.8]]);
    let code = LatentCode::from_row(LatentSpace::W, vec![5.0, 0.0]).unwrap();
    assert!((boundary.signed_distance(&code).unwrap() - 5.0).abs() < 1e-15);
}

#[test]
fn a_normal_without_a_direction_is_refused() {
    let refused = age(array![[0.0, 0.0]], 1.0).unwrap_err();
    assert_eq!(
        refused,
        LatentError::Norm {
            attribute: "age".to_owned(),
            norm: 0.0
        }
    );
    assert!(matches!(
        age(array![[1e200, 0.0]], 1.0),
        Err(LatentError::Norm { .. })
    ));
    assert!(matches!(
        age(array![[1e-200, 0.0]], 1.0),
        Err(LatentError::Norm { .. })
    ));
    assert!(matches!(
        age(array![[1.0, f64::NAN]], 1.0),
        Err(LatentError::NotFinite {
            row: 0,
            column: 1,
            ..
        })
    ));
}

#[test]
fn a_boundary_needs_a_name_a_shape_and_a_finite_intercept() {
    let unnamed = Boundary::new(" ", LatentSpace::Z, array![[1.0]], 0.0, Provenance::default());
    assert_eq!(
        unnamed,
        Err(LatentError::AttributeName {
            found: " ".into(),
            reason: "which is blank".into()
        })
    );
    assert_eq!(
        age(array![[1.0], [1.0]], 0.0),
        Err(LatentError::RowCount {
            space: LatentSpace::W,
            rows: 2
        })
    );
    assert!(matches!(age(array![[]], 0.0), Err(LatentError::Empty { .. })));
    assert!(matches!(
        age(array![[1.0]], f64::INFINITY),
        Err(LatentError::Intercept { .. })
    ));
}

#[test]
fn a_code_of_another_space_or_size_is_refused() {
    let boundary = age(array![[1.0, 0.0]], 0.0).unwrap();
    let z = LatentCode::from_row(LatentSpace::Z, vec![1.0, 2.0]).unwrap();
    let refused = boundary.signed_distance(&z).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "found z, but `age` lies in w: use a boundary and a code of the same latent space"
    );
    let longer = LatentCode::from_row(LatentSpace::W, vec![1.0, 2.0, 3.0]).unwrap();
    let refused = boundary.signed_distance(&longer).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("found the shape [1, 3], but `age` has [1, 2]"),
        "{refused}"
    );
    let layered = Boundary::new(
        "age",
        LatentSpace::WPlus,
        array![[1.0, 0.0]],
        0.0,
        Provenance::default(),
    )
    .unwrap();
    let two_layers = LatentCode::new(LatentSpace::WPlus, array![[1.0, 2.0], [3.0, 4.0]]).unwrap();
    assert!(matches!(
        layered.signed_distance(&two_layers),
        Err(LatentError::ShapeMismatch { .. })
    ));
}

#[test]
fn a_boundary_in_w_can_measure_some_layers_of_a_w_plus_code() {
    let boundary = age(array![[1.0, 0.0]], 0.5).unwrap();
    let code = LatentCode::new(LatentSpace::WPlus, array![[1.0, 9.0], [3.0, 9.0], [8.0, 9.0]]).unwrap();
    let first_two = LayerRange::new(0, 1).ok();
    assert_eq!(boundary.signed_distance_on(&code, first_two), Ok(2.5));
    assert_eq!(boundary.signed_distance(&code), Ok(4.5));
}

#[test]
fn a_boundary_in_w_plus_takes_the_dot_product_over_all_layers() {
    let boundary = Boundary::new(
        "age",
        LatentSpace::WPlus,
        array![[0.0, 3.0], [4.0, 0.0]],
        0.0,
        Provenance::default(),
    )
    .unwrap();
    let code = LatentCode::new(LatentSpace::WPlus, array![[7.0, 1.0], [2.0, 7.0]]).unwrap();
    // The normal has the length √2, and the distance is divided by the two layers.
    let expected = (7.0 * 0.0 + 1.0 * 3.0 + 2.0 * 4.0) / 5.0 / 2.0_f64.sqrt();
    assert!((boundary.signed_distance(&code).unwrap() - expected).abs() < 1e-15);
}

proptest! {
    #[test]
    fn a_repeated_w_code_has_the_distance_of_the_w_code(seed: u32, other: u32) {
        let boundary = boundary("age", LatentSpace::W, seed);
        let code = code(LatentSpace::W, other);
        let layered = code.broadcast(LAYERS).unwrap();
        let [one, all] = [&code, &layered].map(|code| boundary.signed_distance(code).unwrap());
        prop_assert!((one - all).abs() < 1e-12, "{one} and {all}");
    }

    #[test]
    fn a_normal_of_w_repeated_on_all_layers_is_the_same_boundary_in_w_plus(seed: u32, other: u32, scale in 0.01..100.0) {
        let by_row = boundary("age", LatentSpace::W, seed);
        let repeated = Array2::from_shape_fn((LAYERS, DIM), |(_, column)| by_row.normal()[[0, column]] * scale);
        let intercept = by_row.intercept() * scale * LAYER_COUNT;
        let by_layers =
            Boundary::new("age", LatentSpace::WPlus, repeated, intercept, Provenance::default()).unwrap();
        let code = code(LatentSpace::WPlus, other);
        let [one, all] = [&by_row, &by_layers].map(|boundary| boundary.signed_distance(&code).unwrap());
        prop_assert!((one - all).abs() < 1e-12, "{one} and {all}");
        for row in by_layers.normal().rows() {
            for (one, other) in row.iter().zip(by_row.normal()) {
                prop_assert!((one - other).abs() < 1e-12, "a unit moves each layer by a unit");
            }
        }
    }

    #[test]
    fn the_layers_of_a_w_plus_normal_keep_their_relative_weights(seed: u32, first in 0.1..10.0) {
        let mut weighted = numbers(LatentSpace::WPlus, seed);
        let rows: Vec<f64> = weighted.rows().into_iter().map(|row| row.dot(&row)).collect();
        weighted.row_mut(0).mapv_inplace(|value| value * first);
        let age = Boundary::new("age", LatentSpace::WPlus, weighted, 0.0, Provenance::default()).unwrap();
        let squares: Vec<f64> = age.normal().rows().into_iter().map(|row| row.dot(&row)).collect();
        prop_assert!((squares.iter().sum::<f64>() - LAYER_COUNT).abs() < 1e-12);
        let share: f64 = squares[0] / squares[1] / (rows[0] / rows[1] * first * first);
        prop_assert!((share - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_length_of_the_normal_changes_nothing(seed: u32, scale in 1e-6..1e6, intercept in -3.0..3.0) {
        let normal = numbers(LatentSpace::W, seed);
        let one = age(normal.clone(), intercept).unwrap();
        let other = age(normal * scale, intercept * scale).unwrap();
        prop_assert!((one.cosine(&other).unwrap() - 1.0).abs() < 1e-14);
        prop_assert!((one.intercept() - other.intercept()).abs() < 1e-14);
    }

    #[test]
    fn the_memory_order_of_the_normal_changes_nothing(seed: u32, other: u32) {
        let by_rows = numbers(LatentSpace::WPlus, seed);
        let mut by_columns = Array2::zeros((DIM, LAYERS)).reversed_axes();
        by_columns.assign(&by_rows);
        let [one, two] = [by_rows, by_columns].map(|normal| {
            Boundary::new("age", LatentSpace::WPlus, normal, 0.1, Provenance::default()).unwrap()
        });
        let code = code(LatentSpace::WPlus, other);
        prop_assert_eq!(one.signed_distance(&code), two.signed_distance(&code));
        prop_assert_eq!(one, two);
    }
}

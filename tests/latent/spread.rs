//! Units of amounts, and where the samples are.

use std::sync::Arc;

use faceplane::latent::{
    Amount, Boundary, CodeMoments, CodeSampler, Direction, Edit, LatentCode, LatentError, LatentSpace,
    LayerRange, Provenance, Spread, Unit, apply,
};
use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;

use super::{DIM, LAYERS, boundary, code, numbers, shape};

/// w codes that are correlated and not centred.
fn w_codes(count: usize) -> Array2<f32> {
    let z = CodeSampler::new(7, DIM, false).sample(count);
    let mixing = Array2::from_shape_fn((DIM, DIM), |(row, column)| {
        let both = u8::try_from((row + 2 * column) % 5).unwrap();
        if row == column { 2.0 } else { 0.1 * f32::from(both) }
    });
    z.dot(&mixing) + 0.5
}

/// Mean and standard deviation of the distances of `codes`.
fn measured(boundary: &Boundary, codes: impl Iterator<Item = LatentCode>) -> (f64, f64) {
    let distances: Array1<f64> = codes
        .map(|code| boundary.signed_distance(&code).unwrap())
        .collect();
    (distances.mean().unwrap(), distances.std(1.0))
}

fn rows(codes: &Array2<f32>, space: LatentSpace) -> impl Iterator<Item = LatentCode> {
    let row = move |row: ndarray::ArrayView1<'_, f32>| LatentCode::from_row(space, row.to_vec()).unwrap();
    codes.axis_iter(Axis(0)).map(row)
}

#[test]
fn the_spread_of_codes_is_that_of_their_distances() {
    let codes = w_codes(500);
    let moments = CodeMoments::of(codes.view());
    for seed in 0..5 {
        let in_w = boundary("age", LatentSpace::W, seed);
        let (mean, deviation) = measured(&in_w, rows(&codes, LatentSpace::W));
        let spread = moments.spread(&in_w, None).unwrap();
        assert!((spread.mean - mean).abs() < 1e-9, "{spread:?}, measured {mean}");
        assert!(
            (spread.deviation - deviation).abs() < 1e-9,
            "{spread:?}, measured {deviation}"
        );

        let in_w_plus = boundary("age", LatentSpace::WPlus, seed);
        let repeated = rows(&codes, LatentSpace::W).map(|code| code.broadcast(LAYERS).unwrap());
        let (mean, deviation) = measured(&in_w_plus, repeated);
        let spread = moments.spread(&in_w_plus, None).unwrap();
        assert!((spread.mean - mean).abs() < 1e-9, "{spread:?}, measured {mean}");
        assert!(
            (spread.deviation - deviation).abs() < 1e-9,
            "{spread:?}, measured {deviation}"
        );
    }
    assert_eq!(moments.spread(&boundary("age", LatentSpace::Z, 0), None), None);
}

#[test]
fn the_spread_on_some_layers_is_that_of_the_distances_on_them() {
    let codes = w_codes(500);
    let moments = CodeMoments::of(codes.view());
    let age = boundary("age", LatentSpace::WPlus, 3);
    let layers: LayerRange = "1-3".parse().unwrap();
    let repeated = rows(&codes, LatentSpace::W).map(|code| code.broadcast(LAYERS).unwrap());
    let distances: Array1<f64> = repeated
        .map(|code| age.signed_distance_on(&code, Some(layers)).unwrap())
        .collect();
    let spread = moments.spread(&age, Some(layers)).unwrap();
    assert!((spread.mean - distances.mean().unwrap()).abs() < 1e-9);
    assert!((spread.deviation - distances.std(1.0)).abs() < 1e-9);
    let in_w = boundary("age", LatentSpace::W, 3);
    assert_eq!(moments.spread(&in_w, Some(layers)), moments.spread(&in_w, None));
}

#[test]
fn the_spread_in_z_is_that_of_sampled_z_codes() {
    for rescale in [false, true] {
        let codes = CodeSampler::new(3, DIM, rescale).sample(20_000);
        for seed in 0..3 {
            let boundary = boundary("age", LatentSpace::Z, seed);
            let spread = Spread::in_z(&boundary).unwrap();
            let (mean, deviation) = measured(&boundary, rows(&codes, LatentSpace::Z));
            assert!((spread.mean - mean).abs() < 0.04, "{spread:?}, measured {mean}");
            assert!(
                (spread.deviation - deviation).abs() < 0.02,
                "{spread:?}, measured {deviation}"
            );
        }
    }
    assert_eq!(Spread::in_z(&boundary("age", LatentSpace::W, 0)), None);
}

#[test]
fn the_range_is_three_deviations_around_the_mean() {
    let spread = Spread {
        mean: 1.0,
        deviation: 2.0,
    };
    assert_eq!(spread.range(), (-5.0, 7.0));
    assert_eq!(spread.deviations(7.0), Some(3.0));
    assert_eq!(
        Spread {
            deviation: 0.0,
            ..spread
        }
        .deviations(7.0),
        None
    );
}

#[test]
fn a_deviation_that_is_not_known_is_no_unit() {
    let age = boundary("age", LatentSpace::W, 0);
    let constant = Spread {
        mean: 1.0,
        deviation: 0.0,
    };
    for spread in [None, Some(constant)] {
        let refused = Unit::Deviation.length(&age, spread).unwrap_err();
        let expected = LatentError::UnknownDeviation {
            attribute: "age".to_owned(),
            space: LatentSpace::W,
        };
        assert_eq!(refused, expected);
    }
    let spread = Spread {
        mean: 1.0,
        deviation: 2.5,
    };
    assert_eq!(Unit::Deviation.length(&age, Some(spread)), Ok(2.5));
    assert_eq!(Unit::Distance.length(&age, None), Ok(1.0));
}

/// The change of `code` by an edit in the unit of the file.
fn moved(age: &Arc<Boundary>, code: &LatentCode, amount: Amount) -> Array2<f64> {
    let unit = Unit::File.length(age, None).unwrap();
    let edit = Edit::new(age.clone(), Direction::along(age), amount.in_units_of(unit)).unwrap();
    let edited = apply(code, &[edit], None).unwrap();
    edited.values().mapv(f64::from) - code.values().mapv(f64::from)
}

proptest! {
    #[test]
    fn a_published_coefficient_moves_a_code_by_that_many_normals_of_the_file(
        (space, of_code) in prop_oneof![
            Just((LatentSpace::Z, LatentSpace::Z)),
            Just((LatentSpace::W, LatentSpace::W)),
            Just((LatentSpace::W, LatentSpace::WPlus)),
            Just((LatentSpace::WPlus, LatentSpace::WPlus)),
        ],
        seed: u32,
        length in 0.1..20.0,
        coefficient in -5.0..5.0,
    ) {
        let file = numbers(space, seed);
        let norm = (&file * &file).sum().sqrt();
        let file: Array2<f64> = file * (length / norm);
        let age = Boundary::from_outside("age", space, file.clone(), 0.3, Provenance::default()).unwrap();
        let moved = moved(&age.into(), &code(of_code, seed), Amount::By(coefficient));
        for (moved, file) in moved.rows().into_iter().zip(file.broadcast(shape(of_code)).unwrap().rows()) {
            for (moved, file) in moved.iter().zip(file) {
                prop_assert!((moved - coefficient * file).abs() < 1e-5, "{moved} of {file}");
            }
        }
    }
}

#[test]
fn a_w_plus_boundary_of_length_one_edits_in_its_files_unit_as_it_did_before() {
    // Before, the normal of all layers together had the length 1, and the distance was n·code + b.
    let file = numbers(LatentSpace::WPlus, 5);
    let file = &file / (&file * &file).sum().sqrt();
    let age = Boundary::from_outside(
        "age",
        LatentSpace::WPlus,
        file.clone(),
        0.3,
        Provenance::default(),
    )
    .unwrap();
    let age = Arc::new(age);
    let code = code(LatentSpace::WPlus, 8);
    let before = (code.values().mapv(f64::from) * &file).sum() + 0.3;
    for (amount, expected) in [(Amount::By(2.0), 2.0), (Amount::To(1.5), 1.5 - before)] {
        let change = moved(&age, &code, amount);
        assert!((&change - &(&file * expected)).iter().all(|off| off.abs() < 1e-5));
    }
}

#[test]
fn lengths_that_no_normal_has_are_refused() {
    for length in [0.0, -2.0, f64::NAN, f64::INFINITY] {
        let provenance = Provenance {
            length: Some(length),
            ..Provenance::default()
        };
        let refused = Boundary::new("age", LatentSpace::W, array![[0.6, 0.8]], 0.0, provenance);
        assert!(matches!(refused, Err(LatentError::FileLength { .. })), "{length}");
    }
}

#[test]
fn the_usual_length_is_one_unit_of_distance() {
    let normal = array![[0.6, 0.8]];
    let age = Boundary::from_outside("age", LatentSpace::W, normal, 0.0, Provenance::default()).unwrap();
    assert!((age.file_unit() - 1.0).abs() < 1e-15);
}

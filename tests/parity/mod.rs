//! Our numbers compared with those of numpy, which `reference.py` wrote to `reference.json`.

use faceplane::latent::{
    Boundary, LatentCode, LatentError, LatentSpace, Provenance, Trajectory, Truncation, condition, sample_z,
    standard_normal,
};
use ndarray::Array2;
use serde_json::Value;

#[test]
fn a_seed_gives_the_numbers_of_numpy_to_the_bit() {
    for case in cases("sampling") {
        let seed = u32::try_from(case["seed"].as_u64().unwrap()).unwrap();
        assert_same_bits(&standard_normal(seed, 33), &row(&case["randn"]));
        assert_same_bits(&standard_normal(seed, 2001)[1996..], &row(&case["tail"]));
    }
}

#[test]
fn a_seed_gives_the_code_of_the_reference_with_and_without_rescaling() {
    for case in cases("sampling") {
        let seed = u32::try_from(case["seed"].as_u64().unwrap()).unwrap();
        assert_eq!(
            sample_z(seed, 32, true).unwrap().values(),
            code_rows(&case["rescaled"])
        );
        assert_eq!(
            sample_z(seed, 32, false).unwrap().values(),
            code_rows(&case["plain"])
        );
    }
}

#[test]
fn projection_agrees_with_the_pseudo_inverse_for_every_rank() {
    for case in cases("projections") {
        let primal = boundary("primal", &row(&case["primal"])).unwrap();
        let conditions = matrix(&case["conditions"]);
        let conditions: Vec<_> = conditions
            .iter()
            .map(|row| boundary("condition", row).unwrap())
            .collect();
        let conditions: Vec<_> = conditions.iter().collect();
        let conditioned = condition(&primal, &conditions).unwrap();

        let name = &case["name"];
        let outside = row(&case["outside"]);
        let retained = row(&case["retained"])[0];
        // numpy's own error grows with the conditions' condition number, which reaches 2000 here.
        let ours = conditioned.direction.step() * conditioned.retained;
        for (ours, numpy) in ours.iter().zip(outside) {
            assert!((ours - numpy).abs() < 1e-12, "{name}: {ours} instead of {numpy}");
        }
        assert!(
            (conditioned.retained - retained).abs() < 1e-12,
            "{name}: {} instead of {retained}",
            conditioned.retained
        );
        for cosine in conditioned.cosines {
            assert!(cosine.abs() < 1e-12, "{name}: {cosine}");
        }
    }
}

#[test]
fn a_trajectory_is_linspace_of_numpy_to_the_bit() {
    for case in cases("series") {
        let [start, end] = ["start", "end"].map(|name| row(&case[name])[0]);
        let steps = u32::try_from(case["steps"].as_u64().unwrap()).unwrap();
        let trajectory = Trajectory::new(start, end, steps).unwrap();
        assert_same_bits(&trajectory.positions(), &row(&case["positions"]));
    }
}

#[test]
fn truncation_agrees_with_numpy_to_the_bit() {
    for case in cases("truncations") {
        let layers = usize::try_from(case["layers"].as_u64().unwrap()).unwrap();
        let truncation = Truncation::new(row(&case["psi"])[0], Some(layers)).unwrap();
        let w = LatentCode::new(LatentSpace::W, code_rows(&case["w"])).unwrap();
        let w_avg = code_rows(&case["w_avg"]);
        let truncated = truncation.apply(&w, w_avg.as_slice().unwrap(), 4).unwrap();
        let expected = matrix(&case["truncated"]).concat();
        let ours: Vec<_> = truncated
            .broadcast(4)
            .unwrap()
            .values()
            .iter()
            .map(|&value| f64::from(value))
            .collect();
        let repeats = ours.len() / expected.len();
        assert_same_bits(&ours, &expected.repeat(repeats));
    }
}

fn cases(kind: &str) -> Vec<Value> {
    let reference: Value = serde_json::from_str(include_str!("reference.json")).unwrap();
    reference[kind].as_array().unwrap().clone()
}

/// A row is a string of numbers, because a JSON reader may round numbers.
fn row(text: &Value) -> Vec<f64> {
    text.as_str()
        .unwrap()
        .split(' ')
        .map(|number| number.parse().unwrap())
        .collect()
}

fn matrix(rows: &Value) -> Vec<Vec<f64>> {
    rows.as_array().unwrap().iter().map(row).collect()
}

fn code_rows(text: &Value) -> Array2<f32> {
    let numbers = text
        .as_str()
        .unwrap()
        .split(' ')
        .map(|number| number.parse().unwrap());
    let numbers: Vec<f32> = numbers.collect();
    Array2::from_shape_vec((1, numbers.len()), numbers).unwrap()
}

fn boundary(attribute: &str, normal: &[f64]) -> Result<Boundary, LatentError> {
    let normal = Array2::from_shape_vec((1, normal.len()), normal.to_vec()).unwrap();
    Boundary::new(attribute, LatentSpace::Z, normal, 0.0, Provenance::default())
}

fn assert_same_bits(ours: &[f64], numpy: &[f64]) {
    let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(ours), bits(numpy), "{ours:?} instead of {numpy:?}");
}

//! Boundaries compared with those of scikit-learn and numpy, which `reference.py` wrote to `reference.json`.

use faceplane::latent::{Boundary, BoundaryFit, FitMethod, SampleSelection};
use ndarray::Array2;
use serde_json::Value;

use super::{codes, fit, scores};

/// The result of `SVC` or of least squares for each case, and our boundary.
fn cases(method: FitMethod) -> Vec<(Value, Boundary)> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("reference.json")).unwrap();
    let key = if method == FitMethod::Svm {
        "svm"
    } else {
        "least_squares"
    };
    let known = cases.into_iter().filter(|case| case.get(key).is_some());
    known
        .map(|case| {
            let integer = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
            let seed = u32::try_from(case["seed"].as_u64().unwrap()).unwrap();
            let shape = (integer(&case["shape"][0]), integer(&case["shape"][1]));
            let offset = case["offset"].as_f64().unwrap_or(0.0);
            let codes = codes(seed, integer(&case["samples"]), shape, offset);
            let scores = scores(seed, &codes, case["noise"].as_f64().unwrap(), offset);
            let selection = SampleSelection::Ratio(case["ratio"].as_f64().unwrap());
            // As in the authors' code.
            let (low, high) = scores.iter().fold((f64::MAX, f64::MIN), |(low, high), &score| {
                (low.min(score), high.max(score))
            });
            let options = BoundaryFit {
                method,
                selection,
                seed,
                threshold: Some(f64::midpoint(low, high)),
                ..BoundaryFit::paper()
            };
            let boundary = fit(&options, codes.view(), scores.view()).unwrap();
            let mut found = case[key].clone();
            found["name"] = case["name"].clone();
            (found, boundary)
        })
        .collect()
}

fn numbers(text: &Value) -> Vec<f64> {
    text.as_str()
        .unwrap()
        .split(' ')
        .map(|number| number.parse().unwrap())
        .collect()
}

/// The cosine with the expected unit normal, and the intercept for a normal of length 1.
fn cosine_and_intercept(expected: &Value, boundary: &Boundary) -> (f64, f64) {
    let normal = Array2::from_shape_vec(boundary.normal().dim(), numbers(&expected["normal"])).unwrap();
    let length = (boundary.normal() * boundary.normal()).sum().sqrt();
    (
        (normal * boundary.normal()).sum() / length,
        boundary.intercept() / length,
    )
}

#[test]
fn the_support_vector_machine_finds_the_boundary_of_svc() {
    for (expected, boundary) in cases(FitMethod::Svm) {
        let name = &expected["name"];
        let (cosine, ours) = cosine_and_intercept(&expected, &boundary);
        assert!(cosine > 0.9999, "{name}: {cosine}");
        let intercept = numbers(&expected["intercept"])[0];
        let scale = 1.0 + intercept.abs();
        assert!(
            (ours - intercept).abs() < 5e-3 * scale,
            "{name}: {ours} instead of {intercept}"
        );
    }
}

#[test]
fn the_support_vector_machine_is_as_accurate_as_svc_on_the_same_split() {
    for (expected, boundary) in cases(FitMethod::Svm) {
        let accuracy = boundary.provenance().accuracy;
        let ours = [
            ("train", accuracy.train),
            ("held_out", accuracy.held_out),
            ("all", accuracy.all),
        ];
        for (which, ours) in ours {
            let svc = expected[which].as_f64().unwrap();
            assert!(
                (ours.unwrap() - svc).abs() <= 0.002,
                "{} {which}: {ours:?} instead of {svc}",
                expected["name"]
            );
        }
    }
}

#[test]
fn least_squares_finds_the_boundary_of_numpy() {
    for (expected, boundary) in cases(FitMethod::LeastSquares) {
        let (cosine, ours) = cosine_and_intercept(&expected, &boundary);
        let intercept = numbers(&expected["intercept"])[0];
        assert!(cosine > 1.0 - 1e-12, "{}: {cosine}", expected["name"]);
        assert!(
            (ours - intercept).abs() < 1e-6,
            "{}: {ours} instead of {intercept}",
            expected["name"]
        );
    }
}

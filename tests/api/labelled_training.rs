//! Training from codes and scores that the caller sends.

use axum::http::StatusCode;
use faceplane::catalog::NpyArray;
use faceplane::editor::LabelledCodes;
use faceplane::latent::{BoundaryFit, LatentSpace, SampleSelection, SharedCodes};
use serde_json::{Value, json};

use crate::api::training::{PATH, codes, file, run};
use crate::support::{Client, numbers};

#[tokio::test]
async fn boundaries_are_trained_from_the_callers_codes_in_every_space() {
    let client = Client::sketch();
    let (values, scores) = codes();
    for (space, method) in [("z", "svm"), ("w", "least-squares")] {
        let body = json!({
            "attributes": ["beard"], "space": space, "chosen": 60, "method": method,
            "codes": file(vec![200, 4], values.clone()), "scores": file(vec![200, 1], scores.clone()),
        });
        let job = run(&client, PATH, body).await;
        assert_eq!(job["status"], "done", "{job}");
        let found = client.get(&format!("{PATH}/beard/{space}")).await.json();
        let normal = numbers(&found["normal"]);
        assert!(0.6 * normal[0] + 0.8 * normal[1] > 0.98, "{space}: {normal:?}");
        assert_eq!(found["seed"], Value::Null);
    }
    let repeated: Vec<f64> = values.chunks(4).flat_map(|code| code.repeat(3)).collect();
    let body = json!({
        "attributes": ["beard"], "space": "w+", "ratio": 0.3,
        "codes": file(vec![200, 3, 4], repeated), "scores": file(vec![200], scores),
    });
    assert_eq!(run(&client, PATH, body).await["status"], "done");
    let found = client.get(&format!("{PATH}/beard/w+")).await.json();
    let layers = found["normal"].as_array().unwrap();
    assert_eq!(layers.len(), 3);
    for layer in layers {
        // Each of three layers has a third of the squared length.
        let normal = numbers(layer);
        let cosine = 3_f64.sqrt() * (0.6 * normal[0] + 0.8 * normal[1]);
        assert!(cosine > 0.9, "{normal:?}");
    }
}

#[tokio::test]
async fn a_file_of_scores_gives_the_same_boundary_over_http_as_on_the_command_line() {
    let client = Client::sketch();
    let (values, scores) = codes();
    // In single precision all of these scores would be 1000.
    let scores: Vec<f64> = scores.iter().map(|score| 1000.0 + 1e-8 * score).collect();
    let body = json!({
        "attributes": ["beard"], "space": "z", "ratio": 0.3,
        "codes": file(vec![200, 4], values.clone()), "scores": file(vec![200], scores.clone()),
    });
    let job = run(&client, PATH, body).await;
    assert_eq!(job["status"], "done", "{job}");
    let found = client.get(&format!("{PATH}/beard/z")).await.json();
    let array = |shape, values| NpyArray { shape, values };
    let labelled = LabelledCodes::new(
        LatentSpace::Z,
        array(vec![200, 4], values),
        array(vec![200], scores),
    );
    let separation = BoundaryFit {
        selection: SampleSelection::Ratio(0.3),
        ..BoundaryFit::default()
    };
    let expected = labelled
        .unwrap()
        .separate(
            "beard",
            LatentSpace::Z,
            &separation,
            &SharedCodes::default(),
            |_| (),
        )
        .unwrap();
    // Reading a number from JSON may round its last bit.
    let same = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-15, "{found}, {expected}");
    for (found, expected) in numbers(&found["normal"]).into_iter().zip(expected.normal()) {
        same(found, *expected);
    }
    same(found["intercept"].as_f64().unwrap(), expected.intercept());
}

#[tokio::test]
async fn scores_that_do_not_separate_codes_fail_the_job_with_the_reason() {
    let client = Client::sketch();
    let (values, scores) = codes();
    let mut with_nan = scores.clone();
    with_nan[17] = f64::NAN;
    let mut one_class = vec![0.0; 200];
    one_class[0] = 1.0;
    for (scores, says) in [
        (vec![1.0; 200], "for all 200 samples"),
        (with_nan, "found the score NaN for sample 17"),
        (one_class, "found 1 samples of the rarer of two scores"),
    ] {
        let body = json!({
            "attributes": ["beard"], "space": "z", "ratio": 0.2,
            "codes": file(vec![200, 4], values.clone()), "scores": file(vec![200], scores),
        });
        let job = run(&client, PATH, body).await;
        assert_eq!(job["status"], "failed", "{job}");
        assert!(job["failure"].as_str().unwrap().contains(says), "{says}: {job}");
        assert_eq!(
            client.get(&format!("{PATH}/beard/z")).await.status,
            StatusCode::NOT_FOUND
        );
    }
}

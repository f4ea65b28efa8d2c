//! Trainings that sample until the directions have settled, and what is said of boundaries with few or strange scores.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::api::training::{PATH, codes, file, run};
use crate::support::{Client, numbers};

#[tokio::test]
async fn sampling_ends_when_the_directions_have_settled_and_says_why() {
    let client = Client::sketch();
    // At 1000 samples, the support vector machine gets too few of them to tell how exact it is.
    for (method, least) in [("regression", 1000), ("svm", 2000)] {
        let body = json!({"attributes": ["smile", "age"], "space": "w", "samples": "auto", "method": method, "seed": 5});
        let job = run(&client, PATH, body.clone()).await;
        assert_eq!(
            (&job["status"], &job["samples"]),
            (&json!("done"), &json!(100_000)),
            "{job}"
        );
        let samples = job["samples_done"].as_u64().unwrap();
        assert!((least..100_000).contains(&samples), "{job}");
        for boundary in job["boundaries"].as_array().unwrap() {
            assert_eq!(boundary["samples"], samples, "{job}");
            let why = boundary["sampling"].as_str().unwrap();
            let expected = format!("ended at {samples} samples, because the directions have settled");
            assert!(why.starts_with(&expected), "{why}");
            assert!(boundary["accuracy"]["cosine"].as_f64().unwrap() >= 0.99, "{job}");
        }
        let settled = client.get(&format!("{PATH}/smile/w")).await.json();
        let mut fixed = body;
        fixed["samples"] = json!(samples);
        assert_eq!(run(&client, PATH, fixed).await["status"], "done");
        let found = client.get(&format!("{PATH}/smile/w")).await.json();
        assert_eq!(found["normal"], settled["normal"]);
        assert_eq!(found["sampling"], Value::Null);
    }
}

#[tokio::test]
async fn scores_of_two_values_are_classes_of_which_all_samples_are_used_and_the_boundary_says_so() {
    let client = Client::sketch();
    let (values, scores) = codes();
    let labels: Vec<f64> = scores
        .iter()
        .map(|&score| f64::from(u8::from(score > 1.0)))
        .collect();
    let ones = labels.iter().filter(|&&label| label > 0.5).count();
    let body = |method| {
        json!({
            "attributes": ["beard"], "space": "z", "method": method,
            "codes": file(vec![200, 4], values.clone()), "scores": file(vec![200], labels.clone()),
        })
    };
    let job = run(&client, PATH, body("regression")).await;
    let summary = &job["boundaries"][0];
    assert_eq!(summary["classes"], json!([200 - ones, ones]), "{job}");
    let warning = summary["warnings"][0].as_str().unwrap();
    assert!(warning.contains("all samples are used"), "{job}");
    let found = client.get(&format!("{PATH}/beard/z")).await.json();
    let normal = numbers(&found["normal"]);
    assert!(0.6 * normal[0] + 0.8 * normal[1] > 0.95, "{normal:?}");
    assert_eq!(
        (&found["warnings"], &found["classes"]),
        (&summary["warnings"], &summary["classes"])
    );

    let put = Request::builder()
        .method(Method::PUT)
        .uri(format!("{PATH}/beard/z"));
    let put = put.header(header::CONTENT_TYPE, "application/json");
    let sent = client
        .send(put.body(Body::from(found.to_string())).unwrap())
        .await;
    assert_eq!(sent.status, StatusCode::OK);
    assert_eq!(client.get(&format!("{PATH}/beard/z")).await.json(), found);

    let job = run(&client, PATH, body("svm")).await;
    let warnings = job["boundaries"][0]["warnings"].to_string();
    assert!(
        warnings.contains("a method that does not take them as classes"),
        "{job}"
    );
}

#[tokio::test]
async fn low_figures_are_warnings() {
    let client = Client::sketch();
    let (values, _) = codes();
    let noise = faceplane::latent::standard_normal(99, 200);
    let body = json!({
        "attributes": ["beard"], "space": "z",
        "codes": file(vec![200, 4], values), "scores": file(vec![200], noise),
    });
    let job = run(&client, PATH, body).await;
    let warnings = job["boundaries"][0]["warnings"].to_string();
    for expected in ["right side", "correlation", "expected cosine"] {
        assert!(warnings.contains(expected), "{expected}: {job}");
    }
}

//! The portraits model, a trained GAN, behind the API.

use std::time::Duration;

use axum::http::{Request, StatusCode, header};
use faceplane::editor::Models;
use serde_json::Value;

use crate::support::{Client, load, portraits};

fn client() -> Client {
    let model = load(&portraits()).unwrap();
    Client::new(Models::new(vec![model], None).unwrap(), Duration::from_mins(1))
}

fn distance(face: &Value, attribute: &str) -> f64 {
    face["distances"][attribute].as_f64().unwrap()
}

#[tokio::test]
async fn every_boundary_of_portraits_raises_its_own_score() {
    let client = client();
    for space in ["z", "w"] {
        for attribute in ["pose", "smile", "age", "gender", "eyeglasses"] {
            let uri = format!("/v1/edit?seed=7&space={space}&edit={attribute}:3&format=json");
            let response = client.get(&uri).await.json();
            let score = |face: &Value| face["scores"][attribute].as_f64().unwrap();
            let (before, after) = (score(&response["before"]), score(&response["faces"][0]));
            assert!(after > before, "{attribute} in {space}: {before} becomes {after}");
        }
    }
}

#[tokio::test]
async fn an_edit_of_quality_repairs_a_flawed_portrait() {
    let client = client();
    let quality = |face: &Value| face["scores"]["quality"].as_f64().unwrap();
    let mut flawed = 0;
    for seed in 0..6 {
        let uri = format!("/v1/edit?seed={seed}&space=z&edit=quality:3&format=json");
        let response = client.get(&uri).await.json();
        if quality(&response["before"]) < 0.0 {
            flawed += 1;
            assert!(quality(&response["faces"][0]) > 0.0, "seed {seed}");
        }
    }
    assert!(
        flawed > 0,
        "expected at least one of the six faces to be flawed, found none"
    );
}

#[tokio::test]
async fn plain_portraits_and_small_edits_have_no_warning() {
    // In this model's w, most faces are farther than 3 from some boundary.
    let client = client();
    let mut farthest: f64 = 0.0;
    for seed in 0..8 {
        for amount in [0, 1] {
            let uri = format!("/v1/edit?seed={seed}&edit=pose:{amount}&edit=age:{amount}&format=json");
            let response = client.get(&uri).await.json();
            let before = ["pose", "age"].map(|attribute| distance(&response["before"], attribute).abs());
            farthest = farthest.max(before[0]).max(before[1]);
            assert_eq!(
                response["warnings"],
                serde_json::json!([]),
                "seed {seed} by {amount}"
            );
        }
    }
    assert!(farthest > 5.0, "the farthest is at {farthest}");
}

#[tokio::test]
async fn a_condition_keeps_its_distance_in_portraits() {
    let uri = "/v1/conditional-edit?seed=7&space=w&edit=age:3&condition=eyeglasses&format=json";
    let response = client().get(uri).await.json();
    let moved =
        |attribute| distance(&response["faces"][0], attribute) - distance(&response["before"], attribute);
    assert!(moved("eyeglasses").abs() < 1e-4, "{}", moved("eyeglasses"));
    assert!(moved("age") > 1.0, "{}", moved("age"));
}

#[tokio::test]
async fn a_portrait_is_inverted() {
    let client = client();
    let portrait = client.get("/v1/sample?seed=3&metadata=none").await;
    let request = Request::post("/v1/invert?format=json&steps=30").header(header::CONTENT_TYPE, "image/png");
    let response = client.send(request.body(portrait.body.into()).unwrap()).await;
    assert_eq!(response.status, StatusCode::OK);
    let psnr = response.json()["psnr"].as_f64().unwrap();
    assert!(psnr > 26.0, "{psnr}");
}

//! `/v1/score`.

use axum::http::StatusCode;
use serde_json::json;

use crate::support::{Client, numbers};

#[tokio::test]
async fn a_score_has_a_kind_a_threshold_and_a_meaning() {
    let response = Client::sketch().get("/v1/score?seed=7").await.json();
    assert_eq!(
        (&response["model"], &response["seed"]),
        (&json!("sketch"), &json!(7))
    );
    let smile = &response["scores"][0];
    assert_eq!(
        (&smile["attribute"], &smile["kind"]),
        (&json!("smile"), &json!("value"))
    );
    let positive = smile["score"].as_f64().unwrap() > smile["threshold"].as_f64().unwrap();
    let side = if positive { "positive" } else { "negative" };
    assert_eq!(smile["side"], side);
    assert_eq!(
        smile["meaning"],
        if positive { json!("red") } else { json!(null) }
    );
    let code = numbers(&response["latent"]["values"]);
    assert!((response["distances"]["smile"].as_f64().unwrap() - code[3]).abs() < 1e-6);
}

#[tokio::test]
async fn the_code_of_a_scored_face_has_the_same_scores_again() {
    let client = Client::sketch();
    for space in ["z", "w", "w%2B"] {
        let uri = format!("seed=7&psi=0.5&space={space}");
        let face = client.get(&format!("/v1/sample?{uri}&format=json")).await.json();
        let scored = client.get(&format!("/v1/score?{uri}")).await.json();
        for item in scored["scores"].as_array().unwrap() {
            let attribute = item["attribute"].as_str().unwrap();
            assert_eq!(item["score"], face["faces"][0]["scores"][attribute], "{space}");
        }
        if space != "z" {
            let by_code = client
                .post("/v1/score", json!({"latent": scored["latent"]}))
                .await
                .json();
            assert_eq!(by_code["scores"], scored["scores"], "{space}");
        }
    }
}

#[tokio::test]
async fn a_seeded_score_is_revalidated_and_others_are_not_cached() {
    let client = Client::sketch();
    let seeded = client.get("/v1/score?seed=7").await;
    assert_eq!(seeded.header("cache-control"), Some("public, no-cache"));
    assert!(seeded.header("etag").is_some());
    let unseeded = client.get("/v1/score").await;
    assert_eq!(unseeded.header("cache-control"), Some("no-store"));
    assert_eq!(
        unseeded.header("faceplane-seed"),
        Some(&*unseeded.json()["seed"].to_string())
    );
    assert_eq!(client.post("/v1/score", json!({})).await.status, StatusCode::OK);
}

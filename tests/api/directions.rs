//! Directions without labels: SeFa and principal components, as jobs.

use axum::http::StatusCode;
use faceplane::latent::sefa;
use ndarray::{Array2, Ix2};
use serde_json::{Value, json};

use super::labels::{client, model_folder, synthesis_weights};
use super::training::run;
use crate::support::{Client, numbers};

const PATH: &str = "/v1/models/classes/directions";

async fn normal(client: &Client, name: &str) -> Vec<f64> {
    let uri = format!("/v1/models/classes/boundaries/{name}/w");
    numbers(&client.get(&uri).await.json()["normal"])
}

#[tokio::test]
async fn sefa_finds_the_directions_of_the_weights_and_edits_use_them() {
    let folder = model_folder();
    let client = client(&folder);
    let job = run(&client, PATH, json!({"method": "sefa", "count": 2})).await;
    assert_eq!(job["status"], "done", "{job}");
    assert_eq!(job["attributes"], json!(["sefa-1", "sefa-2"]));
    let weights: Array2<f32> = synthesis_weights().into_dimensionality::<Ix2>().unwrap();
    for (rank, component) in (1..).zip(sefa(weights.view(), 2)) {
        let found = normal(&client, &format!("sefa-{rank}")).await;
        for (found, expected) in found.iter().zip(&component.direction) {
            assert!((found - expected).abs() < 1e-12, "sefa-{rank}");
        }
    }
    let edited = client
        .get("/v1/edit?seed=1&space=w&edit=sefa-1:2&format=json")
        .await
        .json();
    let distance = |face: &Value| face["distances"]["sefa-1"].as_f64().unwrap();
    let moved = distance(&edited["faces"][0]) - distance(&edited["before"]);
    assert!((moved - 2.0).abs() < 1e-5, "{moved}");
}

#[tokio::test]
async fn principal_components_are_orthogonal() {
    let folder = model_folder();
    let client = client(&folder);
    let body = json!({"method": "pca", "count": 3, "samples": 300, "seed": 5});
    let job = run(&client, PATH, body).await;
    assert_eq!(
        (&job["status"], &job["samples_done"]),
        (&json!("done"), &json!(300))
    );
    let mut normals = Vec::new();
    for rank in 1..=3 {
        normals.push(normal(&client, &format!("pca-{rank}")).await);
    }
    for (row, one) in normals.iter().enumerate() {
        for (column, other) in normals.iter().enumerate() {
            let dot: f64 = one.iter().zip(other).map(|(a, b)| a * b).sum();
            let expected = f64::from(u8::from(row == column));
            assert!((dot - expected).abs() < 1e-9, "{row} and {column}: {dot}");
        }
    }
    let uri = "/v1/models/classes/boundaries/pca-1/w";
    let found = client.get(uri).await.json();
    let known = (&found["method"], &found["samples"], &found["seed"]);
    assert_eq!(known, (&json!("pca"), &json!(300), &json!(5)));
}

#[tokio::test]
async fn a_report_shows_what_each_direction_does_to_every_score() {
    let folder = model_folder();
    let client = client(&folder);
    run(&client, PATH, json!({"method": "sefa", "count": 3})).await;
    let body = json!({"space": "w", "samples": 60, "faces": 4});
    let job = run(&client, "/v1/models/classes/report", body).await;
    assert_eq!(job["status"], "done", "{job}");
    assert_eq!(job["samples_done"], job["samples"]);
    let uri = format!("/v1/jobs/{}/report", job["id"].as_str().unwrap());
    let report = client.get(&uri).await.json();
    assert_eq!(report["scored"], json!(["bright"]));
    assert_eq!(report["boundaries"], json!([]));
    let directions = report["directions"].as_array().unwrap();
    assert_eq!(directions.len(), 3);
    for direction in directions {
        let [change] = numbers(&direction["changes"])[..] else {
            panic!("one change for each score: {direction}")
        };
        // Scores are linear here, so that the change is the direction's part of the standard deviation.
        assert!(change.is_finite() && change != 0.0);
        assert_eq!(direction["strip"].as_array().unwrap().len(), 7);
    }
    let page = client
        .send(
            axum::http::Request::get(&uri)
                .header("accept", "text/html")
                .body(axum::body::Body::empty())
                .unwrap(),
        )
        .await;
    let page = String::from_utf8(page.body).unwrap();
    assert!(page.contains("Directions without a classifier") && page.contains("<th>sefa-3</th>"));
}

#[tokio::test]
async fn directions_that_a_model_cannot_have_are_refused() {
    let folder = model_folder();
    for (client, path, body, says) in [
        (
            client(&folder),
            PATH,
            json!({"method": "pca", "count": 5}),
            "its codes have 4 values",
        ),
        (
            Client::sketch(),
            "/v1/models/sketch/directions",
            json!({"method": "sefa", "count": 1}),
            "it has no folder with the weights",
        ),
        (
            client(&folder),
            PATH,
            json!({"method": "svm"}),
            "expected sefa or pca",
        ),
    ] {
        let response = client.post(path, body.clone()).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let text = response.json().to_string();
        assert!(text.contains(says), "{body}: {text}");
    }
}

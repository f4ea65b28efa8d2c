//! The bundled model behind the API.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::Value;

use crate::support::{Client, numbers, phantom};

fn client() -> Client {
    Client::new(phantom(), Duration::from_mins(1))
}

#[tokio::test]
async fn a_face_is_256_by_256_and_identical_in_another_service() {
    let client = client();
    let first = client.get("/v1/sample?seed=7").await;
    assert_eq!(first.status, StatusCode::OK);
    let (width, height, pixels) = first.pixels();
    assert_eq!((width, height), (256, 256));
    let levels: std::collections::BTreeSet<u8> = pixels.iter().copied().collect();
    assert!(
        levels.len() > 100,
        "expected more than 100 levels, found {}",
        levels.len()
    );
    // This is another service, because the first one would return its cached response.
    let again = self::client().get("/v1/sample?seed=7").await;
    assert_eq!(first.body, again.body);
    assert_ne!(first.pixels(), client.get("/v1/sample?seed=8").await.pixels());
}

#[tokio::test]
async fn every_edit_raises_the_score_of_its_attribute() {
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
async fn editing_age_in_z_adds_eyeglasses_and_a_condition_prevents_it() {
    let client = client();
    let drift = async |uri: &str| {
        let response = client.get(uri).await.json();
        let distance = |face: &Value| face["distances"]["eyeglasses"].as_f64().unwrap();
        distance(&response["faces"][0]) - distance(&response["before"])
    };
    let unconditional = drift("/v1/edit?seed=7&space=z&edit=age:3&format=json").await;
    let conditional =
        drift("/v1/conditional-edit?seed=7&space=z&edit=age:3&condition=eyeglasses&format=json").await;
    assert!(unconditional > 0.5, "{unconditional}");
    assert!(conditional.abs() < 1e-5, "{conditional}");
}

#[tokio::test]
async fn a_face_differs_by_at_most_one_level_between_a_batch_and_a_single_run() {
    let client = client();
    let (_, _, strip) = client
        .get("/v1/sample?seed=1&count=8&layout=strip")
        .await
        .pixels();
    let (_, _, alone) = client.get("/v1/sample?seed=5").await.pixels();
    let rows = strip
        .chunks(8 * 256 * 3)
        .flat_map(|row| &row[4 * 256 * 3..5 * 256 * 3]);
    let differences: Vec<u8> = rows.zip(&alone).map(|(a, b)| a.abs_diff(*b)).collect();
    assert!(differences.iter().all(|&level| level <= 1));
    let different = differences.iter().filter(|&&level| level > 0).count();
    assert!(
        different * 1000 <= differences.len(),
        "{different} of {} bytes differ",
        differences.len()
    );
}

#[tokio::test]
async fn the_boundaries_are_entangled_in_z_and_nearly_orthogonal_in_w() {
    let model = client()
        .get("/v1/models/phantom?cosines=age,eyeglasses,gender,pose,smile")
        .await
        .json();
    let largest = |space: &str| {
        let table = &model["cosines"][space];
        let rows: Vec<Vec<f64>> = table["matrix"].as_array().unwrap().iter().map(numbers).collect();
        let largest_of_row = |(index, row): (usize, &Vec<f64>)| {
            let others = row.iter().enumerate().filter(move |(other, _)| *other != index);
            others.map(|(_, cosine)| cosine.abs()).fold(0.0, f64::max)
        };
        rows.iter().enumerate().map(largest_of_row).fold(0.0, f64::max)
    };
    assert!(largest("z") > 0.4, "{}", largest("z"));
    assert!(largest("w") < 0.15, "{}", largest("w"));
}

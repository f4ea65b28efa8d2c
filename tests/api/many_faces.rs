//! Many faces in one request: lists of seeds and of codes, without pictures, as JSON and as NumPy arrays.

use std::io::{Cursor, Read as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceplane::catalog::NpyArray;
use faceplane::engine::{EngineError, Generator, GeneratorShape};
use futures_util::StreamExt as _;
use ndarray::{Array4, ArrayView3};
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::support::{Client, DIM, StripeGenerator, numbers};

/// A generator that counts the images it makes.
struct CountingGenerator(StripeGenerator, Arc<AtomicUsize>);

impl Generator for CountingGenerator {
    fn shape(&self) -> &GeneratorShape {
        self.0.shape()
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        self.1.fetch_add(codes.dim().0, Ordering::SeqCst);
        self.0.synthesize(codes)
    }
}

/// A client, and the number of images that its model has made.
fn counting() -> (Client, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let client = Client::with_generator(CountingGenerator(StripeGenerator::new(), Arc::clone(&made)));
    (client, made)
}

/// The faces of a response.
async fn faces(client: &Client, uri: &str) -> Vec<Value> {
    let response = client.get(uri).await;
    assert_eq!(response.status, StatusCode::OK, "{uri}: {}", response.json());
    response.json()["faces"].as_array().expect("it has faces").clone()
}

fn without_image(mut face: Value) -> Value {
    for field in ["image", "media_type"] {
        assert!(face.as_object_mut().unwrap().remove(field).is_some());
    }
    face
}

/// An array of an `.npz` file.
fn array(file: &[u8], name: &str) -> NpyArray {
    let mut archive = ZipArchive::new(Cursor::new(file)).unwrap();
    let mut bytes = Vec::new();
    let mut entry = archive.by_name(&format!("{name}.npy")).unwrap();
    entry.read_to_end(&mut bytes).unwrap();
    NpyArray::read(&bytes).unwrap()
}

#[tokio::test]
async fn without_pictures_a_sample_has_the_same_codes_distances_and_scores() {
    let client = Client::sketch();
    let with: Vec<Value> = faces(&client, "/v1/sample?seeds=3,7-9&format=json").await;
    let without = faces(&client, "/v1/sample?seeds=3,7-9&pictures=none").await;
    assert_eq!(without, with.into_iter().map(without_image).collect::<Vec<_>>());
    let counted = faces(&client, "/v1/sample?seed=7&count=3&pictures=none").await;
    assert_eq!(counted, without[1..]);
}

#[tokio::test]
async fn a_thousand_faces_come_in_their_order() {
    let client = Client::sketch();
    let response = client.get("/v1/sample?seeds=0-999&pictures=none").await;
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("faceplane-model"), Some("sketch"));
    let response = response.json();
    let seeds = response["faces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|face| face["seed"].clone());
    assert_eq!(
        seeds.collect::<Vec<_>>(),
        (0..1000).map(Value::from).collect::<Vec<_>>()
    );
    assert_eq!(response["warnings"], json!([]));
}

#[tokio::test]
async fn arrays_hold_the_numbers_of_the_json_response() {
    let client = Client::sketch();
    for (space, name, shape) in [("w", "w", vec![70, DIM]), ("w%2B", "w_plus", vec![70, 3, DIM])] {
        let query = format!("/v1/sample?seeds=5-74&space={space}");
        let expected = faces(&client, &format!("{query}&pictures=none")).await;
        let response = client.get(&format!("{query}&format=npz")).await;
        let disposition = response.header("content-disposition");
        assert_eq!(disposition, Some("attachment; filename=\"sketch-faces.npz\""));
        let codes = array(&response.body, name);
        assert_eq!(codes.shape[1..], shape[1..]);
        assert_eq!(codes.shape[0], 70);
        let seeds: Vec<f64> = (5..75).map(f64::from).collect();
        assert_eq!(array(&response.body, "seeds").values, seeds);
        let (scores, distances) = (
            array(&response.body, "scores"),
            array(&response.body, "distances"),
        );
        assert_eq!(scores.shape, [70, 2]);
        for (row, face) in expected.iter().enumerate() {
            let close = |found: f64, expected: &Value| (found - expected.as_f64().unwrap()).abs() < 1e-6;
            assert!(close(scores.values[2 * row], &face["scores"]["age"]));
            assert!(close(scores.values[2 * row + 1], &face["scores"]["smile"]));
            let columns = distances.shape[1];
            assert!(close(distances.values[columns * row], &face["distances"]["age"]));
        }
    }
}

#[tokio::test]
async fn several_codes_in_one_request_are_scored_in_order() {
    let client = Client::sketch();
    let sampled = faces(&client, "/v1/sample?seeds=1-3&space=w&pictures=none").await;
    let values: Vec<Value> = sampled
        .iter()
        .map(|face| face["latent"]["values"].clone())
        .collect();
    let file = NpyArray {
        shape: vec![3, DIM],
        values: values.iter().flat_map(numbers).collect(),
    };
    let file = STANDARD.encode(file.write_f4());
    for latent in [
        json!({"space": "w", "values": values}),
        json!({"space": "w", "file": file}),
    ] {
        let response = client.post("/v1/score", json!({"latent": latent})).await.json();
        let scored = response["faces"].as_array().unwrap();
        assert_eq!(scored.len(), 3, "{response}");
        for (scored, sampled) in scored.iter().zip(&sampled) {
            assert_eq!(scored["scores"], sampled["scores"]);
            assert_eq!(scored["latent"], sampled["latent"]);
        }
        let body = json!({"latent": latent, "format": "json"});
        let response = client.post("/v1/sample", body).await.json();
        assert_eq!(response["faces"].as_array().map(Vec::len), Some(3));
    }
}

#[tokio::test]
async fn one_face_is_scored_as_before_and_a_list_of_one_is_a_list() {
    let client = Client::sketch();
    let one = client.get("/v1/score?seed=4").await.json();
    assert!(one["faces"].is_null() && one["scores"].is_array());
    let list = client.get("/v1/score?seeds=4").await.json();
    assert!(list["scores"].is_null());
    assert_eq!(list["faces"][0]["latent"], one["latent"]);
    let file = client.get("/v1/score?seed=4&format=npz").await;
    assert_eq!(array(&file.body, "scores").shape, [1, 2]);
}

#[tokio::test]
async fn each_face_of_a_list_gets_the_edits() {
    let client = Client::sketch();
    for path in [
        "/v1/edit?edit=smile:2",
        "/v1/conditional-edit?edit=smile:2&condition=age",
    ] {
        let response = client
            .get(&format!("{path}&seeds=3-5&pictures=none"))
            .await
            .json();
        assert!(response["before"].is_null());
        assert_eq!(response["directions"][0]["attribute"], "smile");
        for (index, seed) in (3..6).enumerate() {
            let one = client
                .get(&format!("{path}&seed={seed}&format=json"))
                .await
                .json();
            let expected = without_image(one["faces"][0].clone());
            let mut found = response["faces"][index].clone();
            assert_eq!(found.as_object_mut().unwrap().remove("seed"), Some(json!(seed)));
            assert_eq!(found, expected, "{path}, seed {seed}");
        }
        let pictures = client.get(&format!("{path}&seeds=3-5&format=json")).await.json();
        let found: Vec<Value> = pictures["faces"]
            .as_array()
            .unwrap()
            .iter()
            .cloned()
            .map(without_image)
            .collect();
        assert_eq!(json!(found), response["faces"]);
        let sheet = client.get(&format!("{path}&seeds=3-5&layout=strip")).await;
        assert_eq!(sheet.pixels().0, 3 * 8);
    }
}

#[tokio::test]
async fn a_trajectory_of_each_face_comes_face_by_face() {
    let client = Client::sketch();
    let path = "/v1/edit?edit=smile&trajectory=-1:1:3&seeds=3,4&format=npz";
    let file = client.get(path).await.body;
    assert_eq!(array(&file, "seeds").values, [3.0, 3.0, 3.0, 4.0, 4.0, 4.0]);
    assert_eq!(array(&file, "positions").values, [-1.0, 0.0, 1.0]);
}

#[tokio::test]
async fn what_needs_one_face_or_too_many_faces_is_refused() {
    let client = Client::sketch();
    for (uri, says) in [
        (
            "/v1/sample?seed=1&count=10001&pictures=none",
            "expected 1 to 10000 faces in one response",
        ),
        (
            "/v1/sample?seeds=1,2&pictures=none&format=png",
            "pictures: found none beside the format of an image",
        ),
        (
            "/v1/edit?seeds=1,2&edit=smile:to_score:0.9",
            "edits: found to_score for several faces",
        ),
        (
            "/v1/edit?seeds=1,2&edit=smile:1&along=gradient",
            "along: found gradient for several faces",
        ),
        (
            "/v1/edit?seeds=0-9999&edit=smile&trajectory=-1:1:3&pictures=none",
            "found 30000, expected 1 to 10000",
        ),
        (
            "/v1/edit?seeds=1,2&edit=smile:1&seed=3",
            "seeds: found a seed beside it",
        ),
        ("/v1/edit?seeds=1,2&edit=hat:1&pictures=none", "no boundary for"),
    ] {
        let refused = client.get(uri).await;
        assert!(refused.status.is_client_error(), "{uri}: {}", refused.status);
        let reason = refused.json()["detail"].to_string();
        assert!(reason.contains(says), "{uri}: {reason}");
    }
    let body = json!({"image": "R0lG", "format": "npz"});
    let refused = client.post("/v1/invert", body).await;
    assert!(refused.json()["detail"].to_string().contains("format: found npz"));
}

#[tokio::test]
async fn faces_are_made_while_the_response_is_read_and_no_longer() {
    let (client, made) = counting();
    let request = Request::get("/v1/sample?seeds=0-9999&pictures=none");
    let response = client.begin(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body().into_data_stream();
    body.next().await.unwrap().unwrap();
    drop(body);
    // The service still answers, and the rest of the faces is not made.
    assert_eq!(client.get("/v1/sample?seed=1").await.status, StatusCode::OK);
    let made = made.load(Ordering::SeqCst);
    assert!(made < 2000, "{made} images were made");
}

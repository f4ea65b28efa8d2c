//! What is wrong with a request is said before its image is inverted, which may take minutes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use faceplane::engine::{Encoder, EngineError, Gradient, LossGradient};
use ndarray::{Array1, Array3, ArrayView3, ArrayView4, Axis};
use serde_json::{Value, json};

use crate::support::{Client, DIM};

/// An encoder and a gradient network that count their runs.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Counting {
    fn runs(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Encoder for Counting {
    fn encode(&mut self, images: ArrayView4<'_, f32>) -> Result<Array3<f32>, EngineError> {
        self.count();
        // The code depends on the image, so that a part of an image has another code.
        let first = |image| {
            images
                .index_axis(Axis(0), image)
                .iter()
                .next()
                .copied()
                .unwrap_or_default()
        };
        let codes = (images.len_of(Axis(0)), 1, DIM);
        Ok(Array3::from_shape_fn(codes, |(image, _, _)| first(image)))
    }
}

impl Gradient for Counting {
    fn largest_batch(&self) -> usize {
        8
    }

    fn loss_gradient(
        &mut self,
        codes: ArrayView3<'_, f32>,
        _: ArrayView4<'_, f32>,
    ) -> Result<LossGradient, EngineError> {
        self.count();
        Ok(LossGradient {
            loss: Array1::zeros(codes.len_of(Axis(0))),
            perceptual: None,
            gradient: Array3::zeros(codes.dim()),
        })
    }
}

fn counted() -> (Client, Counting) {
    let counting = Counting::default();
    let encoder = Box::new(counting.clone());
    let client = Client::with_inversion(Some(encoder), Box::new(counting.clone()));
    (client, counting)
}

async fn send(client: &Client, uri: &str, file: &[u8]) -> (StatusCode, Value) {
    let request = Request::post(uri).header("content-type", "image/png");
    let request = request.header("accept", "application/json");
    let response = client
        .send(request.body(Body::from(file.to_vec())).unwrap())
        .await;
    (response.status, response.json())
}

#[tokio::test]
async fn what_does_not_depend_on_the_code_of_an_image_is_checked_before_its_inversion() {
    let (client, counting) = counted();
    let boundary = json!({"normal": [1, 0, 0, 0]}).to_string();
    let put = Request::put("/v1/models/sketch/boundaries/hat/z").header("content-type", "application/json");
    let put = client.send(put.body(Body::from(boundary)).unwrap()).await;
    assert!(put.status.is_success(), "{}", put.json());
    let file = client.get("/v1/sample?seed=7&metadata=none").await.body;
    for (uri, problem, says) in [
        (
            "/v1/edit?edit=beard:1",
            "unknown-attribute",
            "no boundary for \"beard\" in w",
        ),
        (
            "/v1/edit?edit=smile:1&condition=beard",
            "unknown-attribute",
            "no boundary for \"beard\" in w",
        ),
        ("/v1/edit?edit=hat:1", "unknown-attribute", "hat in z"),
        (
            "/v1/edit?edit=smile:1&space=z",
            "space-order",
            "cannot become a z code",
        ),
        (
            "/v1/edit?edit=smile:1&condition=smile",
            "no-direction-left",
            "smile",
        ),
        (
            "/v1/conditional-edit?edit=smile:1&condition=grin",
            "no-direction-left",
            "grin",
        ),
        (
            "/v1/edit?edit=smile:1&space=w%2B&layers=3",
            "latent",
            "layers 3-3",
        ),
        (
            "/v1/edit?edit=smile:to_score:1&space=w%2B&layers=3",
            "latent",
            "layers 3-3",
        ),
        ("/v1/edit?edit=smile:1&layers=0", "latent", "for a w code"),
        (
            "/v1/edit?edit=smile:to:1,smile:to:2",
            "latent",
            "cannot be reached together",
        ),
        ("/v1/edit?edit=grin:to_score:0.5", "not-scored", "scores \"grin\""),
        (
            "/v1/edit?edit=smile:to_score:1&condition=grin",
            "no-direction-left",
            "grin",
        ),
        (
            "/v1/edit?edit=age:to_score:1&condition=grin",
            "not-scored",
            "scores \"grin\"",
        ),
        ("/v1/edit?edit=smile", "unclear-edit", "has no amount"),
        (
            "/v1/edit?edit=smile&trajectory=-3:3:17",
            "field",
            "expected 1 to 16",
        ),
        (
            "/v1/edit?edit=smile:1&psi=0.5",
            "field",
            "psi: found it beside an image",
        ),
        (
            "/v1/edit?edit=smile:1&truncation_layers=9",
            "field",
            "truncation_layers: found it",
        ),
        (
            "/v1/edit?edit=smile:1&quality=50",
            "field",
            "is for JPEG and WebP",
        ),
        (
            "/v1/edit?edit=smile:1&landmarks=1,2,3,4",
            "field",
            "expected 5 or 68 points",
        ),
        (
            "/v1/edit?edit=smile:1&crop=0,0,9,9",
            "crop-outside-image",
            "a rectangle of 9×9 pixels",
        ),
        (
            "/v1/edit?edit=smile:1&crop=0,0,1,1&landmarks=1,1,2,1,2,2,1,3,2,3",
            "field",
            "found a crop beside it",
        ),
        ("/v1/score?space=z", "space-order", "cannot become a z code"),
        (
            "/v1/score?truncation_layers=2",
            "field",
            "truncation_layers: found it",
        ),
        ("/v1/invert?space=z", "space-order", "cannot become a z code"),
        ("/v1/invert?starts=2", "field", "found it without method optimize"),
        ("/v1/invert?layout=strip", "field", "layout: unknown field"),
    ] {
        let (_, response) = send(&client, uri, &file).await;
        assert_eq!(
            response["type"],
            format!("urn:faceplane:problem:{problem}"),
            "{uri}: {response}"
        );
        let detail = response["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{uri}: {detail}");
        assert_eq!(counting.runs(), 0, "{uri} ran a network before it was refused");
    }
    for uri in ["/v1/edit?edit=smile:1", "/v1/score", "/v1/invert"] {
        let (client, counting) = counted();
        let (status, response) = send(&client, uri, &file).await;
        assert_eq!(status, StatusCode::OK, "{uri}: {response}");
        assert!(counting.runs() > 0, "{uri} inverts the image");
    }
}

#[tokio::test]
async fn an_image_that_carries_its_code_is_not_inverted() {
    let (client, counting) = counted();
    for options in ["space=w", "space=z", "space=z&psi=0.5", "space=w%2B"] {
        let file = client.get(&format!("/v1/sample?seed=7&{options}")).await.body;
        let sampled = client
            .get(&format!("/v1/sample?seed=7&{options}&format=json"))
            .await
            .json();
        let (status, inverted) = send(&client, "/v1/invert", &file).await;
        assert_eq!(status, StatusCode::OK, "{options}: {inverted}");
        assert_eq!(inverted["method"], "metadata", "{options}");
        assert_eq!(
            inverted["face"]["latent"], sampled["faces"][0]["latent"],
            "{options}"
        );
        assert_eq!(
            inverted["face"]["scores"], sampled["faces"][0]["scores"],
            "{options}"
        );
        assert_eq!(inverted["mse"], 0.0, "{options}: the reconstruction is the image");
        assert_eq!(inverted["optimization"], Value::Null, "{options}");
    }
    assert_eq!(counting.runs(), 0, "no code was searched");
}

#[tokio::test]
async fn an_option_about_the_inversion_inverts_an_image_that_carries_its_code() {
    let file = counted().0.get("/v1/sample?seed=7").await.body;
    for (uri, method) in [
        ("/v1/invert?method=encoder", "encoder"),
        ("/v1/invert?method=optimize&starts=2&steps=2", "optimize"),
        ("/v1/invert?steps=2", "refine"),
        ("/v1/invert?seconds=2", "refine"),
        ("/v1/invert?patience=2", "refine"),
        ("/v1/invert?space=w", "refine"),
        ("/v1/invert?crop=0,0,4,4", "refine"),
    ] {
        let (client, counting) = counted();
        let (status, inverted) = send(&client, uri, &file).await;
        assert_eq!(status, StatusCode::OK, "{uri}: {inverted}");
        assert_eq!(inverted["method"], method, "{uri}");
        assert!(counting.runs() > 0, "{uri}");
    }
    for uri in ["/v1/score?crop=0,0,4,4", "/v1/edit?edit=smile:1&crop=0,0,4,4"] {
        let (client, counting) = counted();
        let (status, response) = send(&client, uri, &file).await;
        assert_eq!(status, StatusCode::OK, "{uri}: {response}");
        assert!(
            counting.runs() > 0,
            "{uri} edits a part of the image, which carries no code"
        );
    }
}

#[tokio::test]
async fn a_part_of_an_image_is_edited_and_scored_as_it_is_inverted() {
    let (client, _) = counted();
    let file = client.get("/v1/sample?seed=7&metadata=none").await.body;
    let (_, whole) = send(&client, "/v1/invert?method=encoder", &file).await;
    for part in ["crop=2,0,2,2", "landmarks=5,3,6,3,5.5,3.5,5,4,6,4"] {
        let (_, inverted) = send(&client, &format!("/v1/invert?{part}"), &file).await;
        let latent = &inverted["face"]["latent"];
        assert_ne!(*latent, whole["face"]["latent"], "{part}");
        let (_, scored) = send(&client, &format!("/v1/score?{part}"), &file).await;
        assert_eq!(scored["latent"], *latent, "{part}");
        for path in ["/v1/edit", "/v1/conditional-edit"] {
            let uri = format!("{path}?edit=smile:1&condition=age&{part}");
            let (_, edited) = send(&client, &uri, &file).await;
            assert_eq!(edited["before"]["latent"], *latent, "{uri}: {edited}");
        }
        // The record of the request has the code instead of the image and its part.
        let uri = format!("/v1/edit?edit=smile:1&format=png&{part}");
        let request = Request::post(uri)
            .header("content-type", "image/png")
            .body(Body::from(file.clone()));
        let edited = client.send(request.unwrap()).await.body;
        let text = faceplane::imaging::read_metadata(&edited).recipe.unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        assert!(record["request"]["latent"].is_object(), "{text}");
        assert!(
            record["request"].get("crop").is_none() && record["request"].get("landmarks").is_none(),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_part_without_an_image_is_refused() {
    let (client, _) = counted();
    for uri in [
        "/v1/edit?seed=7&edit=smile:1&crop=0,0,1,1",
        "/v1/score?landmarks=5,3,6,3,5.5,3.5,5,4,6,4",
    ] {
        let response = client.get(uri).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{uri}");
        let detail = response.json()["detail"].to_string();
        assert!(detail.contains("found it without an image"), "{uri}: {detail}");
    }
    let body = json!({"seed": 7, "crop": {"left": 0, "top": 0, "width": 1, "height": 1}});
    let response = client.post("/v1/score", body).await.json();
    assert_eq!(response["field"], "crop", "{response}");
}

//! An image that is used several times is inverted once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use faceplane::engine::{EngineError, Gradient, LossGradient};
use ndarray::{Array1, Array3, ArrayView3, ArrayView4, Axis};

use crate::support::{Client, Response};

/// The loss of a code is its square length. Counts the codes that it gets.
struct Counting(Arc<AtomicUsize>);

impl Gradient for Counting {
    fn largest_batch(&self) -> usize {
        8
    }

    fn loss_gradient(
        &mut self,
        codes: ArrayView3<'_, f32>,
        _: ArrayView4<'_, f32>,
    ) -> Result<LossGradient, EngineError> {
        let count = codes.len_of(Axis(0));
        self.0.fetch_add(count, Ordering::Relaxed);
        let squares = codes.map(|value| value * value);
        Ok(LossGradient {
            loss: Array1::from_iter(squares.outer_iter().map(|code| code.sum())),
            perceptual: None,
            gradient: Array3::from_shape_fn(codes.dim(), |place| 2.0 * codes[place]),
        })
    }
}

fn counting() -> (Client, Arc<AtomicUsize>) {
    let steps = Arc::new(AtomicUsize::new(0));
    (Client::with_gradient(Counting(Arc::clone(&steps))), steps)
}

async fn image(client: &Client, seed: u32) -> Vec<u8> {
    client
        .get(&format!("/v1/sample?seed={seed}&metadata=none"))
        .await
        .body
}

async fn send(client: &Client, uri: &str, accept: &str, file: &[u8]) -> Response {
    let request = Request::post(uri)
        .header("content-type", "image/png")
        .header("accept", accept);
    let response = client
        .send(request.body(Body::from(file.to_vec())).unwrap())
        .await;
    assert_eq!(
        response.status,
        StatusCode::OK,
        "{uri}: {}",
        String::from_utf8_lossy(&response.body)
    );
    response
}

/// The hits and the misses of the cache of inversions.
async fn counts(client: &Client) -> [usize; 2] {
    let text = String::from_utf8(client.get("/metrics").await.body).unwrap();
    ["hits", "misses"].map(|name| {
        let name = format!("faceplane_inversion_cache_{name}_total ");
        let value = text.lines().find_map(|line| line.strip_prefix(&name));
        value.unwrap().parse().unwrap()
    })
}

#[tokio::test]
async fn an_image_that_is_edited_scored_and_inverted_is_searched_once() {
    let (client, steps) = counting();
    let file = image(&client, 7).await;
    let first = send(&client, "/v1/edit?edit=smile:1", "application/json", &file)
        .await
        .json();
    let of_one = steps.load(Ordering::Relaxed);
    assert!(of_one > 1);
    for uri in [
        "/v1/edit?edit=smile:2",
        "/v1/conditional-edit?edit=age:1&condition=smile",
        "/v1/score",
    ] {
        send(&client, uri, "application/json", &file).await;
    }
    let inverted = send(&client, "/v1/invert", "application/json", &file)
        .await
        .json();
    assert_eq!(inverted["face"]["latent"], first["before"]["latent"]);
    assert!(inverted["optimization"]["steps"].as_u64().unwrap() > 0);
    let events = send(&client, "/v1/invert", "text/event-stream", &file).await;
    assert!(
        events.body.starts_with(b"event: end"),
        "nothing is left to report"
    );
    assert_eq!(steps.load(Ordering::Relaxed), of_one);
    assert_eq!(counts(&client).await, [5, 1]);
}

#[tokio::test]
async fn another_image_part_space_or_number_of_steps_is_searched_anew() {
    let (client, steps) = counting();
    let (file, other) = (image(&client, 7).await, image(&client, 8).await);
    let mut before = 0;
    for (uri, file) in [
        ("/v1/invert", &file),
        ("/v1/invert", &other),
        ("/v1/invert?crop=0,0,2,2", &file),
        ("/v1/invert?space=w%2B", &file),
        ("/v1/invert?steps=5", &file),
        ("/v1/invert?patience=50", &file),
        ("/v1/invert?method=optimize&starts=2", &file),
    ] {
        send(&client, uri, "application/json", file).await;
        let now = steps.load(Ordering::Relaxed);
        assert!(now > before, "{uri}");
        before = now;
    }
    assert_eq!(counts(&client).await, [0, 7]);
}

#[tokio::test]
async fn equal_inversions_at_the_same_time_share_one_search() {
    let (client, steps) = counting();
    let file = image(&client, 7).await;
    let uris = ["/v1/score", "/v1/edit?edit=smile:1", "/v1/score", "/v1/invert"];
    let all = uris.map(|uri| send(&client, uri, "application/json", &file));
    let [score, edit, again, inverted] = all;
    tokio::join!(score, edit, again, inverted);
    let together = steps.load(Ordering::Relaxed);
    let (alone, its_steps) = counting();
    send(&alone, "/v1/score", "application/json", &file).await;
    assert_eq!(together, its_steps.load(Ordering::Relaxed));
    assert_eq!(counts(&client).await, [3, 1]);
}

#[tokio::test]
async fn a_code_that_a_time_limit_left_unfinished_is_not_kept() {
    let (client, steps) = counting();
    let file = image(&client, 7).await;
    let cut = send(&client, "/v1/invert?seconds=0.000001", "application/json", &file)
        .await
        .json();
    let before = steps.load(Ordering::Relaxed);
    let whole = send(&client, "/v1/invert", "application/json", &file)
        .await
        .json();
    assert!(steps.load(Ordering::Relaxed) > before);
    assert!(whole["optimization"]["loss"].as_f64() < cut["optimization"]["loss"].as_f64());
}

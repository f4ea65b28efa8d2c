//! The gradient descent of inversions: its progress as events, its start codes, and clients that disconnect.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use faceplane::engine::{EngineError, Gradient, LossGradient};
use ndarray::{Array1, Array3, ArrayView3, ArrayView4, Axis};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Client, DIM, Response, numbers, phantom};

/// The squared distance from a w code, on every layer. Reports when a step begins, and waits until it may go on.
struct Bowl {
    centre: [f32; DIM],
    began: Sender<()>,
    go: Receiver<()>,
}

impl Gradient for Bowl {
    fn largest_batch(&self) -> usize {
        8
    }

    fn loss_gradient(
        &mut self,
        codes: ArrayView3<'_, f32>,
        _: ArrayView4<'_, f32>,
    ) -> Result<LossGradient, EngineError> {
        self.began.send(()).unwrap();
        self.go.recv().unwrap();
        let gradient = Array3::from_shape_fn(codes.dim(), |(code, layer, value)| {
            2.0 * (codes[[code, layer, value]] - self.centre[value])
        });
        let squares = gradient.map(|half| half * half / 4.0);
        Ok(LossGradient {
            loss: squares.sum_axis(Axis(2)).sum_axis(Axis(1)),
            perceptual: None,
            gradient,
        })
    }
}

pub(super) fn bowl() -> (Client, Receiver<()>, Sender<()>) {
    bowl_at([0.0; DIM])
}

fn bowl_at(centre: [f32; DIM]) -> (Client, Receiver<()>, Sender<()>) {
    let (began, steps) = channel();
    let (go_on, go) = channel();
    (Client::with_gradient(Bowl { centre, began, go }), steps, go_on)
}

pub(super) async fn face(client: &Client) -> Vec<u8> {
    client.get("/v1/sample?seed=5").await.body
}

/// Inverts an image and waits for the response.
async fn invert(client: &Client, options: &str, accept: &str, file: Vec<u8>) -> Response {
    let request = Request::post(format!("/v1/invert?{options}"))
        .header("content-type", "image/png")
        .header("accept", accept);
    client.send(request.body(Body::from(file)).unwrap()).await
}

/// Waits until no code is under optimization.
pub(super) async fn wait_for_idle(client: &Client) {
    loop {
        let metrics = client.get("/metrics").await.body;
        let text = String::from_utf8(metrics).unwrap();
        if text.contains("faceplane_codes_optimizing{model=\"sketch\"} 0\n") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Sends a request over a socket, and disconnects during the second step.
async fn disconnect_during_second_step(accept: &str) {
    let (client, steps, go_on) = bowl();
    let file = face(&client).await;
    let address = client.listen().await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/invert?method=optimize&steps=1000 HTTP/1.1\r\nHost: here\r\nAccept: {accept}\r\n\
         Content-Type: image/png\r\nContent-Length: {}\r\n\r\n",
        file.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&file).await.unwrap();
    go_on.send(()).unwrap();
    let second = tokio::task::spawn_blocking(move || {
        steps.recv().unwrap();
        steps.recv().unwrap();
        steps
    });
    let steps = second.await.unwrap();
    if accept == "text/event-stream" {
        // The stream has begun.
        let mut byte = [0];
        socket.read_exact(&mut byte).await.unwrap();
    }
    drop(socket);
    wait_for_idle(&client).await;
    // The second step ends, and the next one is another request's.
    for _ in 0..3 {
        go_on.send(()).unwrap();
    }
    let response = invert(&client, "method=optimize&steps=1", "application/json", file).await;
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(steps.try_iter().count(), 2, "the start and one step of the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inversion_ends_when_its_client_disconnects() {
    disconnect_during_second_step("application/json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inversion_with_events_ends_when_its_client_disconnects() {
    disconnect_during_second_step("text/event-stream").await;
}

/// Names and JSON of an event stream's events.
pub(super) fn events(response: &Response) -> Vec<(String, Value)> {
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    let text = String::from_utf8(response.body.clone()).unwrap();
    let event = |block: &str| {
        let field = |name: &str| {
            block
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap()
                .trim()
        };
        let json = serde_json::from_str(field("data:")).unwrap();
        (field("event:").to_owned(), json)
    };
    text.split("\n\n")
        .filter(|block| block.contains("event:"))
        .map(event)
        .collect()
}

#[tokio::test]
async fn each_step_is_an_event_and_the_last_event_is_the_response() {
    let (client, _steps, go_on) = bowl();
    let file = face(&client).await;
    for _ in 0..31 {
        go_on.send(()).unwrap();
    }
    let response = invert(&client, "method=optimize&steps=30", "text/event-stream", file).await;
    let events = events(&response);
    let (done, steps) = events.split_last().unwrap();
    assert_eq!(steps.len(), 31);
    let first = steps[0].1["loss"].as_f64().unwrap();
    let mut last = f64::INFINITY;
    for (index, (name, step)) in steps.iter().enumerate() {
        assert_eq!(
            (name.as_str(), &step["step"], &step["steps"]),
            ("progress", &index.into(), &30.into())
        );
        let loss = step["loss"].as_f64().unwrap();
        assert!(loss <= last, "the least so far");
        last = loss;
    }
    let shown: Vec<_> = steps
        .iter()
        .filter(|(_, step)| step.get("image").is_some())
        .collect();
    assert!((2..=10).contains(&shown.len()), "{} images", shown.len());
    assert!(shown.iter().all(|(_, step)| step["psnr"].is_f64()));
    assert!(steps[30].1.get("image").is_some(), "the last step is shown");
    assert_eq!(done.0, "end");
    assert_eq!(done.1["optimization"]["steps"], 30);
    assert_eq!(done.1["optimization"]["loss"].as_f64(), Some(last));
    assert!(last < first / 2.0, "the loss falls from {first} to {last}");
}

#[tokio::test]
async fn an_error_before_the_first_step_is_an_ordinary_response() {
    let (client, ..) = bowl();
    let file = face(&client).await;
    for (options, status) in [
        ("method=encoder", StatusCode::UNPROCESSABLE_ENTITY),
        (
            "method=optimize&crop=0,0,900,900",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        ("model=nobody", StatusCode::NOT_FOUND),
    ] {
        let response = invert(&client, options, "text/event-stream", file.clone()).await;
        assert_eq!(response.status, status, "{options}");
        assert_eq!(response.header("content-type"), Some("application/problem+json"));
    }
}

#[tokio::test]
async fn a_step_that_fails_is_an_event_with_the_problem() {
    let (client, _steps, go_on) = bowl();
    let file = face(&client).await;
    go_on.send(()).unwrap();
    // Without anybody to let it go on, the second step panics.
    drop(go_on);
    let response = invert(&client, "method=optimize&steps=30", "text/event-stream", file).await;
    let events = events(&response);
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["progress", "end"]);
    assert_eq!(events[1].1["type"], "urn:faceplane:problem:internal");
    assert!(events[1].1["request_id"].is_string());
}

#[tokio::test]
async fn early_stopping_ends_an_optimization_that_gains_nothing_as_converged() {
    let mut fewest = 0;
    for (patience, least) in [("&patience=5", 5), ("", 20)] {
        let (client, _steps, go_on) = bowl();
        let file = face(&client).await;
        for _ in 0..1001 {
            go_on.send(()).unwrap();
        }
        let options = format!("method=optimize&steps=1000{patience}");
        let response = invert(&client, &options, "application/json", file).await.json();
        let steps = response["optimization"]["steps"].as_u64().unwrap();
        assert!((least..1000).contains(&steps), "{options}: {steps}");
        assert!(
            steps > fewest,
            "more patience takes more steps: {options}: {steps}"
        );
        assert_eq!(response["optimization"]["converged"], true, "{options}");
        fewest = steps;
    }
}

#[tokio::test]
async fn a_patience_of_all_steps_never_ends_early() {
    let (client, _steps, go_on) = bowl();
    let file = face(&client).await;
    for _ in 0..301 {
        go_on.send(()).unwrap();
    }
    let options = "method=optimize&steps=300&patience=300";
    let response = invert(&client, options, "application/json", file).await.json();
    assert_eq!(response["optimization"]["steps"], 300);
}

#[tokio::test]
async fn starts_are_the_mean_code_and_the_codes_of_the_first_seeds_and_the_best_is_returned() {
    let sample = Client::sketch()
        .get("/v1/sample?seed=3&space=w&format=json")
        .await;
    let code = numbers(&sample.json()["faces"][0]["latent"]["values"]);
    #[expect(clippy::cast_possible_truncation, reason = "codes are single precision")]
    let centre: Vec<f32> = code.into_iter().map(|value| value as f32).collect();
    let (client, _steps, go_on) = bowl_at(centre.try_into().unwrap());
    let file = face(&client).await;
    // Four starts are the mean and the seeds 0, 1 and 2; the fifth is the code with loss 0.
    for (starts, finds_it) in [(1, false), (4, false), (5, true), (8, true)] {
        for _ in 0..2 {
            go_on.send(()).unwrap();
        }
        let options = format!("method=optimize&steps=1&starts={starts}");
        let response = invert(&client, &options, "application/json", file.clone()).await;
        let descent = &response.json()["optimization"];
        for loss in ["initial_loss", "loss"] {
            let loss = descent[loss].as_f64().unwrap();
            assert_eq!(loss < 1e-9, finds_it, "{starts} starts: {descent}");
        }
    }
}

/// A loss that falls at each step, with a gradient that leads out of single precision.
struct Overflowing {
    steps: f32,
}

impl Gradient for Overflowing {
    fn largest_batch(&self) -> usize {
        8
    }

    fn loss_gradient(
        &mut self,
        codes: ArrayView3<'_, f32>,
        _: ArrayView4<'_, f32>,
    ) -> Result<LossGradient, EngineError> {
        self.steps += 1.0;
        Ok(LossGradient {
            loss: Array1::from_elem(codes.len_of(Axis(0)), 1.0 / self.steps),
            perceptual: None,
            gradient: Array3::from_elem(codes.dim(), f32::NAN),
        })
    }
}

#[tokio::test]
async fn a_code_that_overflows_is_an_error_of_the_service_and_not_of_the_client() {
    let client = Client::with_gradient(Overflowing { steps: 0.0 });
    let file = face(&client).await;
    let response = invert(&client, "method=optimize&steps=3", "application/json", file).await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    let problem = response.json();
    assert_eq!(problem["type"], "urn:faceplane:problem:not-finite");
    assert!(
        problem["detail"].as_str().unwrap().contains("optimization"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_few_steps_of_refine_lower_the_loss_and_beat_the_encoder() {
    let client = Client::new(phantom(), Duration::from_mins(1));
    let file = client.get("/v1/sample?seed=31&metadata=none").await.body;
    let encoded = invert(&client, "method=encoder", "application/json", file.clone()).await;
    let refined = invert(&client, "steps=6", "application/json", file).await.json();
    let descent = &refined["optimization"];
    let loss = |name: &str| descent[name].as_f64().unwrap();
    assert!(loss("loss") < loss("initial_loss"), "{descent}");
    assert!(descent["perceptual_loss"].as_f64().unwrap() > 0.0);
    let (before, after) = (encoded.json()["psnr"].as_f64(), refined["psnr"].as_f64());
    assert!(
        after.unwrap() > before.unwrap() + 1.0,
        "{after:?} beside {before:?}"
    );
}

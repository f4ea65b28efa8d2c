//! Inversions that are watched, and inversions whose client goes away.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use faceplane::engine::{EngineError, Gradient, LossGradient};
use ndarray::{Array1, Array3, ArrayView3, ArrayView4, Axis};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Answer, Client, phantom};

/// A bowl about zero. Says when a step begins, and waits to be told to go on.
struct Bowl {
    began: Sender<()>,
    go: Receiver<()>,
}

impl Gradient for Bowl {
    fn largest_batch(&self) -> usize {
        8
    }

    fn slope(
        &mut self,
        codes: ArrayView3<'_, f32>,
        _: ArrayView4<'_, f32>,
    ) -> Result<LossGradient, EngineError> {
        self.began.send(()).unwrap();
        self.go.recv().unwrap();
        let squares =
            |code: ndarray::ArrayView2<'_, f32>| code.iter().map(|value| value * value).sum::<f32>();
        Ok(LossGradient {
            loss: Array1::from_iter(codes.axis_iter(Axis(0)).map(squares)),
            perceptual: None,
            gradient: Array3::from_shape_fn(codes.dim(), |place| 2.0 * codes[place]),
        })
    }
}

fn bowl() -> (Client, Receiver<()>, Sender<()>) {
    let (began, steps) = channel();
    let (go_on, go) = channel();
    (Client::descending(Bowl { began, go }), steps, go_on)
}

async fn face(client: &Client) -> Vec<u8> {
    client.get("/v1/sample?seed=5").await.body
}

/// Lets a descent of so many steps go all its way.
async fn whole(client: &Client, options: &str, accept: &str, file: Vec<u8>) -> Answer {
    let request = Request::post(format!("/v1/invert?{options}"))
        .header("content-type", "image/png")
        .header("accept", accept);
    client.send(request.body(Body::from(file)).unwrap()).await
}

/// Waits until no code is optimised any more.
async fn nothing_descends(client: &Client) {
    loop {
        let metrics = client.get("/metrics").await.body;
        let text = String::from_utf8(metrics).unwrap();
        if text.contains("faceplane_codes_optimizing{model=\"sketch\"} 0\n") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Asks over a socket, and goes away while the second step is under way.
async fn ask_and_leave(accept: &str) {
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
    nothing_descends(&client).await;
    // The second step ends, and the next one is another request's.
    for _ in 0..3 {
        go_on.send(()).unwrap();
    }
    let answer = whole(&client, "method=optimize&steps=1", "application/json", file).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(steps.try_iter().count(), 2, "the start and one step of the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inversion_whose_client_goes_away_takes_no_further_step() {
    ask_and_leave("application/json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_inversion_whose_client_goes_away_takes_no_further_step() {
    ask_and_leave("text/event-stream").await;
}

/// Names and JSON of an event stream's events.
fn events(answer: &Answer) -> Vec<(String, Value)> {
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let text = String::from_utf8(answer.body.clone()).unwrap();
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
async fn each_step_is_an_event_and_the_last_one_is_the_answer() {
    let (client, _steps, go_on) = bowl();
    let file = face(&client).await;
    for _ in 0..31 {
        go_on.send(()).unwrap();
    }
    let answer = whole(&client, "method=optimize&steps=30", "text/event-stream", file).await;
    let events = events(&answer);
    let (done, steps) = events.split_last().unwrap();
    assert_eq!(steps.len(), 31);
    let mut last = f64::INFINITY;
    for (place, (name, step)) in steps.iter().enumerate() {
        assert_eq!(
            (name.as_str(), &step["step"], &step["steps"]),
            ("progress", &place.into(), &30.into())
        );
        let loss = step["loss"].as_f64().unwrap();
        assert!(loss <= last, "the least so far");
        last = loss;
    }
    let shown: Vec<_> = steps
        .iter()
        .filter(|(_, step)| step.get("image").is_some())
        .collect();
    assert!((2..=10).contains(&shown.len()), "{} pictures", shown.len());
    assert!(shown.iter().all(|(_, step)| step["psnr"].is_f64()));
    assert!(steps[30].1.get("image").is_some(), "the last step is shown");
    assert_eq!(done.0, "done");
    assert_eq!(done.1["optimization"]["steps"], 30);
    assert_eq!(done.1["optimization"]["loss"].as_f64(), Some(last));
}

#[tokio::test]
async fn an_inversion_that_is_wrong_from_the_start_is_no_stream() {
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
        let answer = whole(&client, options, "text/event-stream", file.clone()).await;
        assert_eq!(answer.status, status, "{options}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
}

#[tokio::test]
async fn a_step_that_fails_is_a_problem_in_the_stream() {
    let (client, _steps, go_on) = bowl();
    let file = face(&client).await;
    go_on.send(()).unwrap();
    // Without anybody to let it go on, the second step panics.
    drop(go_on);
    let answer = whole(&client, "method=optimize&steps=30", "text/event-stream", file).await;
    let events = events(&answer);
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["progress", "problem"]);
    assert_eq!(events[1].1["type"], "urn:faceplane:problem:internal");
    assert!(events[1].1["request_id"].is_string());
}

#[tokio::test]
async fn patience_ends_a_descent_that_gains_nothing_and_that_is_converged() {
    let (client, _steps, go_on) = bowl();
    let file = face(&client).await;
    for _ in 0..1001 {
        go_on.send(()).unwrap();
    }
    let options = "method=optimize&steps=1000&patience=20";
    let answer = whole(&client, options, "application/json", file).await.json();
    let steps = answer["optimization"]["steps"].as_u64().unwrap();
    assert!((20..1000).contains(&steps), "{steps}");
    assert_eq!(answer["optimization"]["converged"], true);
}

#[tokio::test]
async fn of_several_starts_the_best_one_is_returned() {
    let (client, _steps, go_on) = bowl();
    let file = face(&client).await;
    for _ in 0..4 {
        go_on.send(()).unwrap();
    }
    let one = "method=optimize&steps=1&starts=1";
    let one = whole(&client, one, "application/json", file.clone()).await.json();
    let more = "method=optimize&steps=1&starts=8";
    let more = whole(&client, more, "application/json", file).await.json();
    let loss = |answer: &Value| answer["optimization"]["initial_loss"].as_f64().unwrap();
    assert!(loss(&more) <= loss(&one), "{} beside {}", loss(&more), loss(&one));
}

#[tokio::test]
async fn few_steps_from_the_encoder_come_nearer_than_it_and_never_end_worse_than_they_began() {
    let client = Client::new(phantom(), Duration::from_mins(1));
    let file = client.get("/v1/sample?seed=31&metadata=none").await.body;
    let encoded = whole(&client, "method=encoder", "application/json", file.clone()).await;
    let refined = whole(&client, "steps=6", "application/json", file).await.json();
    let descent = &refined["optimization"];
    assert!(descent["loss"].as_f64() <= descent["initial_loss"].as_f64());
    assert!(descent["perceptual_loss"].as_f64().unwrap() > 0.0);
    let (before, after) = (encoded.json()["psnr"].as_f64(), refined["psnr"].as_f64());
    assert!(
        after.unwrap() > before.unwrap() + 1.0,
        "{after:?} beside {before:?}"
    );
}

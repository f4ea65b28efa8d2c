//! Training jobs: boundaries are fitted in the background, and every job ends with a clear status.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceplane::catalog::{NpyArray, Store};
use faceplane::editor::Models;
use faceplane::engine::{EngineError, Generator, GeneratorShape};
use faceplane::latent::standard_normal;
use ndarray::{Array4, ArrayView3};
use serde_json::{Value, json};
use std::time::Duration;

use crate::support::{Client, Response, StripeGenerator, model_of, numbers, phantom};

pub(super) const PATH: &str = "/v1/models/sketch/boundaries";

/// Starts a job and waits until it has ended.
pub(super) async fn run(client: &Client, path: &str, body: Value) -> Value {
    let response = client.post(path, body).await;
    assert_eq!(
        response.status,
        StatusCode::ACCEPTED,
        "{}",
        String::from_utf8_lossy(&response.body)
    );
    let location = response.header("location").unwrap().to_owned();
    end(client, &location).await
}

pub(super) async fn end(client: &Client, location: &str) -> Value {
    loop {
        let job = client.get(location).await.json();
        if ["done", "failed", "cancelled"].contains(&job["status"].as_str().unwrap()) {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(super) async fn cancel(client: &Client, location: &str) -> Response {
    let request = Request::builder().method(Method::DELETE).uri(location);
    client.send(request.body(Body::empty()).unwrap()).await
}

pub(super) fn file(shape: Vec<usize>, values: Vec<f64>) -> String {
    STANDARD.encode(NpyArray { shape, values }.write_f8())
}

/// 200 codes of 4 numbers, and their scores along (0.6, 0.8, 0, 0).
pub(super) fn codes() -> (Vec<f64>, Vec<f64>) {
    let codes = standard_normal(3, 800);
    let scores = codes
        .chunks(4)
        .map(|code| 0.6 * code[0] + 0.8 * code[1])
        .collect();
    (codes, scores)
}

#[tokio::test]
async fn a_boundary_is_trained_from_sampled_faces_and_edits_use_it_at_once() {
    let client = Client::sketch();
    let body = json!({"attributes": ["smile", "age"], "space": "w", "samples": 400, "ratio": 0.2, "seed": 5, "method": "svm"});
    let before = client.get("/v1/edit?seed=7&edit=smile:2").await.body;
    let job = run(&client, PATH, body.clone()).await;
    assert_eq!(job["status"], "done", "{job}");
    assert_eq!(
        (&job["samples_done"], &job["storage"]),
        (&json!(400), &json!("memory"))
    );
    let found = client.get("/v1/models/sketch/boundaries/smile/w").await.json();
    let known = [
        ("samples", json!(400)),
        ("chosen", json!(80)),
        ("seed", json!(5)),
        ("method", json!("svm")),
    ];
    for (key, value) in known {
        assert_eq!(found[key], value, "{found}");
    }
    assert!(found["date"].is_string() && found["model"].is_string(), "{found}");
    // The sketch scores smile by the mean of tanh over the code's numbers.
    let normal = numbers(&found["normal"]);
    let cosine = normal.iter().sum::<f64>() / 2.0;
    assert!(cosine > 0.97, "{cosine}");
    assert!(found["accuracy"]["held_out"].as_f64().unwrap() > 0.95, "{found}");
    assert_ne!(client.get("/v1/edit?seed=7&edit=smile:2").await.body, before);
    // The same job gives the same boundary again.
    let uri = format!("{PATH}/smile/w");
    let request = Request::builder().method(Method::DELETE).uri(uri);
    let deleted = client.send(request.body(Body::empty()).unwrap()).await;
    assert!(deleted.status.is_success());
    let again = run(&client, PATH, body).await;
    assert_eq!(again["status"], "done");
    let found_again = client.get("/v1/models/sketch/boundaries/smile/w").await.json();
    assert_eq!(found_again["normal"], found["normal"]);
    let list = client.get("/v1/jobs").await.json();
    assert_eq!(list["jobs"].as_array().unwrap().len(), 2);
}

/// A sketch that is slow, or fails.
struct Slow {
    sketch: StripeGenerator,
    pause: Duration,
    fails: bool,
}

impl Generator for Slow {
    fn shape(&self) -> &GeneratorShape {
        self.sketch.shape()
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        std::thread::sleep(self.pause);
        if self.fails {
            let (network, reason) = ("sketch".to_owned(), "out of ink".to_owned());
            return Err(EngineError::Run { network, reason });
        }
        self.sketch.synthesize(codes)
    }
}

/// The small generator, with a pause in each run.
pub(super) fn slow_generator(milliseconds: u64) -> impl Generator {
    Slow {
        sketch: StripeGenerator::new(),
        pause: Duration::from_millis(milliseconds),
        fails: false,
    }
}

pub(super) fn slow(milliseconds: u64, fails: bool) -> Client {
    Client::with_generator(Slow {
        sketch: StripeGenerator::new(),
        pause: Duration::from_millis(milliseconds),
        fails,
    })
}

#[tokio::test]
async fn running_and_queued_jobs_can_be_cancelled_and_others_go_on() {
    let client = slow(2, false);
    let begin = async |samples: u32| {
        let body = json!({"attributes": ["smile"], "space": "w", "samples": samples, "ratio": 0.3});
        client
            .post(PATH, body)
            .await
            .header("location")
            .unwrap()
            .to_owned()
    };
    let (first, second, third) = (begin(1_000_000).await, begin(1_000_000).await, begin(40).await);
    assert_eq!(client.get(&second).await.json()["status"], "queued");
    assert_eq!(cancel(&client, &second).await.json()["status"], "cancelled");
    loop {
        let job = client.get(&first).await.json();
        if job["samples_done"].as_u64().unwrap() > 0 {
            assert_eq!(job["status"], "sampling");
            assert!(
                job["samples_per_second"].is_number() && job["seconds_left"].is_number(),
                "{job}"
            );
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // Requests are answered meanwhile.
    assert_eq!(client.get("/v1/sample?seed=1").await.status, StatusCode::OK);
    assert_eq!(cancel(&client, &first).await.json()["status"], "cancelled");
    assert_eq!(end(&client, &third).await["status"], "done");
    // A job that has ended stays as it is.
    assert_eq!(cancel(&client, &third).await.json()["status"], "done");
    assert_eq!(cancel(&client, &first).await.json()["status"], "cancelled");
}

#[tokio::test]
async fn a_failing_network_or_disk_fails_the_job_and_changes_nothing() {
    let body = json!({"attributes": ["smile"], "space": "w", "samples": 100, "ratio": 0.3});
    let job = run(&slow(0, true), PATH, body.clone()).await;
    assert_eq!(job["status"], "failed");
    assert!(job["failure"].as_str().unwrap().contains("out of ink"), "{job}");
    let folder = tempfile::tempdir().unwrap();
    let models = Models::new(vec![model_of(StripeGenerator::new(), 64)], None).unwrap();
    let models = models
        .with_store(Store::open(folder.path().to_owned()).unwrap())
        .unwrap();
    std::fs::write(folder.path().join("sketch"), "in its place").unwrap();
    let client = Client::new(models, Duration::from_mins(1));
    let before = client.get(&format!("{PATH}/smile/w")).await.json();
    let job = run(&client, PATH, body).await;
    assert_eq!(
        (&job["status"], &job["boundaries"]),
        (&json!("failed"), &json!([]))
    );
    assert!(job["failure"].as_str().unwrap().contains("was not made"), "{job}");
    assert_eq!(client.get(&format!("{PATH}/smile/w")).await.json(), before);
}

#[tokio::test]
async fn events_report_a_job_until_it_has_ended() {
    let client = slow(1, false);
    let body = json!({"attributes": ["smile"], "space": "z", "samples": 400, "ratio": 0.2});
    let location = client
        .post(PATH, body)
        .await
        .header("location")
        .unwrap()
        .to_owned();
    let request = Request::get(&location).header(header::ACCEPT, "text/event-stream");
    let response = client.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    let text = String::from_utf8(response.body).unwrap();
    let events: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        text.starts_with("event: progress\nid: 1\nretry: ") && events.len() > 1,
        "{text}"
    );
    assert_eq!(events.last().unwrap()["status"], "done");
    let last = text.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.starts_with("event: end\nid: end\n"), "{last}");
    assert_eq!(text.matches("event: end").count(), 1, "{text}");
}

#[tokio::test]
async fn an_event_source_that_has_the_last_event_gets_204_and_any_other_gets_the_end() {
    let client = slow(1, false);
    let body = json!({"attributes": ["smile"], "space": "z", "samples": 400, "ratio": 0.2});
    let response = client.post(PATH, body).await;
    let location = response.header("location").unwrap().to_owned();
    assert_eq!(end(&client, &location).await["status"], "done");
    for (last, status) in [
        (None, StatusCode::OK),
        (Some("7"), StatusCode::OK),
        (Some("end"), StatusCode::NO_CONTENT),
    ] {
        let request = Request::get(&location).header(header::ACCEPT, "text/event-stream");
        let request = last.into_iter().fold(request, |request, last| {
            request.header("last-event-id", HeaderValue::from_static(last))
        });
        let response = client.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status, status, "{last:?}");
        let text = String::from_utf8(response.body).unwrap();
        assert_eq!(
            text.starts_with("event: end\n"),
            status == StatusCode::OK,
            "{text}"
        );
    }
}

#[tokio::test]
async fn invalid_trainings_are_refused_before_a_job_begins() {
    let client = Client::sketch();
    let (values, scores) = codes();
    let (values, scores) = (file(vec![200, 4], values), file(vec![200], scores));
    let with = |key: &str, value: Value| {
        let mut body = json!({"attributes": ["smile"], "space": "w", "samples": 100});
        body[key] = value;
        body
    };
    let given = |key: &str, value: Value| {
        let mut body = json!({"attributes": ["smile"], "space": "w", "codes": values, "scores": scores});
        body[key] = value;
        body
    };
    let cases = [
        (json!({}), 422, "attributes: missing"),
        (
            with("attributes", json!([])),
            422,
            "attributes: found 0, expected 1 to 64",
        ),
        (
            with("attributes", json!(["smile", "smile"])),
            422,
            "expected each once",
        ),
        (with("attributes", json!("smile")), 422, "attributes"),
        (with("attributes", json!(["beard"])), 404, "they score smile, age"),
        (with("space", json!("x")), 422, "expected z, w, w+ or s"),
        (with("space", json!("w+")), 422, "train in w"),
        (
            with("samples", json!(0)),
            422,
            "samples: found 0, expected a whole number from 4",
        ),
        (with("samples", json!(-1)), 422, "samples"),
        (
            with("samples", json!(4_000_000_000u32)),
            422,
            "expected at most 1042072, because their codes are kept in memory",
        ),
        (
            with("chosen", json!(0)),
            422,
            "chosen: found 0, expected a whole number from 1",
        ),
        (with("ratio", json!(0)), 422, "ratio: found"),
        (with("ratio", json!(1.5)), 422, "ratio: found"),
        (with("split", json!(0)), 422, "split: found"),
        (with("split", json!(2)), 422, "split: found"),
        (with("seed", json!(-1)), 422, "seed"),
        (with("invalid_score", json!("none")), 422, "invalid_score"),
        (
            with("method", json!("magic")),
            422,
            "expected regression, svm or least-squares",
        ),
        (
            with("codes", json!(values)),
            422,
            "scores: found codes without them",
        ),
        (
            with("scores", json!(scores)),
            422,
            "codes: found scores without them",
        ),
        (with("colour", json!(1)), 422, "colour: unknown field"),
        (given("codes", json!("?")), 422, "codes: not base64"),
        (given("codes", json!("AAAA")), 422, "no .npy file"),
        (
            given("codes", json!(file(vec![200], vec![0.0; 200]))),
            422,
            "expected (samples, dim)",
        ),
        (
            given("codes", json!(file(vec![200, 3], vec![0.0; 600]))),
            422,
            "expected [1, 4]",
        ),
        (
            given("scores", json!(file(vec![2], vec![0.0; 2]))),
            422,
            "expected (200)",
        ),
        (given("samples", json!(100)), 422, "which are the samples"),
        (
            given("attributes", json!(["smile", "age"])),
            422,
            "which are one's",
        ),
    ];
    for (body, status, says) in cases {
        let response = client.post(PATH, body.clone()).await;
        let text = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status.as_u16(), status, "{body}: {text}");
        assert!(text.contains(says), "{body} should say {says:?}: {text}");
    }
    let both = json!({"attributes": ["smile"], "chosen": 5, "ratio": 0.1});
    assert_eq!(
        client.post(PATH, both).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        client
            .post("/v1/models/nobody/boundaries", with("seed", json!(1)))
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(client.get("/v1/jobs/7").await.status, StatusCode::NOT_FOUND);
    assert_eq!(cancel(&client, "/v1/jobs/7").await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.get("/v1/jobs/%FF").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(client.get("/v1/jobs").await.json(), json!({"jobs": []}));
}

#[tokio::test]
async fn training_finds_the_phantoms_own_boundary_again() {
    let client = Client::new(phantom(), Duration::from_mins(1));
    let cosines = async |client: &Client| {
        let found = client.get("/v1/models/phantom/boundaries/smile/w").await.json();
        numbers(&found["normal"])
    };
    let shipped = cosines(&client).await;
    let body = json!({"attributes": ["smile"], "space": "w", "samples": 800, "seed": 2020, "method": "least-squares"});
    let job = run(&client, "/v1/models/phantom/boundaries", body).await;
    assert_eq!(job["status"], "done", "{job}");
    let found = cosines(&client).await;
    let cosine: f64 = shipped.iter().zip(&found).map(|(a, b)| a * b).sum();
    assert!(cosine > 0.95, "{cosine}");
}

//! How jobs end: cancelled at any point, or failed because of their samples.

use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceplane::catalog::NpyArray;
use faceplane::engine::{EngineError, Generator, GeneratorShape};
use faceplane::latent::standard_normal;
use ndarray::{Array4, ArrayView3, Axis};
use serde_json::{Value, json};
use std::time::Duration;

use super::training::{end, slow};
use crate::support::{Client, StripeGenerator};

const BOUNDARIES: &str = "/v1/models/sketch/boundaries";
const REPORT: &str = "/v1/models/sketch/report";

/// Starts a job and returns its path.
async fn start(client: &Client, path: &str, body: Value) -> String {
    let response = client.post(path, body).await;
    let location = response.header("location").map(str::to_owned);
    location.unwrap_or_else(|| panic!("the response has no Location: {}", response.json()))
}

/// Cancels a job when `ready` holds, and returns its final state.
async fn cancelled_when(client: &Client, path: &str, ready: impl Fn(&Value) -> bool) -> Value {
    loop {
        let job = client.get(path).await.json();
        assert!(job["failure"].is_null() && job["status"] != "done", "{job}");
        if ready(&job) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let request = Request::builder().method(Method::DELETE).uri(path);
    client.send(request.body(Body::empty()).unwrap()).await.json()
}

#[tokio::test]
async fn a_training_cancelled_while_it_fits_leaves_the_boundaries_unchanged() {
    let client = Client::sketch();
    let file = |shape, values| STANDARD.encode(NpyArray { shape, values }.write_f8());
    // With random scores, the support vector machine needs a long time.
    let count = 60_000;
    let body = json!({
        "attributes": ["smile"], "space": "w", "ratio": 1, "split": 1,
        "codes": file(vec![count, 4], standard_normal(1, 4 * count)),
        "scores": file(vec![count], standard_normal(2, count)),
    });
    let before = client.get(BOUNDARIES).await.json();
    let job = start(&client, BOUNDARIES, body).await;
    let job = cancelled_when(&client, &job, |job| job["status"] == "fitting").await;
    assert_eq!(
        (&job["status"], &job["boundaries"]),
        (&json!("cancelled"), &json!([]))
    );
    assert!(job["fitting"].is_null() && job["failure"].is_null(), "{job}");
    assert_eq!(client.get(BOUNDARIES).await.json(), before);
}

#[tokio::test]
async fn a_report_can_be_cancelled_while_it_is_queued_samples_or_edits() {
    let client = slow(2, false);
    let body = json!({"samples": 400, "faces": 400});
    let (first, second) = (
        start(&client, REPORT, body.clone()).await,
        start(&client, REPORT, body.clone()).await,
    );
    let job = cancelled_when(&client, &second, |job| job["status"] == "queued").await;
    assert_eq!(
        (&job["status"], &job["samples_done"]),
        (&json!("cancelled"), &json!(0))
    );
    let done = |job: &Value| job["samples_done"].as_u64().unwrap();
    let job = cancelled_when(&client, &first, |job| done(job) > 0).await;
    assert_eq!(job["status"], "cancelled");
    let third = start(&client, REPORT, body).await;
    let job = cancelled_when(&client, &third, |job| done(job) > 400).await;
    assert_eq!(job["status"], "cancelled");
    assert!(job["report"].is_null(), "{job}");
    // The next job runs.
    let last = start(&client, REPORT, json!({"samples": 50, "faces": 1})).await;
    assert_eq!(end(&client, &last).await["status"], "done");
}

/// A generator that synthesizes the same grey image for every code.
struct GreyGenerator(StripeGenerator);

impl Generator for GreyGenerator {
    fn shape(&self) -> &GeneratorShape {
        self.0.shape()
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        Ok(Array4::zeros((codes.len_of(Axis(0)), 3, 8, 8)))
    }
}

#[tokio::test]
async fn a_training_and_a_report_fail_if_all_faces_have_the_same_score() {
    let client = Client::with_generator(GreyGenerator(StripeGenerator::new()));
    let training = json!({"attributes": ["smile"], "space": "w", "samples": 60});
    for (path, body) in [(BOUNDARIES, training), (REPORT, json!({"samples": 60}))] {
        let job = end(&client, &start(&client, path, body).await).await;
        assert_eq!(job["status"], "failed", "{job}");
        let failure = job["failure"].as_str().unwrap();
        assert!(failure.contains("for all 60 samples"), "{failure}");
    }
}

#[tokio::test]
async fn least_squares_needs_more_samples_than_dimensions_and_the_svm_does_not() {
    let client = Client::sketch();
    for (method, status) in [("least-squares", "failed"), ("svm", "done")] {
        let body = json!({
            "attributes": ["smile"], "space": "w", "samples": 4, "ratio": 1, "split": 1, "method": method,
        });
        let job = end(&client, &start(&client, BOUNDARIES, body).await).await;
        assert_eq!(job["status"], status, "{job}");
        if status == "failed" {
            let failure = job["failure"].as_str().unwrap();
            assert!(
                failure.contains("found 4") && failure.contains("samples"),
                "{failure}"
            );
        }
    }
}

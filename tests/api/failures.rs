//! Failures: networks that fail or panic, full queues, timeouts, and the metrics that count them.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use faceplane::editor::Models;
use faceplane::engine::{EngineError, Generator, GeneratorShape};
use ndarray::{Array4, ArrayView3};

use crate::support::{Client, StripeGenerator, model_of};

/// A generator with a synthesis function from the test.
struct CustomGenerator<F> {
    stripes: StripeGenerator,
    synthesis: F,
}

impl<F> CustomGenerator<F>
where
    F: FnMut(&mut StripeGenerator, ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> + Send + 'static,
{
    fn new(synthesis: F) -> Self {
        Self {
            stripes: StripeGenerator::new(),
            synthesis,
        }
    }
}

impl<F> Generator for CustomGenerator<F>
where
    F: FnMut(&mut StripeGenerator, ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> + Send + 'static,
{
    fn shape(&self) -> &GeneratorShape {
        self.stripes.shape()
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        (self.synthesis)(&mut self.stripes, codes)
    }
}

#[tokio::test]
async fn a_nan_in_an_image_is_a_500_that_names_its_position() {
    let client = Client::with_generator(CustomGenerator::new(|stripes, codes| {
        let mut images = stripes.synthesize(codes)?;
        images[[0, 1, 2, 3]] = f32::NAN;
        Ok(images)
    }));
    let response = client.get("/v1/sample?seed=7").await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    let problem = response.json();
    assert_eq!(problem["type"], "urn:faceplane:problem:not-finite");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("channel 1, row 2, column 3"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_panic_in_a_network_is_a_500_without_details_and_only_for_that_request() {
    let mut runs = 0;
    let client = Client::with_generator(CustomGenerator::new(move |stripes, codes| {
        runs += 1;
        assert!(runs > 1, "a secret detail");
        stripes.synthesize(codes)
    }));
    let response = client.get("/v1/sample?seed=7").await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    let problem = response.json();
    assert_eq!(problem["type"], "urn:faceplane:problem:internal");
    assert!(!problem.to_string().contains("secret"), "{problem}");
    assert_eq!(problem["request_id"].as_str(), response.header("x-request-id"));
    assert_eq!(client.get("/v1/sample?seed=7").await.status, StatusCode::OK);
}

/// A generator that reports the start of a run and ends it when the test permits.
pub(super) fn controlled() -> (impl Generator, Receiver<()>, Sender<()>) {
    let (report_start, started) = channel();
    let (release, released) = channel::<()>();
    let generator = CustomGenerator::new(move |stripes: &mut StripeGenerator, codes: ArrayView3<'_, f32>| {
        // The test may have ended, and then nobody receives this.
        let _ = report_start.send(());
        let _ = released.recv();
        stripes.synthesize(codes)
    });
    (generator, started, release)
}

#[tokio::test]
async fn a_request_above_the_queue_limit_is_a_503_with_retry_after_and_later_requests_succeed() {
    let (generator, started, release) = controlled();
    let models = Models::new(vec![model_of(generator, 2)], None).unwrap();
    let client = std::sync::Arc::new(Client::new(models, Duration::from_mins(1)));
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.get("/v1/sample?seed=1").await.status }
    });
    tokio::task::spawn_blocking(move || started.recv().unwrap())
        .await
        .unwrap();
    let refused = client.get("/v1/sample?seed=2&count=2").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.header("retry-after"), Some("1"));
    let problem = refused.json();
    assert_eq!(problem["type"], "urn:faceplane:problem:overloaded");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("the request has 2 images, but the queue takes only 1 more of its 2"),
        "{problem}"
    );
    release.send(()).unwrap();
    release.send(()).unwrap();
    assert_eq!(first.await.unwrap(), StatusCode::OK);
    assert_eq!(client.get("/v1/sample?seed=3").await.status, StatusCode::OK);
}

#[tokio::test]
async fn equal_requests_at_the_same_time_share_one_run_and_a_failure_is_not_cached() {
    let mut runs = 0;
    let (release, released) = channel::<()>();
    let client = Client::with_generator(CustomGenerator::new(
        move |stripes: &mut StripeGenerator, codes: ArrayView3<'_, f32>| {
            released.recv().unwrap();
            runs += 1;
            let mut images = stripes.synthesize(codes)?;
            if runs == 1 {
                images.fill(f32::NAN);
            }
            Ok(images)
        },
    ));
    let uri = "/v1/sample?seed=7";
    release.send(()).unwrap();
    assert_eq!(client.get(uri).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    let (first, second, ()) = tokio::join!(client.get(uri), client.get(uri), async {
        // The test permits one run. A second run would never end.
        release.send(()).unwrap();
    });
    assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(first.body, second.body);
}

#[tokio::test]
async fn a_request_past_its_timeout_is_a_504() {
    let (generator, _started, release) = controlled();
    let models = Models::new(vec![model_of(generator, 4)], None).unwrap();
    let client = Client::new(models, Duration::from_millis(20));
    let response = client.get("/v1/sample?seed=1").await;
    assert_eq!(response.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(response.json()["type"], "urn:faceplane:problem:deadline");
    drop(release);
}

#[tokio::test]
async fn a_client_may_shorten_the_timeout_but_not_extend_it() {
    let with_timeout = |seconds: &str| {
        let request = Request::get("/v1/sample?seed=1").header("faceplane-timeout", seconds);
        request.body(Body::empty()).unwrap()
    };
    for (seconds, longest) in [
        ("0.02", Duration::from_mins(1)),
        ("3600", Duration::from_millis(20)),
    ] {
        let (generator, _started, release) = controlled();
        let models = Models::new(vec![model_of(generator, 4)], None).unwrap();
        let response = Client::new(models, longest).send(with_timeout(seconds)).await;
        assert_eq!(response.status, StatusCode::GATEWAY_TIMEOUT);
        let detail = response.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("within 0.02 s"), "{detail}");
        drop(release);
    }
    for seconds in ["0", "-1", "soon", "NaN", "inf", ""] {
        let response = Client::sketch().send(with_timeout(seconds)).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{seconds}");
    }
}

#[tokio::test]
async fn metrics_count_requests_and_every_series_exists_from_the_start() {
    let client = Client::sketch();
    let value = |text: &str, series: &str| -> Option<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(series))?;
        line.trim().parse().ok()
    };
    let before = String::from_utf8(client.get("/metrics").await.body).unwrap();
    let route = "{route=\"/v1/edit\",status=\"200\"}";
    for series in [
        &*format!("faceplane_requests_total{route}"),
        "faceplane_request_seconds_count{route=\"/v1/edit\"}",
        "faceplane_encoding_seconds_count",
        "faceplane_images_waiting{model=\"sketch\"}",
        "faceplane_images_running{model=\"sketch\"}",
        "faceplane_images_dropped_total{model=\"sketch\",reason=\"overloaded\"}",
        "faceplane_images_dropped_total{model=\"sketch\",reason=\"abandoned\"}",
        "faceplane_images_dropped_total{model=\"sketch\",reason=\"late\"}",
        "faceplane_cache_hits_total",
        "faceplane_cache_misses_total",
        "faceplane_batch_images_count{model=\"sketch\"}",
        "faceplane_queue_seconds_count{model=\"sketch\"}",
        "faceplane_mapping_seconds_count{model=\"sketch\"}",
        "faceplane_synthesis_seconds_count{model=\"sketch\"}",
        "faceplane_scoring_seconds_count{model=\"sketch\"}",
    ] {
        assert_eq!(value(&before, series), Some(0.0), "{series} in {before}");
    }
    let response = client.get("/v1/edit?seed=7&edit=smile&trajectory=-1:1:5").await;
    let timing = response.header("server-timing").expect("Server-Timing");
    assert!(
        timing.starts_with("mapping;dur=") && timing.contains("synthesis;dur="),
        "{timing}"
    );
    assert_eq!(
        client.get("/v1/edit?edit=beard:1").await.status,
        StatusCode::NOT_FOUND
    );
    let after = String::from_utf8(client.get("/metrics").await.body).unwrap();
    assert_eq!(
        value(&after, &format!("faceplane_requests_total{route}")),
        Some(1.0)
    );
    let refused = "faceplane_requests_total{route=\"/v1/edit\",status=\"404\"}";
    assert_eq!(value(&after, refused), Some(1.0));
    assert_eq!(
        value(&after, "faceplane_batch_images_sum{model=\"sketch\"}"),
        Some(5.0)
    );
    assert_eq!(
        value(&after, "faceplane_batch_images_count{model=\"sketch\"}"),
        Some(2.0)
    );
}

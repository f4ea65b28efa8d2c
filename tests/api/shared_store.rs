//! Changes through a store that other services change too, or that fails.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use faceplane::catalog::{Blob, Blobs, CatalogError, Directory, Store, Version};
use faceplane::editor::Models;
use faceplane::metrics::Metrics;
use serde_json::json;

use crate::api::boundaries::{SMILE, delete, put, with_store};
use crate::support::{Client, StripeGenerator, model_of, numbers};

/// A store in a folder that answers, or fails.
#[derive(Debug)]
pub(super) struct Failing {
    pub(super) blobs: Directory,
    pub(super) fails: Arc<AtomicBool>,
}

impl Failing {
    fn check(&self) -> Result<(), CatalogError> {
        let error = || CatalogError::StoreUnavailable {
            store: "s3://bucket".to_owned(),
            reason: "connection refused".to_owned(),
        };
        let fails = self.fails.load(Ordering::SeqCst);
        if fails { Err(error()) } else { Ok(()) }
    }
}

impl Blobs for Failing {
    fn list(&self, folder: &str) -> Result<BTreeMap<String, Version>, CatalogError> {
        self.check().and_then(|()| self.blobs.list(folder))
    }

    fn get(&self, key: &str) -> Result<Option<Blob>, CatalogError> {
        self.check().and_then(|()| self.blobs.get(key))
    }

    fn put(&self, key: &str, bytes: &[u8], expected: Option<&Version>) -> Result<Version, CatalogError> {
        self.check().and_then(|()| self.blobs.put(key, bytes, expected))
    }

    fn delete(&self, key: &str, expected: &Version) -> Result<(), CatalogError> {
        self.check().and_then(|()| self.blobs.delete(key, expected))
    }

    fn remove(&self, key: &str) -> Result<(), CatalogError> {
        self.check().and_then(|()| self.blobs.remove(key))
    }

    fn name(&self, key: &str) -> String {
        self.blobs.name(key)
    }
}

/// A service on a store in a folder that fails while the flag is set, and its metrics.
fn failing(folder: &Path) -> (Client, Arc<AtomicBool>, Metrics) {
    let fails = Arc::new(AtomicBool::new(false));
    let blobs = Failing {
        blobs: Directory::open(folder.to_owned()).unwrap(),
        fails: Arc::clone(&fails),
    };
    let models = Models::new(vec![model_of(StripeGenerator::new(), 64)], None).unwrap();
    let models = models.with_store(Store::new(Arc::new(blobs))).unwrap();
    let metrics = Metrics::new();
    let client = Client::new(models.with_store_metrics(metrics.store()), Duration::from_mins(1));
    (client, fails, metrics)
}

#[tokio::test]
async fn a_change_that_a_failing_store_does_not_keep_is_a_503_and_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let (client, fails, metrics) = failing(folder.path());
    let body = json!({"normal": [1, 0, 0, 0]});
    assert_eq!(put(&client, SMILE, body).await.status, StatusCode::OK);
    let before = client.get(SMILE).await.json();
    fails.store(true, Ordering::SeqCst);
    for refused in [
        put(&client, SMILE, json!({"normal": [0, 1, 0, 0]})).await,
        delete(&client, SMILE).await,
    ] {
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        let problem = refused.json();
        assert!(
            problem["type"].as_str().unwrap().ends_with("store-unavailable"),
            "{problem}"
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("s3://bucket: connection refused"), "{detail}");
        assert_eq!(client.get(SMILE).await.json(), before);
    }
    assert!(metrics.text().contains("faceplane_store_failures_total 2"));
    fails.store(false, Ordering::SeqCst);
    assert_eq!(delete(&client, SMILE).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_boundary_that_a_job_trained_waits_until_the_store_answers() {
    let folder = tempfile::tempdir().unwrap();
    let (client, fails, metrics) = failing(folder.path());
    fails.store(true, Ordering::SeqCst);
    let body = json!({"attributes": ["smile"], "space": "z", "samples": 400, "ratio": 0.2});
    let begun = client.post("/v1/models/sketch/boundaries", body).await;
    let job = begun.header("location").unwrap().to_owned();
    while metrics.text().contains("faceplane_store_failures_total 0") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.get(&job).await.json()["status"], "fitting");
    fails.store(false, Ordering::SeqCst);
    while client.get(&job).await.json()["status"] == "fitting" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.get(&job).await.json()["status"], "done");
    let again = with_store(folder.path());
    assert_eq!(
        again.get("/v1/models/sketch/boundaries/smile/z").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_last_of_two_services_that_change_a_boundary_wins() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (with_store(folder.path()), with_store(folder.path()));
    let normal = |axis: usize| [0, 1, 2, 3].map(|index| f64::from(u8::from(index == axis % 4)));
    for (axis, client) in [&first, &second, &first, &first, &second].into_iter().enumerate() {
        let body = json!({"normal": normal(axis)});
        assert_eq!(put(client, SMILE, body).await.status, StatusCode::OK);
        let found = client.get(SMILE).await.json();
        assert_eq!(numbers(&found["normal"]), normal(axis));
    }
    assert_eq!(delete(&first, SMILE).await.status, StatusCode::OK);
    let refused = delete(&second, SMILE).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "it is deleted already");
    let (first, second) = (first.get(SMILE).await.json(), second.get(SMILE).await.json());
    assert_eq!(first, second);
    assert_eq!(numbers(&first["normal"]), [0.0, 0.0, 0.0, 1.0], "the original");
}

#[tokio::test]
async fn numbers_of_a_boundary_reach_other_services_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let first = with_store(folder.path());
    // The fast parsers of JSON round some of these to a neighbour.
    for intercept in [
        0.1 + 0.2,
        1.0 / 3.0,
        123_456.789_012_345_67,
        5e-324,
        -2.225_073_858_507_201e-308,
    ] {
        let body = json!({"normal": [0.3, 0.7, 0.2, 0.1], "intercept": intercept});
        assert_eq!(put(&first, SMILE, body).await.status, StatusCode::OK);
        let second = with_store(folder.path());
        assert_eq!(
            first.get(SMILE).await.body,
            second.get(SMILE).await.body,
            "{intercept:e}"
        );
    }
}

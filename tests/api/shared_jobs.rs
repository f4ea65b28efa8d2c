//! Jobs that several services on one store show, cancel and report on.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use faceplane::api::JobPublisher;
use faceplane::catalog::{Directory, Store};
use faceplane::editor::Models;
use serde_json::{Value, json};

use super::report;
use super::shared_store::Failing;
use super::training::{PATH, cancel, end, slow_generator};
use crate::support::{Client, StripeGenerator, model_of};

/// Services on one store. `fails` makes the store fail.
struct Services {
    fails: Arc<AtomicBool>,
    first: (Client, JobPublisher),
    second: (Client, JobPublisher),
}

impl Services {
    /// The generator of the first one makes a pause in each run.
    fn start(folder: &Path, milliseconds: u64) -> Self {
        let fails = Arc::new(AtomicBool::new(false));
        let with_store = |model| {
            let blobs = Failing {
                blobs: Directory::open(folder.to_owned()).unwrap(),
                fails: Arc::clone(&fails),
            };
            let models = Models::new(vec![model], None).unwrap();
            models.with_store(Store::new(Arc::new(blobs))).unwrap()
        };
        Self {
            first: Client::sharing(with_store(model_of(slow_generator(milliseconds), 64)), "one:8080"),
            second: Client::sharing(with_store(model_of(StripeGenerator::new(), 64)), "two:8080"),
            fails: Arc::clone(&fails),
        }
    }
}

async fn begin(client: &Client, samples: u32) -> String {
    let body = json!({"attributes": ["smile"], "space": "w", "samples": samples, "ratio": 0.3});
    let begun = client.post(PATH, body).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.json());
    begun.header("location").unwrap().to_owned()
}

async fn ids(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("/v1/jobs{query}")).await.json();
    let jobs = list["jobs"].as_array().unwrap().iter();
    jobs.map(|job| job["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_service_shows_jobs_of_others_from_their_beginning_to_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(folder.path(), 0);
    let ((first, publisher), (second, _)) = (&services.first, &services.second);
    let (of_first, of_second) = (begin(first, 40).await, begin(second, 40).await);
    let begun = second.get(&of_first).await;
    assert_eq!(
        begun.status,
        StatusCode::OK,
        "it is there before the client knows it"
    );
    assert_eq!(begun.json()["service"], "one:8080");
    let ended = end(first, &of_first).await;
    assert_eq!(ended["status"], "done", "{ended}");
    publisher.write_due().await;
    let mut seen = second.get(&of_first).await.json();
    // The samples are in the memory of the service that ran the job.
    seen["samples_file"] = ended["samples_file"].clone();
    assert_eq!(seen, ended);
    let samples = second.get(&format!("{of_first}/samples")).await;
    assert_eq!(samples.status, StatusCode::NOT_FOUND);
    assert!(
        samples.json()["detail"]
            .as_str()
            .unwrap()
            .contains("of another service")
    );
    let (listed, of_other) = (ids(first, "").await, ids(second, "").await);
    assert_eq!((listed.len(), &listed), (2, &of_other));
    assert!(
        of_second.ends_with(&listed[0]) && of_first.ends_with(&listed[1]),
        "{listed:?}"
    );
    let page = ids(second, "?limit=1").await;
    let rest = ids(second, &format!("?limit=1&after={}", page[0])).await;
    assert_eq!([page, rest].concat(), listed);
}

#[tokio::test]
async fn a_service_returns_reports_of_others_and_the_end_of_their_events() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(folder.path(), 0);
    let ((first, publisher), (second, _)) = (&services.first, &services.second);
    let job = report::begun(first, json!({"samples": 50, "faces": 1})).await;
    let path = format!("{job}/report");
    assert_eq!(
        second.get(&path).await.status,
        StatusCode::NOT_FOUND,
        "it is not there yet"
    );
    assert_eq!(end(first, &job).await["status"], "done");
    publisher.write_due().await;
    for accept in ["application/json", "text/html"] {
        let (of_first, of_second) = (
            report::get(first, &path, accept).await,
            report::get(second, &path, accept).await,
        );
        assert_eq!(of_second.status, StatusCode::OK);
        assert_eq!(of_first.header("content-type"), of_second.header("content-type"));
        assert!(of_first.body == of_second.body, "the reports differ");
    }
    let events = report::get(second, &job, "text/event-stream").await;
    let events = String::from_utf8(events.body).unwrap();
    assert!(
        events.contains("event: end") && events.contains("\"done\""),
        "{events}"
    );
    let training = begin(first, 40).await;
    end(first, &training).await;
    publisher.write_due().await;
    let refused = second.get(&format!("{training}/report")).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert!(refused.json()["type"].as_str().unwrap().ends_with("no-report"));
}

#[tokio::test]
async fn a_job_that_another_service_is_asked_to_cancel_ends() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(folder.path(), 2);
    let ((first, publisher), (second, _)) = (&services.first, &services.second);
    let job = begin(first, 1_000_000).await;
    let following = tokio::spawn(publisher.clone().follow());
    let cancelled = cancel(second, &job).await;
    assert_eq!(cancelled.status, StatusCode::OK);
    assert_eq!(cancelled.json()["status"], "cancelled");
    assert_eq!(first.get(&job).await.json()["status"], "cancelled");
    let again = cancel(second, &job).await;
    assert_eq!((again.status, again.json()), (StatusCode::OK, cancelled.json()));
    following.abort();
}

#[tokio::test]
async fn a_job_goes_on_while_the_store_fails_and_is_there_for_others_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(folder.path(), 0);
    let ((first, publisher), (second, _)) = (&services.first, &services.second);
    services.fails.store(true, Ordering::SeqCst);
    let body = json!({"samples": 50, "faces": 1});
    let job = report::begun(first, body).await;
    assert_eq!(end(first, &job).await["status"], "done");
    publisher.write_due().await;
    for path in [
        job.as_str(),
        "/v1/jobs",
        &format!("{job}/report"),
        &format!("{job}/samples"),
    ] {
        let refused = second.get(path).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        let problem = refused.json();
        assert!(
            problem["type"].as_str().unwrap().ends_with("store-unavailable"),
            "{problem}"
        );
    }
    assert_eq!(cancel(second, &job).await.status, StatusCode::SERVICE_UNAVAILABLE);
    services.fails.store(false, Ordering::SeqCst);
    assert_eq!(second.get(&job).await.status, StatusCode::NOT_FOUND);
    publisher.write_due().await;
    assert_eq!(second.get(&job).await.json()["status"], "done");
}

#[tokio::test]
async fn the_store_remembers_as_many_jobs_as_a_service_and_forgets_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(folder.path(), 0);
    let ((first, publisher), (second, _)) = (&services.first, &services.second);
    let oldest = begin(first, 10).await;
    end(first, &oldest).await;
    for _ in 0..116 {
        let job = begin(first, 10).await;
        end(first, &job).await;
        publisher.write_due().await;
    }
    assert_eq!(second.get(&oldest).await.status, StatusCode::NOT_FOUND);
    let files = std::fs::read_dir(folder.path().join("_jobs")).unwrap();
    assert_eq!(files.count(), 116);
    let all: BTreeSet<_> = ids(second, "?limit=100").await.into_iter().collect();
    assert_eq!(all.len(), 100);
}

#[tokio::test]
async fn what_is_no_document_of_a_job_is_in_no_list_and_a_503_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(folder.path(), 0);
    let (second, _) = &services.second;
    begin(&services.first.0, 10).await;
    let jobs = folder.path().join("_jobs");
    std::fs::write(jobs.join("17.json"), "{\"job\"").unwrap();
    std::fs::write(jobs.join("notes.json"), "{}").unwrap();
    assert_eq!(ids(second, "").await.len(), 1);
    let refused = second.get("/v1/jobs/17").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    let detail: Value = refused.json()["detail"].clone();
    assert!(detail.as_str().unwrap().contains("_jobs/17.json"), "{detail}");
    for id in ["18", "notes", "..%2Fsketch%2Fsmile_w", "-1"] {
        assert_eq!(
            second.get(&format!("/v1/jobs/{id}")).await.status,
            StatusCode::NOT_FOUND,
            "{id}"
        );
    }
}

//! The document of a job in the store.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The age of the document of a job that has not ended from which its service counts as stopped. Documents are renewed every few
/// seconds, and clocks of machines differ by less.
const STOPPED: Duration = Duration::from_mins(1);

/// The document of a job: its JSON in the API, and who runs it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct JobDocument {
    /// The service that runs the job.
    pub(crate) service: String,
    /// When the service last wrote the document, in milliseconds since 1970.
    renewed: u64,
    /// Whether the job is to be cancelled. Other services set it.
    #[serde(default)]
    pub(crate) cancel: bool,
    /// The JSON of the job, without links.
    job: Map<String, Value>,
}

impl JobDocument {
    /// The document of a job with this JSON, written now.
    pub(crate) fn new(service: &str, mut job: Map<String, Value>, now: SystemTime) -> Self {
        // Only the memory of the service that runs the job has samples.
        job.remove("samples_file");
        let renewed = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            service: service.to_owned(),
            renewed: u64::try_from(renewed.as_millis()).unwrap_or(u64::MAX),
            cancel: false,
            job,
        }
    }

    /// Reads a document. An error says what is wrong.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let wrong = |error| format!("found no document of a job ({error}); remove the file");
        serde_json::from_slice(bytes).map_err(wrong)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a job is JSON")
    }

    /// Whether the job has ended, or its service has stopped.
    pub(crate) fn has_ended(&self, now: SystemTime) -> bool {
        let ends = ["done", "failed", "cancelled"];
        let status = self.job.get("status").and_then(Value::as_str);
        status.is_none_or(|status| ends.contains(&status)) || self.age(now) > STOPPED
    }

    fn age(&self, now: SystemTime) -> Duration {
        let renewed = UNIX_EPOCH + Duration::from_millis(self.renewed);
        now.duration_since(renewed).unwrap_or_default()
    }

    /// The JSON of the job. `report` is the path of its report, if it has one.
    pub(crate) fn shown(&self, report: &str, now: SystemTime) -> Value {
        let mut job = self.job.clone();
        if let Some(link) = job.get_mut("report") {
            *link = json!(report);
        }
        let in_progress = ["fitting", "fitting_progress", "seconds_left"];
        let status = job.get("status").and_then(Value::as_str).unwrap_or_default();
        if self.has_ended(now) && matches!(status, "queued" | "sampling" | "fitting") {
            job.retain(|name, _| !in_progress.contains(&name.as_str()));
            let failure = format!(
                "the service that ran it, {}, has stopped, or has not reached the store for {} s",
                self.service,
                self.age(now).as_secs()
            );
            job.insert("status".to_owned(), json!("failed"));
            job.insert("failure".to_owned(), json!(failure));
        }
        job.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(status: &str, now: SystemTime) -> JobDocument {
        let job =
            json!({"id": "7", "status": status, "seconds_left": 3, "report": "old", "samples_file": "old"});
        let Value::Object(job) = job else {
            panic!("it is an object")
        };
        JobDocument::new("pod:8080", job, now)
    }

    #[test]
    fn a_document_that_is_not_renewed_shows_a_failed_job_that_names_the_service() {
        let now = SystemTime::now();
        let running = document("sampling", now);
        let soon = now + Duration::from_secs(55);
        assert!(!running.has_ended(soon));
        assert_eq!(running.shown("new", soon)["status"], "sampling");
        let late = now + Duration::from_secs(70);
        assert!(running.has_ended(late));
        let shown = running.shown("new", late);
        assert_eq!(shown["status"], "failed");
        assert!(shown["failure"].as_str().unwrap().contains("pod:8080"), "{shown}");
        assert!(shown["seconds_left"].is_null(), "{shown}");
    }

    #[test]
    fn a_job_that_ended_stays_as_it_ended_and_has_links_of_the_service_that_shows_it() {
        let now = SystemTime::now();
        let done = document("done", now);
        let shown = done.shown("new", now + Duration::from_hours(1));
        assert_eq!(
            (&shown["status"], &shown["report"]),
            (&json!("done"), &json!("new"))
        );
        assert!(
            shown["failure"].is_null() && shown["samples_file"].is_null(),
            "{shown}"
        );
        let read = JobDocument::parse(&done.bytes()).unwrap();
        assert_eq!(read.shown("new", now), done.shown("new", now));
    }

    #[test]
    fn what_is_no_document_is_an_error_that_says_so() {
        for bytes in [&b""[..], b"{\"job\"", b"[]", b"{\"job\": {}}"] {
            let reason = JobDocument::parse(bytes).unwrap_err();
            assert!(reason.starts_with("found no document of a job"), "{reason}");
        }
    }
}

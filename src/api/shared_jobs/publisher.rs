//! Writes the jobs of this service into the store.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::api::report_page::files::{json_of, page_of};
use crate::api::responses;
use crate::api::shared_jobs::document::JobDocument;
use crate::api::shared_jobs::shared_jobs::{SharedJobs, Written, read, remove_oldest};
use crate::api::state::Api;
use crate::catalog::{CatalogError, JobFiles, ReportFormat, Version};
use crate::editor::{Job, Report};

/// The time between two looks at the jobs of this service.
const INTERVAL: Duration = Duration::from_millis(500);

/// The time after which the document of a job that runs is written again. A mark of another service is seen then.
const RENEWAL: Duration = Duration::from_secs(2);

/// The longest time that the response to a request which starts a job waits for the store. The job goes on anyway.
const PATIENCE: Duration = Duration::from_secs(3);

/// Writes the jobs of this service into the store. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct JobPublisher {
    api: Api,
    shared: SharedJobs,
}

impl JobPublisher {
    /// The publisher of a service; `None` if it shares no store.
    #[must_use]
    pub fn new(api: &Api) -> Option<Self> {
        let (api, shared) = (api.clone(), api.shared_jobs.clone()?);
        Some(Self { api, shared })
    }

    /// Writes a job that has just begun, so that other services know it before the client does.
    pub(crate) async fn begin(&self, job: &Arc<Job>) {
        let written = timeout(PATIENCE, self.write(job)).await;
        if written.is_err() {
            tracing::warn!(
                job = job.id(),
                "the store does not answer: other services do not know the job yet"
            );
        }
    }

    /// Writes all jobs as they change, without end.
    pub async fn follow(self) {
        loop {
            self.write_due().await;
            sleep(INTERVAL).await;
        }
    }

    /// Writes the jobs that have begun or ended, or were not written for some seconds.
    pub async fn write_due(&self) {
        let jobs = self.api.jobs.before(None);
        let is_remembered = |number: u64| jobs.iter().any(|job| job.number() == number);
        self.shared
            .lock_written()
            .retain(|number, _| is_remembered(*number));
        for job in jobs.iter().rev() {
            if self.is_due(job) {
                self.write(job).await;
            }
        }
    }

    fn is_due(&self, job: &Job) -> bool {
        let has_ended = job.progress().status.has_ended();
        let is_due = |written: &Written| !written.is_final && (has_ended || written.at.elapsed() >= RENEWAL);
        self.shared.lock_written().get(&job.number()).is_none_or(is_due)
    }

    /// Writes a job as it is now. If that fails, it is due again.
    async fn write(&self, job: &Arc<Job>) {
        let progress = job.progress();
        let (is_final, report) = (progress.status.has_ended(), progress.report.clone());
        let json = responses::job::Job::new(&self.api, job, progress);
        let Ok(Value::Object(json)) = serde_json::to_value(json) else {
            unreachable!("a job is a JSON object");
        };
        let document = JobDocument::new(&self.shared.service, json, SystemTime::now());
        let (number, shared, job) = (job.number(), self.shared.clone(), Arc::clone(job));
        let write = move |files: &JobFiles| {
            let before = shared.lock_written().get(&number).cloned();
            if before.as_ref().is_some_and(|before| before.is_final) {
                return Ok(());
            }
            let is_new = before.is_none();
            if let Some(report) = report {
                write_report(files, number, &report)?;
            }
            let version = put(files, &job, document, before.and_then(|before| before.version))?;
            let written = Written {
                is_final: is_final || version.is_none(),
                version,
                at: Instant::now(),
            };
            shared.lock_written().insert(number, written);
            if is_new { remove_oldest(files) } else { Ok(()) }
        };
        if let Err(error) = self.shared.in_turn(write).await {
            self.api.models.store_metrics().failed();
            tracing::warn!(%error, job = number, "a job could not be written to the store, and goes on");
        }
    }
}

/// Writes both formats of a report.
fn write_report(files: &JobFiles, number: u64, report: &Report) -> Result<(), CatalogError> {
    let encoded = json_of(report).and_then(|json| Ok((json, page_of(report)?)));
    match encoded {
        Ok((json, page)) => {
            files.write_report(number, ReportFormat::Json, &json)?;
            files.write_report(number, ReportFormat::Html, &page)
        }
        Err(reason) => {
            tracing::error!(%reason, job = number, "a report cannot be encoded");
            Ok(())
        }
    }
}

/// Writes the document of a job over the version `expected`, and cancels the job if another service has marked it. `None` if the document was
/// removed, or is that of another job.
fn put(
    files: &JobFiles,
    job: &Job,
    mut document: JobDocument,
    mut expected: Option<Version>,
) -> Result<Option<Version>, CatalogError> {
    loop {
        match files.write(job.number(), &document.bytes(), expected.as_ref()) {
            Ok(version) => return Ok(Some(version)),
            Err(CatalogError::StoreChanged { .. }) => {}
            Err(error) => return Err(error),
        }
        match read(files, job.number())? {
            Some((version, found)) if found.service == document.service => {
                if found.cancel {
                    job.cancel();
                }
                document.cancel = found.cancel;
                expected = Some(version);
            }
            found => {
                let is_removed = found.is_none();
                tracing::warn!(job = job.id(), is_removed, "the job is not in the store any more");
                return Ok(None);
            }
        }
    }
}

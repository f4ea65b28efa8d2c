//! Reads and cancels the jobs of other services.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::api::problem::Problem;
use crate::api::shared_jobs::document::JobDocument;
use crate::catalog::{CatalogError, JobFiles, ReportFormat, Version};
use crate::editor::{JobError, Jobs};
use crate::engine::time_left;

/// The longest wait for the store.
const PATIENCE: Duration = Duration::from_secs(10);

/// The time between two looks at a job of another service.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// The jobs in the store, of all services. Cheap to clone; clones share their state.
#[derive(Clone)]
pub(crate) struct SharedJobs {
    files: JobFiles,
    /// The name of this service, for people: its machine and its port.
    pub(crate) service: Arc<str>,
    /// One permit: a store that does not answer takes one thread.
    turn: Arc<Semaphore>,
    /// What was read for the last list, so that the next one reads only what has changed.
    listed: Arc<Mutex<BTreeMap<u64, (Version, JobDocument)>>>,
    /// The jobs of this service that were written, by their numbers.
    written: Arc<Mutex<BTreeMap<u64, Written>>>,
}

/// What the store has of a job of this service.
#[derive(Clone)]
pub(super) struct Written {
    /// The version of its document; `None` if there is none any more.
    pub(super) version: Option<Version>,
    pub(super) at: Instant,
    /// Whether nothing more is to be written.
    pub(super) is_final: bool,
}

impl SharedJobs {
    pub(crate) fn new(files: JobFiles, service: &str) -> Self {
        Self {
            files,
            service: service.into(),
            turn: Arc::new(Semaphore::new(1)),
            listed: Arc::default(),
            written: Arc::default(),
        }
    }

    /// Works with the files of jobs on a blocking thread, one at a time.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&JobFiles) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<T, CatalogError> {
        let (turn, files) = (Arc::clone(&self.turn), self.files.clone());
        let done = async move {
            let turn = turn.acquire_owned().await;
            let turn = turn.expect("nobody closes the semaphore");
            let work = move || {
                let _turn = turn;
                work(&files)
            };
            let done = tokio::task::spawn_blocking(work).await;
            done.expect("reading and writing does not panic")
        };
        timeout(PATIENCE, done).await.unwrap_or_else(|_| {
            Err(CatalogError::StoreUnavailable {
                store: "the store".to_owned(),
                reason: format!("found no answer within {} s", PATIENCE.as_secs()),
            })
        })
    }

    /// The job with this id; `None` if the store has none.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<JobDocument>, Problem> {
        let Ok(number) = id.parse() else {
            return Ok(None);
        };
        let found = self.in_turn(move |files| read(files, number)).await;
        Ok(found
            .map_err(Problem::JobsUnreadable)?
            .map(|(_, document)| document))
    }

    /// All jobs by their numbers.
    pub(crate) async fn list(&self) -> Result<BTreeMap<u64, JobDocument>, Problem> {
        let known = self.lock_listed().clone();
        let listed = self.in_turn(move |files| list(files, known)).await;
        let listed = listed.map_err(Problem::JobsUnreadable)?;
        self.lock_listed().clone_from(&listed);
        let documents = listed.into_iter();
        Ok(documents
            .map(|(number, (_, document))| (number, document))
            .collect())
    }

    /// Marks a job as cancelled, and waits until it has ended or the time of the request is over. Returns the job then.
    pub(crate) async fn cancel(&self, id: &str) -> Result<JobDocument, Problem> {
        let unknown = || JobError::Unknown { found: id.to_owned() };
        let number = id.parse().map_err(|_| unknown())?;
        let marked = self.in_turn(move |files| mark(files, number)).await;
        let mut job = marked.map_err(Problem::JobsUnreadable)?.ok_or_else(unknown)?;
        while !job.has_ended(SystemTime::now()) && time_left().is_none_or(|left| left > 2 * LOOK_INTERVAL) {
            sleep(LOOK_INTERVAL).await;
            job = self.find(id).await?.ok_or_else(unknown)?;
        }
        Ok(job)
    }

    /// The report of a job.
    pub(crate) async fn report(&self, id: &str, format: ReportFormat) -> Result<Vec<u8>, Problem> {
        let unknown = || JobError::Unknown { found: id.to_owned() };
        let number = id.parse().map_err(|_| unknown())?;
        let read = move |files: &JobFiles| {
            let report = files.read_report(number, format)?;
            Ok((report, read(files, number)?))
        };
        match self.in_turn(read).await.map_err(Problem::JobsUnreadable)? {
            (Some(report), _) => Ok(report),
            (None, None) => Err(unknown().into()),
            (None, Some(_)) => Err(JobError::NoReport {
                id: id.to_owned(),
                reason: "has not ended, failed, was cancelled, or makes boundaries",
            }
            .into()),
        }
    }

    pub(super) fn lock_written(&self) -> MutexGuard<'_, BTreeMap<u64, Written>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_listed(&self) -> MutexGuard<'_, BTreeMap<u64, (Version, JobDocument)>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the document of a job.
pub(super) fn read(files: &JobFiles, number: u64) -> Result<Option<(Version, JobDocument)>, CatalogError> {
    let Some(blob) = files.read(number)? else {
        return Ok(None);
    };
    let document = JobDocument::parse(&blob.bytes).map_err(|reason| CatalogError::StoreUnavailable {
        store: files.name(number),
        reason,
    })?;
    Ok(Some((blob.version, document)))
}

/// Reads all documents. Those that are `known` at their versions are not read again, and wrong ones are left out.
fn list(
    files: &JobFiles,
    mut known: BTreeMap<u64, (Version, JobDocument)>,
) -> Result<BTreeMap<u64, (Version, JobDocument)>, CatalogError> {
    let mut listed = BTreeMap::new();
    for (number, version) in files.list()? {
        match known.remove(&number) {
            Some(known) if known.0 == version => {
                listed.insert(number, known);
            }
            _ => {
                let Some(blob) = files.read(number)? else { continue };
                match JobDocument::parse(&blob.bytes) {
                    Ok(document) => drop(listed.insert(number, (blob.version, document))),
                    Err(reason) => {
                        tracing::warn!(file = files.name(number), reason, "a job cannot be listed");
                    }
                }
            }
        }
    }
    Ok(listed)
}

/// Marks a job that has not ended as cancelled, and returns it.
fn mark(files: &JobFiles, number: u64) -> Result<Option<JobDocument>, CatalogError> {
    loop {
        let Some((version, mut document)) = read(files, number)? else {
            return Ok(None);
        };
        if document.cancel || document.has_ended(SystemTime::now()) {
            return Ok(Some(document));
        }
        document.cancel = true;
        match files.write(number, &document.bytes(), Some(&version)) {
            Ok(_) => return Ok(Some(document)),
            // Its service has renewed it, which it does every few seconds.
            Err(CatalogError::StoreChanged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Removes the oldest jobs that have ended, beyond those that are remembered.
pub(super) fn remove_oldest(files: &JobFiles) -> Result<(), CatalogError> {
    let listed = files.list()?;
    let surplus = listed.len().saturating_sub(Jobs::MOST);
    for number in listed.into_keys().take(surplus) {
        let has_ended = match files.read(number)? {
            Some(blob) => {
                JobDocument::parse(&blob.bytes).map_or(true, |job| job.has_ended(SystemTime::now()))
            }
            None => continue,
        };
        if has_ended {
            files.remove(number)?;
        }
    }
    Ok(())
}

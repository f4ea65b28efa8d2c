//! One job: what it is about, how far it is, and how it ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::editor::{Comparison, JobError, KeptSamples, Report};
use crate::latent::{Boundary, LatentSpace};

/// What a job is about.
pub(crate) struct JobDescription {
    /// The model's name.
    pub(crate) model: String,
    /// The attributes of the boundaries.
    pub(crate) attributes: Vec<String>,
    /// The space of the boundaries.
    pub(crate) space: LatentSpace,
    /// How many codes it scores.
    pub(crate) samples: usize,
    /// Why it has no samples of its own; `None` if it samples for a training.
    pub(crate) without_samples: Option<&'static str>,
}

/// The samples of a job.
enum JobSamples {
    /// It has none, or not yet.
    None,
    Kept(Arc<KeptSamples>),
    Dropped,
}

/// A training, a search for directions, or a report: queued, running, or ended.
pub struct Job {
    number: u64,
    id: String,
    description: JobDescription,
    progress: watch::Sender<JobProgress>,
    samples: Mutex<JobSamples>,
    cancel: CancellationToken,
}

/// How far a job is.
#[derive(Clone, Debug)]
pub struct JobProgress {
    /// What it does now, or how it ended.
    pub status: JobStatus,
    /// Codes scored so far.
    pub samples_done: usize,
    /// Codes scored per second, once that is known.
    pub samples_per_second: Option<f64>,
    /// The fit in progress.
    pub fitting: Option<FitProgress>,
    /// The boundaries that the model has got so far.
    pub boundaries: Vec<Arc<Boundary>>,
    /// How new boundaries compare with those that the model has, if the better ones are kept.
    pub comparisons: Vec<Comparison>,
    /// The report, once it is made.
    pub report: Option<Arc<Report>>,
    /// Why the job failed.
    pub failure: Option<String>,
}

/// How far the fit of one boundary is.
#[derive(Clone, Debug)]
pub struct FitProgress {
    /// The attribute.
    pub attribute: String,
    /// The share that is done, 0 to 1.
    pub share: f64,
}

/// What a job does now, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// It waits for earlier jobs.
    Queued,
    /// It samples and scores codes.
    Sampling,
    /// It fits boundaries.
    Fitting,
    /// It ended: the model has all boundaries, or the report is made.
    Done,
    /// It ended with an error.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl JobStatus {
    /// Whether the job has ended.
    #[must_use]
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

impl Job {
    /// A queued job, which `cancel` cancels.
    pub(crate) fn new(number: u64, description: JobDescription, cancel: CancellationToken) -> Self {
        let progress = JobProgress {
            status: JobStatus::Queued,
            samples_done: 0,
            samples_per_second: None,
            fitting: None,
            boundaries: Vec::new(),
            comparisons: Vec::new(),
            report: None,
            failure: None,
        };
        Self {
            number,
            id: number.to_string(),
            description,
            progress: watch::Sender::new(progress),
            samples: Mutex::new(JobSamples::None),
            cancel,
        }
    }

    /// The id in requests.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The number in its id. Later jobs have higher numbers.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The model that gets the boundaries, or is reported on.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.description.model
    }

    /// The attributes of the boundaries.
    #[must_use]
    pub fn attributes(&self) -> &[String] {
        &self.description.attributes
    }

    /// The space of the boundaries.
    #[must_use]
    pub fn space(&self) -> LatentSpace {
        self.description.space
    }

    /// How many codes it scores.
    #[must_use]
    pub fn sample_count(&self) -> usize {
        self.description.samples
    }

    /// How far it is now.
    #[must_use]
    pub fn progress(&self) -> JobProgress {
        self.progress.borrow().clone()
    }

    /// A receiver of its progress from now on.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<JobProgress> {
        self.progress.subscribe()
    }

    /// Cancels it, unless it has ended.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Its report.
    ///
    /// # Errors
    /// [`JobError::NoReport`] if it has none, or not yet.
    pub fn report(&self) -> Result<Arc<Report>, JobError> {
        let progress = self.progress();
        progress.report.ok_or_else(|| JobError::NoReport {
            id: self.id.clone(),
            reason: match progress.status {
                JobStatus::Queued | JobStatus::Sampling | JobStatus::Fitting => {
                    "has not ended, or makes boundaries"
                }
                JobStatus::Done => "made boundaries",
                JobStatus::Failed => "failed",
                JobStatus::Cancelled => "was cancelled",
            },
        })
    }

    /// Its sampled codes and their scores.
    ///
    /// # Errors
    /// [`JobError::NoSamples`], [`JobError::SamplesPending`] or [`JobError::SamplesDropped`].
    pub fn samples(&self) -> Result<Arc<KeptSamples>, JobError> {
        let id = self.id.clone();
        match &*self.lock_samples() {
            JobSamples::Kept(samples) => return Ok(Arc::clone(samples)),
            JobSamples::Dropped => return Err(JobError::SamplesDropped { id }),
            JobSamples::None => {}
        }
        let reason = match (self.description.without_samples, self.progress().status) {
            (Some(reason), _) => reason,
            (None, JobStatus::Failed | JobStatus::Done) => "failed before all codes were scored",
            (None, JobStatus::Cancelled) => "was cancelled before all codes were scored",
            (None, JobStatus::Queued | JobStatus::Sampling | JobStatus::Fitting) => {
                return Err(JobError::SamplesPending { id });
            }
        };
        Err(JobError::NoSamples { id, reason })
    }

    /// Keeps its samples.
    pub(crate) fn keep_samples(&self, samples: KeptSamples) {
        *self.lock_samples() = JobSamples::Kept(Arc::new(samples));
    }

    /// Drops its samples. Returns whether it had some.
    pub(crate) fn drop_samples(&self) -> bool {
        let mut samples = self.lock_samples();
        let is_free = matches!(&*samples, JobSamples::Kept(kept) if Arc::strong_count(kept) == 1);
        if is_free {
            *samples = JobSamples::Dropped;
        }
        is_free
    }

    fn lock_samples(&self) -> MutexGuard<'_, JobSamples> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it has ended.
    pub async fn wait(&self) {
        // The sender lives as long as the job does.
        let _ = self
            .subscribe()
            .wait_for(|progress| progress.status.has_ended())
            .await;
    }

    /// Changes its progress.
    pub(crate) fn update(&self, change: impl FnOnce(&mut JobProgress)) {
        self.progress.send_modify(change);
    }

    /// The token that cancels it.
    pub(crate) fn cancellation(&self) -> &CancellationToken {
        &self.cancel
    }
}

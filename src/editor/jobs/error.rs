//! Why a job cannot be queued or found, or lacks what is asked for.

/// A job cannot be queued or found, or it lacks what is asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// There is no job of this id.
    #[error("found the job id {found:?}, expected one that /v1/jobs lists")]
    Unknown {
        /// The requested id.
        found: String,
    },
    /// The job has no report.
    #[error("job {id} has no report: it {reason}")]
    NoReport {
        /// The job.
        id: String,
        /// Why it has none.
        reason: &'static str,
    },
    /// The job never has samples.
    #[error("job {id} has no samples: it {reason}")]
    NoSamples {
        /// The job.
        id: String,
        /// Why it has none.
        reason: &'static str,
    },
    /// The job's samples are not complete yet.
    #[error("job {id} is still sampling; ask again when its status is fitting or done")]
    SamplesPending {
        /// The job.
        id: String,
    },
    /// The job's samples were dropped.
    #[error(
        "the samples of job {id} were dropped, because later jobs needed the memory; train again with its seed, which gives the \
         same samples, or start the service with a larger --memory"
    )]
    SamplesDropped {
        /// The job.
        id: String,
    },
    /// The queue of jobs is full.
    #[error("found {most} jobs running or queued, which is the most; try again later, or cancel one")]
    TooMany {
        /// Most jobs that may run or be queued.
        most: usize,
    },
    /// The service is shutting down and starts no job.
    #[error("the service is shutting down; ask another instance")]
    ShuttingDown,
}

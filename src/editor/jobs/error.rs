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

//! The samples of ended jobs: kept while there is memory, the newest the longest.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::editor::Job;

/// The ended jobs that have samples, the oldest first. A clone shares them.
///
/// A job that is forgotten takes its samples along.
#[derive(Clone)]
pub(crate) struct SampleShelf {
    jobs: Arc<Mutex<VecDeque<Weak<Job>>>>,
    /// Most memory of all samples, in bytes.
    most: usize,
}

impl SampleShelf {
    /// An empty shelf for at most `most` bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            jobs: Arc::default(),
            most,
        }
    }

    /// Keeps the samples of a job that has ended, if it has any, and drops the oldest ones beyond the limit.
    pub(crate) fn keep(&self, job: &Arc<Job>) {
        let Ok(samples) = job.samples() else {
            return;
        };
        let mut jobs = self.lock();
        jobs.retain(|job| job.strong_count() > 0);
        jobs.push_back(Arc::downgrade(job));
        drop(jobs);
        // Whoever waits for memory is woken now, and finds the job on the shelf.
        samples.shrink();
        drop(samples);
        while self.bytes() > self.most && self.drop_oldest() {}
    }

    /// Drops the samples of the oldest job that has some which nobody uses. Returns whether there was one.
    pub(crate) fn drop_oldest(&self) -> bool {
        let mut jobs = self.lock();
        let dropped = jobs
            .iter()
            .position(|job| job.upgrade().is_some_and(|job| job.drop_samples()));
        if let Some(index) = dropped {
            jobs.remove(index);
        }
        dropped.is_some()
    }

    fn bytes(&self) -> usize {
        let jobs = self.lock();
        let samples = jobs.iter().filter_map(|job| job.upgrade()?.samples().ok());
        samples.map(|samples| samples.scored().bytes()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Weak<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

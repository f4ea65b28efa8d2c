//! The state that all handlers share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::api::problem::Problem;
use crate::api::readiness::Readiness;
use crate::api::response_cache::ResponseCache;
use crate::editor::{Jobs, Models};
use crate::metrics::Metrics;

/// The most images that are decoded at the same time. Each may take some hundred megabytes.
const MAX_DECODING: usize = 2;

/// The state that handlers share. A clone is cheap.
#[derive(Clone)]
pub struct Api {
    pub(crate) models: Models,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) readiness: Readiness,
    pub(crate) cache: Arc<ResponseCache>,
    pub(crate) decoding: Arc<Semaphore>,
    pub(crate) jobs: Jobs,
}

/// The limits of a request, and of the cache.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most faces in one response.
    pub max_images: u32,
    /// The longest time of a request.
    pub timeout: Duration,
    /// The size of the cache of responses, in bytes; 0 disables it.
    pub cache_bytes: u64,
}

impl Api {
    /// The state of a service that has no job and an empty cache.
    #[must_use]
    pub fn new(models: Models, limits: Limits, metrics: Metrics, readiness: Readiness) -> Self {
        let cache = Arc::new(ResponseCache::new(limits.cache_bytes, &metrics));
        Self {
            models,
            limits,
            metrics,
            readiness,
            cache,
            decoding: Arc::new(Semaphore::new(MAX_DECODING)),
            jobs: Jobs::new(),
        }
    }

    /// The jobs that requests start. The program ends them when it ends.
    #[must_use]
    pub fn jobs(&self) -> Jobs {
        self.jobs.clone()
    }

    /// Refuses a number of faces that is 0 or above the limit.
    pub(crate) fn check_count(&self, field: &str, count: u32) -> Result<(), Problem> {
        if (1..=self.limits.max_images).contains(&count) {
            return Ok(());
        }
        let reason = format!(
            "found {count}, expected 1 to {} faces in one response",
            self.limits.max_images
        );
        Err(Problem::field(field, reason))
    }
}

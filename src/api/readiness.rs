//! Readiness: whether an orchestrator should send requests to this service.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the service accepts requests. All clones share one state.
#[derive(Clone, Default)]
pub struct Readiness {
    draining: Arc<AtomicBool>,
}

impl Readiness {
    /// Makes the readiness probe fail from now on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_ready(&self) -> bool {
        !self.draining.load(Ordering::Relaxed)
    }
}

//! Readiness and liveness: whether an orchestrator should send requests to this service, and whether it should restart it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::api::problem::Problem;
use crate::editor::ProofFailure;
use crate::engine::{StuckNetwork, Watchdog};

/// Whether the service accepts requests. All clones share one state.
#[derive(Clone, Default)]
pub struct Readiness {
    draining: Arc<AtomicBool>,
    watchdog: Watchdog,
    proof: ProofFailure,
}

impl Readiness {
    /// The readiness of a service with the networks of this watchdog.
    #[must_use]
    pub fn new(watchdog: Watchdog) -> Self {
        Self {
            draining: Arc::default(),
            watchdog,
            proof: ProofFailure::default(),
        }
    }

    /// The same readiness, which fails while a generator fails its proofs.
    #[must_use]
    pub fn with_proof(self, proof: ProofFailure) -> Self {
        Self { proof, ..self }
    }

    /// Makes the readiness probe fail from now on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// An error if the service is shutting down, a network is stuck, or a generator makes no image.
    pub(crate) fn check_ready(&self) -> Result<(), Problem> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(Problem::Draining);
        }
        if let Some(stuck) = self.watchdog.stuck_network() {
            return Err(Problem::Stuck(stuck));
        }
        let unproven = self.proof.get();
        unproven.map_or(Ok(()), |unproven| Err(Problem::NoImage(unproven)))
    }

    /// An error if a network has been stuck for so long that the service should be restarted.
    pub(crate) fn check_live(&self) -> Result<(), Problem> {
        let stuck = self.watchdog.stuck_network();
        let stuck = stuck.filter(StuckNetwork::needs_restart);
        stuck.map_or(Ok(()), |stuck| Err(Problem::Stuck(stuck)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// A readiness with a network that was terminated this many seconds ago, and has not ended.
    fn hanging_for(seconds: u64) -> Readiness {
        let watchdog = Watchdog::default();
        let run = watchdog.begin(&"encoder.onnx".into(), Duration::ZERO, || ());
        let terminated = Instant::now().checked_sub(Duration::from_secs(seconds));
        watchdog.check(terminated.unwrap());
        std::mem::forget(run);
        Readiness::new(watchdog)
    }

    #[test]
    fn a_stuck_network_fails_readiness_first_and_liveness_after_a_minute() {
        for (seconds, ready, live) in [(1, true, true), (12, false, true), (75, false, false)] {
            let readiness = hanging_for(seconds);
            assert_eq!(readiness.check_ready().is_ok(), ready, "{seconds} s");
            assert_eq!(readiness.check_live().is_ok(), live, "{seconds} s");
        }
        let problem = hanging_for(12).check_ready().unwrap_err().to_string();
        assert!(problem.starts_with("encoder.onnx is stuck"), "{problem}");
    }

    #[test]
    fn a_service_that_drains_is_live_but_not_ready() {
        let readiness = Readiness::default();
        readiness.drain();
        assert!(matches!(readiness.check_ready(), Err(Problem::Draining)));
        assert!(readiness.check_live().is_ok());
    }
}

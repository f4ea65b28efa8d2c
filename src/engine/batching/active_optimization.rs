//! Codes that an optimization moves step by step.

use std::time::Instant;

use crate::engine::admission::limiter::ServiceTime;
use crate::engine::batching::batch_queue::gauge;
use crate::engine::batching::batcher::{Active, Batcher};
use crate::engine::batching::gradient_runner::GradientRunner;
use crate::metrics::ModelMetrics;

/// An optimization that is under way, until the value is dropped. Runs of the gradient network wait a moment for each of
/// its steps, and its duration counts towards the service time of optimizations.
pub struct ActiveOptimization {
    _active: Active<GradientRunner>,
    codes: usize,
    started: Instant,
    /// Codes under way when it started, its own included.
    codes_at_start: usize,
    service_time: ServiceTime,
    metrics: ModelMetrics,
}

impl ActiveOptimization {
    pub(crate) fn start(
        gradients: &Batcher<GradientRunner>,
        codes: usize,
        service_time: ServiceTime,
        metrics: ModelMetrics,
    ) -> Self {
        let active = gradients.activate(codes);
        metrics.codes_optimizing.inc_by(gauge(codes));
        Self {
            codes_at_start: active.all(),
            _active: active,
            codes,
            started: Instant::now(),
            service_time,
            metrics,
        }
    }
}

impl Drop for ActiveOptimization {
    fn drop(&mut self) {
        self.metrics.codes_optimizing.dec_by(gauge(self.codes));
        self.service_time
            .note(self.started.elapsed(), 1, self.codes_at_start);
    }
}

//! Codes on their way down, and how long the way takes.

use std::time::Instant;

use crate::engine::Engine;
use crate::engine::batching::gradient_batcher::UnderWay;

/// Codes on their way down, until the value is dropped: other descents' runs wait a moment for each of their steps.
pub struct ActiveOptimization {
    _under_way: UnderWay,
    began: Instant,
    engine: Engine,
    beside: usize,
}

impl ActiveOptimization {
    pub(crate) fn begin(engine: &Engine, codes: usize) -> Self {
        let slopes = engine.slopes.as_ref().expect("only asked where there is one");
        Self {
            _under_way: slopes.under_way(codes, &engine.metrics),
            began: Instant::now(),
            engine: engine.clone(),
            beside: slopes.descending(),
        }
    }
}

impl Drop for ActiveOptimization {
    fn drop(&mut self) {
        self.engine
            .gradient_service_time
            .note(self.began.elapsed(), 1, self.beside);
    }
}

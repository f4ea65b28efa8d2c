//! Codes on their way down, and how long the way takes.

use std::time::Instant;

use super::Engine;
use super::slopes::UnderWay;

/// Codes on their way down, until the value is dropped: other descents' runs wait a moment for each of their steps.
pub struct Descending {
    _under_way: UnderWay,
    began: Instant,
    engine: Engine,
    beside: usize,
}

impl Descending {
    pub(super) fn begin(engine: &Engine, codes: usize) -> Self {
        let slopes = engine.slopes.as_ref().expect("only asked where there is one");
        Self {
            _under_way: slopes.under_way(codes, &engine.metrics),
            began: Instant::now(),
            engine: engine.clone(),
            beside: slopes.descending(),
        }
    }
}

impl Drop for Descending {
    fn drop(&mut self) {
        self.engine
            .descent_pace
            .note(self.began.elapsed(), 1, self.beside);
    }
}

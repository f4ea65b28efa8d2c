//! What a network must do so that a batcher can run it.

use std::ops::Range;
use std::time::Duration;

use crate::engine::EngineError;

/// A network that runs the inputs of several callers as one batch. A unit is an image or a latent code.
pub(crate) trait BatchNetwork: 'static {
    /// One caller's part of a batch.
    type Input: Send + 'static;

    /// The output of a run, or one caller's part of it.
    type Output: Send + 'static;

    /// The units in an input.
    fn units(input: &Self::Input) -> usize;

    /// The units of `output` in `range`, in the order of the inputs.
    fn part(output: &Self::Output, range: Range<usize>) -> Self::Output;

    /// Most units in the next batch, at least 1. One input may hold more; it is then a batch of its own.
    fn largest_batch(&self) -> usize;

    /// Runs the network on the inputs as one batch.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    fn run(&mut self, inputs: &[&Self::Input]) -> Result<Self::Output, EngineError>;

    /// Called after each run that succeeds.
    fn observe(&mut self, run: &Run);
}

/// Measurements of a run that succeeded.
pub(crate) struct Run {
    /// Units in the batch.
    pub(crate) units: usize,
    /// Duration of the run.
    pub(crate) duration: Duration,
    /// Replicas that were running at its start or at its end, whichever is more; this one included.
    pub(crate) running: usize,
    /// Whether all replicas were running, at its start and at its end. A run beside idle replicas has more of the machine, so
    /// its duration does not say what runs take under load.
    pub(crate) all_running: bool,
}

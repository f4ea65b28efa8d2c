//! The progress of a long computation, and its cancellation.

use std::ops::ControlFlow;

use crate::latent::FitError;

/// Reports the share that is done, from 0 to 1 and never less than before, and learns whether to continue.
pub(crate) struct Progress<'a> {
    report: &'a mut dyn FnMut(f64) -> ControlFlow<()>,
    done: f64,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(report: &'a mut dyn FnMut(f64) -> ControlFlow<()>) -> Self {
        Self { report, done: 0.0 }
    }

    /// Reports that `share` is done.
    ///
    /// # Errors
    /// [`FitError::Cancelled`] if the caller wants no more.
    pub(crate) fn reach(&mut self, share: f64) -> Result<(), FitError> {
        self.done = self.done.max(share.clamp(0.0, 1.0));
        match (self.report)(self.done) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(FitError::Cancelled),
        }
    }

    /// Reports that an error fell to `gap`. It starts at 1 and ends at `tolerance`, and each tenfold decrease takes about
    /// the same time.
    pub(crate) fn converged_to(&mut self, gap: f64, tolerance: f64) -> Result<(), FitError> {
        self.reach(gap.ln() / tolerance.ln())
    }
}

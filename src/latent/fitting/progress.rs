//! How far a long computation is, and whether anybody still wants it.

use std::ops::ControlFlow;

use crate::latent::LatentError;

/// Tells somebody the share that is done, from 0 to 1 and never less than before, and hears whether to go on.
pub(crate) struct Progress<'a> {
    tell: &'a mut dyn FnMut(f64) -> ControlFlow<()>,
    done: f64,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(tell: &'a mut dyn FnMut(f64) -> ControlFlow<()>) -> Self {
        Self { tell, done: 0.0 }
    }

    /// The `share` is done.
    pub(crate) fn reach(&mut self, share: f64) -> Result<(), LatentError> {
        self.done = self.done.max(share.clamp(0.0, 1.0));
        match (self.tell)(self.done) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(LatentError::Cancelled),
        }
    }

    /// An error is down to `gap`, on its way from 1 to `tolerance`, of which each tenfold step takes about as long.
    pub(crate) fn settled_to(&mut self, gap: f64, tolerance: f64) -> Result<(), LatentError> {
        self.reach(gap.ln() / tolerance.ln())
    }
}

//! The progress of a long computation, and its cancellation.

use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

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

    /// Computes something for two halves, in two threads. The first half reports its progress as `range`; if it fails or is cancelled, the
    /// second one ends, too. `compute` gets the index of the half, and what to call with the share that is done.
    pub(crate) fn both_halves<T: Send>(
        &mut self,
        range: Range<f64>,
        compute: impl Fn(usize, &mut dyn FnMut(f64) -> Result<(), FitError>) -> Result<T, FitError> + Sync,
    ) -> [Result<T, FitError>; 2] {
        let has_ended = AtomicBool::new(false);
        thread::scope(|scope| {
            let second = scope.spawn(|| {
                compute(1, &mut |_| {
                    if has_ended.load(Ordering::Relaxed) {
                        Err(FitError::Cancelled)
                    } else {
                        Ok(())
                    }
                })
            });
            let first = compute(0, &mut |share| {
                self.reach(range.start + (range.end - range.start) * share)
            });
            has_ended.store(first.is_err(), Ordering::Relaxed);
            [first, second.join().expect("fits to finite codes never panic")]
        })
    }

    /// Reports that an error fell to `gap`. It starts at 1 and ends at `tolerance`, and each tenfold decrease takes about
    /// the same time.
    pub(crate) fn converged_to(&mut self, gap: f64, tolerance: f64) -> Result<(), FitError> {
        self.reach(gap.ln() / tolerance.ln())
    }
}

//! Batches in the background lane, several at a time.

use tokio::task::JoinSet;

use crate::editor::EditorError;
use crate::engine::Engine;

/// Fewest batches in flight, so that the generator does not wait for the classifiers.
const LEAST_IN_FLIGHT: usize = 4;

/// Batches of background work in flight. If it is dropped, they end.
pub(crate) struct BackgroundBatches<T> {
    tasks: JoinSet<Result<T, EditorError>>,
    limit: usize,
}

impl<T: Send + 'static> BackgroundBatches<T> {
    /// No batches yet. The limit is one batch for each generator and one that waits, so that no generator is idle.
    pub(crate) fn new(engine: &Engine) -> Self {
        Self::with_followers(engine, 1)
    }

    /// No batches yet. Up to `followers` batches may be beyond the generators, besides the batch for each of them.
    pub(crate) fn with_followers(engine: &Engine, followers: usize) -> Self {
        Self {
            tasks: JoinSet::new(),
            limit: LEAST_IN_FLIGHT.max(engine.replicas() + followers),
        }
    }

    /// Whether as many batches are in flight as may be.
    pub(crate) fn is_full(&self) -> bool {
        self.tasks.len() >= self.limit
    }

    /// Starts a batch.
    pub(crate) fn start(&mut self, batch: impl Future<Output = Result<T, EditorError>> + Send + 'static) {
        self.tasks.spawn(batch);
    }

    /// The next batch that ends, in whatever order; `None` if none is in flight.
    ///
    /// # Errors
    /// The batch's own error.
    pub(crate) async fn next(&mut self) -> Option<Result<T, EditorError>> {
        let ended = self.tasks.join_next().await?;
        Some(ended.expect("a batch neither panics nor is cancelled"))
    }
}

//! The deadline of the current task, known to everything that the task calls in the engine.

use std::time::{Duration, Instant};

tokio::task_local! {
    static DEADLINE: Instant;
}

/// Runs `work` for at most `limit`. `None` if it takes longer.
///
/// Images of `work` that still wait in a queue at the deadline are not synthesized.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let work = async { tokio::time::timeout(limit, work).await.ok() };
    match Instant::now().checked_add(limit) {
        Some(deadline) => DEADLINE.scope(deadline, work).await,
        None => work.await,
    }
}

/// The time until the deadline of the current task. `None` if it has no deadline.
#[must_use]
pub fn time_left() -> Option<Duration> {
    current().map(|deadline| deadline.saturating_duration_since(Instant::now()))
}

/// Runs `work` with a deadline that does not stop it.
#[cfg(test)]
pub(crate) async fn with_deadline<T>(deadline: Instant, work: impl Future<Output = T>) -> T {
    DEADLINE.scope(deadline, work).await
}

/// Whether the deadline of the current task has passed.
pub(crate) fn is_past() -> bool {
    current().is_some_and(|deadline| deadline <= Instant::now())
}

/// The deadline of the current task, if it has one.
pub(crate) fn current() -> Option<Instant> {
    DEADLINE.try_with(|&deadline| deadline).ok()
}

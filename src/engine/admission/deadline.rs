//! Until when a caller waits: known to whatever its task asks of the engine.

use std::time::{Duration, Instant};

tokio::task_local! {
    static DEADLINE: Instant;
}

/// Waits for `work`, for `limit` at the longest; `None` after that.
///
/// Images that `work` has ordered and that have not been taken by then are not drawn.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let work = async { tokio::time::timeout(limit, work).await.ok() };
    match Instant::now().checked_add(limit) {
        Some(deadline) => DEADLINE.scope(deadline, work).await,
        None => work.await,
    }
}

/// How long the present task's caller still waits, if it gives up at all.
#[must_use]
pub fn time_left() -> Option<Duration> {
    current().map(|deadline| deadline.saturating_duration_since(Instant::now()))
}

/// Does `work` for a caller that gives up at `deadline` without saying so.
#[cfg(test)]
pub(crate) async fn until<T>(deadline: Instant, work: impl Future<Output = T>) -> T {
    DEADLINE.scope(deadline, work).await
}

/// Whether the present task's caller has given up.
pub(crate) fn is_past() -> bool {
    current().is_some_and(|deadline| deadline <= Instant::now())
}

/// When the present task's caller gives up, if it does.
pub(crate) fn current() -> Option<Instant> {
    DEADLINE.try_with(|&deadline| deadline).ok()
}

//! Opening graphs on several threads.

use std::thread::{self, ScopedJoinHandle};

use crate::engine::EngineError;

/// Runs `here` on this thread and `there` on another at the same time, and returns both results. If both fail, the error is
/// that of `here`.
pub(crate) fn in_parallel<A, B: Send>(
    here: impl FnOnce() -> Result<A, EngineError>,
    there: impl FnOnce() -> Result<B, EngineError> + Send,
) -> Result<(A, B), EngineError> {
    thread::scope(|scope| {
        let there = scope.spawn(there);
        let here = here();
        let there = join(there);
        Ok((here?, there?))
    })
}

/// Runs `open` on `count` threads at the same time, and returns all results or the first error.
pub(crate) fn repeat<T: Send>(
    count: usize,
    open: impl Fn() -> Result<T, EngineError> + Sync,
) -> Result<Vec<T>, EngineError> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(&open)).collect();
        threads.into_iter().map(join).collect()
    })
}

/// The result of a thread. Its panic, if any, continues here.
fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

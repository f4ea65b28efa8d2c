//! Work that keeps a core busy, done off the async threads.

/// Runs `work` on a thread for blocking work, so that no async thread is held up.
///
/// # Panics
/// If `work` panics.
pub(crate) async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.expect("the work neither panics nor is cancelled")
}

//! The requests of a connection that are in progress.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

/// The number of requests in progress. A clone counts the same requests.
#[derive(Clone)]
pub(super) struct OpenRequests(watch::Sender<usize>);

impl OpenRequests {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Counts a request.
    pub(super) fn begin(&self) -> OpenRequest {
        self.0.send_modify(|open| *open += 1);
        OpenRequest(self.0.clone())
    }

    /// Resolves when no request has been in progress for `limit`.
    pub(super) async fn idle_for(&self, limit: Duration) {
        let mut open = self.0.subscribe();
        loop {
            let idle = *open.borrow_and_update() == 0;
            tokio::select! {
                () = sleep(limit), if idle => return,
                // `self` has a sender, so this does not fail.
                _ = open.changed() => {}
            }
        }
    }
}

/// A request in progress, until it is dropped.
pub(super) struct OpenRequest(watch::Sender<usize>);

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

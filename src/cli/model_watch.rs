//! The watch on model folders, and SIGHUP: what has changed is loaded again, on a thread of its own.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use tokio::signal::unix::Signal;

use crate::editor::ModelLoader;

/// The time between two looks at the folders. A change must be there at two looks, so that no folder is read while it is written.
const INTERVAL: Duration = Duration::from_secs(2);

/// Loads what has changed: in the folders within seconds, and all of it at SIGHUP. Ends with the async runtime.
///
/// The thread is none of the runtime's, because a look at a network file system can hang.
///
/// # Panics
/// If the system cannot start a thread.
pub(super) fn start(loader: ModelLoader, mut hangup: Signal) {
    let (asked, asks) = mpsc::channel();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP: model folders that have changed are loaded again");
            if asked.send(()).is_err() {
                return;
            }
        }
    });
    let watch = move || {
        loop {
            match asks.recv_timeout(INTERVAL) {
                Ok(()) => loader.reload(),
                Err(RecvTimeoutError::Timeout) => loader.look(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    };
    let thread = thread::Builder::new().name("model watch".to_owned());
    thread
        .spawn(watch)
        .expect("the system can start a thread for the watch");
}

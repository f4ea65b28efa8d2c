//! The watch on model folders and on models in the store, and SIGHUP: what has changed is loaded again, on threads of their own.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use tokio::signal::unix::Signal;

use crate::editor::{ModelLoader, StoredModels};

/// The time between two looks. A change of a folder must be there at two looks, so that no folder is read while it is written.
const INTERVAL: Duration = Duration::from_secs(2);

/// Loads what has changed: in the folders and in the store within seconds, and all of it at SIGHUP. Ends with the async runtime.
///
/// The threads are none of the runtime's, because a look at a network file system or a bucket can hang, and a download takes long.
///
/// # Panics
/// If the system cannot start a thread.
pub(super) fn start(loader: ModelLoader, stored: Option<StoredModels>, mut hangup: Signal) {
    let mut watches = vec![watch("model watch", move |is_asked| {
        if is_asked {
            loader.reload();
        } else {
            loader.look();
        }
    })];
    watches.extend(stored.map(|stored| {
        watch("store's models", move |is_asked| {
            if is_asked {
                stored.forget_failures();
            }
            if let Err(reason) = stored.look() {
                // The follower of the store logs and counts that it fails.
                tracing::debug!(%reason, "the models in the store cannot be read");
            }
        })
    }));
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP: models that have changed or failed are loaded again");
            // A watch that has ended is not asked.
            watches.retain(|watch| watch.send(()).is_ok());
        }
    });
}

/// Calls `look` again and again on a thread of this name, and at once with `true` when it is asked.
fn watch(name: &str, mut look: impl FnMut(bool) + Send + 'static) -> Sender<()> {
    let (asked, asks) = mpsc::channel();
    let watch = move || {
        loop {
            match asks.recv_timeout(INTERVAL) {
                Ok(()) => look(true),
                Err(RecvTimeoutError::Timeout) => look(false),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    };
    let thread = thread::Builder::new().name(name.to_owned());
    thread
        .spawn(watch)
        .expect("the system can start a thread for the watch");
    asked
}

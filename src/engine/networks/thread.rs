//! The threads of networks, counted so that the program can wait for their end.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Length that Linux allows for a thread's name, in bytes. The rest of a longer name is cut off.
const LONGEST_NAME: usize = 15;

/// Network threads of the process.
static RUNNING: Mutex<usize> = Mutex::new(0);

/// Notified when a network thread ends.
static ENDED: Condvar = Condvar::new();

/// Runs `work` on a new thread. The thread has the network's `name`, cut to the length that the system allows.
///
/// # Panics
/// If the system cannot start a thread.
pub(crate) fn spawn_network_thread(name: &str, work: impl FnOnce() + Send + 'static) {
    let counted = CountedThread::new();
    std::thread::Builder::new()
        .name(name.chars().take(LONGEST_NAME).collect())
        .spawn(move || {
            work();
            drop(counted);
        })
        .expect("the system can start a thread for each network");
}

/// Waits up to `timeout` for all network threads to end, and for graphs that are being opened; returns whether they did.
///
/// A network's thread ends after its last run, when nothing holds a handle of the network. If the process exits during a run,
/// the run loses the library that it calls, and crashes.
#[must_use]
pub fn wait_for_threads(timeout: Duration) -> bool {
    let running = ENDED.wait_timeout_while(running(), timeout, |running| *running > 0);
    let (running, _) = running.unwrap_or_else(PoisonError::into_inner);
    *running == 0
}

/// Counts a thread that uses a network, or opens one, until it is dropped.
pub(crate) struct CountedThread;

impl CountedThread {
    /// Counts the current thread, or one that starts.
    pub(crate) fn new() -> Self {
        *running() += 1;
        Self
    }
}

impl Drop for CountedThread {
    fn drop(&mut self) {
        *running() -= 1;
        ENDED.notify_all();
    }
}

fn running() -> MutexGuard<'static, usize> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Networks' threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many there are.
static ALIVE: Mutex<usize> = Mutex::new(0);

/// Told whenever one has ended.
static ENDED: Condvar = Condvar::new();

/// Does `work` on a thread of its own, which is called after the network, as far as the system takes names.
pub(crate) fn spawn_network_thread(name: &str, work: impl FnOnce() + Send + 'static) {
    let counted = Counted::new();
    std::thread::Builder::new()
        .name(name.chars().take(15).collect())
        .spawn(move || {
            work();
            drop(counted);
        })
        .expect("the system has a thread for each network");
}

/// Waits until every network is closed, which its thread does when nobody can ask anything of it any more; for at most so long. Whether
/// all are.
///
/// A program that ends in the middle of a run takes the libraries away from under it, which is a crash.
pub fn wait_for_threads(most: Duration) -> bool {
    let alive = ENDED.wait_timeout_while(alive(), most, |alive| *alive > 0);
    let (alive, _) = alive.unwrap_or_else(PoisonError::into_inner);
    *alive == 0
}

/// A thread, as long as it is there.
struct Counted;

impl Counted {
    fn new() -> Self {
        *alive() += 1;
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *alive() -= 1;
        ENDED.notify_all();
    }
}

fn alive() -> MutexGuard<'static, usize> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

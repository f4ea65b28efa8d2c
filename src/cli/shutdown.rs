//! The end of the service: the signals that begin it, and the time by which the process has ended, whatever hangs.

use std::io;
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::engine::Watchdog;
use crate::telemetry;

/// Longest part of `--drain` for what comes after open requests: the end of jobs, of runs and of the log.
const MAX_RESERVE: Duration = Duration::from_secs(2);

/// The times of a shutdown, from the signal on.
#[derive(Clone, Copy)]
pub(super) struct ShutdownTimes {
    /// Longest time for open requests.
    pub(super) requests: Duration,
    /// Longest time for what comes after them.
    pub(super) reserve: Duration,
}

impl ShutdownTimes {
    /// The parts of `drain`.
    pub(super) fn new(drain: Duration) -> Self {
        let reserve = (drain / 5).min(MAX_RESERVE);
        Self {
            requests: drain.saturating_sub(reserve),
            reserve,
        }
    }

    /// Starts a thread that ends the process by the end of these times if it still runs. A run that nothing terminates would
    /// keep it alive otherwise.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    pub(super) fn enforce(self, watchdog: Watchdog) {
        let last_words = self.reserve / 4;
        let ends = move || {
            // The service closes the watchdog when open requests have ended or were aborted. This is for one that hangs.
            thread::sleep(self.requests + last_words);
            watchdog.close();
            thread::sleep(self.reserve.saturating_sub(2 * last_words));
            tracing::error!(
                "a run of a network or a job did not end within --drain ({:?}); the process ends without it",
                self.requests + self.reserve
            );
            end_now(1);
        };
        let thread = thread::Builder::new().name("shutdown".to_owned());
        thread.spawn(ends).expect("the system can start a thread");
    }
}

/// Writes the last lines of the log, and ends the process at once. A run that is under way would crash on the usual way, on
/// which libraries are closed.
pub fn end_now(code: i32) -> ! {
    telemetry::flush();
    signal_hook::low_level::exit(code)
}

/// Resolves at SIGTERM or SIGINT (Ctrl-C).
///
/// # Errors
/// The error of the system if it does not let the program wait for signals.
pub(super) fn terminated() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_a_shutdown_add_up_to_the_drain() {
        for (drain, reserve) in [(30_000, 2000), (5000, 1000), (1, 0)] {
            let drain = Duration::from_millis(drain);
            let times = ShutdownTimes::new(drain);
            assert_eq!(times.reserve.as_millis(), reserve, "{drain:?}");
            assert_eq!(times.requests + times.reserve, drain);
        }
    }
}

//! The watchdog of runs: terminates a run that takes far longer than usual, and says which network does not recover.
//!
//! ONNX Runtime is asked to terminate the run; it does so between two nodes of the graph. The run is then an error, and the
//! network goes on with the next one. A node that never ends cannot be terminated, and only a restart helps.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::metrics::Metrics;

/// How often the runs are checked.
const PERIOD: Duration = Duration::from_secs(1);

/// Longest time from the request to terminate a run to its end. After that, the network is stuck.
const MAX_TERMINATION: Duration = Duration::from_secs(10);

/// Runs in a row that are terminated until the network is stuck: it responds, but never with a result.
const MAX_TERMINATED: u32 = 3;

/// Longest time that a network may be stuck before the process should be restarted. Some networks recover.
const MAX_STUCK: Duration = Duration::from_mins(1);

/// Asks for the end of a run. Called at most once, on another thread than the run's.
type Terminate = Box<dyn FnOnce() + Send>;

/// The runs of all networks of the process that are under way. Cheap to clone; clones share their state.
#[derive(Clone, Default)]
pub struct Watchdog(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    runs: BTreeMap<u64, RunUnderWay>,
    last_id: u64,
    /// Runs in a row that were terminated, by network, and since when the network has been stuck if there are too many.
    terminated: BTreeMap<Arc<str>, (u32, Instant)>,
    /// Whether no further run may begin, because the process ends.
    is_closed: bool,
    /// Whether a stuck network was logged.
    is_stuck: bool,
    metrics: Option<Metrics>,
}

struct RunUnderWay {
    network: Arc<str>,
    started: Instant,
    limit: Duration,
    /// Taken when it is called.
    terminate: Option<Terminate>,
    terminated: Option<Instant>,
}

/// A network that does not recover.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{network} is stuck: {symptom}; if this lasts, restart the service")]
pub struct StuckNetwork {
    network: Arc<str>,
    symptom: String,
    /// Time since it has been stuck.
    time: Duration,
}

impl StuckNetwork {
    /// Whether it has been stuck for so long that only a restart of the process helps.
    #[must_use]
    pub fn needs_restart(&self) -> bool {
        self.time >= MAX_STUCK
    }
}

impl Watchdog {
    /// A watchdog with a thread that checks the runs. The thread ends when the last clone is dropped.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    pub(crate) fn start() -> Self {
        let watchdog = Self::default();
        let state = Arc::downgrade(&watchdog.0);
        std::thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || {
                while let Some(state) = Weak::upgrade(&state) {
                    Self(state).check(Instant::now());
                    std::thread::sleep(PERIOD);
                }
            })
            .expect("the system can start a thread for the watchdog");
        watchdog
    }

    /// Watches a run of a network: if it takes longer than `limit`, `terminate` is called on another thread. `None` if no run
    /// may begin any more.
    pub(crate) fn begin(
        &self,
        network: &Arc<str>,
        limit: Duration,
        terminate: impl FnOnce() + Send + 'static,
    ) -> Option<WatchedRun> {
        let mut state = self.lock();
        if state.is_closed {
            return None;
        }
        state.last_id += 1;
        let id = state.last_id;
        let run = RunUnderWay {
            network: Arc::clone(network),
            started: Instant::now(),
            limit,
            terminate: Some(Box::new(terminate)),
            terminated: None,
        };
        state.runs.insert(id, run);
        let watchdog = self.clone();
        Some(WatchedRun { watchdog, id })
    }

    /// Counts the runs that are terminated.
    pub fn report_to(&self, metrics: Metrics) {
        self.lock().metrics = Some(metrics);
    }

    /// The network that has been stuck for the longest time.
    #[must_use]
    pub fn stuck_network(&self) -> Option<StuckNetwork> {
        self.stuck_at(Instant::now())
    }

    /// Asks for the end of all runs, and lets no further run begin: the process ends.
    pub fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let terminate: Vec<_> = state
            .runs
            .values_mut()
            .filter_map(|run| run.terminate.take())
            .collect();
        drop(state);
        for terminate in terminate {
            terminate();
        }
    }

    /// Terminates the runs that have passed their limit, and logs when a network gets stuck or recovers.
    pub(crate) fn check(&self, now: Instant) {
        for (network, limit, terminate) in self.lock().take_overdue(now) {
            let limit = limit.as_secs();
            tracing::error!(%network, "a run did not end within {limit} s; it is terminated");
            terminate();
        }
        let stuck = self.stuck_at(now);
        let was_stuck = std::mem::replace(&mut self.lock().is_stuck, stuck.is_some());
        match stuck {
            Some(stuck) if !was_stuck => tracing::error!("{stuck}"),
            None if was_stuck => tracing::info!("no network is stuck any more"),
            _ => {}
        }
    }

    fn stuck_at(&self, now: Instant) -> Option<StuckNetwork> {
        self.lock().stuck_networks(now).max_by_key(|stuck| stuck.time)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Marks the runs that have passed their limit as terminated. Returns the network, the limit, and what terminates the run.
    fn take_overdue(&mut self, now: Instant) -> Vec<(Arc<str>, Duration, Terminate)> {
        let mut overdue = Vec::new();
        for run in self.runs.values_mut() {
            if now.saturating_duration_since(run.started) < run.limit {
                continue;
            }
            if let Some(terminate) = run.terminate.take() {
                run.terminated = Some(now);
                overdue.push((Arc::clone(&run.network), run.limit, terminate));
                if let Some(metrics) = &self.metrics {
                    metrics.run_terminated(&run.network);
                }
            }
        }
        overdue
    }

    fn stuck_networks(&self, now: Instant) -> impl Iterator<Item = StuckNetwork> {
        let hanging = self.runs.values().filter_map(move |run| {
            let since = now.saturating_duration_since(run.terminated?);
            Some(StuckNetwork {
                network: Arc::clone(&run.network),
                symptom: format!("a run was terminated {} s ago and has not ended", since.as_secs()),
                time: since.checked_sub(MAX_TERMINATION)?,
            })
        });
        let failing = self
            .terminated
            .iter()
            .filter_map(move |(network, &(count, since))| {
                let stuck = StuckNetwork {
                    network: Arc::clone(network),
                    symptom: format!("its last {count} runs did not end and were terminated"),
                    time: now.saturating_duration_since(since),
                };
                (count >= MAX_TERMINATED).then_some(stuck)
            });
        hanging.chain(failing)
    }
}

/// A run that is under way, until it is dropped.
pub(crate) struct WatchedRun {
    watchdog: Watchdog,
    id: u64,
}

impl WatchedRun {
    /// Ends the run, and returns whether it was terminated.
    pub(crate) fn end(self, succeeded: bool) -> bool {
        let mut state = self.watchdog.lock();
        let Some(run) = state.runs.remove(&self.id) else {
            return false;
        };
        if succeeded {
            state.terminated.remove(&run.network);
        } else if run.terminated.is_some() {
            let (count, since) = state
                .terminated
                .entry(run.network)
                .or_insert_with(|| (0, Instant::now()));
            *count += 1;
            // From then on, the network is stuck.
            if *count == MAX_TERMINATED {
                *since = Instant::now();
            }
        }
        run.terminate.is_none()
    }
}

impl Drop for WatchedRun {
    fn drop(&mut self) {
        // The run is still there if it panicked.
        self.watchdog.lock().runs.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A run with the limit [`LIMIT`], and a message each time that it is terminated.
    fn begin(watchdog: &Watchdog) -> (WatchedRun, Receiver<()>) {
        let (sender, terminated) = channel();
        let run = watchdog.begin(&"mapping.onnx".into(), LIMIT, move || sender.send(()).unwrap());
        (run.unwrap(), terminated)
    }

    #[test]
    fn a_run_is_terminated_once_when_its_limit_has_passed() {
        let (watchdog, start) = (Watchdog::default(), Instant::now());
        let metrics = Metrics::new();
        watchdog.report_to(metrics.clone());
        let (run, terminated) = begin(&watchdog);
        watchdog.check(start + seconds(29));
        assert!(terminated.try_recv().is_err(), "the limit has not passed");
        for after in [1, 2] {
            watchdog.check(start + LIMIT + seconds(after));
        }
        assert_eq!(terminated.iter().count(), 1);
        assert!(run.end(false), "the run was terminated");
        let count = "faceplane_runs_terminated_total{network=\"mapping.onnx\"} 1\n";
        assert!(metrics.text().contains(count), "{}", metrics.text());
    }

    #[test]
    fn a_run_that_ends_in_time_is_not_terminated() {
        let (watchdog, start) = (Watchdog::default(), Instant::now());
        let (run, terminated) = begin(&watchdog);
        assert!(!run.end(true));
        watchdog.check(start + 2 * LIMIT);
        assert_eq!(terminated.iter().count(), 0);
    }

    #[test]
    fn a_network_is_stuck_while_a_terminated_run_does_not_end() {
        let (watchdog, start) = (Watchdog::default(), Instant::now());
        let (run, _terminated) = begin(&watchdog);
        let terminated = start + LIMIT + seconds(1);
        watchdog.check(terminated);
        assert_eq!(watchdog.stuck_at(terminated + seconds(9)), None);
        let stuck = watchdog.stuck_at(terminated + seconds(12)).unwrap();
        let text = stuck.to_string();
        assert!(
            text.starts_with("mapping.onnx is stuck: a run was terminated 12 s ago"),
            "{text}"
        );
        assert!(!stuck.needs_restart());
        let later = watchdog.stuck_at(terminated + seconds(71)).unwrap();
        assert!(later.needs_restart());
        assert!(run.end(false));
        assert_eq!(watchdog.stuck_at(terminated + seconds(99)), None);
    }

    #[test]
    fn a_network_is_stuck_if_its_last_three_runs_were_terminated() {
        let watchdog = Watchdog::default();
        for count in 1..=4 {
            let (run, _terminated) = begin(&watchdog);
            watchdog.check(Instant::now() + LIMIT);
            assert!(run.end(false));
            assert_eq!(
                watchdog.stuck_network().is_some(),
                count >= 3,
                "after {count} runs"
            );
        }
        assert!(
            watchdog
                .stuck_at(Instant::now() + MAX_STUCK)
                .unwrap()
                .needs_restart()
        );
        let (run, _terminated) = begin(&watchdog);
        assert!(!run.end(true));
        assert_eq!(watchdog.stuck_network(), None, "the network has recovered");
    }

    #[test]
    fn a_closed_watchdog_terminates_all_runs_and_lets_no_other_begin() {
        let watchdog = Watchdog::default();
        let runs = [begin(&watchdog), begin(&watchdog)];
        watchdog.close();
        for (run, terminated) in runs {
            assert!(run.end(false));
            assert_eq!(terminated.iter().count(), 1);
        }
        assert!(watchdog.begin(&"mapping.onnx".into(), LIMIT, || ()).is_none());
        assert_eq!(
            watchdog.stuck_network(),
            None,
            "the end of the process is not a failure"
        );
    }
}

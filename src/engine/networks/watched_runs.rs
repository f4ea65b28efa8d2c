//! The runs of one network under the watchdog, and the usual time of a run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::{EngineError, Watchdog};

/// Multiple of a network's usual time after which a run is terminated. Under load a run gets a part of the cores, and the
/// gradient network, whose priority is low, a tenth of its share.
const MULTIPLE: f64 = 30.0;

/// Seconds that a network is assumed to take for each image or code before its first run.
const FIRST_SECONDS: f64 = 2.0;

/// Weight of the newest run in a network's usual time.
const WEIGHT: f64 = 0.1;

/// Shortest limit of a run, however fast the network is. A machine can stand still for some seconds, and on a GPU the first
/// run of a batch size plans convolutions.
const SHORTEST_LIMIT: Duration = Duration::from_secs(30);

/// The runs of a network, one after another.
pub(crate) struct WatchedRuns {
    watchdog: Watchdog,
    network: Arc<str>,
    /// Usual time of a run for each of its images or codes. `None` before the first run.
    usual_seconds: Option<f64>,
}

impl WatchedRuns {
    /// The runs of the network in `file`. Clients read its name, so only the file and its folder are named.
    pub(crate) fn new(watchdog: Watchdog, file: &str) -> Self {
        let folder_start = file.rmatch_indices('/').nth(1).map_or(0, |(slash, _)| slash + 1);
        Self {
            watchdog,
            network: file[folder_start..].into(),
            usual_seconds: None,
        }
    }

    /// Runs `work` on `units` images or codes. If it takes far longer than usual, `terminate` is called on another thread.
    ///
    /// # Errors
    /// Those of `work`; [`EngineError::Terminated`] if it failed after it was terminated; [`EngineError::Stopped`] if the
    /// process ends.
    pub(crate) fn run<T>(
        &mut self,
        units: usize,
        terminate: impl FnOnce() + Send + 'static,
        work: impl FnOnce() -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let limit = self.limit(units);
        let run = self.watchdog.begin(&self.network, limit, terminate);
        let run = run.ok_or_else(|| EngineError::Stopped {
            network: self.network.to_string(),
        })?;
        let started = Instant::now();
        let result = work();
        let duration = started.elapsed();
        let was_terminated = run.end(result.is_ok());
        match result {
            Ok(output) => {
                self.note(duration, units);
                Ok(output)
            }
            Err(_) if was_terminated => Err(EngineError::Terminated {
                network: self.network.to_string(),
                after: duration,
            }),
            Err(error) => Err(error),
        }
    }

    /// Time after which a run is terminated.
    #[expect(clippy::cast_precision_loss, reason = "a batch is a small number")]
    fn limit(&self, units: usize) -> Duration {
        let seconds = MULTIPLE * self.usual_seconds.unwrap_or(FIRST_SECONDS) * units as f64;
        Duration::try_from_secs_f64(seconds).map_or(Duration::MAX, |limit| limit.max(SHORTEST_LIMIT))
    }

    /// Takes a run that succeeded into the usual time.
    #[expect(clippy::cast_precision_loss, reason = "a batch is a small number")]
    fn note(&mut self, duration: Duration, units: usize) {
        let seconds = duration.as_secs_f64() / units.max(1) as f64;
        let usual = self.usual_seconds.unwrap_or(seconds);
        self.usual_seconds = Some(usual + WEIGHT * (seconds - usual));
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn the_limit_is_a_multiple_of_the_usual_time_but_never_short() {
        let mut runs = WatchedRuns::new(Watchdog::default(), "gradient.onnx");
        assert_eq!(runs.limit(1), Duration::from_mins(1), "before the first run");
        assert_eq!(runs.limit(8), Duration::from_mins(8), "before the first run");
        runs.note(Duration::from_secs(20), 4);
        assert_eq!(runs.limit(2), Duration::from_mins(5), "5 s for each code");
        for _ in 0..100 {
            runs.note(Duration::from_millis(10), 1);
        }
        assert_eq!(runs.limit(8), SHORTEST_LIMIT, "a fast network");
    }

    #[test]
    fn a_run_that_is_terminated_is_an_error_and_the_next_run_works() {
        let watchdog = Watchdog::default();
        let mut runs = WatchedRuns::new(watchdog.clone(), "encoder.onnx");
        let (terminate, terminated) = channel::<()>();
        let hanging = runs.run(
            1,
            || drop(terminate),
            || {
                watchdog.check(Instant::now() + Duration::from_hours(1));
                assert!(terminated.recv().is_err(), "the run waits until it is terminated");
                Err::<(), _>(failure())
            },
        );
        let error = hanging.unwrap_err();
        assert!(
            matches!(&error, EngineError::Terminated { network, .. } if network == "encoder.onnx"),
            "{error}"
        );
        assert_eq!(runs.run(1, || (), || Ok(7)).unwrap(), 7);
        let failed = runs.run(1, || (), || Err::<(), _>(failure()));
        assert!(matches!(failed, Err(EngineError::Run { .. })), "{failed:?}");
    }

    #[test]
    fn the_path_of_a_model_folder_is_not_shown() {
        for (file, shown) in [
            ("/home/models/faces/encoder.onnx", "faces/encoder.onnx"),
            ("faces/encoder.onnx", "faces/encoder.onnx"),
            ("encoder.onnx", "encoder.onnx"),
        ] {
            assert_eq!(&*WatchedRuns::new(Watchdog::default(), file).network, shown);
        }
    }

    #[test]
    fn a_run_that_panics_is_not_watched_any_more() {
        let watchdog = Watchdog::default();
        let mut runs = WatchedRuns::new(watchdog.clone(), "encoder.onnx");
        let panicking = || {
            let terminate = || unreachable!("the run is over");
            runs.run::<()>(1, terminate, || panic!("the image is missing"))
        };
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        watchdog.check(Instant::now() + Duration::from_hours(1));
    }

    fn failure() -> EngineError {
        EngineError::Run {
            network: "encoder.onnx".to_owned(),
            reason: "it was terminated".to_owned(),
        }
    }
}

//! How a model's generators share the cores: two that have all of them, or one on each.

use std::thread;
use std::time::Duration;

use super::network::Network;
use super::onnx_generator::{LONG_RUN, OnnxGenerator};
use super::onnx_mapping::OnnxMapping;
use super::{Device, EngineError, Generator as _, Runtime};
use crate::catalog::ModelPackage;

/// Generators of one thread each are chosen where a run takes at most this much of its time with all threads: one image
/// alone then comes about as soon, and many together come as much faster as there are cores.
const NEARLY_AS_FAST: f64 = 1.25;

/// A synthesis graph of so many bytes has large nodes, which gain from every thread, and a processor takes long to run it: nothing is
/// tried, for that would take seconds of the start.
const HEAVY: usize = 16 * 1024 * 1024;

/// A run of one thread that takes no longer is fast enough for anybody: what all threads would take is not even asked.
const SHORT_RUN: Duration = Duration::from_millis(25);

/// Generators that have all threads of a processor: while some threads of one wait for the last of its node, the other has work for them.
/// Together they draw as much as one on each core would, and a single picture still has all cores.
const WIDE: usize = 2;

/// Runs of each way that is tried.
const RUNS: usize = 4;

/// A model's first generator: with one thread, where there is a choice to make, or else with all, and others like it.
///
/// A graph of many small nodes gains nothing from a second thread, a graph of few large ones nearly everything. Only a run
/// of each way tells which this is.
pub(super) struct Arrangement<'a> {
    runtime: &'a Runtime,
    package: &'a ModelPackage,
    /// Whether it is to be found out how many generators there are, and with how many threads.
    choice: bool,
    /// Whether no run is to be made for this.
    heavy: bool,
    first: OnnxGenerator,
    others: Vec<Network>,
}

impl<'a> Arrangement<'a> {
    /// Opens the first generator of a package, and what is sure to work beside it.
    pub(super) fn open(
        runtime: &'a Runtime,
        package: &'a ModelPackage,
        replicas: Option<usize>,
        mapping: Option<&mut OnnxMapping>,
    ) -> Result<Self, EngineError> {
        let heavy = runtime.device() == Device::Cpu && package.synthesis.bytes.len() >= HEAVY;
        let shared = runtime.device() == Device::Cpu && runtime.threads() > 1;
        let choice = replicas.is_none() && shared && !heavy;
        let (threads, generators) = match replicas {
            Some(asked) => (runtime.threads(), asked),
            None if choice => (1, 1),
            None if shared => (runtime.threads(), WIDE),
            None => (runtime.threads(), 1),
        };
        let (first, others) = beside(
            || OnnxGenerator::open(&runtime.with_threads(threads), package, mapping),
            || networks(generators - 1, runtime, package),
        )?;
        Ok(Self {
            runtime,
            package,
            choice,
            heavy,
            first,
            others,
        })
    }

    /// The generators: as many as were asked for, with all threads each, or as measured where no number was given. The process should
    /// have nothing else to do meanwhile.
    pub(super) fn measure(mut self) -> Result<Vec<OnnxGenerator>, EngineError> {
        let narrow = self.choice && self.stays_narrow()?;
        let (threads, others) = if narrow {
            let others = self.runtime.threads() - 1;
            let single = self.runtime.with_threads(1);
            // Each has a core of its own to do this on.
            let networks = || networks(others, &single, self.package);
            let ((), others) = beside(|| self.first.choose_batch(), networks)?;
            (1, others)
        } else {
            if !self.heavy {
                self.first.choose_batch()?;
            }
            if self.choice {
                self.others = networks(WIDE - 1, self.runtime, self.package)?;
            }
            (self.runtime.threads(), self.others)
        };
        let first = self.first;
        tracing::info!(
            model = self.package.manifest.name,
            replicas = 1 + others.len(),
            threads,
            batch = first.batch_size().largest(),
            "generators"
        );
        let mut generators: Vec<_> = others.into_iter().map(|network| first.replica(network)).collect();
        generators.push(first);
        Ok(generators)
    }

    /// Whether the first generator is fast enough on one thread; if not, it is opened anew with all.
    fn stays_narrow(&mut self) -> Result<bool, EngineError> {
        for _ in 0..RUNS {
            let run = self.first.time(1)?;
            if run <= SHORT_RUN {
                return Ok(true);
            }
            if run > LONG_RUN {
                break;
            }
        }
        let mut wide = self
            .first
            .replica(OnnxGenerator::network(self.runtime, self.package)?);
        let (mut all, mut one) = (Duration::MAX, Duration::MAX);
        // In turns, so that whatever else the machine does meets both.
        for _ in 0..RUNS {
            all = all.min(wide.time(1)?);
            one = one.min(self.first.time(1)?);
            if all > LONG_RUN {
                break;
            }
        }
        tracing::debug!(?all, ?one, "a run with all threads, and with one");
        // A run that is long with all threads is not made longer for anybody.
        let narrow = all <= LONG_RUN && one <= all.mul_f64(NEARLY_AS_FAST);
        if !narrow {
            self.first = wide;
        }
        Ok(narrow)
    }
}

/// The synthesis graph so many times more, opened side by side.
fn networks(count: usize, runtime: &Runtime, package: &ModelPackage) -> Result<Vec<Network>, EngineError> {
    thread::scope(|scope| {
        let opening: Vec<_> = (0..count)
            .map(|_| scope.spawn(|| OnnxGenerator::network(runtime, package)))
            .collect();
        opening.into_iter().map(joined).collect()
    })
}

/// Does two things at once; the first error of the two, if any.
pub(super) fn beside<A, B: Send>(
    here: impl FnOnce() -> Result<A, EngineError>,
    there: impl FnOnce() -> Result<B, EngineError> + Send,
) -> Result<(A, B), EngineError> {
    thread::scope(|scope| {
        let there = scope.spawn(there);
        let here = here();
        let there = joined(there);
        Ok((here?, there?))
    })
}

fn joined<T>(opening: thread::ScopedJoinHandle<'_, T>) -> T {
    opening
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

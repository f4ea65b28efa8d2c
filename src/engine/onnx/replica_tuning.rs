//! How a model's generators share the cores: one that has all of them, or one on each.
//!
//! Where some threads of a generator that has all cores wait for the last of its node, those of a second image have work for them. So
//! images that wait are drawn two or more in a run, as much as one on each core would draw, and a single picture still has all cores. A
//! graph that takes one image only has a second generator instead, with all cores too.
//!
//! Where no number was asked for, all but the first are opened when they first have work: a start opens the graph once.

use std::thread;
use std::time::Duration;

use crate::catalog::{Graph, ModelPackage};
use crate::engine::LazyReplica;
use crate::engine::batching::batch_size::LONG_RUN;
use crate::engine::onnx::generator::OnnxGenerator;
use crate::engine::onnx::mapping::OnnxMapping;
use crate::engine::onnx::network::Network;
use crate::engine::{Device, EngineError, Generator as _, GeneratorShape, Runtime};

/// Generators of one thread each are chosen where a run takes at most this much of its time with all threads: one image
/// alone then comes about as soon, and many together come as much faster as there are cores.
const NEARLY_AS_FAST: f64 = 1.25;

/// A synthesis graph of so many bytes has large nodes, which gain from every thread, and a processor takes long to run it: nothing is
/// tried, for that would take seconds of the start.
const HEAVY: usize = 16 * 1024 * 1024;

/// A run of one thread that takes no longer is fast enough for anybody: what all threads would take is not even asked.
const SHORT_RUN: Duration = Duration::from_millis(25);

/// Runs of each way that is tried.
const RUNS: usize = 4;

/// A model's first generator: with one thread, where there is a choice to make, or else with all, and others like it.
///
/// A graph of many small nodes gains nothing from a second thread, a graph of few large ones nearly everything. Only a run
/// of each way tells which this is.
pub(crate) struct ReplicaTuning<'a> {
    runtime: &'a Runtime,
    package: &'a ModelPackage,
    choice: Choice,
    first: OnnxGenerator,
    others: Vec<Network>,
}

/// What is known of how many generators there are, and with how many threads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// As many as were asked for, with all threads each.
    Asked(usize),
    /// One has all that there is.
    Wide,
    /// One on each core.
    Narrow,
    /// Runs tell.
    Open,
}

/// A model's generators.
pub(crate) struct TunedReplicas {
    pub(crate) generators: Vec<OnnxGenerator>,
    pub(crate) lazy_replicas: Vec<LazyReplica>,
}

impl<'a> ReplicaTuning<'a> {
    /// Opens the first generator of a package, and what is sure to work beside it.
    pub(crate) fn open(
        runtime: &'a Runtime,
        package: &'a ModelPackage,
        replicas: Option<usize>,
        mapping: Option<&mut OnnxMapping>,
    ) -> Result<Self, EngineError> {
        let choice = match replicas {
            Some(asked) => Choice::Asked(asked),
            None if !has_cores(runtime) || is_heavy(runtime, &package.synthesis) => Choice::Wide,
            None => Choice::Open,
        };
        let (threads, generators) = match choice {
            Choice::Asked(asked) => (runtime.threads(), asked),
            Choice::Wide => (runtime.threads(), 1),
            Choice::Narrow | Choice::Open => (1, 1),
        };
        let (first, others) = beside(
            || OnnxGenerator::open(&runtime.with_threads(threads), package, mapping),
            || networks(generators - 1, runtime, &package.synthesis),
        )?;
        let mut arrangement = Self {
            runtime,
            package,
            choice,
            first,
            others,
        };
        // One thread is timed beside those that open other graphs: it has a core.
        if choice == Choice::Open
            && let Some(run) = arrangement.quick_run()?
        {
            arrangement.choice = Choice::Narrow;
            arrangement.first.batch_size().note(1, run);
            arrangement.first.choose_batch()?;
        }
        Ok(arrangement)
    }

    /// What the networks that belong to the generator have to fit.
    pub(crate) fn shape(&self) -> &GeneratorShape {
        self.first.shape()
    }

    /// The generators: as many as were asked for, with all threads each, or as measured where no number was given.
    pub(crate) fn measure(mut self) -> Result<TunedReplicas, EngineError> {
        let synthesis = &self.package.synthesis;
        match self.choice {
            Choice::Open => {
                let _alone = self.runtime.quiet();
                self.choice = self.compare()?;
                self.first.choose_batch()?;
            }
            Choice::Asked(_) | Choice::Wide if !is_heavy(self.runtime, synthesis) => {
                let _alone = self.runtime.quiet();
                self.first.choose_batch()?;
            }
            Choice::Asked(_) | Choice::Wide | Choice::Narrow => {}
        }
        let (runtime, more) = match self.choice {
            Choice::Narrow => (self.runtime.with_threads(1), self.runtime.threads() - 1),
            Choice::Wide | Choice::Open => {
                let one_image = self.first.shape().largest_batch == 1;
                (
                    self.runtime.clone(),
                    usize::from(one_image && has_cores(self.runtime)),
                )
            }
            Choice::Asked(_) => (self.runtime.clone(), 0),
        };
        tracing::info!(
            model = self.package.manifest.name,
            replicas = 1 + self.others.len(),
            more,
            threads = runtime.threads(),
            batch = self.first.batch_size().largest(),
            "generators, and how many more where images wait"
        );
        let lazy_replicas = (0..more)
            .map(|_| lazy_replica(&self.first, &runtime, synthesis))
            .collect();
        let mut generators: Vec<_> = self.others.into_iter().map(self.first.replica()).collect();
        generators.push(self.first);
        Ok(TunedReplicas {
            generators,
            lazy_replicas,
        })
    }

    /// A run of one thread that is fast enough, whatever else the process does meanwhile, if there is one.
    fn quick_run(&mut self) -> Result<Option<Duration>, EngineError> {
        for _ in 0..RUNS {
            let run = self.first.time(1)?;
            if run <= SHORT_RUN {
                return Ok(Some(run));
            }
            if run > LONG_RUN {
                break;
            }
        }
        Ok(None)
    }

    /// Whether a run of one thread takes little longer than one of all; if not, the first generator has all from now on.
    fn compare(&mut self) -> Result<Choice, EngineError> {
        let network = OnnxGenerator::network(self.runtime, &self.package.synthesis)?;
        let mut wide = self.first.replica()(network);
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
        if all <= LONG_RUN && one <= all.mul_f64(NEARLY_AS_FAST) {
            return Ok(Choice::Narrow);
        }
        self.first = wide;
        Ok(Choice::Wide)
    }
}

/// Whether there are cores for several generators to share.
fn has_cores(runtime: &Runtime) -> bool {
    runtime.device() == Device::Cpu && runtime.threads() > 1
}

/// Whether runs of a graph take too long for the start.
fn is_heavy(runtime: &Runtime, synthesis: &Graph) -> bool {
    runtime.device() == Device::Cpu && synthesis.bytes.len() >= HEAVY
}

/// The synthesis graph so many times more, opened side by side.
fn networks(count: usize, runtime: &Runtime, synthesis: &Graph) -> Result<Vec<Network>, EngineError> {
    thread::scope(|scope| {
        let opening: Vec<_> = (0..count)
            .map(|_| scope.spawn(|| OnnxGenerator::network(runtime, synthesis)))
            .collect();
        opening.into_iter().map(joined).collect()
    })
}

/// One more generator like `first`, to be opened when it is needed.
fn lazy_replica(first: &OnnxGenerator, runtime: &Runtime, synthesis: &Graph) -> LazyReplica {
    let (replica, runtime, synthesis) = (first.replica(), runtime.clone(), synthesis.clone());
    Box::new(move || {
        let network = OnnxGenerator::network(&runtime, &synthesis)?;
        Ok(Box::new(replica(network)))
    })
}

/// Does two things at once; the first error of the two, if any.
pub(crate) fn beside<A, B: Send>(
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

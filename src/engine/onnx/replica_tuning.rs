//! How many replicas a model's generator gets, and how many threads each: the default of `--replicas`.
//!
//! On the CPU, the replicas share the cores in one of two ways:
//!
//! - **One replica that uses all threads.** Best for graphs of few large nodes, which gain from every thread. Images that wait
//!   share a run, so that the threads of one image have work while those of another wait for the end of a node. If the graph
//!   takes only one image in a run, a second replica with all threads does the same.
//! - **One single-threaded replica for each thread.** Best for graphs of thousands of small nodes, such as the phantom's,
//!   which gain nothing from a second thread. On two cores, the throughput under load is about twice as high.
//!
//! The first row of this table that applies decides:
//!
//! | the generator | its replicas |
//! | --- | --- |
//! | `--replicas N` | N, each with all threads |
//! | on a GPU, or one thread | one |
//! | the graph has 16 MiB or more | one with all threads, without a measurement |
//! | batch work, whose bits should depend on no measurement | one for each thread |
//! | a run with one thread takes at most 25 ms | one for each thread |
//! | a run with all threads takes at most 250 ms, and with one thread at most 1.25 times as long | one for each thread |
//! | else | one with all threads |
//!
//! "All threads" is `--threads`, by default the number of cores. With `--replicas N`, all replicas open at the start. By
//! default only the first does; each other opens when an image first waits while all open replicas are busy, so that the start
//! opens the graph once, and a service with one user pays for one replica.

use std::time::Duration;

use crate::catalog::{Graph, ModelFiles};
use crate::engine::batching::batch_size::LONG_RUN;
use crate::engine::onnx::generator::OnnxGenerator;
use crate::engine::onnx::mapping::OnnxMapping;
use crate::engine::onnx::network::Network;
use crate::engine::onnx::parallel::{in_parallel, repeat};
use crate::engine::onnx::styles::OnnxStyles;
use crate::engine::{Device, EngineError, Generator as _, GeneratorShape, LazyReplica, Runtime};

/// Longest run with one thread, as a multiple of a run with all threads, for which single-threaded replicas are chosen. One
/// image alone then takes hardly longer, and the throughput grows with the number of cores.
const MAX_SLOWDOWN: f64 = 1.25;

/// Size in bytes, weights included, from which a graph is not measured. It has large nodes, which gain from every thread, and the measurement
/// would take seconds of the start.
const LARGE_GRAPH: usize = 16 * 1024 * 1024;

/// Longest run with one thread that is fast enough for interactive use. It is then not compared with a run with all threads.
const FAST_RUN: Duration = Duration::from_millis(25);

/// Faces that a generator synthesizes when it opens, to show that its images have finite values. A large graph makes one.
const FIRST_FACES: usize = 4;

/// Runs of each variant that is measured. The shortest counts, because other work on the machine only makes a run longer.
const RUNS: usize = 4;

/// How many replicas the generator of a model gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicas {
    /// This many, at least 1, each with all threads.
    Count(usize),
    /// As many as a measurement finds best on this machine.
    Measured,
    /// For each thread one that uses only it, or for a large graph one with all threads. No measurement decides about the bits of images.
    BySize,
}

/// The choice of a generator's replicas, while the model's other networks are opened.
pub(crate) struct ReplicaTuning<'a> {
    runtime: &'a Runtime,
    files: &'a ModelFiles,
    plan: ReplicaPlan,
    first: OnnxGenerator,
    /// Sessions for further replicas that open at the start.
    others: Vec<Network>,
}

/// How many replicas there are, and with how many threads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReplicaPlan {
    /// This number of replicas with all threads each, as the settings say.
    Fixed(usize),
    /// One replica with all threads.
    AllThreads,
    /// One replica with one thread, for each thread.
    SingleThreads,
    /// A measurement chooses between the two. Until then, there is one replica with one thread.
    Undecided,
}

/// A model's replicas.
pub(crate) struct TunedReplicas {
    /// The replicas that are open.
    pub(crate) generators: Vec<OnnxGenerator>,
    /// The replicas that can be opened later.
    pub(crate) lazy_replicas: Vec<LazyReplica>,
}

impl<'a> ReplicaTuning<'a> {
    /// Opens the generator's first replica, and as many more as `replicas` says. For the default, see the module.
    pub(crate) fn open(
        runtime: &'a Runtime,
        files: &'a ModelFiles,
        replicas: Replicas,
        mapping: Option<&mut OnnxMapping>,
    ) -> Result<Self, EngineError> {
        let plan = match replicas {
            Replicas::Count(replicas) => ReplicaPlan::Fixed(replicas),
            _ if !has_cores(runtime) || is_large(runtime, &files.synthesis) => ReplicaPlan::AllThreads,
            Replicas::Measured => ReplicaPlan::Undecided,
            Replicas::BySize => ReplicaPlan::SingleThreads,
        };
        let (threads, replicas) = match plan {
            ReplicaPlan::Fixed(replicas) => (runtime.threads(), replicas),
            ReplicaPlan::AllThreads => (runtime.threads(), 1),
            ReplicaPlan::SingleThreads | ReplicaPlan::Undecided => (1, 1),
        };
        let faces = if is_large(runtime, &files.synthesis) {
            1
        } else {
            FIRST_FACES
        };
        let (first, others) = in_parallel(
            || OnnxGenerator::open(&runtime.with_threads(threads), files, mapping, faces),
            || {
                repeat(replicas - 1, || {
                    OnnxGenerator::open_network(runtime, &files.synthesis)
                })
            },
        )?;
        let mut tuning = Self {
            runtime,
            files,
            plan,
            first,
            others,
        };
        // Other graphs are being opened now, but a run with one thread still has a core.
        if plan == ReplicaPlan::Undecided
            && let Some(run) = tuning.fast_run()?
        {
            tuning.plan = ReplicaPlan::SingleThreads;
            tuning.first.batch_size().note(1, run);
            tuning.first.search_batch_size()?;
        }
        Ok(tuning)
    }

    /// The generator's spaces and sizes, which the model's other networks must fit.
    pub(crate) fn shape(&self) -> &GeneratorShape {
        self.first.shape()
    }

    /// The affine layers before the styles, if the synthesis graph has styles.
    pub(crate) fn style_mapping(&self) -> Option<OnnxStyles> {
        self.first.style_mapping()
    }

    /// Decides the plan if it is still open, searches the batch size, and returns the replicas. While it measures, no other
    /// model's graphs are opened.
    pub(crate) fn finish(mut self) -> Result<TunedReplicas, EngineError> {
        match self.plan {
            ReplicaPlan::Undecided => {
                let _measuring = self.runtime.lock_for_measuring();
                self.plan = self.compare()?;
                self.first.search_batch_size()?;
            }
            ReplicaPlan::Fixed(_) | ReplicaPlan::AllThreads
                if !is_large(self.runtime, &self.files.synthesis) =>
            {
                let _measuring = self.runtime.lock_for_measuring();
                self.first.search_batch_size()?;
            }
            ReplicaPlan::Fixed(_) | ReplicaPlan::AllThreads | ReplicaPlan::SingleThreads => {}
        }
        let (runtime, lazy) = match self.plan {
            ReplicaPlan::SingleThreads => (self.runtime.with_threads(1), self.runtime.threads() - 1),
            ReplicaPlan::AllThreads | ReplicaPlan::Undecided => {
                let takes_one_image = self.first.shape().largest_batch == 1;
                let lazy = usize::from(takes_one_image && has_cores(self.runtime));
                (self.runtime.clone(), lazy)
            }
            ReplicaPlan::Fixed(_) => (self.runtime.clone(), 0),
        };
        tracing::info!(
            model = self.files.manifest.name,
            replicas = 1 + self.others.len(),
            lazy_replicas = lazy,
            threads = runtime.threads(),
            batch = self.first.batch_size().largest(),
            "replicas of the generator are chosen"
        );
        let lazy_replicas = (0..lazy)
            .map(|_| lazy_replica(&self.first, &runtime, &self.files.synthesis))
            .collect();
        let mut generators: Vec<_> = self.others.into_iter().map(self.first.replica()).collect();
        generators.push(self.first);
        Ok(TunedReplicas {
            generators,
            lazy_replicas,
        })
    }

    /// The duration of a run with one thread that takes at most [`FAST_RUN`]. `None` if no run does.
    fn fast_run(&mut self) -> Result<Option<Duration>, EngineError> {
        for _ in 0..RUNS {
            let run = self.first.measure_run(1)?;
            if run <= FAST_RUN {
                return Ok(Some(run));
            }
            if run > LONG_RUN {
                break;
            }
        }
        Ok(None)
    }

    /// Compares runs with one thread and with all threads. If all threads are better, the first replica is replaced by one
    /// that has them.
    fn compare(&mut self) -> Result<ReplicaPlan, EngineError> {
        let network = OnnxGenerator::open_network(self.runtime, &self.files.synthesis)?;
        let mut with_all = self.first.replica()(network);
        let (mut all, mut one) = (Duration::MAX, Duration::MAX);
        // The runs alternate, so that other work on the machine disturbs both alike.
        for _ in 0..RUNS {
            all = all.min(with_all.measure_run(1)?);
            one = one.min(self.first.measure_run(1)?);
            if all > LONG_RUN {
                break;
            }
        }
        tracing::debug!(?all, ?one, "shortest run with all threads, and with one thread");
        // If a run is long even with all threads, a single image should not take still longer.
        if all <= LONG_RUN && one <= all.mul_f64(MAX_SLOWDOWN) {
            return Ok(ReplicaPlan::SingleThreads);
        }
        self.first = with_all;
        Ok(ReplicaPlan::AllThreads)
    }
}

/// Whether there are cores that several replicas could share.
fn has_cores(runtime: &Runtime) -> bool {
    runtime.device() == Device::Cpu && runtime.threads() > 1
}

/// Whether runs of a graph take too long to be measured at the start.
fn is_large(runtime: &Runtime, synthesis: &Graph) -> bool {
    runtime.device() == Device::Cpu && synthesis.size() >= LARGE_GRAPH
}

/// A replica like `first`, to be opened when it is needed.
fn lazy_replica(first: &OnnxGenerator, runtime: &Runtime, synthesis: &Graph) -> LazyReplica {
    let (replica, runtime, synthesis) = (first.replica(), runtime.clone(), synthesis.clone());
    Box::new(move || {
        let network = OnnxGenerator::open_network(&runtime, &synthesis)?;
        Ok(Box::new(replica(network)))
    })
}

//! How a model's generators share the cores: one that has all of them, or one on each.

use std::thread;
use std::time::Duration;

use super::network::Network;
use super::onnx_generator::{LONG_RUN, OnnxGenerator, RUNS};
use super::onnx_mapping::OnnxMapping;
use super::{Device, EngineError, Generator as _, Runtime};
use crate::catalog::ModelPackage;

/// Generators of one thread each are chosen where a run takes at most this much of its time with all threads: one image
/// alone then comes about as soon, and many together come as much faster as there are cores.
const NEARLY_AS_FAST: f64 = 1.25;

/// A model's first generator, and the way that may turn out to be better.
///
/// A graph of many small nodes gains nothing from a second thread, a graph of few large ones nearly everything. Only a run
/// of each way tells which this is.
pub(super) struct Arrangement<'a> {
    runtime: &'a Runtime,
    package: &'a ModelPackage,
    replicas: Option<usize>,
    wide: OnnxGenerator,
    narrow: Option<Network>,
}

impl<'a> Arrangement<'a> {
    /// Opens the generator of a package with all threads and, where there is a choice to make, its graph with one.
    pub(super) fn open(
        runtime: &'a Runtime,
        package: &'a ModelPackage,
        replicas: Option<usize>,
        mapping: Option<&mut OnnxMapping>,
    ) -> Result<Self, EngineError> {
        let choice = replicas.is_none() && runtime.device() == Device::Cpu && runtime.threads() > 1;
        let one_thread = || OnnxGenerator::network(&runtime.with_threads(1), package);
        let (wide, narrow) = beside(
            || OnnxGenerator::open(runtime, package, mapping),
            || choice.then(one_thread).transpose(),
        )?;
        Ok(Self {
            runtime,
            package,
            replicas,
            wide,
            narrow,
        })
    }

    /// The generators: `replicas` of them with all threads each, or as measured where no number was given. The process
    /// should have nothing else to do meanwhile.
    pub(super) fn measure(mut self) -> Result<Vec<OnnxGenerator>, EngineError> {
        let narrow = self.narrow.take();
        let narrow = narrow.map(|network| self.nearly_as_fast(network)).transpose()?;
        let (threads, first, others) = if let Some(mut narrow) = narrow.flatten() {
            let others = self.runtime.threads() - 1;
            let single = self.runtime.with_threads(1);
            // Each has a core of its own to do this on.
            let ((), others) = beside(|| narrow.choose_batch(), || self.networks(others, &single))?;
            (1, narrow, others)
        } else {
            self.wide.choose_batch()?;
            let others = self.networks(self.replicas.unwrap_or(1) - 1, self.runtime)?;
            (self.runtime.threads(), self.wide, others)
        };
        tracing::info!(
            model = self.package.manifest.name,
            replicas = 1 + others.len(),
            threads,
            batch = first.shape().largest_batch,
            "generators"
        );
        let mut generators: Vec<_> = others.into_iter().map(|network| first.replica(network)).collect();
        generators.push(first);
        Ok(generators)
    }

    /// The generator on one thread, if it is about as fast as with all.
    fn nearly_as_fast(&mut self, network: Network) -> Result<Option<OnnxGenerator>, EngineError> {
        let mut narrow = self.wide.replica(network);
        let (mut all, mut one) = (Duration::MAX, Duration::MAX);
        // In turns, so that whatever else the machine does meets both.
        for _ in 0..RUNS {
            all = all.min(self.wide.time(1)?);
            if all > LONG_RUN {
                // A run this long is not made longer for anybody.
                return Ok(None);
            }
            one = one.min(narrow.time(1)?);
        }
        tracing::debug!(?all, ?one, "a run with all threads, and with one");
        Ok((one <= all.mul_f64(NEARLY_AS_FAST)).then_some(narrow))
    }

    /// The synthesis graph so many times more, opened side by side.
    fn networks(&self, count: usize, runtime: &Runtime) -> Result<Vec<Network>, EngineError> {
        thread::scope(|scope| {
            let opening: Vec<_> = (0..count)
                .map(|_| scope.spawn(|| OnnxGenerator::network(runtime, self.package)))
                .collect();
            opening.into_iter().map(joined).collect()
        })
    }
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

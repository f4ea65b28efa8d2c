//! How a model's generators share the cores: one that has all of them, or one on each.

use std::thread;
use std::time::Duration;

use super::network::Network;
use super::onnx_generator::OnnxGenerator;
use super::onnx_mapping::OnnxMapping;
use super::{Device, EngineError, Generator as _, Runtime};
use crate::catalog::ModelPackage;

/// Generators of one thread each are chosen where a run takes at most this much of its time with all threads: one image
/// alone then comes about as soon, and many together come as much faster as there are cores.
const NEARLY_AS_FAST: f64 = 1.25;

/// Opens the generators of a package: `replicas` of them with all threads each, or as measured where none is given.
///
/// A graph of many small nodes gains nothing from a second thread, a graph of few large ones nearly everything. Only a run
/// of each way tells which this is.
pub(super) fn arrange(
    runtime: &Runtime,
    package: &ModelPackage,
    replicas: Option<usize>,
    mapping: Option<&mut OnnxMapping>,
) -> Result<Vec<OnnxGenerator>, EngineError> {
    let measured = replicas.is_none() && runtime.device() == Device::Cpu && runtime.threads() > 1;
    let single = runtime.with_threads(1);
    let (mut first, narrow) = beside(
        || OnnxGenerator::open(runtime, package, mapping),
        || {
            measured
                .then(|| OnnxGenerator::network(&single, package))
                .transpose()
        },
    )?;
    let mut others = replicas.unwrap_or(1) - 1;
    let mut threads = runtime;
    if let Some(network) = narrow
        && let Some(narrow) = nearly_as_fast(&mut first, network)?
    {
        (first, others, threads) = (narrow, runtime.threads() - 1, &single);
    }
    first.choose_batch()?;
    let networks: Vec<Network> = thread::scope(|scope| {
        let opening: Vec<_> = (0..others)
            .map(|_| scope.spawn(|| OnnxGenerator::network(threads, package)))
            .collect();
        opening.into_iter().map(joined).collect::<Result<_, _>>()
    })?;
    tracing::info!(
        model = package.manifest.name,
        replicas = 1 + others,
        threads = threads.threads(),
        batch = first.shape().largest_batch,
        "generators"
    );
    let mut generators: Vec<_> = networks
        .into_iter()
        .map(|network| first.replica(network))
        .collect();
    generators.push(first);
    Ok(generators)
}

/// The generator on one thread, if it is about as fast as `wide`.
fn nearly_as_fast(wide: &mut OnnxGenerator, network: Network) -> Result<Option<OnnxGenerator>, EngineError> {
    let Some(all) = wide.time_of_one()? else {
        // A run this long is not made longer for anybody.
        return Ok(None);
    };
    let mut narrow = wide.replica(network);
    let one = narrow.time_of_one()?;
    tracing::debug!(?all, ?one, "a run with all threads, and with one");
    Ok(one
        .is_some_and(|one: Duration| one <= all.mul_f64(NEARLY_AS_FAST))
        .then_some(narrow))
}

/// Does two things at once; the first error of the two, if any.
fn beside<A, B: Send>(
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

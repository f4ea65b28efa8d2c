//! From a model's files to networks at work.

use super::arrangement::arrange;
use super::onnx_classifier::OnnxClassifier;
use super::onnx_encoder::OnnxEncoder;
use super::onnx_gradient::OnnxGradient;
use super::onnx_mapping::OnnxMapping;
use super::{
    Classifier, Encoder, Engine, EngineError, Generator, GeneratorShape, Gradient, Mapping, Networks,
    Runtime, Waiting,
};
use crate::catalog::ModelPackage;
use crate::metrics::Metrics;

/// How a model's networks work: how many replicas of the generator, and what may wait for them.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Sessions of the synthesis graph that work side by side, at least 1; `None` for what a measurement shows to be best.
    pub replicas: Option<usize>,
    /// What may wait.
    pub waiting: Waiting,
}

/// Opens every graph of a package, checks each against the others, and starts their threads.
///
/// # Errors
/// [`EngineError`], naming the first file that is wrong.
pub fn open(
    runtime: &Runtime,
    package: &ModelPackage,
    operation: Operation,
    metrics: &Metrics,
) -> Result<Engine, EngineError> {
    // The gradient graph is opened beside all others.
    std::thread::scope(|scope| {
        let gradient = scope.spawn(|| OnnxGradient::network(runtime, package));
        let (networks, shape) = networks(runtime, package, operation.replicas)?;
        let gradient = gradient
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let gradient = gradient
            .map(|network| OnnxGradient::of(network, &shape))
            .transpose()?;
        let gradient = gradient.map(|gradient| Box::new(gradient) as Box<dyn Gradient>);
        let networks = Networks { gradient, ..networks };
        let name = &package.manifest.name;
        Ok(Engine::start(name, networks, operation.waiting, metrics))
    })
}

/// Every network but the gradient, and the generator's spaces and sizes.
fn networks(
    runtime: &Runtime,
    package: &ModelPackage,
    replicas: Option<usize>,
) -> Result<(Networks, GeneratorShape), EngineError> {
    let mut mapping = package
        .mapping
        .as_ref()
        .map(|graph| OnnxMapping::open(runtime, graph))
        .transpose()?;
    let generators = arrange(runtime, package, replicas, mapping.as_mut())?;
    let shape = generators[0].shape().clone();
    let range = package.manifest.generator.image_range;
    let classifiers = package
        .classifiers
        .iter()
        .map(|classifier| {
            let opened = OnnxClassifier::open(runtime, classifier, &shape, range)?;
            Ok(Box::new(opened) as Box<dyn Classifier>)
        })
        .collect::<Result<_, EngineError>>()?;
    let encoder = match (&package.encoder, &package.manifest.encoder) {
        (Some(graph), Some(entry)) => {
            let opened = OnnxEncoder::open(runtime, graph, entry, &shape, range)?;
            Some(Box::new(opened) as Box<dyn Encoder>)
        }
        _ => None,
    };
    let networks = Networks {
        mapping: mapping.map(|mapping| Box::new(mapping) as Box<dyn Mapping>),
        generators: generators
            .into_iter()
            .map(|generator| Box::new(generator) as Box<dyn Generator>)
            .collect(),
        classifiers,
        encoder,
        gradient: None,
    };
    Ok((networks, shape))
}

//! From a model's files to networks at work.

use super::arrangement::{Arranged, Arrangement, beside};
use super::onnx_classifier::OnnxClassifier;
use super::onnx_encoder::OnnxEncoder;
use super::onnx_gradient::OnnxGradient;
use super::onnx_landmarker::OnnxLandmarker;
use super::onnx_mapping::OnnxMapping;
use super::onnx_recognizer::OnnxRecognizer;
use super::{
    Classifier, Encoder, Engine, EngineError, Generator, Gradient, Landmarker, Mapping, Networks, Recognizer,
    Runtime, Waiting, priority,
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

/// Opens every graph of a package, checks each against the others, and starts their threads. Several packages may be opened at
/// once.
///
/// # Errors
/// [`EngineError`], naming the first file that is wrong.
pub fn open(
    runtime: &Runtime,
    package: &ModelPackage,
    operation: Operation,
    metrics: &Metrics,
) -> Result<Engine, EngineError> {
    let busy = runtime.busy();
    let mut mapping = package
        .mapping
        .as_ref()
        .map(|graph| OnnxMapping::open(runtime, graph))
        .transpose()?;
    // The graph that takes longest to open is opened beside the others, and runs are measured after it.
    let (arrangement, gradient) = beside(
        || Arrangement::open(runtime, package, operation.replicas, mapping.as_mut()),
        || {
            // ONNX Runtime's threads for it are begun here, and are as the one that begins them.
            priority::lower();
            OnnxGradient::network(runtime, package)
        },
    )?;
    drop(busy);
    let quiet = runtime.quiet();
    let Arranged { generators, reserves } = arrangement.measure()?;
    drop(quiet);
    let _busy = runtime.busy();
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
    let landmarker = match (&package.landmarks, &package.manifest.landmarks) {
        (Some(graph), Some(entry)) => {
            let opened = OnnxLandmarker::open(runtime, graph, entry)?;
            Some(Box::new(opened) as Box<dyn Landmarker>)
        }
        _ => None,
    };
    let recognizer = match (&package.identity, &package.manifest.identity) {
        (Some(graph), Some(entry)) => {
            let opened = OnnxRecognizer::open(runtime, graph, entry, &shape, range)?;
            Some(Box::new(opened) as Box<dyn Recognizer>)
        }
        _ => None,
    };
    let gradient = match gradient {
        Some(network) => {
            let checked = OnnxGradient::of(network, &shape, runtime.device())?;
            Some(Box::new(checked) as Box<dyn Gradient>)
        }
        None => None,
    };
    let networks = Networks {
        mapping: mapping.map(|mapping| Box::new(mapping) as Box<dyn Mapping>),
        generators: generators
            .into_iter()
            .map(|generator| Box::new(generator) as Box<dyn Generator>)
            .collect(),
        reserves,
        classifiers,
        encoder,
        landmarker,
        recognizer,
        gradient,
    };
    let name = &package.manifest.name;
    Ok(Engine::start(name, networks, operation.waiting, metrics))
}

//! From a model's files to networks at work.

use crate::catalog::ModelPackage;
use crate::engine::networks::priority;
use crate::engine::onnx::classifier::OnnxClassifier;
use crate::engine::onnx::encoder::OnnxEncoder;
use crate::engine::onnx::gradient::OnnxGradient;
use crate::engine::onnx::landmarker::OnnxLandmarker;
use crate::engine::onnx::mapping::OnnxMapping;
use crate::engine::onnx::recognizer::OnnxRecognizer;
use crate::engine::onnx::replica_tuning::{ReplicaTuning, TunedReplicas, beside};
use crate::engine::{
    Classifier, Encoder, Engine, EngineError, GeneratorShape, Landmarker, Mapping, Networks, QueueLimits,
    Recognizer, Runtime,
};
use crate::metrics::Metrics;

/// How a model's networks work: how many replicas of the generator, and what may wait for them.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// Sessions of the synthesis graph that work side by side, at least 1; `None` for what a measurement shows to be best.
    pub replicas: Option<usize>,
    /// What may wait.
    pub queue_limits: QueueLimits,
}

/// Opens every graph of a package, checks each against the others, and starts their threads. Several packages may be opened at
/// once.
///
/// # Errors
/// [`EngineError`], naming the first file that is wrong.
pub fn open(
    runtime: &Runtime,
    package: &ModelPackage,
    options: EngineOptions,
    metrics: &Metrics,
) -> Result<Engine, EngineError> {
    let busy = runtime.busy();
    // The gradient graph takes longest to open, so that all others are opened beside it.
    let ((arrangement, mut networks), gradient) = beside(
        || {
            let mut mapping = package
                .mapping
                .as_ref()
                .map(|graph| OnnxMapping::open(runtime, graph))
                .transpose()?;
            let arrangement = ReplicaTuning::open(runtime, package, options.replicas, mapping.as_mut())?;
            let networks = others(runtime, package, mapping, arrangement.shape())?;
            Ok((arrangement, networks))
        },
        || {
            // ONNX Runtime's threads for it are begun here, and are as the one that begins them.
            priority::lower();
            OnnxGradient::network(runtime, package)
        },
    )?;
    drop(busy);
    if let Some(network) = gradient {
        let checked = OnnxGradient::of(network, arrangement.shape(), runtime.device())?;
        networks.gradient = Some(Box::new(checked));
    }
    let TunedReplicas {
        generators,
        lazy_replicas,
    } = arrangement.measure()?;
    for generator in generators {
        networks.generators.push(Box::new(generator));
    }
    networks.lazy_replicas = lazy_replicas;
    let name = &package.manifest.name;
    Ok(Engine::start(name, networks, options.queue_limits, metrics))
}

/// A package's networks but for its generators, whose shape they are checked against, and its gradient graph.
fn others(
    runtime: &Runtime,
    package: &ModelPackage,
    mapping: Option<OnnxMapping>,
    shape: &GeneratorShape,
) -> Result<Networks, EngineError> {
    let range = package.manifest.generator.image_range;
    let classifiers = package
        .classifiers
        .iter()
        .map(|classifier| {
            let opened = OnnxClassifier::open(runtime, classifier, shape, range)?;
            Ok(Box::new(opened) as Box<dyn Classifier>)
        })
        .collect::<Result<_, EngineError>>()?;
    let encoder = match (&package.encoder, &package.manifest.encoder) {
        (Some(graph), Some(entry)) => {
            let opened = OnnxEncoder::open(runtime, graph, entry, shape, range)?;
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
            let opened = OnnxRecognizer::open(runtime, graph, entry, shape, range)?;
            Some(Box::new(opened) as Box<dyn Recognizer>)
        }
        _ => None,
    };
    Ok(Networks {
        mapping: mapping.map(|mapping| Box::new(mapping) as Box<dyn Mapping>),
        generators: Vec::new(),
        lazy_replicas: Vec::new(),
        classifiers,
        encoder,
        landmarker,
        recognizer,
        gradient: None,
    })
}

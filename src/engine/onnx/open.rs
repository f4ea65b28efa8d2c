//! Opens the networks of a model folder.
//!
//! The gradient graph takes longest to open, so that it opens on a thread of its own, at low priority, while the others open
//! one after another. Several models may open at the same time. When all graphs of a model are open, the batch size and the
//! number of replicas are measured; during a measurement no other model opens graphs, because it would disturb the times.

use crate::catalog::ModelFiles;
use crate::engine::networks::priority;
use crate::engine::networks::thread::CountedThread;
use crate::engine::onnx::classifier::OnnxClassifier;
use crate::engine::onnx::classifier_mean::ClassifierMean;
use crate::engine::onnx::encoder::OnnxEncoder;
use crate::engine::onnx::gradient::OnnxGradient;
use crate::engine::onnx::landmarker::OnnxLandmarker;
use crate::engine::onnx::mapping::OnnxMapping;
use crate::engine::onnx::parallel::in_parallel;
use crate::engine::onnx::recognizer::OnnxRecognizer;
use crate::engine::onnx::replica_tuning::{ReplicaTuning, Replicas, TunedReplicas};
use crate::engine::onnx::score_gradient::{self, Scoring};
use crate::engine::{
    Classifier, Encoder, Engine, EngineError, GeneratorShape, Landmarker, Mapping, Networks, QueueLimits,
    Recognizer, Runtime, StyleMapping,
};
use crate::metrics::Metrics;

/// The settings of a model's networks.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// Replicas of the generator.
    pub replicas: Replicas,
    /// Limits of the queue for images.
    pub queue_limits: QueueLimits,
}

/// Opens every graph of a model, checks the graphs against each other, and starts their threads.
///
/// # Errors
/// [`EngineError`] if a graph cannot be opened or does not fit the others. It names the file.
pub fn open(
    runtime: &Runtime,
    files: &ModelFiles,
    options: EngineOptions,
    metrics: &Metrics,
) -> Result<Engine, EngineError> {
    // The process must not end meanwhile, because the library would be closed.
    let _counted = CountedThread::new();
    let opening = runtime.lock_for_opening();
    let ((tuning, mut networks), gradient) = in_parallel(
        || {
            let mut mapping = files
                .mapping
                .as_ref()
                .map(|graph| OnnxMapping::open(runtime, graph))
                .transpose()?;
            let tuning = ReplicaTuning::open(runtime, files, options.replicas, mapping.as_mut())?;
            let mut networks = open_others(runtime, files, mapping, tuning.shape())?;
            networks.styles = tuning
                .style_mapping()
                .map(|styles| Box::new(styles) as Box<dyn StyleMapping>);
            Ok((tuning, networks))
        },
        || {
            // ONNX Runtime starts the session's threads here, and they inherit the priority of this one.
            priority::lower();
            OnnxGradient::open_network(runtime, files)
        },
    )?;
    drop(opening);
    if let Some(network) = gradient {
        let gradient = OnnxGradient::new(network, tuning.shape(), runtime.device())?;
        networks.gradient = Some(Box::new(gradient));
    }
    let TunedReplicas {
        generators,
        lazy_replicas,
    } = tuning.finish()?;
    for generator in generators {
        networks.generators.push(Box::new(generator));
    }
    networks.lazy_replicas = lazy_replicas;
    let name = &files.manifest.name;
    Ok(Engine::start(name, networks, options.queue_limits, metrics))
}

/// Opens a model's networks except its generator and its gradient graph, and checks them against the generator's shape.
fn open_others(
    runtime: &Runtime,
    files: &ModelFiles,
    mapping: Option<OnnxMapping>,
    shape: &GeneratorShape,
) -> Result<Networks, EngineError> {
    let range = files.manifest.generator.image_range;
    let (classifiers, scorings) = open_classifiers(runtime, files, shape)?;
    let encoder = match (&files.encoder, &files.manifest.encoder) {
        (Some(graph), Some(entry)) => {
            let opened = OnnxEncoder::open(runtime, graph, entry, shape, range)?;
            Some(Box::new(opened) as Box<dyn Encoder>)
        }
        _ => None,
    };
    let landmarker = match (&files.landmarks, &files.manifest.landmarks) {
        (Some(graph), Some(entry)) => {
            let opened = OnnxLandmarker::open(runtime, graph, entry)?;
            Some(Box::new(opened) as Box<dyn Landmarker>)
        }
        _ => None,
    };
    let recognizer = match (&files.identity, &files.manifest.identity) {
        (Some(graph), Some(entry)) => {
            let opened = OnnxRecognizer::open(runtime, graph, entry, shape, range)?;
            Some(Box::new(opened) as Box<dyn Recognizer>)
        }
        _ => None,
    };
    Ok(Networks {
        mapping: mapping.map(|mapping| Box::new(mapping) as Box<dyn Mapping>),
        styles: None,
        generators: Vec::new(),
        lazy_replicas: Vec::new(),
        classifiers,
        encoder,
        landmarker,
        recognizer,
        gradient: None,
        score_gradients: score_gradient::opener(runtime, files, shape, scorings),
    })
}

/// A model's classifiers, side by side.
type Classifiers = Vec<Box<dyn Classifier>>;

/// Opens a model's classifiers, and says how each can be differentiated. If several score the same attribute, they become one.
fn open_classifiers(
    runtime: &Runtime,
    files: &ModelFiles,
    shape: &GeneratorShape,
) -> Result<(Classifiers, Vec<Scoring>), EngineError> {
    let range = files.manifest.generator.image_range;
    let open = |classifier| OnnxClassifier::open(runtime, classifier, shape, range);
    let opened = files
        .classifiers
        .iter()
        .map(open)
        .collect::<Result<Vec<_>, _>>()?;
    let scored = files.manifest.scored();
    let scorings = opened
        .iter()
        .map(|classifier| classifier.scoring(&scored))
        .collect();
    let all = files.manifest.classifiers.iter().flat_map(|entry| &entry.outputs);
    if all.clone().count() > scored.len() {
        return Ok((vec![Box::new(ClassifierMean::new(opened, all))], scorings));
    }
    let boxed = |classifier| Box::new(classifier) as Box<dyn Classifier>;
    Ok((opened.into_iter().map(boxed).collect(), scorings))
}

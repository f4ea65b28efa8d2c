//! A model's networks on their threads.

use std::sync::Arc;

use crate::engine::BatchSize;
use crate::engine::admission::limiter::ServiceTime;
use crate::engine::batching::batcher::Batcher;
use crate::engine::batching::gradient_runner::GradientRunner;
use crate::engine::batching::synthesizer::Synthesizer;
use crate::engine::networks::classifier::Classifier;
use crate::engine::networks::encoder::Encoder;
use crate::engine::networks::landmarker::Landmarker;
use crate::engine::networks::mapping::Mapping;
use crate::engine::networks::recognizer::Recognizer;
use crate::engine::networks::style_mapping::StyleMapping;
use crate::engine::networks::worker::Worker;
use crate::engine::score_gradients::ScoreGradients;
use crate::metrics::ModelMetrics;

/// Images that may be ahead of a request at any time without overload.
///
/// At four fifths of the capacity, one request in a hundred finds ten images waiting besides those in a run, however many
/// replicas there are and however many images a run holds. With a few more than that, waits stay below twice as long.
const IMAGES_AHEAD: usize = 12;

/// A model's networks, each on its thread or threads. Every admission shares them.
pub(crate) struct RunningNetworks {
    pub(crate) mapping: Option<Worker<Box<dyn Mapping>>>,
    pub(crate) styles: Option<Worker<Box<dyn StyleMapping>>>,
    pub(crate) generators: Batcher<Synthesizer>,
    pub(crate) batch_size: BatchSize,
    pub(crate) classifiers: Vec<Worker<Box<dyn Classifier>>>,
    pub(crate) encoder: Option<Worker<Box<dyn Encoder>>>,
    pub(crate) landmarker: Option<RunningLandmarker>,
    pub(crate) recognizer: Option<Worker<Box<dyn Recognizer>>>,
    pub(crate) gradients: Option<Batcher<GradientRunner>>,
    pub(crate) score_gradients: Option<Arc<ScoreGradients>>,
    /// Service time of whole optimizations, by codes.
    pub(crate) optimization_time: ServiceTime,
    pub(crate) metrics: ModelMetrics,
}

/// The landmark network, and the height and width of its input.
pub(crate) type RunningLandmarker = (Worker<Box<dyn Landmarker>>, [usize; 2]);

impl RunningNetworks {
    /// Images that may be ahead of a request under overload.
    pub(crate) fn overload_limit(&self) -> usize {
        IMAGES_AHEAD + 2 * self.generators.replicas() * self.batch_size.largest()
    }
}

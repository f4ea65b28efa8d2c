//! [`Engine`], the handle of a model's networks that async code holds.

use std::sync::Arc;
use std::time::Duration;

use ndarray::Array3;

use crate::engine::admission::limiter::{Limiter, ServiceTime};
use crate::engine::batching::batch_queue::{BatchWait, Lane};
use crate::engine::batching::batcher::{Batcher, Open};
use crate::engine::batching::gradient_runner::start_gradient;
use crate::engine::batching::synthesizer::Synthesizer;
use crate::engine::networks::worker::Worker;
use crate::engine::running_networks::RunningNetworks;
use crate::engine::score_gradients::ScoreGradients;
use crate::engine::{
    Admission, Classifier, Encoder, EngineError, Generator, GeneratorShape, Gradient, Landmarker,
    LazyReplica, Mapping, OpenScoreGradients, QueueLimits, Recognizer, StyleMapping,
};
use crate::metrics::{BatchMetrics, Metrics};

/// Largest number of optimized codes at the same time, in batches of the gradient network.
const OPTIMIZATION_BATCHES: usize = 4;

/// The same as a number of codes, if batches are small.
const OPTIMIZATIONS: usize = 32;

/// Most walks along gradients of scores at the same time. Each has a code for each score in the queue, 65 at most.
const WALKS: usize = 32;

/// A model's networks before they start.
pub struct Networks {
    /// z → w. `None` if the generator has no mapping.
    pub mapping: Option<Box<dyn Mapping>>,
    /// w+ → styles. `None` if the generator's styles are not known.
    pub styles: Option<Box<dyn StyleMapping>>,
    /// The generator, in one or more replicas that run in parallel. At least one.
    pub generators: Vec<Box<dyn Generator>>,
    /// Further replicas. Each opens when an image first waits while all open replicas are busy.
    pub lazy_replicas: Vec<LazyReplica>,
    /// Image → scores.
    pub classifiers: Vec<Box<dyn Classifier>>,
    /// Image → code.
    pub encoder: Option<Box<dyn Encoder>>,
    /// Image → landmarks of a face.
    pub landmarker: Option<Box<dyn Landmarker>>,
    /// Image → embedding of the person.
    pub recognizer: Option<Box<dyn Recognizer>>,
    /// Code and target image → loss and its gradient.
    pub gradient: Option<Box<dyn Gradient>>,
    /// Opens the networks that differentiate scores. `None` without a classifier.
    pub score_gradients: Option<OpenScoreGradients>,
}

/// A model's networks at work. Cheap to clone; all clones share the threads and the limits.
#[derive(Clone)]
pub struct Engine {
    networks: Arc<RunningNetworks>,
    shape: Arc<GeneratorShape>,
    is_on_cpu: bool,
    classes: usize,
    images: Limiter,
    optimizations: Limiter,
    walks: Limiter,
}

impl Engine {
    /// Starts a thread for each network. `name` is the model's name in errors and in the log.
    ///
    /// # Panics
    /// If `networks` has no generator.
    #[must_use]
    pub fn start(name: &str, networks: Networks, limits: QueueLimits, metrics: &Metrics) -> Self {
        let metrics = metrics.of_model(name);
        let generator = networks.generators.first().expect("a model has a generator");
        let (shape, batch_size) = (Arc::new(generator.shape().clone()), generator.batch_size());
        let is_on_cpu = generator.is_on_cpu();
        let classes = networks.mapping.as_ref().map_or(0, |mapping| mapping.classes());
        let service_time = ServiceTime::default();
        let optimization_time = ServiceTime::default();
        let most_optimizations = networks.gradient.as_ref().map_or(0, |gradient| {
            OPTIMIZATIONS.max(OPTIMIZATION_BATCHES * gradient.largest_batch())
        });
        let generators = start_generators(
            name,
            networks.generators,
            networks.lazy_replicas,
            limits.batch_wait,
            &service_time,
            &metrics.synthesis,
        );
        let gradients = networks
            .gradient
            .map(|gradient| start_gradient(&format!("{name} gradient"), gradient, &metrics.gradient));
        let images = Limiter::new(
            name.into(),
            limits.capacity,
            limits.longest_wait,
            service_time,
            metrics.synthesis.clone(),
        );
        let limiter = |what: &str, most, time| {
            let network = format!("{name} {what}").into();
            Limiter::new(network, most, Duration::MAX, time, metrics.gradient.clone())
        };
        let optimizations = limiter("gradient", most_optimizations, optimization_time.clone());
        let walks = limiter("score gradient", WALKS, ServiceTime::default());
        let styles = networks
            .styles
            .map(|styles| Worker::spawn(&format!("{name} styles"), styles));
        let running = RunningNetworks {
            mapping: networks
                .mapping
                .map(|mapping| Worker::spawn(&format!("{name} mapping"), mapping)),
            styles,
            generators,
            batch_size,
            classifiers: networks
                .classifiers
                .into_iter()
                .enumerate()
                .map(|(index, classifier)| Worker::spawn(&format!("{name} scores {index}"), classifier))
                .collect(),
            encoder: networks
                .encoder
                .map(|encoder| Worker::spawn(&format!("{name} encoder"), encoder)),
            landmarker: networks.landmarker.map(|landmarker| {
                let size = landmarker.size();
                (Worker::spawn(&format!("{name} landmarks"), landmarker), size)
            }),
            recognizer: networks
                .recognizer
                .map(|recognizer| Worker::spawn(&format!("{name} identity"), recognizer)),
            gradients,
            score_gradients: networks
                .score_gradients
                .map(|open| ScoreGradients::new(name, open, metrics.gradient.clone())),
            optimization_time,
            metrics,
        };
        Self {
            networks: Arc::new(running),
            shape,
            is_on_cpu,
            classes,
            images,
            optimizations,
            walks,
        }
    }

    #[cfg(test)]
    pub(crate) fn metrics(&self) -> &crate::metrics::ModelMetrics {
        &self.networks.metrics
    }

    /// The generator's spaces and sizes.
    #[must_use]
    pub fn shape(&self) -> &GeneratorShape {
        &self.shape
    }

    /// The number of classes of a class-conditional generator; 0 if its mapping takes no label.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Most images that one synthesis call should hold, as measured so far.
    #[must_use]
    pub fn largest_batch(&self) -> usize {
        self.networks.batch_size.largest()
    }

    /// Fixes the number of images in a synthesis call. Work whose every part has that many images never shares a call with others, so that
    /// its bits do not depend on what else is in the queue.
    pub fn fix_batch_size(&self, images: usize) {
        self.networks.batch_size.settle(images);
    }

    /// Replicas of the generator that run in parallel under load.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.networks.generators.replicas()
    }

    /// Runs of the generator that succeeded so far.
    #[must_use]
    pub fn successful_runs(&self) -> u64 {
        self.networks.generators.successes()
    }

    /// Makes one image, which nobody gets, on the generator that makes those of requests. Returns the time of the run.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    pub async fn prove(&self) -> Result<Duration, EngineError> {
        let codes = Array3::zeros((1, self.shape.synthesis_rows(), self.shape.w_dim));
        let generators = &self.networks.generators;
        let submitted = generators.submit(Lane::Request, codes.into(), drop);
        Ok(submitted.completed().await?.ran)
    }

    /// Whether the generator runs on the CPU. Its threads can then convert images to pixels themselves.
    #[must_use]
    pub fn synthesizes_on_cpu(&self) -> bool {
        self.is_on_cpu
    }

    /// Whether there is an encoder.
    #[must_use]
    pub fn has_encoder(&self) -> bool {
        self.networks.encoder.is_some()
    }

    /// Height and width of the landmark network's input. `None` without a landmark network.
    #[must_use]
    pub fn landmarker_size(&self) -> Option<[usize; 2]> {
        self.networks.landmarker.as_ref().map(|(_, size)| *size)
    }

    /// Whether there is an identity network.
    #[must_use]
    pub fn has_recognizer(&self) -> bool {
        self.networks.recognizer.is_some()
    }

    /// Whether there is a gradient network.
    #[must_use]
    pub fn has_gradient(&self) -> bool {
        self.networks.gradients.is_some()
    }

    /// Admits a request that has at most `images` images running or waiting at the same time, until the [`Admission`] is
    /// dropped.
    ///
    /// A request is refused here, at once, or never.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`] if the queue is full, [`EngineError::LongWait`] if the expected wait is too long.
    pub fn admit(&self, images: usize) -> Result<Admission, EngineError> {
        let permit = self.images.acquire(images, self.networks.overload_limit())?;
        let admission = Admission::new(Arc::clone(&self.networks), Lane::Request);
        Ok(admission.with_images(permit))
    }

    /// Admits a request that synthesizes its images in rounds, at most `images` at a time, or all of the queue if that is
    /// less. [`Admission::images_at_once`] says how many.
    ///
    /// # Errors
    /// As [`admit`](Self::admit).
    pub fn admit_rounds(&self, images: usize) -> Result<Admission, EngineError> {
        self.admit(images.min(self.images.capacity()))
    }

    /// Admits an optimization of `codes` that end as one image.
    ///
    /// # Errors
    /// [`EngineError`] if too many codes are being optimized, or as [`admit`](Self::admit).
    pub fn admit_optimization(&self, codes: usize) -> Result<Admission, EngineError> {
        let permit = self.optimizations.acquire(codes, usize::MAX)?;
        Ok(self.admit(1)?.with_optimization(permit))
    }

    /// Opens the networks that differentiate scores, unless they are open.
    ///
    /// # Errors
    /// [`EngineError::ScoreGradient`] if a graph cannot be differentiated, [`EngineError::NothingToDifferentiate`] without a
    /// classifier, or an error of opening.
    pub async fn open_score_gradients(&self) -> Result<(), EngineError> {
        match &self.networks.score_gradients {
            Some(gradients) => gradients.running().await.map(drop),
            None => Err(EngineError::NothingToDifferentiate {
                model: self.images.network().to_owned(),
            }),
        }
    }

    /// Admits a walk along gradients of scores, with at most `images` images at a time, as [`admit_rounds`](Self::admit_rounds) does.
    ///
    /// # Errors
    /// [`EngineError`] if too many walks are under way, or as [`admit`](Self::admit).
    pub fn admit_walk(&self, images: usize) -> Result<Admission, EngineError> {
        let permit = self.walks.acquire(1, usize::MAX)?;
        Ok(self.admit_rounds(images)?.with_optimization(permit))
    }

    /// Admits background work: it runs while no request's image waits, and needs no permit. The caller limits how much of it
    /// there is.
    #[must_use]
    pub fn background(&self) -> Admission {
        Admission::new(Arc::clone(&self.networks), Lane::Background)
    }
}

fn start_generators(
    name: &str,
    generators: Vec<Box<dyn Generator>>,
    lazy: Vec<LazyReplica>,
    batch_wait: Duration,
    service_time: &ServiceTime,
    metrics: &BatchMetrics,
) -> Batcher<Synthesizer> {
    let network: Arc<str> = name.into();
    let measured = |open: LazyReplica| -> Open<Synthesizer> {
        let (network, service_time) = (Arc::clone(&network), service_time.clone());
        Box::new(move || Ok(Synthesizer::new(network, open()?, service_time)))
    };
    let opened = generators
        .into_iter()
        .map(|generator| measured(Box::new(move || Ok(generator))))
        .collect();
    let lazy = lazy.into_iter().map(measured).collect();
    Batcher::start(name, opened, lazy, BatchWait::Fixed(batch_wait), metrics)
}

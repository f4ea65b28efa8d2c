//! The handle that async code holds: a model's networks on their threads, and room for so many images.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::admission::limiter::{Limiter, ServiceTime};
use crate::engine::batching::batcher::Batcher;
use crate::engine::batching::gradient_batcher::GradientBatcher;
use crate::engine::batching::queue::Lane;
use crate::engine::networks::worker::Worker;
use crate::engine::{
    Admission, BatchSize, Classifier, Encoder, EngineError, Generator, GeneratorShape, Gradient, Landmarker,
    Mapping, Recognizer,
};
use crate::metrics::{Metrics, ModelMetrics};

/// A model's networks, before they are at work.
pub struct Networks {
    /// z → w, where the generator has a mapping.
    pub mapping: Option<Box<dyn Mapping>>,
    /// The synthesis, once or in several replicas that work side by side.
    pub generators: Vec<Box<dyn Generator>>,
    /// More of them, each of which is opened when images first wait that none of the others is free for.
    pub lazy_replicas: Vec<LazyReplica>,
    /// What scores images.
    pub classifiers: Vec<Box<dyn Classifier>>,
    /// Image → code.
    pub encoder: Option<Box<dyn Encoder>>,
    /// Where a photograph's face is.
    pub landmarker: Option<Box<dyn Landmarker>>,
    /// What tells persons apart.
    pub recognizer: Option<Box<dyn Recognizer>>,
    /// The loss of codes against images.
    pub gradient: Option<Box<dyn Gradient>>,
}

/// Opens a generator that may never be needed.
pub type LazyReplica = Box<dyn FnOnce() -> Result<Box<dyn Generator>, EngineError> + Send>;

/// The landmark graph at work, and the height and width of its images.
pub(crate) type Finder = (Worker<Box<dyn Landmarker>>, [usize; 2]);

/// Descents are refused beyond so many runs' worth of codes: each step of all of them takes that many runs.
const ROUNDS: usize = 4;

/// How much may wait, and how long.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Limiter for requests' images: those under way and those that wait.
    pub capacity: usize,
    /// The longest expected wait that a request is admitted to.
    pub longest: Duration,
    /// How long a run that is not full waits for more images.
    pub patience: Duration,
}

/// A model's networks at work. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) mapping: Option<Worker<Box<dyn Mapping>>>,
    pub(crate) generators: Batcher,
    pub(crate) classifiers: Vec<Worker<Box<dyn Classifier>>>,
    pub(crate) encoder: Option<Worker<Box<dyn Encoder>>>,
    pub(crate) landmarker: Option<Finder>,
    pub(crate) recognizer: Option<Worker<Box<dyn Recognizer>>>,
    pub(crate) slopes: Option<GradientBatcher>,
    shape: Arc<GeneratorShape>,
    batch_size: BatchSize,
    on_processor: bool,
    room: Limiter,
    descents: Limiter,
    pub(crate) gradient_service_time: ServiceTime,
    pub(crate) metrics: ModelMetrics,
}

impl Engine {
    /// Gives each network a thread. `name` is what errors call them.
    ///
    /// # Panics
    /// Where there is no generator.
    #[must_use]
    pub fn start(name: &str, networks: Networks, waiting: QueueLimits, metrics: &Metrics) -> Self {
        let metrics = metrics.of_model(name);
        let generator = networks.generators.first().expect("a model has a generator");
        let (shape, batch_size) = (Arc::new(generator.shape().clone()), generator.batch_size());
        let on_processor = generator.is_on_processor();
        let pace = ServiceTime::default();
        let map = |mapping| Worker::spawn(&format!("{name} maps"), mapping);
        let score = |(place, classifier)| Worker::spawn(&format!("{name} scores {place}"), classifier);
        let encode = |encoder| Worker::spawn(&format!("{name} encodes"), encoder);
        let find = |landmarker: Box<dyn Landmarker>| {
            let size = landmarker.size();
            (Worker::spawn(&format!("{name} finds"), landmarker), size)
        };
        let recognize = |recognizer| Worker::spawn(&format!("{name} recognizes"), recognizer);
        let descend = |gradient| {
            let name = format!("{name} descends");
            GradientBatcher::start(&name, gradient, &metrics)
        };
        let codes_at_once = networks
            .gradient
            .as_ref()
            .map_or(0, |gradient| gradient.largest_batch());
        let gradient_service_time = ServiceTime::default();
        let descents = QueueLimits {
            capacity: ROUNDS * codes_at_once,
            longest: Duration::MAX,
            ..waiting
        };
        Self {
            mapping: networks.mapping.map(map),
            generators: Batcher::start(
                name,
                networks.generators,
                networks.lazy_replicas,
                waiting.patience,
                &pace,
                &metrics,
            ),
            classifiers: networks.classifiers.into_iter().enumerate().map(score).collect(),
            encoder: networks.encoder.map(encode),
            landmarker: networks.landmarker.map(find),
            recognizer: networks.recognizer.map(recognize),
            slopes: networks.gradient.map(descend),
            shape,
            batch_size,
            on_processor,
            room: Limiter::new(name.into(), waiting, pace),
            descents: Limiter::new(
                format!("{name} descends").into(),
                descents,
                gradient_service_time.clone(),
            ),
            gradient_service_time,
            metrics,
        }
    }

    /// The generator's spaces and sizes.
    #[must_use]
    pub fn shape(&self) -> &GeneratorShape {
        &self.shape
    }

    /// Most images that one order of synthesis should hold, as runs so far tell.
    #[must_use]
    pub fn largest_batch(&self) -> usize {
        self.batch_size.largest()
    }

    /// How many generators work side by side when there is work for all.
    #[must_use]
    pub fn generators(&self) -> usize {
        self.generators.generators()
    }

    /// Whether the generators draw on the processor, so that their threads may as well look at what they have drawn.
    #[must_use]
    pub fn synthesizes_on_cpu(&self) -> bool {
        self.on_processor
    }

    /// Whether there is an encoder.
    #[must_use]
    pub fn has_encoder(&self) -> bool {
        self.encoder.is_some()
    }

    /// Height and width of the image that the landmark graph wants, where there is one.
    #[must_use]
    pub fn landmarker_size(&self) -> Option<[usize; 2]> {
        self.landmarker.as_ref().map(|(_, size)| *size)
    }

    /// Whether there is an identity graph.
    #[must_use]
    pub fn has_recognizer(&self) -> bool {
        self.recognizer.is_some()
    }

    /// Whether there is a gradient graph.
    #[must_use]
    pub fn has_gradient(&self) -> bool {
        self.slopes.is_some()
    }

    /// Images that may be before another at any time. At four fifths of what can be drawn, one request in a hundred finds ten images
    /// waiting besides those under way, however many generators there are and however many images they draw in a run: so many and a few
    /// more, and waits stay under twice as long.
    fn calm(&self) -> usize {
        12 + 2 * self.generators() * self.largest_batch()
    }

    /// Takes room for a request's `images`, until the [`Admission`] is dropped.
    ///
    /// Whatever is admitted is done: a request is refused here, at once, or not at all.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`] where there is no room, [`EngineError::LongWait`] where it would wait for too long.
    pub fn admit(&self, images: usize) -> Result<Admission, EngineError> {
        let room = self.room.take(images, self.calm());
        let room = room.inspect_err(|_| {
            self.metrics.overloaded.inc_by(images as u64);
        })?;
        Ok(Admission::new(self, Lane::Request, Some(room)))
    }

    /// Admits a request that synthesizes its images in rounds, at most `images` at a time, or the whole queue if that is
    /// less. [`Admission::images_at_once`] says how many.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`] or [`EngineError::LongWait`], as for [`admit`](Self::admit).
    pub fn admit_rounds(&self, images: usize) -> Result<Admission, EngineError> {
        self.admit(images.min(self.room.capacity()))
    }

    /// Admits a request that optimizes `codes` codes together, and synthesizes one image at a time.
    ///
    /// # Errors
    /// [`EngineError`] if there are not enough permits.
    pub fn admit_optimization(&self, codes: usize) -> Result<Admission, EngineError> {
        let descents = self.descents.take(codes, usize::MAX);
        let descents = descents.inspect_err(|_| {
            self.metrics.overloaded.inc_by(codes as u64);
        })?;
        Ok(self.admit(1)?.with_descents(descents))
    }

    /// Most codes that go down together.
    #[must_use]
    pub fn codes_at_once(&self) -> usize {
        self.slopes.as_ref().map_or(0, GradientBatcher::largest)
    }

    /// Admits work that nobody waits for: its images are drawn where no request's images wait, and take no room of
    /// theirs. Who does such work sees to it that there is not too much of it.
    #[must_use]
    pub fn background(&self) -> Admission {
        Admission::new(self, Lane::Background, None)
    }
}

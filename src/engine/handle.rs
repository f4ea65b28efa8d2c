//! The handle that async code holds: a model's networks on their threads, and room for so many images.

use std::sync::Arc;
use std::time::Duration;

use super::batcher::Batcher;
use super::queue::Lane;
use super::room::{Pace, Room};
use super::slopes::Slopes;
use super::worker::Worker;
use super::{
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
    pub reserves: Vec<Reserve>,
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
pub type Reserve = Box<dyn FnOnce() -> Result<Box<dyn Generator>, EngineError> + Send>;

/// The landmark graph at work, and the height and width of its images.
pub(super) type Finder = (Worker<Box<dyn Landmarker>>, [usize; 2]);

/// Descents are refused beyond so many runs' worth of codes: each step of all of them takes that many runs.
const ROUNDS: usize = 4;

/// How much may wait, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// Room for requests' images: those under way and those that wait.
    pub capacity: usize,
    /// The longest expected wait that a request is admitted to.
    pub longest: Duration,
    /// How long a run that is not full waits for more images.
    pub patience: Duration,
}

/// A model's networks at work. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(super) mapping: Option<Worker<Box<dyn Mapping>>>,
    pub(super) generators: Batcher,
    pub(super) classifiers: Vec<Worker<Box<dyn Classifier>>>,
    pub(super) encoder: Option<Worker<Box<dyn Encoder>>>,
    pub(super) landmarker: Option<Finder>,
    pub(super) recognizer: Option<Worker<Box<dyn Recognizer>>>,
    pub(super) slopes: Option<Slopes>,
    shape: Arc<GeneratorShape>,
    batch_size: BatchSize,
    on_processor: bool,
    room: Room,
    descents: Room,
    pub(super) descent_pace: Pace,
    pub(super) metrics: ModelMetrics,
}

impl Engine {
    /// Gives each network a thread. `name` is what errors call them.
    ///
    /// # Panics
    /// Where there is no generator.
    #[must_use]
    pub fn start(name: &str, networks: Networks, waiting: Waiting, metrics: &Metrics) -> Self {
        let metrics = metrics.of_model(name);
        let generator = networks.generators.first().expect("a model has a generator");
        let (shape, batch_size) = (Arc::new(generator.shape().clone()), generator.batch_size());
        let on_processor = generator.is_on_processor();
        let pace = Pace::default();
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
            Slopes::start(&name, gradient, &metrics)
        };
        let codes_at_once = networks
            .gradient
            .as_ref()
            .map_or(0, |gradient| gradient.largest_batch());
        let descent_pace = Pace::default();
        let descents = Waiting {
            capacity: ROUNDS * codes_at_once,
            longest: Duration::MAX,
            ..waiting
        };
        Self {
            mapping: networks.mapping.map(map),
            generators: Batcher::start(
                name,
                networks.generators,
                networks.reserves,
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
            room: Room::new(name.into(), waiting, pace),
            descents: Room::new(format!("{name} descends").into(), descents, descent_pace.clone()),
            descent_pace,
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
    pub fn draws_on_processor(&self) -> bool {
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

    /// Takes room for the descent of `codes` that go down together, besides that of the image that they end as.
    ///
    /// # Errors
    /// [`EngineError`] where there is no room.
    pub fn admit_descent(&self, codes: usize) -> Result<Admission, EngineError> {
        let descents = self.descents.take(codes, usize::MAX);
        let descents = descents.inspect_err(|_| {
            self.metrics.overloaded.inc_by(codes as u64);
        })?;
        Ok(self.admit(1)?.with_descents(descents))
    }

    /// Most codes that go down together.
    #[must_use]
    pub fn codes_at_once(&self) -> usize {
        self.slopes.as_ref().map_or(0, Slopes::largest)
    }

    /// Admits work that nobody waits for: its images are drawn where no request's images wait, and take no room of
    /// theirs. Who does such work sees to it that there is not too much of it.
    #[must_use]
    pub fn background(&self) -> Admission {
        Admission::new(self, Lane::Background, None)
    }
}

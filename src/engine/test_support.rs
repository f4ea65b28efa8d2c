//! Generators for tests: they say what they draw, and wait to be told to.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use ndarray::{Array3, Array4, ArrayView3, Axis};
use tokio::task::JoinHandle;

use crate::engine::{
    BatchSize, Engine, EngineError, Generator, GeneratorShape, Images, LazyReplica, Networks, QueueLimits,
    SynthesisInput,
};
use crate::metrics::Metrics;

/// A generator that paints its codes, says how many images each run has, and waits to be told to go on.
pub(crate) struct ControlledGenerator {
    shape: GeneratorShape,
    batch_size: BatchSize,
    began: Sender<usize>,
    go: Receiver<()>,
}

impl Generator for ControlledGenerator {
    fn shape(&self) -> &GeneratorShape {
        &self.shape
    }

    fn batch_size(&self) -> BatchSize {
        self.batch_size.clone()
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        let images = codes.len_of(Axis(0));
        self.began.send(images).unwrap();
        self.go.recv().unwrap();
        Ok(Array4::from_shape_fn((images, 3, 1, 1), |(image, ..)| {
            codes[[image, 0, 0]]
        }))
    }
}

/// What says how many images a gate's runs have, and what lets them go on.
pub(crate) type Controls = (Receiver<usize>, Sender<()>);

impl ControlledGenerator {
    /// A gate that takes so many images in a run.
    pub(crate) fn new(largest_batch: usize) -> (Self, Controls) {
        Self::with_batch_size(BatchSize::settled(largest_batch), largest_batch)
    }

    /// A gate of which it is to be found out how many images a run should hold.
    pub(crate) fn with_batch_size(batch_size: BatchSize, largest_batch: usize) -> (Self, Controls) {
        let ((began, runs), (go_on, go)) = (channel(), channel());
        let gate = Self {
            shape: shape(largest_batch),
            batch_size,
            began,
            go,
        };
        (gate, (runs, go_on))
    }
}

/// Draws one image in a run, and no more.
pub(crate) struct SingleImageGenerator {
    shape: GeneratorShape,
}

impl Generator for SingleImageGenerator {
    fn shape(&self) -> &GeneratorShape {
        &self.shape
    }

    fn batch_size(&self) -> BatchSize {
        BatchSize::up_to(8)
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        assert_eq!(codes.len_of(Axis(0)), 1, "the graph was traced with one image");
        Ok(Array4::from_elem((1, 3, 1, 1), codes[[0, 0, 0]]))
    }
}

impl SingleImageGenerator {
    /// It says that it takes so many images.
    pub(crate) fn new(largest_batch: usize) -> Self {
        Self {
            shape: shape(largest_batch),
        }
    }
}

fn shape(largest_batch: usize) -> GeneratorShape {
    GeneratorShape {
        z_dim: 1,
        w_dim: 1,
        synthesis: SynthesisInput::Z,
        height: 1,
        width: 1,
        largest_batch,
    }
}

/// An engine of one gate.
pub(crate) fn controlled_engine(
    largest_batch: usize,
    capacity: usize,
) -> (Engine, Receiver<usize>, Sender<()>) {
    let (gate, (runs, go_on)) = ControlledGenerator::new(largest_batch);
    (engine(vec![Box::new(gate)], Vec::new(), capacity), runs, go_on)
}

/// An engine of these generators, with room for so many images.
pub(crate) fn engine(
    generators: Vec<Box<dyn Generator>>,
    lazy_replicas: Vec<LazyReplica>,
    capacity: usize,
) -> Engine {
    let networks = Networks {
        mapping: None,
        generators,
        lazy_replicas,
        classifiers: Vec::new(),
        encoder: None,
        landmarker: None,
        recognizer: None,
        gradient: None,
    };
    let waiting = QueueLimits {
        capacity,
        longest_wait: Duration::MAX,
        batch_wait: Duration::ZERO,
    };
    Engine::start("gate", networks, waiting, &Metrics::new())
}

/// Codes of one number.
pub(crate) fn codes(values: &[f32]) -> Array3<f32> {
    Array3::from_shape_vec((values.len(), 1, 1), values.to_vec()).unwrap()
}

/// The first channel of each image.
pub(crate) fn image_values(images: &Images) -> Vec<f32> {
    images.outer_iter().map(|image| image[[0, 0, 0]]).collect()
}

/// Asks for the images of codes of these numbers.
pub(crate) fn spawn_synthesis(engine: &Engine, values: &[f32]) -> JoinHandle<Result<Vec<f32>, EngineError>> {
    let (mut admission, codes) = (engine.admit(values.len()).unwrap(), codes(values));
    tokio::spawn(async move { Ok(image_values(&admission.synthesize(codes).await?)) })
}

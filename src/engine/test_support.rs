//! What tests of the engine share: generators that a test controls, and ONNX Runtime.
//!
//! The value of each image is the value of its code.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use ndarray::{Array3, Array4, ArrayView3, Axis};
use tokio::task::JoinHandle;

use crate::engine::networks::watched_runs::WatchedRuns;
use crate::engine::{
    BatchSize, Device, Engine, EngineError, Generator, GeneratorShape, Images, LazyReplica, Networks,
    QueueLimits, Runtime, SynthesisInput, Watchdog,
};
use crate::metrics::Metrics;

/// A generator that reports the number of images of each run when it begins, and ends the run when the test permits it.
pub(crate) struct ControlledGenerator {
    shape: GeneratorShape,
    batch_size: BatchSize,
    began: Sender<usize>,
    go_on: Receiver<()>,
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
        self.go_on.recv().unwrap();
        Ok(Array4::from_shape_fn((images, 3, 1, 1), |(image, ..)| {
            codes[[image, 0, 0]]
        }))
    }
}

/// A test's ends of the channels of a [`ControlledGenerator`]: the numbers of images of its runs, and the permission to end
/// a run.
pub(crate) type Controls = (Receiver<usize>, Sender<()>);

impl ControlledGenerator {
    /// A generator with a known batch size.
    pub(crate) fn new(largest_batch: usize) -> (Self, Controls) {
        Self::with_batch_size(BatchSize::settled(largest_batch), largest_batch)
    }

    /// A generator with a batch size that can still be searched.
    pub(crate) fn with_batch_size(batch_size: BatchSize, largest_batch: usize) -> (Self, Controls) {
        let ((began, runs), (permit, go_on)) = (channel(), channel());
        let generator = Self {
            shape: shape(largest_batch),
            batch_size,
            began,
            go_on,
        };
        (generator, (runs, permit))
    }
}

/// A generator that panics if a run has more than one image, whatever its shape says.
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
    /// A generator with `largest_batch` in its shape.
    pub(crate) fn new(largest_batch: usize) -> Self {
        Self {
            shape: shape(largest_batch),
        }
    }
}

/// A generator whose runs are watched. A run with a negative code ends when it is terminated.
pub(crate) struct HangingGenerator {
    shape: GeneratorShape,
    runs: WatchedRuns,
}

impl Generator for HangingGenerator {
    fn shape(&self) -> &GeneratorShape {
        &self.shape
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        let images = codes.len_of(Axis(0));
        let (terminate, terminated) = channel::<()>();
        self.runs.run(
            images,
            || drop(terminate),
            || {
                if codes.iter().any(|&value| value < 0.0) {
                    terminated.recv().unwrap_err();
                    return Err(EngineError::Run {
                        network: "hanging".to_owned(),
                        reason: "the run was terminated".to_owned(),
                    });
                }
                Ok(Array4::from_shape_fn((images, 3, 1, 1), |(image, ..)| {
                    codes[[image, 0, 0]]
                }))
            },
        )
    }
}

impl HangingGenerator {
    /// A generator under this watchdog.
    pub(crate) fn new(watchdog: Watchdog) -> Self {
        Self {
            shape: shape(1),
            runs: WatchedRuns::new(watchdog, "hanging"),
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
        styles: Err("this generator has none".to_owned()),
    }
}

/// An engine with one controlled generator and a queue for `capacity` images.
pub(crate) fn controlled_engine(
    largest_batch: usize,
    capacity: usize,
) -> (Engine, Receiver<usize>, Sender<()>) {
    let (generator, (runs, go_on)) = ControlledGenerator::new(largest_batch);
    (
        engine(vec![Box::new(generator)], Vec::new(), capacity),
        runs,
        go_on,
    )
}

/// An engine with these generators and a queue for `capacity` images.
pub(crate) fn engine(
    generators: Vec<Box<dyn Generator>>,
    lazy_replicas: Vec<LazyReplica>,
    capacity: usize,
) -> Engine {
    let networks = Networks {
        mapping: None,
        styles: None,
        generators,
        lazy_replicas,
        classifiers: Vec::new(),
        encoder: None,
        landmarker: None,
        recognizer: None,
        gradient: None,
        score_gradients: None,
    };
    let limits = QueueLimits {
        capacity,
        longest_wait: Duration::MAX,
        batch_wait: Duration::ZERO,
    };
    Engine::start("test", networks, limits, &Metrics::new())
}

/// Codes `[values, 1, 1]`.
pub(crate) fn codes(values: &[f32]) -> Array3<f32> {
    Array3::from_shape_vec((values.len(), 1, 1), values.to_vec()).unwrap()
}

/// The value of each image, equal to that of its code.
pub(crate) fn image_values(images: &Images) -> Vec<f32> {
    images.outer_iter().map(|image| image[[0, 0, 0]]).collect()
}

/// Admits a request for the images of these codes, and synthesizes them on a task.
pub(crate) fn spawn_synthesis(engine: &Engine, values: &[f32]) -> JoinHandle<Result<Vec<f32>, EngineError>> {
    let (mut admission, codes) = (engine.admit(values.len()).unwrap(), codes(values));
    tokio::spawn(async move { Ok(image_values(&admission.synthesize(codes).await?)) })
}

/// ONNX Runtime on the CPU with one thread, from `FACEPLANE_ONNXRUNTIME` or the default paths.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let library = std::env::var_os("FACEPLANE_ONNXRUNTIME").map(PathBuf::from);
        Runtime::load(library.as_deref(), Device::Cpu, Some(1)).unwrap()
    });
    &RUNTIME
}

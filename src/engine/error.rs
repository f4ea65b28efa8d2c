//! The errors of networks, when they are opened and when they run.

use std::path::PathBuf;
use std::time::Duration;

use crate::engine::Device;
use crate::engine::admission::deadline;

/// A network could not be opened, was not run, or failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// ONNX Runtime's library cannot be loaded.
    #[error(
        "{}: the library of ONNX Runtime cannot be loaded: {reason}; give a libonnxruntime.so of version 1.24 or later with \
         --onnxruntime PATH or FACEPLANE_ONNXRUNTIME, or run `make setup`, which fetches one",
        path.display()
    )]
    Library {
        /// The library's path.
        path: PathBuf,
        /// The message of the loader.
        reason: String,
    },
    /// ONNX Runtime cannot use the device.
    #[error(
        "ONNX Runtime in {} cannot use the device {device}: {reason}; choose --device cpu, or use a program built with \
         `--features cuda`, the GPU build of ONNX Runtime, and the versions of CUDA and cuDNN that it requires, on the \
         loader's path",
        library.display()
    )]
    Device {
        /// The device of the settings.
        device: Device,
        /// The path of ONNX Runtime's library.
        library: PathBuf,
        /// ONNX Runtime's message.
        reason: String,
    },
    /// The gradient graph cannot be derived.
    #[error(
        "{file}: the gradient graph of [gradient] cannot be derived: {reason}; name a graph as gradient.file, or remove [gradient]"
    )]
    Gradient {
        /// The file of the graph that cannot be differentiated.
        file: String,
        /// Why.
        reason: String,
    },
    /// The graph of the gradients of scores cannot be derived.
    #[error(
        "{file}: the scores cannot be differentiated by the code: {reason}; export this graph again with other operators, or leave out \
         along=gradient"
    )]
    ScoreGradient {
        /// The file of the graph that cannot be differentiated.
        file: String,
        /// Why.
        reason: String,
    },
    /// The graphs of the styles cannot be made of the synthesis graph.
    #[error("{file}: styles cannot be used: {reason}")]
    Styles {
        /// The file of the synthesis graph.
        file: String,
        /// Why.
        reason: String,
    },
    /// There is no classifier whose scores could be differentiated.
    #[error(
        "model {model} has no classifier graph, so there are no scores to differentiate; name one under [[classifiers]] in its \
         manifest.toml, as onnx/README.md says, or leave out along=gradient"
    )]
    NothingToDifferentiate {
        /// The model's name.
        model: String,
    },
    /// ONNX Runtime cannot open the graph.
    #[error("{file}: ONNX Runtime cannot open the graph: {reason}")]
    Graph {
        /// The ONNX file.
        file: String,
        /// ONNX Runtime's message.
        reason: String,
    },
    /// A tensor of the graph, or the graph's list of tensors, is not what its role in the model requires.
    #[error("{file}: {tensor} is {found}, expected {expected}")]
    Tensor {
        /// The ONNX file.
        file: String,
        /// The tensor or list.
        tensor: String,
        /// Its shape, type or content.
        found: String,
        /// The shape, type or content that it must have.
        expected: String,
    },
    /// A run failed.
    #[error("{network}: the run failed: {reason}")]
    Run {
        /// The network's file or name.
        network: String,
        /// ONNX Runtime's message.
        reason: String,
    },
    /// An output has a value that is NaN or infinite.
    #[error("{network}: output value {index} is NaN or infinite, expected only finite values")]
    NotFinite {
        /// The network's file or name.
        network: String,
        /// Flat index of the first such value.
        index: usize,
    },
    /// One of the first faces of a generator has a value that is NaN or infinite.
    #[error(
        "{file}: the face of seed {seed} has values that are NaN or infinite, expected only finite values: export the graph \
         again, in float32 if it was float16"
    )]
    BrokenFace {
        /// The ONNX file.
        file: String,
        /// The seed of the face.
        seed: usize,
    },
    /// A run panicked. The network continues with the next run.
    #[error("{network}: the run panicked: {reason}")]
    Panicked {
        /// The network's file or name.
        network: String,
        /// The panic's message.
        reason: String,
    },
    /// The queue does not have enough free permits for a request.
    #[error(
        "{network} is overloaded: the request has {images} images, but the queue takes only {free} more of its {capacity}; \
         try again shortly, or with fewer images"
    )]
    Overloaded {
        /// The network's name.
        network: String,
        /// Images of the request.
        images: usize,
        /// Free permits.
        free: usize,
        /// All permits.
        capacity: usize,
        /// Expected time until the images ahead of the request are done.
        wait: Duration,
    },
    /// A request would wait longer than is allowed.
    #[error(
        "{network} is overloaded: the {images} images ahead of this request take about {:.1} s, but a request may wait at \
         most {:.1} s; try again shortly", wait.as_secs_f64(), longest.as_secs_f64()
    )]
    LongWait {
        /// The network's name.
        network: String,
        /// Images ahead of the request, running or waiting.
        images: usize,
        /// Expected time until they are done.
        wait: Duration,
        /// Longest wait that is allowed.
        longest: Duration,
    },
    /// The request's deadline passed while its images or codes waited for a run.
    #[error(
        "{network}: the request's deadline passed before the run; try again later, or with a longer timeout"
    )]
    DeadlinePassed {
        /// The network's name.
        network: String,
    },
    /// A run did not end in time, and was terminated. The network continues with the next run.
    #[error(
        "{network}: the run did not end within {:.0} s and was terminated; try again with fewer images, or report it to the \
         operator of the service",
        after.as_secs_f64()
    )]
    Terminated {
        /// The network's file or name.
        network: String,
        /// Time from its start to its end.
        after: Duration,
    },
    /// The network's thread has ended.
    #[error("{network}: the network's thread has ended; restart the service")]
    Stopped {
        /// The network's name.
        network: String,
    },
}

impl EngineError {
    /// The error for work that the network's thread dropped without a run: either the current task's deadline has passed, or
    /// the thread has ended.
    pub(crate) fn dropped(network: &str) -> Self {
        let network = network.to_owned();
        if deadline::is_past() {
            Self::DeadlinePassed { network }
        } else {
            Self::Stopped { network }
        }
    }
}

//! What can go wrong with networks, at the start and at work.

use std::path::PathBuf;
use std::time::Duration;

use crate::engine::Device;
use crate::engine::admission::deadline;

/// A network or its runtime failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// No ONNX Runtime library could be loaded.
    #[error(
        "ONNX Runtime's library cannot be loaded from {}: {reason}; give a libonnxruntime.so of version 1.24 or later \
         with --onnxruntime PATH or FACEPLANE_ONNXRUNTIME, or run `make setup`, which fetches one",
        path.display()
    )]
    Library {
        /// The path that was tried last.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// ONNX Runtime cannot use the device.
    #[error(
        "the device {device} cannot be used with {}: {reason}; nothing falls back to the CPU, so choose --device cpu, or \
         build with `--features cuda` and give the library of ONNX Runtime's GPU package, with the CUDA and cuDNN that it \
         names on the loader's path",
        library.display()
    )]
    Device {
        /// The device asked for.
        device: Device,
        /// ONNX Runtime's library.
        library: PathBuf,
        /// What ONNX Runtime said.
        reason: String,
    },
    /// ONNX Runtime does not take the file.
    #[error("{file}: ONNX Runtime refuses the graph: {reason}")]
    Graph {
        /// The ONNX file.
        file: String,
        /// What ONNX Runtime said.
        reason: String,
    },
    /// The graph's tensors are not those that its role asks for.
    #[error("{file}: {tensor} is {found}, expected {expected}")]
    Tensor {
        /// The ONNX file.
        file: String,
        /// Which tensor.
        tensor: String,
        /// What it is.
        found: String,
        /// What would do.
        expected: String,
    },
    /// A run failed.
    #[error("{network}: the run failed: {reason}")]
    Run {
        /// The network's file or name.
        network: String,
        /// What happened.
        reason: String,
    },
    /// A network gave NaN or infinity.
    #[error("{network}: the output holds values that are not finite, the first at index {index}")]
    NotFinite {
        /// The network's file or name.
        network: String,
        /// Flat index of the first of them.
        index: usize,
    },
    /// The code inside a network panicked; the network goes on with the next work.
    #[error("{network}: panicked: {reason}")]
    Panicked {
        /// The network's file or name.
        network: String,
        /// The panic's message.
        reason: String,
    },
    /// There is no room for a request's images.
    #[error(
        "{network}: {images} images need room, and {free} of {capacity} places are free; try again shortly"
    )]
    Overloaded {
        /// The network's file or name.
        network: String,
        /// How many images there were.
        images: usize,
        /// How many places were free.
        free: usize,
        /// How many there are.
        capacity: usize,
        /// How long the images before these are expected to take.
        wait: Duration,
    },
    /// What waits would take too long.
    #[error(
        "{network}: {images} images are before this request and take about {:.1} s, more than the {:.1} s that a request \
         may wait; try again shortly", wait.as_secs_f64(), longest.as_secs_f64()
    )]
    LongWait {
        /// The network's file or name.
        network: String,
        /// Images under way and waiting.
        images: usize,
        /// How long they are expected to take.
        wait: Duration,
        /// How long a request may wait.
        longest: Duration,
    },
    /// The caller's time was up before its images were drawn.
    #[error("{network}: not drawn before the time was up")]
    DeadlinePassed {
        /// The network's file or name.
        network: String,
    },
    /// The network's thread has ended.
    #[error("{network}: has stopped")]
    Stopped {
        /// The network's file or name.
        network: String,
    },
}

impl EngineError {
    /// What has become of work that was dropped undone: its caller's time was up, or its network's thread has ended.
    pub(crate) fn dropped(network: &str) -> Self {
        let network = network.to_owned();
        if deadline::is_past() {
            Self::DeadlinePassed { network }
        } else {
            Self::Stopped { network }
        }
    }
}

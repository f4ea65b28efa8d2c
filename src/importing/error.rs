//! The errors of importing a checkpoint.

use crate::checkpoint::CheckpointError;

/// A checkpoint that cannot be converted.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No architecture fits.
    #[error(
        "found {found}; expected the tensors of a known architecture (docs/your-own-model.md lists them)"
    )]
    UnknownArchitecture {
        /// The networks in the file, or that there are none.
        found: String,
    },
    /// A tensor is missing.
    #[error("{network}: found no tensor {tensor:?}, which {architecture} has")]
    MissingTensor {
        /// The network in the file.
        network: String,
        /// The tensor.
        tensor: String,
        /// The architecture.
        architecture: &'static str,
    },
    /// A tensor has a wrong shape.
    #[error("{network}: found {tensor:?} with the shape {found:?}; expected {expected}")]
    Shape {
        /// The network in the file.
        network: String,
        /// The tensor.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shapes that are possible.
        expected: String,
    },
    /// A network has a setting that is not supported.
    #[error("{network}: found {setting} {found}; expected {expected}")]
    Setting {
        /// The network in the file.
        network: String,
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: String,
        /// The values that are supported.
        expected: &'static str,
    },
    /// An ONNX file cannot be taken over.
    #[error("{file}: found {found}; expected {expected}")]
    Onnx {
        /// The file.
        file: String,
        /// What it has.
        found: String,
        /// What can be taken over.
        expected: String,
    },
    /// A tensor cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

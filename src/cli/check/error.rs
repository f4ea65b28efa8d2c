//! Why `faceplane check` failed.

use std::path::PathBuf;

use crate::editor::{EditorError, LoadError};
use crate::engine::EngineError;
use crate::imaging::ImagingError;

/// The folder was not checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// ONNX Runtime cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The folder cannot be served.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// No face can be synthesized.
    #[error(transparent)]
    Editor(#[from] EditorError),
    /// The faces are no images.
    #[error(transparent)]
    Imaging(#[from] ImagingError),
    /// The contact sheet cannot be written.
    #[error("{}: cannot be written: {reason}; choose another file with --sheet", file.display())]
    Sheet {
        /// The file.
        file: PathBuf,
        /// The system's error.
        reason: std::io::Error,
    },
    /// The async runtime cannot be started.
    #[error("the threads of the program cannot be started")]
    Threads(#[from] std::io::Error),
}

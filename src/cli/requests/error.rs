//! Why a command has no response.

use std::path::PathBuf;

use crate::api::LocalProblem;
use crate::catalog::CatalogError;
use crate::editor::{EditorError, LoadError};
use crate::engine::EngineError;

/// A command has no response, or it could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The request is wrong, or it failed.
    #[error(transparent)]
    Problem(#[from] LocalProblem),
    /// One of several requests is wrong, or it failed.
    #[error("{name}: {problem}")]
    OneOfSeveral {
        /// The name of its file.
        name: String,
        /// What is wrong.
        problem: LocalProblem,
    },
    /// An image would be shown as text.
    #[error(
        "found a terminal for the image, expected a file: add -o face.png, or --json to read the response"
    )]
    Terminal,
    /// The name of the file does not say its format.
    #[error("{}: found no format at the end of the name, expected .{expected}; or add --format", file.display())]
    Ending {
        /// The file.
        file: PathBuf,
        /// The endings with a format.
        expected: String,
    },
    /// Several responses for one file.
    #[error("found {images} images, expected a folder for their responses: add -o faces/")]
    NoFolder {
        /// The number of images.
        images: usize,
    },
    /// Two images would have the same name in the folder.
    #[error("found two images of the name {name:?}, expected names that differ without folder and ending")]
    SameName {
        /// The name.
        name: String,
    },
    /// An image cannot be read.
    #[error("{}: the image cannot be read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A response cannot be written.
    #[error("{}: the response cannot be written", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The folder cannot be written.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The filter of the log is wrong.
    #[error("--log: found {found:?}, expected a level or a filter: {reason}")]
    Log {
        /// The filter.
        found: String,
        /// What is wrong.
        reason: String,
    },
    /// ONNX Runtime cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The model cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The model cannot be used.
    #[error(transparent)]
    Editor(#[from] EditorError),
    /// The system gives no threads.
    #[error("the threads of the command cannot be started")]
    Threads(#[source] std::io::Error),
}

impl RequestError {
    /// The exit code: 2 if the command line or an image is wrong, as for a flag that does not exist, and otherwise 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let is_of_request = match self {
            Self::Problem(problem) | Self::OneOfSeveral { problem, .. } => problem.is_of_request(),
            Self::Terminal
            | Self::Ending { .. }
            | Self::NoFolder { .. }
            | Self::SameName { .. }
            | Self::Unreadable { .. }
            | Self::Log { .. } => true,
            Self::Unwritable { .. }
            | Self::Catalog(_)
            | Self::Engine(_)
            | Self::Load(_)
            | Self::Editor(_)
            | Self::Threads(_) => false,
        };
        if is_of_request { 2 } else { 1 }
    }
}

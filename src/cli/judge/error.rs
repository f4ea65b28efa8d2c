//! Why a model was not judged, or the results were not written.

use std::path::PathBuf;

use crate::catalog::CatalogError;
use crate::cli::alone::ModelJobError;
use crate::editor::EditorError;
use crate::engine::EngineError;
use crate::imaging::ImagingError;

/// The model was not judged, or the results were not written.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The model cannot be used.
    #[error(transparent)]
    Model(#[from] ModelJobError),
    /// The request does not fit the model, or a network failed.
    #[error(transparent)]
    Editor(#[from] EditorError),
    /// The graph of the truth does not fit the model.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A file of boundaries or of the truth cannot be read, or the folder cannot be written.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A strip of images cannot be encoded.
    #[error(transparent)]
    Imaging(#[from] ImagingError),
    /// A file cannot be written.
    #[error("{}: {reason}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// The cause.
        reason: std::io::Error,
    },
}

//! Why `faceplane import` failed.

use std::path::PathBuf;

use crate::catalog::CatalogError;
use crate::checkpoint::CheckpointError;
use crate::editor::{EditorError, LoadError};
use crate::engine::EngineError;
use crate::imaging::ImagingError;
use crate::importing::ImportError;

/// Nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportCommandError {
    /// A file is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint cannot be converted.
    #[error("{}: {reason}", file.display())]
    Import {
        /// The file.
        file: PathBuf,
        /// The error.
        reason: ImportError,
    },
    /// ONNX files cannot be taken over. The error names the file.
    #[error(transparent)]
    Onnx(ImportError),
    /// The files hold no generator, and no folder was named to add them to.
    #[error(
        "found no generator in the files, only {found}; add it to the folder of a generator with --into DIR, or import a generator with it"
    )]
    NoGenerator {
        /// What the files hold.
        found: String,
    },
    /// The folder has no boundary files.
    #[error("{}: found no .npy or .pt file; expected boundaries", folder.display())]
    NoBoundaries {
        /// The folder.
        folder: PathBuf,
    },
    /// Nothing can be made of an ONNX network.
    #[error("{}: found an ONNX network that is no classifier, encoder, landmark or identity network: {reason}", file.display())]
    UnknownNetwork {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// Several model folders were named to add to.
    #[error("{}: found a second model folder to add to; expected one", folder.display())]
    SeveralModels {
        /// The folder.
        folder: PathBuf,
    },
    /// There is nothing to add to a model folder.
    #[error("found nothing to add to {}; expected --boundaries DIR, or the file of a classifier, an encoder, a landmark or an identity network", folder.display())]
    NothingToAdd {
        /// The folder.
        folder: PathBuf,
    },
    /// Several files hold a generator.
    #[error("found a generator in several files; expected it in one")]
    SeveralGenerators,
    /// The folder has such a network already.
    #[error("{file}: has [{table}] already; remove that table from the manifest first")]
    HasTable {
        /// The manifest.
        file: String,
        /// The table.
        table: String,
    },
    /// No model name can be made of the file's name.
    #[error("no name of a model can be made of {found:?}; choose one with --name")]
    Name {
        /// The file's name.
        found: String,
    },
    /// A file or a folder cannot be read or written.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// ONNX Runtime cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The finished folder cannot be served.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// No face can be synthesized.
    #[error(transparent)]
    Editor(#[from] EditorError),
    /// The faces are no images.
    #[error(transparent)]
    Imaging(#[from] ImagingError),
    /// The async runtime cannot be started.
    #[error("the threads of the program cannot be started")]
    Threads(#[from] std::io::Error),
}

//! Why `faceplane batch` ends early.

use std::path::PathBuf;

use crate::api::LocalProblem;
use crate::catalog::{BatchFolderError, CatalogError};
use crate::editor::{EditorError, LoadError};
use crate::engine::EngineError;
use crate::imaging::ImagingError;
use crate::latent::InvalidShard;

/// A batch cannot begin, or it ended early. Parts that are finished stay.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The shard is none.
    #[error("--shards: {0}")]
    Shard(#[from] InvalidShard),
    /// Nothing says which shard it is.
    #[error(
        "--shards: found {count} without an index, expected the environment variable JOB_COMPLETION_INDEX of an indexed Job, \
         --shard-index, or --shard NUMBER/COUNT instead"
    )]
    NoIndex {
        /// The number of shards.
        count: u32,
    },
    /// The number of images of a run is none that a batch can have.
    #[error(
        "--batch-size: found {found}, expected 1, 2, 4, … up to {most}, the most that the generator takes"
    )]
    BatchSize {
        /// The number.
        found: usize,
        /// The largest one.
        most: usize,
    },
    /// A word of the API is wrong.
    #[error(transparent)]
    Words(#[from] LocalProblem),
    /// The file of a request is wrong.
    #[error("{}: {reason}", file.display())]
    Request {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A setting needs edits.
    #[error("{setting}: found it without edits, expected --edit or a --request with edits")]
    NoEdits {
        /// The setting.
        setting: &'static str,
    },
    /// The model has no identity network.
    #[error(
        "--keep-similar: the model {model:?} has no identity network; add one with faceplane import, or leave the setting out"
    )]
    NoIdentity {
        /// The model.
        model: String,
    },
    /// ONNX Runtime cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store has no model of this name.
    #[error("--model: found {model:?}, expected a model of {store}: {}", known.join(", "))]
    NotInStore {
        /// The name.
        model: String,
        /// The store.
        store: String,
        /// The names of its models.
        known: Vec<String>,
    },
    /// The store fails.
    #[error(transparent)]
    Store(#[from] CatalogError),
    /// The model cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The request does not fit the model, or a network failed.
    #[error(transparent)]
    Editor(#[from] EditorError),
    /// A picture cannot be encoded.
    #[error(transparent)]
    Imaging(#[from] ImagingError),
    /// The folder is refused, or cannot be written.
    #[error(transparent)]
    Folder(#[from] BatchFolderError),
    /// The system gives no threads or signals.
    #[error("the command cannot start its threads")]
    Threads(#[from] std::io::Error),
    /// A signal ended the batch.
    #[error(
        "stopped by a signal: {done} of {all} parts of the shard are finished; the same command goes on with the others"
    )]
    Stopped {
        /// Parts that are finished.
        done: usize,
        /// All parts of the shard.
        all: usize,
    },
}

//! Why `faceplane train-boundary` trained no boundary, or wrote none.

use std::path::PathBuf;

use super::alone::ModelJobError;
use crate::catalog::{BatchFolderError, CatalogError};
use crate::editor::EditorError;

/// No boundary was trained, or none was written.
#[derive(Debug, thiserror::Error)]
pub enum TrainBoundaryError {
    /// The model cannot be used, or its training failed.
    #[error(transparent)]
    Model(#[from] ModelJobError),
    /// The scores do not separate the codes.
    #[error(transparent)]
    Editor(#[from] EditorError),
    /// An input file cannot be read, or it is not an array of the right shape.
    #[error("{}: {reason}", file.display())]
    Input {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Several attributes were given for the scores of one.
    #[error(
        "--attribute: found {found} attributes, expected one, because --scores holds the scores of one attribute"
    )]
    SeveralAttributes {
        /// Number of attributes found.
        found: usize,
    },
    /// Several files of codes were given with one of scores.
    #[error("--latents: found {found} files beside --scores, expected one, whose codes the scores are of")]
    SeveralLatents {
        /// Number of files.
        found: usize,
    },
    /// A folder of batch work cannot be used.
    #[error(transparent)]
    Folder(#[from] BatchFolderError),
    /// The names do not fit the attributes.
    #[error("--name: found {found} names for {attributes} attributes, expected one for each, or none")]
    NameCount {
        /// Number of names.
        found: usize,
        /// Number of attributes.
        attributes: usize,
    },
    /// A ranking of style channels has no samples to write.
    #[error(
        "--samples-output: found it beside the space s, whose channels are ranked without samples to fit to; expected z or w"
    )]
    NoSamples,
    /// A boundary would be replaced.
    #[error(
        "{}: found a boundary there, which would be replaced; expected a free name: choose another one with --name or another folder with \
         --output, or add --replace",
        file.display()
    )]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// Two boundaries would get one name.
    #[error(
        "found the name {name:?} twice, expected a name of its own for each boundary: give each --attribute once, or another --name"
    )]
    RepeatedName {
        /// The name.
        name: String,
    },
    /// A file of samples has no scores of an attribute.
    #[error("{}: found no scores of {attribute:?}; it has those of {}", file.display(), known.join(", "))]
    NotScored {
        /// The file.
        file: PathBuf,
        /// The attribute.
        attribute: String,
        /// The attributes with scores.
        known: Vec<String>,
    },
    /// The files cannot be written.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

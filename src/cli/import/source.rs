//! A file to import: read, recognised, and converted to graphs.

use std::path::{Path, PathBuf};

use super::ImportCommandError;
use crate::checkpoint::Checkpoint;
use crate::importing::{self, Imported};

/// An imported file.
pub(super) struct Source {
    pub(super) file: PathBuf,
    /// SHA-256 of the file, in hexadecimal.
    pub(super) digest: String,
    /// The format of the file, in words.
    pub(super) format: String,
    pub(super) imported: Imported,
}

impl Source {
    /// Reads a file, and builds the graphs of the network in it.
    ///
    /// # Errors
    /// [`ImportCommandError`] if the file is no checkpoint, or its architecture is not known.
    pub(super) fn read(file: &Path) -> Result<Self, ImportCommandError> {
        let checkpoint = Checkpoint::read(file)?;
        let imported = importing::import(&checkpoint).map_err(|reason| ImportCommandError::Import {
            file: file.to_owned(),
            reason,
        })?;
        Ok(Self {
            file: file.to_owned(),
            digest: checkpoint.digest,
            format: checkpoint.format,
            imported,
        })
    }
}

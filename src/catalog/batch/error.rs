//! Why a folder of batch work is refused, or cannot be written.

use std::io;
use std::path::PathBuf;

use crate::catalog::CatalogError;

/// A folder of batch work is refused, or it cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum BatchFolderError {
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written: {source}", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The bucket fails.
    #[error(transparent)]
    Bucket(#[from] CatalogError),
    /// The recipe cannot be understood.
    #[error("{}: found no recipe of a batch: {reason}; expected the file that faceplane batch wrote", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The folder was begun with other settings.
    #[error(
        "{}: the folder was begun with other settings: {}; use the same settings, or another folder",
        folder.display(),
        differences.join("; ")
    )]
    OtherSettings {
        /// The folder.
        folder: PathBuf,
        /// What differs.
        differences: Vec<String>,
    },
    /// Another process makes the same shard.
    #[error("{}: found another process that makes the shard {shard}, expected none; give each process a shard of its own", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// The shard.
        shard: String,
    },
    /// Parts are missing.
    #[error(
        "{}: found {found} of {expected} parts; those of the seeds {missing} are missing{unfinished}; run these shards again",
        folder.display()
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// Number of parts.
        found: usize,
        /// Number of parts of all seeds.
        expected: usize,
        /// The seeds.
        missing: String,
        /// The shards that began and did not end, as a part of the sentence.
        unfinished: String,
    },
}

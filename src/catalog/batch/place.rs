//! Where the files of a batch go.

use super::{BatchBucket, BatchFolder, BatchFolderError, BatchRecipe, PictureFile};
use crate::catalog::StoreAddress;
use crate::latent::{SeedChunk, Shard};

/// The folder or the bucket of a batch.
#[derive(Debug)]
pub enum BatchPlace {
    /// A folder.
    Folder(BatchFolder),
    /// A bucket.
    Bucket(BatchBucket),
}

impl BatchPlace {
    /// Begins the place for a shard, or goes on with it.
    ///
    /// # Errors
    /// [`BatchFolderError`] if it was begun with another recipe, another process makes the shard in a folder, or it cannot be written.
    pub fn open(
        address: &StoreAddress,
        recipe: &BatchRecipe,
        shard: Shard,
    ) -> Result<Self, BatchFolderError> {
        Ok(match address {
            StoreAddress::Folder(folder) => Self::Folder(BatchFolder::open(folder, recipe, shard)?),
            StoreAddress::Bucket(_) => Self::Bucket(BatchBucket::open(address.open()?.blobs(), recipe)?),
        })
    }

    /// Whether a chunk is finished.
    #[must_use]
    pub fn has(&self, chunk: SeedChunk) -> bool {
        match self {
            Self::Folder(folder) => folder.has(chunk),
            Self::Bucket(bucket) => bucket.has(chunk),
        }
    }

    /// Writes a picture of a chunk that is not finished yet.
    ///
    /// # Errors
    /// [`BatchFolderError`] if it cannot be written.
    pub fn add_picture(&self, picture: &PictureFile, file: &[u8]) -> Result<(), BatchFolderError> {
        match self {
            Self::Folder(folder) => folder.add_picture(picture, file),
            Self::Bucket(bucket) => bucket.add_picture(picture, file),
        }
    }

    /// Finishes a chunk with these pictures. When this returns, its files are kept.
    ///
    /// # Errors
    /// [`BatchFolderError`] if they cannot be written.
    pub fn finish_chunk(
        &self,
        chunk: SeedChunk,
        pictures: &[PictureFile],
        part: &[u8],
    ) -> Result<(), BatchFolderError> {
        match self {
            Self::Folder(folder) => folder.finish_chunk(chunk, pictures, part),
            Self::Bucket(bucket) => bucket.finish_chunk(chunk, part),
        }
    }

    /// Removes what only a running shard needs.
    ///
    /// # Errors
    /// [`BatchFolderError`] if it cannot be removed.
    pub fn close(&self) -> Result<(), BatchFolderError> {
        match self {
            Self::Folder(folder) => folder.close(),
            Self::Bucket(_) => Ok(()),
        }
    }
}

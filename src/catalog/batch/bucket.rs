//! A bucket with batch work.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::keys::{PARTS, RECIPE, finished_parts, part_key};
use super::picture_file::PictureFile;
use super::{BatchFolderError, BatchRecipe};
use crate::catalog::{Blobs, CatalogError, create_patiently};
use crate::latent::SeedChunk;

/// A bucket that shards write to, with the names of a [`BatchFolder`](super::BatchFolder).
///
/// Nothing keeps a second process from making the same shard. It would write the same bytes, so a file that is there stays.
#[derive(Debug)]
pub struct BatchBucket {
    blobs: Arc<dyn Blobs>,
    /// The parts that were finished when the shard began.
    finished: BTreeSet<String>,
}

impl BatchBucket {
    /// Begins the batch in a bucket, or goes on with it. Not to be called on an async thread, as all that follows.
    pub(super) fn open(blobs: Arc<dyn Blobs>, recipe: &BatchRecipe) -> Result<Self, BatchFolderError> {
        match blobs.put(RECIPE, &recipe.write(), None) {
            // Another shard, or an earlier run, has begun it.
            Err(CatalogError::StoreChanged { .. }) => {
                read_recipe(&*blobs)?.check_same(recipe, Path::new(&blobs.name("")))?;
            }
            written => drop(written?),
        }
        let finished = blobs.keys(PARTS)?;
        Ok(Self { blobs, finished })
    }

    pub(super) fn has(&self, chunk: SeedChunk) -> bool {
        self.finished.contains(&part_key(chunk))
    }

    /// Writes a picture in its place.
    pub(super) fn add_picture(&self, picture: &PictureFile, file: &[u8]) -> Result<(), BatchFolderError> {
        Ok(create_patiently(&*self.blobs, &picture.key(), file)?)
    }

    /// Writes the part of a chunk whose pictures are in their places.
    pub(super) fn finish_chunk(&self, chunk: SeedChunk, part: &[u8]) -> Result<(), BatchFolderError> {
        Ok(create_patiently(&*self.blobs, &part_key(chunk), part)?)
    }
}

/// The recipe in a bucket and the keys of all its parts, in the order of the seeds.
///
/// # Errors
/// [`BatchFolderError`] if the bucket or the recipe cannot be read, or parts are missing.
pub fn part_keys(blobs: &dyn Blobs) -> Result<(BatchRecipe, Vec<String>), BatchFolderError> {
    let recipe = read_recipe(blobs)?;
    let finished = blobs.keys(PARTS)?;
    let has = |chunk| finished.contains(&part_key(chunk));
    let chunks = finished_parts(&recipe, Path::new(&blobs.name("")), has, String::new)?;
    Ok((recipe, chunks.into_iter().map(part_key).collect()))
}

fn read_recipe(blobs: &dyn Blobs) -> Result<BatchRecipe, BatchFolderError> {
    let name = blobs.name(RECIPE);
    let found = blobs.get(RECIPE)?.ok_or_else(|| BatchFolderError::Damaged {
        file: name.clone().into(),
        reason: "there is no such file".to_owned(),
    })?;
    BatchRecipe::read(&found.bytes, Path::new(&name))
}

#[cfg(test)]
mod tests {
    use super::super::recipe::tests::recipe;
    use super::*;
    use crate::catalog::Directory;
    use crate::latent::SeedRange;

    #[test]
    fn a_shard_goes_on_in_a_bucket_where_another_run_ended() {
        let folder = tempfile::tempdir().unwrap();
        let open = |recipe: &BatchRecipe| {
            let blobs: Arc<dyn Blobs> = Arc::new(Directory::open(folder.path().to_owned()).unwrap());
            BatchBucket::open(blobs, recipe)
        };
        let chunks: Vec<SeedChunk> = recipe().seeds.parse::<SeedRange>().unwrap().chunks().collect();
        let picture = PictureFile::new(1007, None, "png");
        let killed = open(&recipe()).unwrap();
        killed.add_picture(&picture, b"picture").unwrap();
        assert!(!open(&recipe()).unwrap().has(chunks[0]));

        let again = open(&recipe()).unwrap();
        again.add_picture(&picture, b"picture").unwrap();
        again.finish_chunk(chunks[0], b"part").unwrap();
        let third = open(&recipe()).unwrap();
        assert!(third.has(chunks[0]) && !third.has(chunks[1]));
        let read = |key: &str| third.blobs.get(key).unwrap().unwrap().bytes;
        assert_eq!(read("pictures/1000/seed1007.png"), b"picture");
        assert_eq!(read("parts/seeds0000000000.npz"), b"part");

        let mut other = recipe();
        other.batch_size = 4;
        let refused = open(&other).unwrap_err().to_string();
        assert!(refused.contains("batch_size was 1, and is now 4"), "{refused}");
        let missing = part_keys(&*third.blobs).unwrap_err().to_string();
        assert!(
            missing.contains("found 1 of 3 parts; those of the seeds 256-511, 512-599 are missing"),
            "{missing}"
        );
    }
}

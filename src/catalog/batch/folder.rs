//! A folder of batch work on the disk.
//!
//! ```text
//! batch.json                         the recipe
//! parts/seeds0000000256.npz          the arrays of the chunk from seed 256 on; written last, so it says that the chunk is finished
//! pictures/1000/seed1234.png         the pictures of a thousand seeds
//! .shard-3-of-16/                    files that the shard is writing; removed when it has ended
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::keys::{PARTS, RECIPE, finished_parts, part_key};
use super::picture_file::PictureFile;
use super::{BatchFolderError, BatchRecipe};
use crate::catalog::atomic_write::{create_folder, sync_folder, write_atomically};
use crate::latent::{SeedChunk, Shard};

const LOCK: &str = "lock";

/// A folder that a shard writes to. Chunks that are not finished leave nothing but files that the next run removes.
#[derive(Debug)]
pub struct BatchFolder {
    folder: PathBuf,
    staging: PathBuf,
    /// Locked as long as the shard runs. The system unlocks it if the process is killed.
    _lock: File,
}

impl BatchFolder {
    /// Begins the folder for a shard, or goes on with it.
    ///
    /// # Errors
    /// [`BatchFolderError`] if the folder was begun with another recipe, another process makes the shard, or the folder cannot be
    /// written.
    pub fn open(folder: &Path, recipe: &BatchRecipe, shard: Shard) -> Result<Self, BatchFolderError> {
        let file = folder.join(RECIPE);
        if !file.exists() {
            let written = create_folder(folder).and_then(|()| write_atomically(&file, &recipe.write()));
            written.map_err(unwritable(&file))?;
        }
        // Another shard may have begun the folder at the same time.
        read_recipe(folder)?.check_same(recipe, folder)?;
        let name = shard.to_string().replace('/', "-of-");
        let staging = folder.join(format!("{UNFINISHED}{name}"));
        create_folder(&staging)
            .and_then(|()| create_folder(&folder.join(PARTS)))
            .map_err(unwritable(&staging))?;
        let lock = File::create(staging.join(LOCK)).map_err(unwritable(&staging))?;
        match lock.try_lock() {
            // Some file systems have no locks. The shards are told apart by their users then.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => {
                let (folder, shard) = (folder.to_owned(), shard.to_string());
                return Err(BatchFolderError::Busy { folder, shard });
            }
        }
        remove_files(&staging).map_err(unwritable(&staging))?;
        Ok(Self {
            folder: folder.to_owned(),
            staging,
            _lock: lock,
        })
    }

    /// Whether a chunk is finished.
    #[must_use]
    pub fn has(&self, chunk: SeedChunk) -> bool {
        part_file(&self.folder, chunk).exists()
    }

    /// Writes a picture that [`finish_chunk`](Self::finish_chunk) puts in its place.
    ///
    /// # Errors
    /// [`BatchFolderError::Unwritable`].
    pub fn add_picture(&self, picture: &PictureFile, file: &[u8]) -> Result<(), BatchFolderError> {
        let path = self.staging.join(&picture.name);
        fs::write(&path, file).map_err(unwritable(&path))
    }

    /// Puts the files of a chunk in their places. When this returns, they are on the disk. If it is interrupted, the chunk is not
    /// finished, and pictures that are in their places already are replaced later.
    ///
    /// # Errors
    /// [`BatchFolderError::Unwritable`].
    pub fn finish_chunk(
        &self,
        chunk: SeedChunk,
        pictures: &[PictureFile],
        part: &[u8],
    ) -> Result<(), BatchFolderError> {
        for picture in pictures {
            let path = self.staging.join(&picture.name);
            File::open(&path)
                .and_then(|file| file.sync_all())
                .map_err(unwritable(&path))?;
        }
        // A folder of pictures, and a file in it.
        let mut folders = BTreeMap::new();
        for picture in pictures {
            let target = self.folder.join(picture.key());
            let folder = target.parent().unwrap_or(&self.folder).to_owned();
            if folders.insert(folder.clone(), target.clone()).is_none() {
                create_folder(folder.parent().unwrap_or(&self.folder))
                    .and_then(|()| create_folder(&folder))
                    .map_err(unwritable(&folder))?;
            }
            fs::rename(self.staging.join(&picture.name), &target).map_err(unwritable(&target))?;
        }
        for (folder, file) in folders {
            sync_folder(&file).map_err(unwritable(&folder))?;
        }
        let (staged, target) = (self.staging.join("part.npz"), part_file(&self.folder, chunk));
        write_atomically(&staged, part)
            .and_then(|()| fs::rename(&staged, &target))
            .and_then(|()| sync_folder(&target))
            .map_err(unwritable(&target))
    }

    /// Removes what only a running shard needs.
    ///
    /// # Errors
    /// [`BatchFolderError::Unwritable`].
    pub fn close(&self) -> Result<(), BatchFolderError> {
        fs::remove_dir_all(&self.staging).map_err(unwritable(&self.staging))
    }
}

/// The beginning of the names of folders of shards that have not ended.
const UNFINISHED: &str = ".shard-";

fn part_file(folder: &Path, chunk: SeedChunk) -> PathBuf {
    folder.join(part_key(chunk))
}

/// Removes the files of a folder, but the lock.
fn remove_files(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() != LOCK {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn read_recipe(folder: &Path) -> Result<BatchRecipe, BatchFolderError> {
    let file = folder.join(RECIPE);
    let bytes = fs::read(&file).map_err(|source| BatchFolderError::Unreadable {
        file: file.clone(),
        source,
    })?;
    BatchRecipe::read(&bytes, &file)
}

/// The recipe of a folder and the files of all its parts, in the order of the seeds.
///
/// # Errors
/// [`BatchFolderError`] if the recipe cannot be read, or parts are missing.
pub fn part_files(folder: &Path) -> Result<(BatchRecipe, Vec<PathBuf>), BatchFolderError> {
    let recipe = read_recipe(folder)?;
    let has = |chunk| part_file(folder, chunk).exists();
    let chunks = finished_parts(&recipe, folder, has, || unfinished(folder))?;
    let files = chunks.into_iter().map(|chunk| part_file(folder, chunk));
    Ok((recipe, files.collect()))
}

/// The shards that began and did not end, as a part of a sentence.
fn unfinished(folder: &Path) -> String {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut shards: Vec<String> = names
        .filter_map(|name| Some(name.strip_prefix(UNFINISHED)?.replace("-of-", "/")))
        .collect();
    shards.sort();
    match shards.len() {
        0 => String::new(),
        _ => format!("; these shards began and did not end: {}", shards.join(", ")),
    }
}

fn unwritable(file: &Path) -> impl FnOnce(io::Error) -> BatchFolderError {
    let file = file.to_owned();
    |source| BatchFolderError::Unwritable { file, source }
}

#[cfg(test)]
mod tests {
    use super::super::recipe::tests::recipe;
    use super::*;
    use crate::latent::SeedRange;

    fn chunks() -> Vec<SeedChunk> {
        recipe().seeds.parse::<SeedRange>().unwrap().chunks().collect()
    }

    #[test]
    fn a_chunk_is_finished_only_when_all_its_files_are_in_their_places() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("deep/batch");
        let shard: Shard = "1/2".parse().unwrap();
        let batch = BatchFolder::open(&folder, &recipe(), shard).unwrap();
        let picture = PictureFile::new(7, Some(3), "png");
        batch.add_picture(&picture, b"picture").unwrap();
        assert!(!batch.has(chunks()[0]));
        assert!(!folder.join("pictures").exists());
        drop(batch);

        let batch = BatchFolder::open(&folder, &recipe(), shard).unwrap();
        let lost = batch.finish_chunk(chunks()[0], std::slice::from_ref(&picture), b"part");
        assert!(lost.is_err(), "what a killed run left was removed");
        assert!(!batch.has(chunks()[0]));
        batch.add_picture(&picture, b"picture").unwrap();
        batch.finish_chunk(chunks()[0], &[picture], b"part").unwrap();
        assert!(batch.has(chunks()[0]) && !batch.has(chunks()[1]));
        let written = fs::read(folder.join("pictures/0/seed7-003.png")).unwrap();
        assert_eq!(written, b"picture");
        batch.close().unwrap();
        assert!(!folder.join(".shard-1-of-2").exists());
    }

    #[test]
    fn a_shard_is_made_by_one_process_and_with_the_settings_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["1/2", "2/2"].map(|shard| shard.parse().unwrap());
        let running = BatchFolder::open(folder.path(), &recipe(), one).unwrap();
        let again = BatchFolder::open(folder.path(), &recipe(), one).unwrap_err();
        assert!(matches!(again, BatchFolderError::Busy { .. }), "{again}");
        BatchFolder::open(folder.path(), &recipe(), two).unwrap();
        let mut other = recipe();
        other.batch_size = 4;
        let refused = BatchFolder::open(folder.path(), &other, two)
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("batch_size was 1, and is now 4; use the same settings"),
            "{refused}"
        );
        drop(running);
        BatchFolder::open(folder.path(), &recipe(), one).unwrap();
    }

    #[test]
    fn missing_parts_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let batch = BatchFolder::open(folder.path(), &recipe(), Shard::ALL).unwrap();
        let chunks = chunks();
        batch.finish_chunk(chunks[0], &[], b"part").unwrap();
        let missing = part_files(folder.path()).unwrap_err().to_string();
        assert!(
            missing.contains(
                "found 1 of 3 parts; those of the seeds 256-511, 512-599 are missing; these shards began and \
                 did not end: 1/1; run"
            ),
            "{missing}"
        );
        batch.finish_chunk(chunks[1], &[], b"part").unwrap();
        batch.finish_chunk(chunks[2], &[], b"part").unwrap();
        batch.close().unwrap();
        let (found, files) = part_files(folder.path()).unwrap();
        assert_eq!((found, files.len()), (recipe(), 3));
    }
}

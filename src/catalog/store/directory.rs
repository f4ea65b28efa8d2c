//! A store in a folder of a file system, which several services share.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest, Sha256};

use crate::catalog::CatalogError;
use crate::catalog::atomic_write::{create_folder, is_temporary, remove_durably, write_atomically};
use crate::catalog::store::blobs::{Blob, Blobs, Version};
use crate::checkpoint::hexadecimal;

/// The longest wait for the lock. A change holds it for some milliseconds, so a longer wait means that its process has stopped, or that
/// the disk does not answer.
const LOCK_PATIENCE: Duration = Duration::from_secs(8);
/// The time between two tries to take the lock.
const LOCK_INTERVAL: Duration = Duration::from_millis(5);

/// The age of a file from which an equal time of change means equal content. Clocks of file systems tick every few milliseconds, or
/// every two seconds on FAT, and two changes within one tick have the same time.
const SETTLED: Duration = Duration::from_secs(3);

/// A store in a folder. The version of a file is the SHA-256 of its content.
///
/// Changes hold the lock of the file `.lock`, so that a process can compare a version and replace the file. The operating system removes
/// the lock when the process ends, even if it is killed. Readers need no lock, because files are replaced as a whole.
#[derive(Debug)]
pub struct Directory {
    folder: PathBuf,
    /// The versions of files that have been read, so that a list reads only files that have changed.
    known: Mutex<BTreeMap<String, (Stamp, Version)>>,
    lock_patience: Duration,
}

/// What changes with the content of a file, and is read without the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
}

impl Stamp {
    /// Whether later content of the file would have another stamp.
    fn is_settled(&self) -> bool {
        let age = SystemTime::now().duration_since(self.modified);
        age.is_ok_and(|age| age > SETTLED)
    }
}

impl Directory {
    /// Opens a store, and creates the folder if it does not exist. Temporary files of services that were killed are removed.
    ///
    /// # Errors
    /// [`CatalogError::Unwritable`] if the folder cannot be created or locked, or a temporary file cannot be removed,
    /// [`CatalogError::StoreLocked`] if another process keeps the lock, [`CatalogError::Unreadable`] if a folder cannot be read.
    pub fn open(folder: PathBuf) -> Result<Self, CatalogError> {
        Self::open_within(folder, LOCK_PATIENCE)
    }

    fn open_within(folder: PathBuf, lock_patience: Duration) -> Result<Self, CatalogError> {
        fs::create_dir_all(&folder).map_err(unwritable(&folder))?;
        let directory = Self {
            folder,
            known: Mutex::default(),
            lock_patience,
        };
        let lock = directory.lock()?;
        for path in files(&directory.folder)? {
            // No service writes it now, because writers hold the lock.
            if is_temporary(&path) {
                fs::remove_file(&path).map_err(unwritable(&path))?;
            }
        }
        drop(lock);
        Ok(directory)
    }

    /// Waits for the lock on changes. Closing the file releases it.
    fn lock(&self) -> Result<File, CatalogError> {
        let file = self.folder.join(".lock");
        let lock = File::create(&file).map_err(unwritable(&file))?;
        let began = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) if began.elapsed() < self.lock_patience => sleep(LOCK_INTERVAL),
                Err(TryLockError::WouldBlock) => {
                    return Err(CatalogError::StoreLocked {
                        file: file.display().to_string(),
                        seconds: self.lock_patience.as_secs(),
                    });
                }
                Err(TryLockError::Error(reason)) => return Err(unwritable(&file)(reason)),
            }
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(key)
    }

    /// The key of a path below the folder; `None` if a part of it begins with a dot.
    fn key(&self, path: &Path) -> Option<String> {
        let below = path.strip_prefix(&self.folder).unwrap_or(path);
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        let is_hidden = parts.iter().any(|part| part.starts_with('.'));
        (!is_hidden).then(|| parts.join("/"))
    }

    /// Takes the lock if the file has the version `expected`.
    fn lock_version(&self, key: &str, expected: Option<&Version>) -> Result<File, CatalogError> {
        let path = self.path(key);
        let lock = self.lock()?;
        let found = read(&path).map_err(unwritable(&path))?;
        let found = found.map(|bytes| version(&bytes));
        if found.as_ref() == expected {
            return Ok(lock);
        }
        Err(CatalogError::StoreChanged { file: self.name(key) })
    }

    /// The version of the file at `path`; `None` if it was removed meanwhile.
    fn version_of(&self, key: &str, path: &Path) -> io::Result<Option<Version>> {
        let Some(metadata) = found(fs::metadata(path))? else {
            return Ok(None);
        };
        let stamp = Stamp {
            modified: metadata.modified()?,
            bytes: metadata.len(),
        };
        let known = self.known().get(key).cloned();
        if let Some((_, version)) = known.filter(|(known, _)| *known == stamp && stamp.is_settled()) {
            return Ok(Some(version));
        }
        let is_settled = stamp.is_settled();
        let Some(bytes) = read(path)? else {
            return Ok(None);
        };
        let version = version(&bytes);
        if is_settled {
            self.known().insert(key.to_owned(), (stamp, version.clone()));
        }
        Ok(Some(version))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (Stamp, Version)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blobs for Directory {
    fn list(&self, folder: &str) -> Result<BTreeMap<String, Version>, CatalogError> {
        let mut listed = BTreeMap::new();
        for path in files(&self.path(folder))? {
            let Some(key) = self.key(&path) else { continue };
            if let Some(version) = self.version_of(&key, &path).map_err(unreadable(&path))? {
                listed.insert(key, version);
            }
        }
        let of_folder = |key: &String| key.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        self.known()
            .retain(|key, _| !of_folder(key) || listed.contains_key(key));
        Ok(listed)
    }

    fn keys(&self, folder: &str) -> Result<BTreeSet<String>, CatalogError> {
        let files = files(&self.path(folder))?;
        Ok(files.iter().filter_map(|path| self.key(path)).collect())
    }

    fn get(&self, key: &str) -> Result<Option<Blob>, CatalogError> {
        let path = self.path(key);
        let bytes = read(&path).map_err(unreadable(&path))?;
        Ok(bytes.map(|bytes| Blob {
            version: version(&bytes),
            bytes,
        }))
    }

    fn put(&self, key: &str, bytes: &[u8], expected: Option<&Version>) -> Result<Version, CatalogError> {
        let path = self.path(key);
        let _lock = self.lock_version(key, expected)?;
        let folder = path.parent().unwrap_or(&self.folder);
        let written = create_folder(folder).and_then(|()| write_atomically(&path, bytes));
        written.map_err(unwritable(&path))?;
        Ok(version(bytes))
    }

    fn delete(&self, key: &str, expected: &Version) -> Result<(), CatalogError> {
        let path = self.path(key);
        let _lock = self.lock_version(key, Some(expected))?;
        remove_durably(&path).map_err(unwritable(&path))
    }

    fn remove(&self, key: &str) -> Result<(), CatalogError> {
        let path = self.path(key);
        let _lock = self.lock()?;
        found(remove_durably(&path)).map(drop).map_err(unwritable(&path))
    }

    fn name(&self, key: &str) -> String {
        self.path(key).display().to_string()
    }
}

fn version(bytes: &[u8]) -> Version {
    Version::new(hexadecimal(&Sha256::digest(bytes)))
}

/// Reads a file; `None` if it does not exist.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    found(fs::read(path))
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

/// The paths of all files below `folder`; none if it does not exist.
fn files(folder: &Path) -> Result<Vec<PathBuf>, CatalogError> {
    let Some(entries) = found(fs::read_dir(folder)).map_err(unreadable(folder))? else {
        return Ok(Vec::new());
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable(folder))?.path();
        if path.is_dir() {
            paths.extend(files(&path)?);
        } else {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> CatalogError {
    let file = path.display().to_string();
    move |reason| CatalogError::Unreadable { file, reason }
}

fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> CatalogError {
    let file = path.display().to_string();
    move |reason| CatalogError::Unwritable { file, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &tempfile::TempDir) -> Directory {
        Directory::open(folder.path().join("deep/store")).unwrap()
    }

    #[test]
    fn only_the_first_of_two_writers_of_one_version_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (open(&folder), open(&folder));
        let made = first.put("tiny/a.json", b"one", None).unwrap();
        let refused = second.put("tiny/a.json", b"two", None).unwrap_err();
        assert!(matches!(refused, CatalogError::StoreChanged { .. }), "{refused}");
        let changed = second.put("tiny/a.json", b"two", Some(&made)).unwrap();
        for refused in [
            first.put("tiny/a.json", b"three", Some(&made)).unwrap_err(),
            first.delete("tiny/a.json", &made).unwrap_err(),
            first.delete("tiny/b.json", &made).unwrap_err(),
        ] {
            assert!(matches!(refused, CatalogError::StoreChanged { .. }), "{refused}");
        }
        let read = first.get("tiny/a.json").unwrap().unwrap();
        assert_eq!((&read.bytes[..], &read.version), (&b"two"[..], &changed));
        first.delete("tiny/a.json", &changed).unwrap();
        assert!(second.get("tiny/a.json").unwrap().is_none());
    }

    #[test]
    fn changes_of_many_threads_with_stores_of_their_own_are_all_counted() {
        let folder = tempfile::tempdir().unwrap();
        let count = |blobs: &Directory| {
            let read = blobs.get("count").unwrap();
            let text = read
                .as_ref()
                .map_or("0", |blob| str::from_utf8(&blob.bytes).unwrap());
            let next = text.parse::<u32>().unwrap() + 1;
            let version = read.as_ref().map(|blob| &blob.version);
            blobs.put("count", next.to_string().as_bytes(), version).is_ok()
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let blobs = open(&folder);
                    for _ in 0..10 {
                        while !count(&blobs) {}
                    }
                });
            }
        });
        assert_eq!(open(&folder).get("count").unwrap().unwrap().bytes, b"40");
    }

    #[test]
    fn a_list_shows_changes_of_equal_length_and_removals() {
        let folder = tempfile::tempdir().unwrap();
        let (reader, writer) = (open(&folder), open(&folder));
        let mut before = writer.put("tiny/deep/a.json", b"000", None).unwrap();
        for number in 1..50 {
            assert_eq!(reader.list("tiny").unwrap()["tiny/deep/a.json"], before);
            let text = format!("{number:03}");
            let put = writer.put("tiny/deep/a.json", text.as_bytes(), Some(&before));
            before = put.unwrap();
        }
        writer.put("tiny.json", b"beside the folder", None).unwrap();
        writer.put("tiny/.hidden", b"", None).unwrap();
        assert_eq!(reader.list("tiny").unwrap().len(), 1);
        writer.delete("tiny/deep/a.json", &before).unwrap();
        assert!(reader.list("tiny").unwrap().is_empty());
        assert!(reader.list("other").unwrap().is_empty());
    }

    #[test]
    fn a_settled_file_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        let version = store.put("a", b"one", None).unwrap();
        let path = store.path("a");
        let long_ago = SystemTime::now() - Duration::from_hours(1);
        File::open(&path).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(store.version_of("a", &path).unwrap().as_ref(), Some(&version));
        fs::write(&path, b"two").unwrap();
        File::open(&path).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(
            store.version_of("a", &path).unwrap().as_ref(),
            Some(&version),
            "its digest is known"
        );
        File::open(&path)
            .unwrap()
            .set_modified(SystemTime::now())
            .unwrap();
        assert_ne!(store.version_of("a", &path).unwrap(), Some(version));
    }

    #[test]
    fn a_lock_that_is_kept_is_an_error_and_not_a_wait_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = Directory::open_within(folder.path().to_owned(), Duration::ZERO).unwrap();
        let kept = store.lock().unwrap();
        let refused = store.put("a", b"one", None).unwrap_err();
        assert!(matches!(refused, CatalogError::StoreLocked { .. }), "{refused}");
        assert!(Directory::open_within(folder.path().to_owned(), Duration::ZERO).is_err());
        drop(kept);
        store.put("a", b"one", None).unwrap();
    }
}

//! The store: boundaries that changed while the service ran, one file each. They replace those of the model folders, which stay as
//! they are.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::catalog::atomic_write::{create_folder, is_temporary, remove_durably, write_atomically};
use crate::catalog::boundary_file::file_stem;
use crate::catalog::{BoundaryMetadata, CatalogError, NpyArray};
use crate::latent::{Boundary, LatentSpace, UnknownSpace};

/// A folder of changed boundaries: `MODEL/ATTRIBUTE_SPACE.json`.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    /// Locked while the store is open. The operating system removes the lock when the process ends, even if it is killed.
    _lock: Arc<File>,
}

/// The content of one file of the store.
#[derive(Clone, Debug)]
pub enum StoreEntry {
    /// This boundary replaces that of the model folder.
    Boundary(Box<Boundary>),
    /// The boundary of the model folder is hidden. Services before version 0.2 wrote this when it was deleted.
    Removed {
        /// Attribute of the boundary.
        attribute: String,
        /// Latent space of the boundary.
        space: LatentSpace,
    },
}

/// The JSON of a file. It has the normal and the metadata, so that both change together.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Record {
    Boundary {
        #[serde(rename = "card")]
        metadata: Box<BoundaryMetadata>,
        npy: String,
    },
    Removed {
        attribute: String,
        space: String,
    },
}

impl Store {
    /// Opens the store, and creates the folder if it does not exist. Only one service can open a store, because each
    /// service has the boundaries in memory and would miss the changes of another. Temporary files of services that were
    /// killed are removed.
    ///
    /// # Errors
    /// [`CatalogError::StoreInUse`] if another service has it open, [`CatalogError::Unwritable`] if the folder cannot be
    /// created or locked, or a temporary file cannot be removed, [`CatalogError::Unreadable`] if a folder cannot be read.
    pub fn open(folder: PathBuf) -> Result<Self, CatalogError> {
        std::fs::create_dir_all(&folder).map_err(unwritable(&folder))?;
        let file = folder.join(".lock");
        let lock = File::create(&file).map_err(unwritable(&file))?;
        match lock.try_lock() {
            Ok(()) => {
                let store = Self {
                    folder,
                    _lock: Arc::new(lock),
                };
                store.clear_temporaries()?;
                Ok(store)
            }
            Err(TryLockError::WouldBlock) => Err(CatalogError::StoreInUse {
                folder: folder.display().to_string(),
            }),
            Err(TryLockError::Error(reason)) => Err(unwritable(&file)(reason)),
        }
    }

    /// Reads all entries of a model, each with its file, sorted by file.
    ///
    /// # Errors
    /// [`CatalogError`] for the first file that is wrong.
    pub fn read(&self, model: &str) -> Result<Vec<(String, StoreEntry)>, CatalogError> {
        let mut paths = entries(&self.folder.join(model))?;
        paths.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".json") && !name.starts_with('.')
        });
        paths.sort();
        let mut found = Vec::with_capacity(paths.len());
        for path in paths {
            let bytes = std::fs::read(&path).map_err(unreadable(&path))?;
            let file = path.display().to_string();
            let entry = parse_entry(&file, &bytes)?;
            found.push((file, entry));
        }
        Ok(found)
    }

    /// Writes a boundary of a model.
    ///
    /// # Errors
    /// [`CatalogError::Unwritable`]; the store is then unchanged.
    pub fn write(&self, model: &str, boundary: &Boundary) -> Result<(), CatalogError> {
        let record = Record::Boundary {
            metadata: Box::new(BoundaryMetadata::of(boundary)),
            npy: STANDARD.encode(NpyArray::of_normal(boundary).write_f8()),
        };
        let path = self.path(model, boundary.attribute(), boundary.space());
        let mut text =
            serde_json::to_vec_pretty(&record).expect("a record has finite numbers and texts only");
        text.push(b'\n');
        let written = create_folder(&self.folder.join(model)).and_then(|()| write_atomically(&path, &text));
        written.map_err(unwritable(&path))
    }

    /// Removes what the store has about a boundary of a model, so that the boundary of the model folder is back, if there is one.
    ///
    /// # Errors
    /// [`CatalogError::Unwritable`]; the store is then unchanged.
    pub fn remove(&self, model: &str, attribute: &str, space: LatentSpace) -> Result<(), CatalogError> {
        let path = self.path(model, attribute, space);
        remove_durably(&path).map_err(unwritable(&path))
    }

    /// Removes the temporary files in all model folders. No other service writes them, because the store is locked.
    fn clear_temporaries(&self) -> Result<(), CatalogError> {
        for folder in entries(&self.folder)?.into_iter().filter(|path| path.is_dir()) {
            for path in entries(&folder)?.into_iter().filter(|path| is_temporary(path)) {
                std::fs::remove_file(&path).map_err(unwritable(&path))?;
            }
        }
        Ok(())
    }

    fn path(&self, model: &str, attribute: &str, space: LatentSpace) -> PathBuf {
        let name = format!("{}.json", file_stem(attribute, space));
        self.folder.join(model).join(name)
    }
}

/// The paths of all files and folders in `folder`; none if it does not exist.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, CatalogError> {
    let found = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(unreadable(folder))?,
    };
    let paths = found.map(|entry| Ok(entry?.path()));
    paths.collect::<std::io::Result<_>>().map_err(unreadable(folder))
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> CatalogError {
    let file = path.display().to_string();
    move |reason| CatalogError::Unreadable { file, reason }
}

fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> CatalogError {
    let file = path.display().to_string();
    move |reason| CatalogError::Unwritable { file, reason }
}

fn parse_entry(file: &str, bytes: &[u8]) -> Result<StoreEntry, CatalogError> {
    let wrong = |reason: String| CatalogError::BoundaryMetadata {
        file: file.to_owned(),
        reason,
    };
    let record = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
    match record {
        Record::Removed { attribute, space } => Ok(StoreEntry::Removed {
            attribute,
            space: space
                .parse()
                .map_err(|reason: UnknownSpace| CatalogError::Latent {
                    file: file.to_owned(),
                    reason: reason.into(),
                })?,
        }),
        Record::Boundary { metadata, npy } => {
            let npy = STANDARD
                .decode(npy)
                .map_err(|error| wrong(format!("found npy that is not base64: {error}")))?;
            let array = NpyArray::read(&npy).map_err(|reason| CatalogError::Array {
                file: file.to_owned(),
                reason: reason.into(),
            })?;
            Ok(StoreEntry::Boundary(Box::new(
                metadata.boundary(array, file, file)?,
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::latent::Provenance;

    fn boundary(attribute: &str, first: f64) -> Boundary {
        let provenance = Provenance {
            samples: Some(1000),
            date: Some("2026-01-02T03:04:05Z".to_owned()),
            ..Provenance::default()
        };
        Boundary::new(
            attribute,
            LatentSpace::W,
            array![[first, 0.3, 0.7]],
            0.1,
            provenance,
        )
        .unwrap()
    }

    #[test]
    fn written_boundaries_are_read_back_to_the_bit() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("deep/store")).unwrap();
        assert!(store.read("tiny").unwrap().is_empty());
        for (attribute, first) in [("smile", 0.1), ("../hair colour", 0.2), ("smile", 0.4)] {
            store.write("tiny", &boundary(attribute, first)).unwrap();
        }
        let found = store.read("tiny").unwrap();
        let found: Vec<_> = found
            .into_iter()
            .map(|(_, entry)| match entry {
                StoreEntry::Boundary(boundary) => *boundary,
                StoreEntry::Removed { .. } => panic!("no boundary was removed"),
            })
            .collect();
        assert_eq!(found, [boundary("../hair colour", 0.2), boundary("smile", 0.4)]);
        assert!(store.read("other").unwrap().is_empty());
    }

    #[test]
    fn a_removed_boundary_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_owned()).unwrap();
        store.write("tiny", &boundary("smile", 0.5)).unwrap();
        for _ in 0..2 {
            store.remove("tiny", "smile", LatentSpace::W).unwrap();
            assert!(store.read("tiny").unwrap().is_empty());
        }
    }

    #[test]
    fn a_record_of_a_removal_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_owned()).unwrap();
        std::fs::create_dir(folder.path().join("tiny")).unwrap();
        let record = r#"{"removed": {"attribute": "age", "space": "w"}}"#;
        std::fs::write(folder.path().join("tiny/age_w.json"), record).unwrap();
        let found = store.read("tiny").unwrap();
        let [(_, StoreEntry::Removed { attribute, space })] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!((attribute.as_str(), *space), ("age", LatentSpace::W));
        store.remove("tiny", "age", LatentSpace::W).unwrap();
        assert!(store.read("tiny").unwrap().is_empty());
    }

    #[test]
    fn temporary_files_are_removed_when_the_store_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path().to_owned()).unwrap();
        open().write("tiny", &boundary("smile", 0.5)).unwrap();
        for left in ["tiny/.age_w.json.77", "tiny/.smile_w.json.1"] {
            std::fs::write(folder.path().join(left), "{\"bound").unwrap();
        }
        std::fs::write(folder.path().join("tiny/.note"), "of somebody else").unwrap();
        assert_eq!(open().read("tiny").unwrap().len(), 1);
        let mut names: Vec<_> = std::fs::read_dir(folder.path().join("tiny"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, [".note", "smile_w.json"]);
    }

    #[test]
    fn a_wrong_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_owned()).unwrap();
        store.write("tiny", &boundary("smile", 0.5)).unwrap();
        std::fs::write(folder.path().join("tiny/age_w.json"), "{\"bound").unwrap();
        let error = store.read("tiny").unwrap_err().to_string();
        assert!(error.contains("tiny/age_w.json: EOF"), "{error}");
    }

    #[test]
    fn a_failed_write_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_owned()).unwrap();
        std::fs::write(folder.path().join("tiny"), "in the way").unwrap();
        let error = store.write("tiny", &boundary("smile", 0.5)).unwrap_err();
        assert!(matches!(error, CatalogError::Unwritable { .. }), "{error}");
        let target = folder.path().join("full");
        std::fs::create_dir_all(target.join("folder")).unwrap();
        assert!(
            write_atomically(&target.join("folder"), b"x").is_err(),
            "a folder cannot be replaced by a file"
        );
        assert_eq!(std::fs::read_dir(&target).unwrap().count(), 1);
    }
}

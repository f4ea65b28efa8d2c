//! The store: boundaries that were changed while the service ran, one file each, over those of the model folders.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::catalog::atomic_write::{remove_whole, write_whole};
use crate::catalog::boundary_file::file_stem;
use crate::catalog::{BoundaryCard, CatalogError, NpyArray};
use crate::latent::{Boundary, LatentSpace, UnknownSpace};

/// A folder of changed boundaries: `MODEL/ATTRIBUTE_SPACE.json`.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    /// Locked as long as the store is open: the system takes the lock back when a program ends, however it does.
    _lock: Arc<File>,
}

/// What the store says of one boundary.
#[derive(Clone, Debug)]
pub enum Kept {
    /// It is this one, whatever the model folder has.
    Boundary(Box<Boundary>),
    /// There is none, whatever the model folder has.
    Removed {
        /// Its attribute.
        attribute: String,
        /// Its space.
        space: LatentSpace,
    },
}

/// A file of the store: normal and card in one, so that they change together.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Record {
    Boundary { card: Box<BoundaryCard>, npy: String },
    Removed { attribute: String, space: String },
}

impl Store {
    /// Opens the store, and makes the folder where it is missing. No other service can open it meanwhile: each keeps
    /// boundaries in memory, and would not hear of the other's changes.
    ///
    /// # Errors
    /// [`CatalogError::StoreInUse`] where another has it open, [`CatalogError::Unwritable`] where it cannot be made or
    /// locked.
    pub fn open(folder: PathBuf) -> Result<Self, CatalogError> {
        let unwritable = |file: &PathBuf| {
            let file = file.display().to_string();
            move |reason| CatalogError::Unwritable { file, reason }
        };
        std::fs::create_dir_all(&folder).map_err(unwritable(&folder))?;
        let file = folder.join(".lock");
        let lock = File::create(&file).map_err(unwritable(&file))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                folder,
                _lock: Arc::new(lock),
            }),
            Err(TryLockError::WouldBlock) => Err(CatalogError::StoreInUse {
                folder: folder.display().to_string(),
            }),
            Err(TryLockError::Error(reason)) => Err(unwritable(&file)(reason)),
        }
    }

    /// All that the store says of a model's boundaries, each with its file, sorted by file.
    ///
    /// Temporary files that a killed service has left behind are no files of the store.
    ///
    /// # Errors
    /// [`CatalogError`], naming the first file that is wrong.
    pub fn read(&self, model: &str) -> Result<Vec<(String, Kept)>, CatalogError> {
        let folder = self.folder.join(model);
        let unreadable = |path: &PathBuf, reason| CatalogError::Unreadable {
            file: path.display().to_string(),
            reason,
        };
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|reason| unreadable(&folder, reason))?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(|reason| unreadable(&folder, reason))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(".json") && !name.starts_with('.') {
                paths.push(path);
            }
        }
        paths.sort();
        let mut found = Vec::with_capacity(paths.len());
        for path in paths {
            let bytes = std::fs::read(&path).map_err(|reason| unreadable(&path, reason))?;
            let file = path.display().to_string();
            let kept = kept(&file, &bytes)?;
            found.push((file, kept));
        }
        Ok(found)
    }

    /// Keeps a model's boundary.
    ///
    /// # Errors
    /// [`CatalogError::Unwritable`]; the store is then as it was.
    pub fn keep(&self, model: &str, boundary: &Boundary) -> Result<(), CatalogError> {
        let record = Record::Boundary {
            card: Box::new(BoundaryCard::of(boundary)),
            npy: STANDARD.encode(NpyArray::of_normal(boundary).write_f8()),
        };
        self.write(model, boundary.attribute(), boundary.space(), &record)
    }

    /// Forgets a model's boundary; `hidden` where the model folder has one too, which is then not to be seen.
    ///
    /// # Errors
    /// [`CatalogError::Unwritable`]; the store is then as it was.
    pub fn remove(
        &self,
        model: &str,
        attribute: &str,
        space: LatentSpace,
        hidden: bool,
    ) -> Result<(), CatalogError> {
        if hidden {
            let record = Record::Removed {
                attribute: attribute.to_owned(),
                space: space.to_string(),
            };
            return self.write(model, attribute, space, &record);
        }
        let path = self.path(model, attribute, space);
        remove_whole(&path).map_err(|reason| CatalogError::Unwritable {
            file: path.display().to_string(),
            reason,
        })
    }

    fn write(
        &self,
        model: &str,
        attribute: &str,
        space: LatentSpace,
        record: &Record,
    ) -> Result<(), CatalogError> {
        let path = self.path(model, attribute, space);
        let mut text = serde_json::to_vec_pretty(record).expect("a record holds finite numbers and texts");
        text.push(b'\n');
        let written =
            std::fs::create_dir_all(self.folder.join(model)).and_then(|()| write_whole(&path, &text));
        written.map_err(|reason| CatalogError::Unwritable {
            file: path.display().to_string(),
            reason,
        })
    }

    fn path(&self, model: &str, attribute: &str, space: LatentSpace) -> PathBuf {
        let name = format!("{}.json", file_stem(attribute, space));
        self.folder.join(model).join(name)
    }
}

fn kept(file: &str, bytes: &[u8]) -> Result<Kept, CatalogError> {
    let wrong = |reason: String| CatalogError::BoundaryCard {
        file: file.to_owned(),
        reason,
    };
    let record = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
    match record {
        Record::Removed { attribute, space } => Ok(Kept::Removed {
            attribute,
            space: space
                .parse()
                .map_err(|reason: UnknownSpace| CatalogError::Latent {
                    file: file.to_owned(),
                    reason: reason.into(),
                })?,
        }),
        Record::Boundary { card, npy } => {
            let npy = STANDARD
                .decode(npy)
                .map_err(|error| wrong(format!("npy: not base64: {error}")))?;
            let array = NpyArray::read(&npy).map_err(|reason| CatalogError::Npy {
                file: file.to_owned(),
                reason,
            })?;
            Ok(Kept::Boundary(Box::new(card.boundary(array, file, file)?)))
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
    fn what_is_kept_is_found_again_to_the_bit() {
        let place = tempfile::tempdir().unwrap();
        let store = Store::open(place.path().join("deep/store")).unwrap();
        assert!(store.read("tiny").unwrap().is_empty());
        for (attribute, first) in [("smile", 0.1), ("../hair colour", 0.2), ("smile", 0.4)] {
            store.keep("tiny", &boundary(attribute, first)).unwrap();
        }
        let found = store.read("tiny").unwrap();
        let found: Vec<_> = found
            .into_iter()
            .map(|(_, kept)| match kept {
                Kept::Boundary(boundary) => *boundary,
                Kept::Removed { .. } => panic!("nothing was removed"),
            })
            .collect();
        assert_eq!(found, [boundary("../hair colour", 0.2), boundary("smile", 0.4)]);
        assert!(store.read("other").unwrap().is_empty());
    }

    #[test]
    fn what_is_removed_is_gone_or_hides_the_model_folders_own() {
        let place = tempfile::tempdir().unwrap();
        let store = Store::open(place.path().to_owned()).unwrap();
        for attribute in ["smile", "age"] {
            store.keep("tiny", &boundary(attribute, 0.5)).unwrap();
        }
        store.remove("tiny", "smile", LatentSpace::W, false).unwrap();
        store.remove("tiny", "smile", LatentSpace::W, false).unwrap();
        store.remove("tiny", "age", LatentSpace::W, true).unwrap();
        let found = store.read("tiny").unwrap();
        let [(_, Kept::Removed { attribute, space })] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!((attribute.as_str(), *space), ("age", LatentSpace::W));
    }

    #[test]
    fn leftovers_are_passed_over_and_a_wrong_file_is_named() {
        let place = tempfile::tempdir().unwrap();
        let store = Store::open(place.path().to_owned()).unwrap();
        store.keep("tiny", &boundary("smile", 0.5)).unwrap();
        std::fs::write(place.path().join("tiny/.age_w.json.77"), "{\"bound").unwrap();
        assert_eq!(store.read("tiny").unwrap().len(), 1);
        std::fs::write(place.path().join("tiny/age_w.json"), "{\"bound").unwrap();
        let error = store.read("tiny").unwrap_err().to_string();
        assert!(error.contains("tiny/age_w.json: EOF"), "{error}");
    }

    #[test]
    fn a_write_that_fails_leaves_nothing_behind() {
        let place = tempfile::tempdir().unwrap();
        let store = Store::open(place.path().to_owned()).unwrap();
        std::fs::write(place.path().join("tiny"), "in the way").unwrap();
        let error = store.keep("tiny", &boundary("smile", 0.5)).unwrap_err();
        assert!(matches!(error, CatalogError::Unwritable { .. }), "{error}");
        let target = place.path().join("full");
        std::fs::create_dir_all(target.join("folder")).unwrap();
        assert!(
            write_whole(&target.join("folder"), b"x").is_err(),
            "a folder is no file"
        );
        assert_eq!(std::fs::read_dir(&target).unwrap().count(), 1);
    }
}

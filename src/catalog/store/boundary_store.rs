//! The boundaries that changed while services ran, one file each. They replace those of the model folders, which stay as they are.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::catalog::CatalogError;
use crate::catalog::boundary_file::file_stem;
use crate::catalog::store::blobs::{Blobs, Version};
use crate::catalog::store::directory::Directory;
use crate::catalog::store::record::{StoreEntry, boundary_json};
use crate::latent::{Boundary, LatentSpace};

/// Changed boundaries: `MODEL/ATTRIBUTE_SPACE.json`. A clone shares everything.
///
/// It remembers the version of each file that its service has read or written. A change is made only to that version, so that a service
/// knows what it replaces.
#[derive(Clone, Debug)]
pub struct Store {
    blobs: Arc<dyn Blobs>,
    /// By key.
    seen: Arc<Mutex<BTreeMap<String, Seen>>>,
}

/// What the service knows about a file.
#[derive(Clone, Debug)]
struct Seen {
    version: Version,
    /// The boundary that the file has, or had before somebody wrote something else into it.
    boundary: Option<(String, LatentSpace)>,
}

/// A file of the store that another service has changed.
#[derive(Debug)]
pub struct StoredChange {
    key: String,
    before: Option<Seen>,
    after: Option<Seen>,
    /// The name of the file in messages.
    pub file: String,
    /// What the file has now; `None` if it was removed.
    pub content: Result<Option<StoreEntry>, CatalogError>,
}

impl StoredChange {
    /// The boundary that the file had.
    #[must_use]
    pub fn before(&self) -> Option<&(String, LatentSpace)> {
        self.before.as_ref()?.boundary.as_ref()
    }
}

impl Store {
    /// The store in a folder, which is created if it does not exist. Several services can share it.
    ///
    /// # Errors
    /// As [`Directory::open`].
    pub fn open(folder: PathBuf) -> Result<Self, CatalogError> {
        Ok(Self::new(Arc::new(Directory::open(folder)?)))
    }

    /// The store with these files.
    #[must_use]
    pub fn new(blobs: Arc<dyn Blobs>) -> Self {
        let seen = Arc::default();
        Self { blobs, seen }
    }

    /// All files of the store.
    #[must_use]
    pub fn blobs(&self) -> Arc<dyn Blobs> {
        Arc::clone(&self.blobs)
    }

    /// Reads all entries of a model, each with the name of its file, sorted by file.
    ///
    /// # Errors
    /// [`CatalogError`] for the first file that is wrong.
    pub fn read(&self, model: &str) -> Result<Vec<(String, StoreEntry)>, CatalogError> {
        let mut read = BTreeMap::new();
        let mut found = Vec::new();
        for change in self.changes_since(BTreeMap::new(), model)? {
            remember(&mut read, &change);
            found.extend(change.content?.map(|entry| (change.file, entry)));
        }
        // Only now: without what was seen before, the removal of a boundary that stays in memory could not be noticed.
        let mut seen = self.seen();
        seen.retain(|key, _| !is_boundary_of(model, key));
        seen.extend(read);
        Ok(found)
    }

    /// The files of a model that differ from what this service has read or written. It counts as read when it is accepted.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be read. A file with wrong content is a change with an error.
    pub fn changes(&self, model: &str) -> Result<Vec<StoredChange>, CatalogError> {
        // Before the list is read: what this service changes meanwhile is then no change of another service.
        let mut seen = self.seen().clone();
        seen.retain(|key, _| is_boundary_of(model, key));
        self.changes_since(seen, model)
    }

    /// The files of a model that differ from those in `seen`.
    fn changes_since(
        &self,
        mut seen: BTreeMap<String, Seen>,
        model: &str,
    ) -> Result<Vec<StoredChange>, CatalogError> {
        let mut changes = Vec::new();
        for (key, version) in self.blobs.list(model)? {
            let before = seen.remove(&key);
            let is_new = before.as_ref().is_none_or(|seen| seen.version != version);
            if is_new && is_boundary_of(model, &key) {
                changes.push(self.change(key, before)?);
            }
        }
        for (key, before) in seen {
            changes.push(StoredChange {
                file: self.blobs.name(&key),
                key,
                before: Some(before),
                after: None,
                content: Ok(None),
            });
        }
        Ok(changes)
    }

    /// Reads a file that has changed.
    fn change(&self, key: String, before: Option<Seen>) -> Result<StoredChange, CatalogError> {
        let file = self.blobs.name(&key);
        let blob = self.blobs.get(&key)?;
        let content = blob
            .as_ref()
            .map(|blob| StoreEntry::parse(&file, &blob.bytes))
            .transpose();
        let was = || before.as_ref()?.boundary.clone();
        let boundary = match &content {
            Ok(entry) => entry.as_ref().map(StoreEntry::key),
            Err(_) => was(),
        };
        let after = blob.map(|blob| Seen {
            version: blob.version,
            boundary,
        });
        Ok(StoredChange {
            key,
            before,
            after,
            file,
            content,
        })
    }

    /// Remembers a change as read. `false` if this service has changed the file itself meanwhile; the change is then out of date.
    #[must_use]
    pub fn accept(&self, change: &StoredChange) -> bool {
        let mut seen = self.seen();
        let version = seen.get(&change.key).map(|seen| &seen.version);
        if version != change.before.as_ref().map(|seen| &seen.version) {
            return false;
        }
        remember(&mut seen, change);
        true
    }

    /// Writes a boundary of a model.
    ///
    /// # Errors
    /// [`CatalogError::StoreChanged`] if another service has changed the file since this one read it; [`CatalogError`] if it cannot be
    /// written. The store is then unchanged.
    pub fn write(&self, model: &str, boundary: &Boundary) -> Result<(), CatalogError> {
        let (attribute, space) = (boundary.attribute(), boundary.space());
        let key = key(model, attribute, space);
        let expected = self.version(&key);
        let version = self
            .blobs
            .put(&key, &boundary_json(boundary), expected.as_ref())?;
        let boundary = Some((attribute.to_owned(), space));
        self.seen().insert(key, Seen { version, boundary });
        Ok(())
    }

    /// Removes what the store has about a boundary of a model, so that the boundary of the model folder is back, if there is one.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn remove(&self, model: &str, attribute: &str, space: LatentSpace) -> Result<(), CatalogError> {
        let key = key(model, attribute, space);
        let Some(expected) = self.version(&key) else {
            return Ok(());
        };
        self.blobs.delete(&key, &expected)?;
        self.seen().remove(&key);
        Ok(())
    }

    fn version(&self, key: &str) -> Option<Version> {
        self.seen().get(key).map(|seen| seen.version.clone())
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remember(seen: &mut BTreeMap<String, Seen>, change: &StoredChange) {
    match &change.after {
        Some(after) => seen.insert(change.key.clone(), after.clone()),
        None => seen.remove(&change.key),
    };
}

fn key(model: &str, attribute: &str, space: LatentSpace) -> String {
    format!("{model}/{}.json", file_stem(attribute, space))
}

/// Whether a file of the store has a boundary of `model`.
fn is_boundary_of(model: &str, key: &str) -> bool {
    let file = key.strip_prefix(model).and_then(|rest| rest.strip_prefix('/'));
    let parts = file.and_then(|file| file.rsplit_once('.'));
    parts.is_some_and(|(stem, extension)| extension == "json" && !stem.contains('/'))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::catalog::atomic_write::write_atomically;
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

    #[test]
    fn a_change_of_another_service_is_seen_once_and_removals_too() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path().to_owned()).unwrap();
        let (first, second) = (open(), open());
        first.write("tiny", &boundary("smile", 0.5)).unwrap();
        assert!(first.changes("tiny").unwrap().is_empty(), "its own");
        let [change] = &second.changes("tiny").unwrap()[..] else {
            panic!("one file has changed")
        };
        let Ok(Some(StoreEntry::Boundary(found))) = &change.content else {
            panic!("{change:?}")
        };
        assert_eq!(**found, boundary("smile", 0.5));
        assert!(second.accept(change));
        assert!(!second.accept(change), "it is out of date");
        assert!(second.changes("tiny").unwrap().is_empty());
        std::fs::write(folder.path().join("tiny/age_w.json"), "{").unwrap();
        assert!(second.read("tiny").is_err(), "it forgets nothing");
        std::fs::remove_file(folder.path().join("tiny/age_w.json")).unwrap();
        first.remove("tiny", "smile", LatentSpace::W).unwrap();
        let [change] = &second.changes("tiny").unwrap()[..] else {
            panic!("one file has gone")
        };
        assert!(matches!(change.content, Ok(None)));
        assert_eq!(change.before(), Some(&("smile".to_owned(), LatentSpace::W)));
        assert!(second.accept(change));
        assert!(second.changes("tiny").unwrap().is_empty());
    }

    #[test]
    fn a_change_to_a_version_that_was_not_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path().to_owned()).unwrap();
        let (first, second) = (open(), open());
        first.write("tiny", &boundary("smile", 0.5)).unwrap();
        let refused = second.write("tiny", &boundary("smile", 0.6)).unwrap_err();
        assert!(matches!(refused, CatalogError::StoreChanged { .. }), "{refused}");
        let change = second.changes("tiny").unwrap().remove(0);
        assert!(second.accept(&change));
        second.write("tiny", &boundary("smile", 0.6)).unwrap();
        let refused = first.remove("tiny", "smile", LatentSpace::W).unwrap_err();
        assert!(matches!(refused, CatalogError::StoreChanged { .. }), "{refused}");
    }

    #[test]
    fn a_wrong_file_is_a_change_once_and_can_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_owned()).unwrap();
        store.write("tiny", &boundary("smile", 0.5)).unwrap();
        std::fs::write(folder.path().join("tiny/smile_w.json"), "{}").unwrap();
        let change = store.changes("tiny").unwrap().remove(0);
        assert!(change.content.is_err());
        assert!(store.accept(&change));
        assert!(store.changes("tiny").unwrap().is_empty());
        store.write("tiny", &boundary("smile", 0.6)).unwrap();
        store.remove("tiny", "smile", LatentSpace::W).unwrap();
        assert!(store.read("tiny").unwrap().is_empty());
    }
}

//! The sizes and the times of a model folder's files: a change is seen by them without reading the files.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::catalog::ModelFolder;
use crate::catalog::model_folder::{MANIFEST, is_hidden};

/// Deepest folders below a model folder whose files are seen. It ends circles of links.
const DEEPEST: usize = 4;

/// The files of a model folder at one time, without hidden ones. A folder that cannot be read has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderSnapshot(BTreeMap<PathBuf, FileState>);

/// What differs when a file was written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileState {
    bytes: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// The number of the file in its file system. Another file of the same size and time has another one.
    number: u64,
}

impl FolderSnapshot {
    /// The files as they are now. The bundled model has none: it never changes.
    #[must_use]
    pub fn of(folder: &ModelFolder) -> Self {
        let mut files = BTreeMap::new();
        if let ModelFolder::Disk(path) = folder {
            add(&mut files, path, DEEPEST);
        }
        Self(files)
    }

    /// The paths of the files, sorted.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// Whether there is a manifest, without which the folder is no model folder.
    #[must_use]
    pub fn has_manifest(&self) -> bool {
        let is_manifest = |path: &PathBuf| path.ends_with(MANIFEST);
        self.0.keys().any(is_manifest)
    }
}

impl From<&Metadata> for FileState {
    fn from(file: &Metadata) -> Self {
        Self {
            bytes: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
            number: file.ino(),
        }
    }
}

/// Adds the files in `folder` and in its folders. What disappears meanwhile is left out.
fn add(files: &mut BTreeMap<PathBuf, FileState>, folder: &Path, depth: usize) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| !is_hidden(path)) {
        // Links are followed: Kubernetes mounts files as links.
        match std::fs::metadata(&path) {
            Ok(found) if found.is_file() => {
                files.insert(path, FileState::from(&found));
            }
            Ok(found) if found.is_dir() && depth > 0 => add(files, &path, depth - 1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_added_replaced_and_removed_files_are_changes_and_hidden_ones_are_not() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let folder = ModelFolder::Disk(place.path().to_owned());
        std::fs::create_dir(path("boundaries")).unwrap();
        std::fs::write(path("boundaries/smile_w.npy"), "old").unwrap();
        let mut before = FolderSnapshot::of(&folder);
        assert!(!before.has_manifest());
        let mut changes = |change: &dyn Fn()| {
            change();
            let now = FolderSnapshot::of(&folder);
            std::mem::replace(&mut before, now.clone()) != now
        };
        assert!(!changes(&|| ()));
        assert!(changes(&|| std::fs::write(path("manifest.toml"), "name").unwrap()));
        assert!(changes(&|| std::fs::write(
            path("boundaries/smile_w.npy"),
            "longer"
        )
        .unwrap()));
        assert!(!changes(&|| std::fs::write(path(".new"), "hidden").unwrap()));
        assert!(changes(&|| {
            let time = std::fs::metadata(path("manifest.toml"))
                .unwrap()
                .modified()
                .unwrap();
            std::fs::write(path(".new"), "size").unwrap();
            let new = std::fs::File::options().append(true).open(path(".new")).unwrap();
            new.set_modified(time).unwrap();
            std::fs::rename(path(".new"), path("manifest.toml")).unwrap();
        }));
        assert!(FolderSnapshot::of(&folder).has_manifest());
        assert!(changes(&|| std::fs::remove_file(path("manifest.toml")).unwrap()));
        assert_eq!(
            FolderSnapshot::of(&ModelFolder::Bundled),
            FolderSnapshot::default()
        );
    }

    #[test]
    fn links_are_followed_and_a_circle_of_links_ends() {
        let place = tempfile::tempdir().unwrap();
        let model = place.path().join("model");
        std::fs::create_dir(&model).unwrap();
        std::fs::write(place.path().join("first.toml"), "name = 1").unwrap();
        std::fs::write(place.path().join("second.toml"), "name = 22").unwrap();
        std::os::unix::fs::symlink(&model, model.join("circle")).unwrap();
        let link = |target: &str| {
            let _ = std::fs::remove_file(model.join("manifest.toml"));
            std::os::unix::fs::symlink(place.path().join(target), model.join("manifest.toml")).unwrap();
            FolderSnapshot::of(&ModelFolder::Disk(model.clone()))
        };
        assert_ne!(link("first.toml"), link("second.toml"));
    }
}

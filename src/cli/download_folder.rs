//! The folder for the models of the store.

use std::fs::{self, DirBuilder, DirEntry, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Config;

/// The beginning of the names of temporary folders.
const TEMPORARY: &str = "faceplane-models-";
/// A service locks its temporary folder long before this time is over.
const UNLOCKED: Duration = Duration::from_mins(1);

/// The folder for the models of the store. A temporary one is removed at the end.
pub(super) struct DownloadFolder {
    path: PathBuf,
    is_temporary: bool,
    /// A temporary folder, locked as long as the service runs.
    _lock: Option<File>,
}

impl DownloadFolder {
    /// The folder of the settings, or a temporary one, which only a service with a store needs.
    pub(super) fn new(config: &Config) -> io::Result<Self> {
        if config.downloads.is_some() || config.store.is_none() {
            return Ok(Self {
                path: config.downloads.clone().unwrap_or_default(),
                is_temporary: false,
                _lock: None,
            });
        }
        Self::temporary()
    }

    /// A temporary folder. If it cannot be created, that is no error before a model is downloaded: the root of a container may be read-only.
    pub(super) fn temporary() -> io::Result<Self> {
        remove_left(&std::env::temp_dir());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("{TEMPORARY}{}-{}", std::process::id(), now.as_nanos());
        let path = std::env::temp_dir().join(name);
        // Nobody else may write into it, and nobody else has made it.
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(Self {
                _lock: File::open(&path).ok().filter(|folder| folder.try_lock().is_ok()),
                path,
                is_temporary: true,
            }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DownloadFolder {
    fn drop(&mut self) {
        if self.is_temporary {
            // The next service removes what is left.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Removes the temporary folders of services that were killed: they are not locked. What cannot be removed stays.
fn remove_left(parent: &Path) {
    let is_old = |entry: &DirEntry| {
        let changed = entry.metadata().and_then(|entry| entry.modified());
        changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > UNLOCKED))
    };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_temporary = entry.file_name().to_string_lossy().starts_with(TEMPORARY);
        if is_temporary
            && is_old(&entry)
            && let Ok(folder) = File::open(entry.path())
            && folder.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_killed_services_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("model"), b"model").unwrap();
            let folder = File::open(&path).unwrap();
            folder.set_modified(UNIX_EPOCH).unwrap();
            (path, folder)
        };
        let (left, _) = folder("faceplane-models-1-1");
        let (running, locked) = folder("faceplane-models-2-2");
        locked.try_lock().unwrap();
        let (starting, young) = folder("faceplane-models-3-3");
        young.set_modified(SystemTime::now()).unwrap();
        let (other, _) = folder("faceplane-store");
        remove_left(parent.path());
        let stays = [&left, &running, &starting, &other].map(|path| path.exists());
        assert_eq!(stays, [false, true, true, true]);
    }
}

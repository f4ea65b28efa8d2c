//! A folder that appears whole: its files are written beside the target, then the folder is renamed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::catalog::CatalogError;
use crate::catalog::atomic_write::{create_folder, remove_durably, sync_folder, write_atomically};

/// A folder under construction. If it is dropped before [`finish`](Self::finish), nothing remains.
#[derive(Debug)]
pub struct NewFolder {
    temporary: PathBuf,
    target: PathBuf,
    is_finished: bool,
}

impl NewFolder {
    /// Begins a folder that will be `target`.
    ///
    /// # Errors
    /// [`CatalogError::FolderExists`] if there is something at `target`, and [`CatalogError::Unwritable`] if the folder cannot
    /// be created.
    pub fn create(target: &Path) -> Result<Self, CatalogError> {
        let file = || target.display().to_string();
        if target.symlink_metadata().is_ok() {
            return Err(CatalogError::FolderExists { folder: file() });
        }
        let name = target
            .file_name()
            .ok_or_else(|| CatalogError::FolderExists { folder: file() })?
            .to_string_lossy();
        let temporary = target.with_file_name(format!(".{name}.{}", std::process::id()));
        let unwritable = |reason| CatalogError::Unwritable { file: file(), reason };
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(unwritable)?;
        }
        // A process of the same number may have been killed while it wrote here.
        let removed = fs::remove_dir_all(&temporary);
        if let Err(reason) = removed
            && reason.kind() != io::ErrorKind::NotFound
        {
            return Err(unwritable(reason));
        }
        fs::create_dir(&temporary).map_err(unwritable)?;
        Ok(Self {
            temporary,
            target: target.to_owned(),
            is_finished: false,
        })
    }

    /// Where the files are until the folder is finished.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Writes a file of the folder. `name` is relative to the folder.
    ///
    /// # Errors
    /// [`CatalogError::Unwritable`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), CatalogError> {
        write_file(&self.temporary.join(name), bytes)
    }

    /// Gives the folder its name. When this returns, the folder is on the disk.
    ///
    /// # Errors
    /// [`CatalogError::Unwritable`], for example if something is at the target by now.
    pub fn finish(mut self) -> Result<(), CatalogError> {
        fs::rename(&self.temporary, &self.target)
            .and_then(|()| sync_folder(&self.target))
            .map_err(|reason| CatalogError::Unwritable {
                file: self.target.display().to_string(),
                reason,
            })?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if !self.is_finished {
            // What cannot be removed is hidden by its name, and nothing reads it.
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}

/// Writes a file whole, and the folder that it is in if that does not exist.
///
/// # Errors
/// [`CatalogError::Unwritable`].
pub fn write_file(file: &Path, content: &[u8]) -> Result<(), CatalogError> {
    create_folder(file.parent().unwrap_or(Path::new(".")))
        .and_then(|()| write_atomically(file, content))
        .map_err(|reason| CatalogError::Unwritable {
            file: file.display().to_string(),
            reason,
        })
}

/// Removes a file, if it exists.
///
/// # Errors
/// [`CatalogError::Unwritable`].
pub fn remove_file(file: &Path) -> Result<(), CatalogError> {
    remove_durably(file).map_err(|reason| CatalogError::Unwritable {
        file: file.display().to_string(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_folder_has_its_files_and_a_dropped_one_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("deep/model");
        let folder = NewFolder::create(&target).unwrap();
        folder.write("boundaries/smile_w.npy", b"normal").unwrap();
        assert!(!target.exists());
        folder.finish().unwrap();
        assert_eq!(
            fs::read(target.join("boundaries/smile_w.npy")).unwrap(),
            b"normal"
        );

        let other = NewFolder::create(&parent.path().join("deep/other")).unwrap();
        other.write("manifest.toml", b"").unwrap();
        drop(other);
        let names: Vec<_> = fs::read_dir(parent.path().join("deep")).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }

    #[test]
    fn a_folder_that_exists_is_not_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let error = NewFolder::create(parent.path()).unwrap_err().to_string();
        assert!(error.contains("exists already"), "{error}");
    }
}

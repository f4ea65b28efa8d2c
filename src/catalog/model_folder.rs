//! A model folder: on disk, or compiled into the program.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::catalog::{CatalogError, bundled};

/// The file that makes a folder a model folder.
pub(crate) const MANIFEST: &str = "manifest.toml";

/// A folder with a `manifest.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelFolder {
    /// A folder on disk.
    Disk(PathBuf),
    /// The model that is compiled into the program.
    Bundled,
}

impl ModelFolder {
    /// The model folder at `path`; or, if it has no manifest, the model folders in it, sorted. If there are none either, `path` is
    /// taken for a model folder, and reading it is the error.
    #[must_use]
    pub fn at(path: &Path) -> Vec<Self> {
        let has_manifest = |path: &PathBuf| path.join(MANIFEST).is_file();
        let single = || vec![Self::Disk(path.to_owned())];
        if path.join(MANIFEST).is_file() {
            return single();
        }
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let folders = entries.map(|entry| entry.path());
        let mut folders: Vec<_> = folders
            .filter(|path| !is_hidden(path) && has_manifest(path))
            .collect();
        folders.sort();
        if folders.is_empty() {
            return single();
        }
        folders.into_iter().map(Self::Disk).collect()
    }

    /// Reads the file at a path relative to the folder.
    ///
    /// # Errors
    /// [`CatalogError::Unreadable`] if the file is missing or cannot be read.
    pub fn read(&self, file: &str) -> Result<Cow<'static, [u8]>, CatalogError> {
        match self {
            Self::Disk(folder) => std::fs::read(folder.join(file)).map(Cow::Owned),
            Self::Bundled => bundled::content(file).map(Cow::Borrowed).ok_or_else(|| {
                std::io::Error::new(std::io::ErrorKind::NotFound, "the bundled model has no such file")
            }),
        }
        .map_err(|reason| CatalogError::Unreadable {
            file: self.name(file),
            reason,
        })
    }

    /// Whether the folder has the file.
    #[must_use]
    pub fn has(&self, file: &str) -> bool {
        match self {
            Self::Disk(folder) => folder.join(file).is_file(),
            Self::Bundled => bundled::content(file).is_some(),
        }
    }

    /// The files with the `extension` in `folder` below this folder, sorted, as paths relative to this folder.
    ///
    /// # Errors
    /// [`CatalogError::Unreadable`] if the folder is missing or cannot be read.
    pub fn list(&self, folder: &str, extension: &str) -> Result<Vec<String>, CatalogError> {
        let mut files: Vec<String> = match self {
            Self::Disk(root) => names(&root.join(folder))
                .map_err(|reason| CatalogError::Unreadable {
                    file: self.name(folder),
                    reason,
                })?
                .into_iter()
                .map(|name| format!("{folder}/{name}"))
                .collect(),
            Self::Bundled => {
                let prefix = format!("{folder}/");
                bundled::names()
                    .filter(|file| file.starts_with(&prefix))
                    .map(str::to_owned)
                    .collect()
            }
        };
        files.retain(|file| {
            Path::new(file)
                .extension()
                .is_some_and(|found| found == extension)
        });
        files.sort();
        Ok(files)
    }

    /// The name of a file of this folder in errors.
    #[must_use]
    pub fn name(&self, file: &str) -> String {
        match self {
            Self::Disk(folder) => folder.join(file).display().to_string(),
            Self::Bundled => format!("(bundled) phantom/{file}"),
        }
    }
}

/// Whether the name of a file or a folder begins with a dot, as those of temporary ones do.
pub(crate) fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".")
}

/// The names of the plain files in a folder.
fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().is_file() {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}

//! Where a model's files are read from: a folder on disk, or the program itself.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::catalog::{CatalogError, bundled};

/// A folder with a `manifest.toml`.
#[derive(Clone, Debug)]
pub enum ModelFolder {
    /// A folder on disk.
    Disk(PathBuf),
    /// The model that comes with the program.
    Bundled,
}

impl ModelFolder {
    /// Reads one file, given relative to the folder.
    ///
    /// # Errors
    /// [`CatalogError::Unreadable`] where the file is missing or cannot be read.
    pub fn read(&self, file: &str) -> Result<Cow<'static, [u8]>, CatalogError> {
        match self {
            Self::Disk(folder) => std::fs::read(folder.join(file)).map(Cow::Owned),
            Self::Bundled => bundled::content(file)
                .map(Cow::Borrowed)
                .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::NotFound, "not compiled in")),
        }
        .map_err(|reason| CatalogError::Unreadable {
            file: self.name(file),
            reason,
        })
    }

    /// Whether the folder has such a file.
    #[must_use]
    pub fn has(&self, file: &str) -> bool {
        match self {
            Self::Disk(folder) => folder.join(file).is_file(),
            Self::Bundled => bundled::content(file).is_some(),
        }
    }

    /// The files in a folder below this one that end in `extension`, sorted, each relative to this folder.
    ///
    /// # Errors
    /// [`CatalogError::Unreadable`] where the folder is missing or cannot be read.
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

    /// How errors name a file of this folder.
    #[must_use]
    pub fn name(&self, file: &str) -> String {
        match self {
            Self::Disk(folder) => folder.join(file).display().to_string(),
            Self::Bundled => format!("(bundled) phantom/{file}"),
        }
    }
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

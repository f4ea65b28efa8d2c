//! Networks and boundaries for a model folder that exists.

use std::path::{Path, PathBuf};

use super::ImportCommandError;
use super::addition::Addition;
use super::trial::Trial;
use crate::catalog::{CatalogError, Manifest, ModelFolder, remove_file, write_file};
use crate::engine::Runtime;

/// A model folder that exists.
pub(super) struct ExistingModel {
    folder: PathBuf,
    manifest: String,
    parsed: Manifest,
}

impl ExistingModel {
    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// [`ImportCommandError::Catalog`] if the folder has no manifest, or a wrong one.
    pub(super) fn read(folder: &Path) -> Result<Self, ImportCommandError> {
        let files = ModelFolder::Disk(folder.to_owned());
        let text = files.read("manifest.toml")?;
        let manifest = String::from_utf8_lossy(&text).into_owned();
        Ok(Self {
            parsed: Manifest::parse(&manifest, &files.name("manifest.toml"))?,
            manifest,
            folder: folder.to_owned(),
        })
    }

    /// The name of the model.
    pub(super) fn name(&self) -> &str {
        &self.parsed.name
    }

    /// The folder of the model's boundaries, relative to the model folder.
    pub(super) fn boundaries(&self) -> Option<&str> {
        self.parsed.boundaries.as_ref().map(|entry| &*entry.folder)
    }

    /// The model folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the files of the additions, and their tables at the end of the manifest. If the folder cannot be opened with them,
    /// they are removed again.
    ///
    /// # Errors
    /// [`ImportCommandError`] if the manifest has such a table, a file exists, a file cannot be written, or the folder cannot be
    /// opened.
    pub(super) fn add(&self, additions: &[Addition], runtime: &Runtime) -> Result<(), ImportCommandError> {
        let manifest = self.folder.join("manifest.toml");
        for addition in additions {
            addition.check_missing(&self.parsed, &manifest.display().to_string())?;
        }
        let files = || additions.iter().flat_map(|addition| &addition.files);
        if let Some((exists, _)) = files().find(|(name, _)| self.folder.join(name).exists()) {
            let folder = self.folder.join(exists).display().to_string();
            return Err(CatalogError::FolderExists { folder }.into());
        }
        let tables: String = additions.iter().map(|addition| &*addition.text).collect();
        let text = format!("{}\n{tables}", self.manifest.trim_end());
        let added = (|| {
            for (name, content) in files() {
                write_file(&self.folder.join(name), content)?;
            }
            write_file(&manifest, text.as_bytes())?;
            Trial::open(&self.folder, runtime).map(drop)
        })();
        added.inspect_err(|_| {
            // The error that the caller gets is the first one.
            let _ = write_file(&manifest, self.manifest.as_bytes());
            for (name, _) in files() {
                let _ = remove_file(&self.folder.join(name));
            }
        })
    }
}

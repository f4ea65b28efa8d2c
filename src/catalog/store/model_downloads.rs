//! Models of a store in a folder of this machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::catalog::store::blobs::Version;
use crate::catalog::store::model_document::ModelDocument;
use crate::catalog::store::model_store::{ModelStore, check_digest};
use crate::catalog::{CatalogError, ModelFiles, ModelFolder, NewFolder};
use crate::checkpoint::hexadecimal;

/// How often a model is read that was replaced while it was read.
const MOST_TRIES: u32 = 5;

/// Models of a store in a folder of this machine: `NAME/DIGEST/`, by the digest of the document. Another process must not use the folder.
#[derive(Debug)]
pub struct ModelDownloads {
    store: ModelStore,
    folder: PathBuf,
}

/// A model of the store that is in a folder of this machine.
#[derive(Clone, Debug)]
pub struct Download {
    /// The name of the model.
    pub name: String,
    /// The version of its document.
    pub version: Version,
    /// The model folder.
    pub folder: PathBuf,
}

impl ModelDownloads {
    /// Downloads into `folder`, which is created with the first model.
    #[must_use]
    pub fn new(store: ModelStore, folder: PathBuf) -> Self {
        Self { store, folder }
    }

    /// The names of all models in the store, each with its version.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be read.
    pub fn list(&self) -> Result<BTreeMap<String, Version>, CatalogError> {
        self.store.list()
    }

    /// Downloads a model, and checks the digests of its files; `None` if the store has none of this name. If the folder has the model
    /// already, only the digests are checked.
    ///
    /// # Errors
    /// [`CatalogError::StoredModel`] for the first file that has another digest or is missing, [`CatalogError`] if the store cannot be read
    /// or the folder cannot be written.
    pub fn fetch(&self, name: &str) -> Result<Option<Download>, CatalogError> {
        let mut tries = 1;
        loop {
            let Some((document, version)) = self.store.read(name)? else {
                return Ok(None);
            };
            match self.fetch_version(name, &document) {
                Ok(folder) => {
                    return Ok(Some(Download {
                        name: name.to_owned(),
                        version,
                        folder,
                    }));
                }
                // Another version may have replaced it meanwhile.
                Err(CatalogError::StoredModel { .. })
                    if tries < MOST_TRIES && self.store.list()?.get(name) != Some(&version) =>
                {
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn fetch_version(&self, name: &str, document: &ModelDocument) -> Result<PathBuf, CatalogError> {
        let digest = hexadecimal(&Sha256::digest(document.write()));
        let folder = self.folder.join(name).join(&digest[..16]);
        if folder.exists() {
            if has_files(document, &folder) {
                return Ok(folder);
            }
            fs::remove_dir_all(&folder).map_err(|reason| CatalogError::Unwritable {
                file: folder.display().to_string(),
                reason,
            })?;
        }
        let new = NewFolder::create(&folder)?;
        self.store.copy_to(document, new.path())?;
        let source = ModelFolder::Disk(new.path().to_owned());
        let found = ModelFiles::name_in(&source)?;
        if found != name {
            return Err(CatalogError::StoredModel {
                file: source.name("manifest.toml"),
                reason: format!("found the name {found:?}, expected {name:?}; publish the model again"),
            });
        }
        new.finish()?;
        Ok(folder)
    }

    /// The folder of all downloads.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes the downloads of a model, except those in the folders `kept`.
    pub fn prune(&self, name: &str, kept: &[&Path]) {
        let entries = fs::read_dir(self.folder.join(name));
        for entry in entries.into_iter().flatten().flatten() {
            if !kept.contains(&entry.path().as_path()) {
                // What cannot be removed now is removed later.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// Whether a folder has the files of a document, with their digests.
fn has_files(document: &ModelDocument, folder: &Path) -> bool {
    document.files.iter().all(|file| {
        let path = folder.join(&file.path);
        let read = digest(&path);
        read.is_ok_and(|found| check_digest(&file.path, &found, &file.sha256).is_ok())
    })
}

fn digest(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.finalize().to_vec()),
            read => digest.update(&buffer[..read]),
        }
    }
}

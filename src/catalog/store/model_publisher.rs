//! Publishes models into a store, and withdraws them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::catalog::model_folder::MANIFEST;
use crate::catalog::store::model_document::{
    ModelDocument, PublishedFile, PublishedPart, check_path, is_digest,
};
use crate::catalog::store::model_store::{ModelStore, PARTS, document_key, part_key};
use crate::catalog::store::publication_lock::PublicationLock;
use crate::catalog::{CatalogError, FolderSnapshot, Manifest, ModelFiles, ModelFolder};
use crate::checkpoint::hexadecimal;

/// The most bytes of a part. A part is read and written in one operation, which has seconds.
const PART: u64 = 4 << 20;

/// Publishes models into a store, and withdraws them.
#[derive(Clone, Debug)]
pub struct ModelPublisher {
    store: ModelStore,
    /// The name of the machine, for people who publish at the same time.
    machine: String,
}

impl ModelPublisher {
    /// A publisher on a machine of this name.
    #[must_use]
    pub fn new(store: ModelStore, machine: &str) -> Self {
        let machine = machine.to_owned();
        Self { store, machine }
    }

    /// Publishes the model in a folder, in place of the one of its name. `name` replaces the name in the manifest. Calls `progress` with the
    /// number of bytes that are done. Returns the document.
    ///
    /// # Errors
    /// [`CatalogError`] for the first file that is wrong, or if the store cannot be changed. The model that was published before is then
    /// unchanged.
    pub fn publish(
        &self,
        folder: &Path,
        name: Option<&str>,
        mut progress: impl FnMut(u64),
    ) -> Result<ModelDocument, CatalogError> {
        let source = ModelFolder::Disk(folder.to_owned());
        let before = FolderSnapshot::of(&source);
        let found = ModelFiles::read(&source)?.manifest.name;
        let manifest = name.map(|name| renamed(&source, name)).transpose()?;
        let name = name.unwrap_or(&found).to_owned();
        check_not_bundled(&name, &source)?;
        let blobs = &self.store.blobs;
        let mut lock = PublicationLock::take(Arc::clone(blobs), &self.machine)?;
        let present = blobs.keys(PARTS)?;
        let (mut files, mut done) = (Vec::new(), 0);
        for path in paths(&before, folder)? {
            let file = folder.join(&path);
            let mut content: Box<dyn Read> = match &manifest {
                Some(manifest) if path == MANIFEST => Box::new(Cursor::new(manifest.clone())),
                _ => Box::new(File::open(&file).map_err(unreadable(&file))?),
            };
            let mut parts = Vec::new();
            let mut digest = Sha256::new();
            loop {
                let mut bytes = Vec::new();
                let read = content.by_ref().take(PART).read_to_end(&mut bytes);
                if read.map_err(unreadable(&file))? == 0 {
                    break;
                }
                digest.update(&bytes);
                parts.push(self.put_part(&bytes, &present)?);
                done += bytes.len() as u64;
                progress(done);
                lock.renew()?;
            }
            files.push(PublishedFile {
                path,
                bytes: parts.iter().map(|part: &PublishedPart| part.bytes).sum(),
                sha256: hexadecimal(&digest.finalize()),
                parts,
            });
        }
        if FolderSnapshot::of(&source) != before {
            return Err(CatalogError::Changed {
                file: folder.display().to_string(),
            });
        }
        let document = ModelDocument { name, files };
        let key = document_key(&document.name);
        let known = blobs.get(&key)?.map(|blob| blob.version);
        blobs.put(&key, &document.write(), known.as_ref())?;
        self.remove_unused(&mut lock)?;
        Ok(document)
    }

    /// Withdraws a model. Services drop it.
    ///
    /// # Errors
    /// [`CatalogError::StoredModel`] if there is none of this name, [`CatalogError`] if the store cannot be changed.
    pub fn withdraw(&self, name: &str) -> Result<(), CatalogError> {
        let blobs = &self.store.blobs;
        let mut lock = PublicationLock::take(Arc::clone(blobs), &self.machine)?;
        let listed = self.store.list()?;
        let key = document_key(name);
        let found = if listed.contains_key(name) {
            blobs.get(&key)?
        } else {
            None
        };
        let Some(found) = found else {
            let known: Vec<_> = listed.into_keys().collect();
            return Err(CatalogError::StoredModel {
                file: blobs.name(&key),
                reason: format!(
                    "found no model {name:?}, expected one that was published: {}",
                    if known.is_empty() {
                        "there is none".to_owned()
                    } else {
                        known.join(", ")
                    }
                ),
            });
        };
        blobs.delete(&key, &found.version)?;
        self.remove_unused(&mut lock)
    }

    /// Writes a part, unless it is there and right.
    fn put_part(&self, bytes: &[u8], present: &BTreeSet<String>) -> Result<PublishedPart, CatalogError> {
        let blobs = &self.store.blobs;
        let sha256 = hexadecimal(&Sha256::digest(bytes));
        let key = part_key(&sha256);
        let found = if present.contains(&key) {
            blobs.get(&key)?
        } else {
            None
        };
        if found.as_ref().is_none_or(|found| found.bytes != bytes) {
            let known = found.map(|found| found.version);
            match blobs.put(&key, bytes, known.as_ref()) {
                // A file may have the same content twice.
                Ok(_) | Err(CatalogError::StoreChanged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let bytes = bytes.len() as u64;
        Ok(PublishedPart { bytes, sha256 })
    }

    /// Removes the content that no model has any more.
    fn remove_unused(&self, lock: &mut PublicationLock) -> Result<(), CatalogError> {
        let blobs = &self.store.blobs;
        let mut used = BTreeSet::new();
        for name in self.store.list()?.into_keys() {
            let document = self.store.read(&name)?;
            used.extend(
                document
                    .iter()
                    .flat_map(|(document, _)| document.parts().map(part_key)),
            );
        }
        for key in blobs.keys(PARTS)? {
            let is_part = key.rsplit('/').next().is_some_and(is_digest);
            if is_part && !used.contains(&key) {
                blobs.remove(&key)?;
                lock.renew()?;
            }
        }
        Ok(())
    }
}

/// The manifest of a folder with another name.
fn renamed(folder: &ModelFolder, name: &str) -> Result<Vec<u8>, CatalogError> {
    let file = folder.name(MANIFEST);
    let wrong = |reason: String| CatalogError::Manifest {
        file: file.clone(),
        reason,
    };
    let bytes = folder.read(MANIFEST)?;
    let text = str::from_utf8(&bytes).map_err(|error| wrong(error.to_string()))?;
    let mut table: toml::Table = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    table.insert("name".to_owned(), name.into());
    let text = table.to_string();
    Manifest::parse(&text, &file)?;
    Ok(text.into_bytes())
}

/// Refuses the name of the bundled model, which every service has.
fn check_not_bundled(name: &str, folder: &ModelFolder) -> Result<(), CatalogError> {
    if name != ModelFiles::name_in(&ModelFolder::Bundled)? {
        return Ok(());
    }
    Err(CatalogError::StoredModel {
        file: folder.name(MANIFEST),
        reason: format!(
            "found the name {name:?}, which the bundled model has; expected another one: choose it with --name"
        ),
    })
}

/// The paths of the files in a model folder, without hidden ones.
fn paths(files: &FolderSnapshot, folder: &Path) -> Result<Vec<String>, CatalogError> {
    let paths = files.paths().map(|path| {
        let below = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
        check_path(&below).map_err(|reason| CatalogError::StoredModel {
            file: path.display().to_string(),
            reason,
        })?;
        Ok(below.into_owned())
    });
    paths.collect()
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> CatalogError {
    let file = path.display().to_string();
    move |reason| CatalogError::Unreadable { file, reason }
}

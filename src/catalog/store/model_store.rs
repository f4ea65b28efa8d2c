//! The published models in a store.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::catalog::CatalogError;
use crate::catalog::atomic_write::create_folder;
use crate::catalog::store::blobs::{Blobs, Version};
use crate::catalog::store::model_document::{ModelDocument, PublishedFile, PublishedPart};
use crate::checkpoint::hexadecimal;

/// The folder of the documents. No model has a name that begins with `_`, so no boundary is there.
pub(super) const DOCUMENTS: &str = "_models";
/// The folder of the parts of all models' content.
pub(super) const PARTS: &str = "_content";

/// The published models in a store: `_models/NAME.json`, and the parts of their files, `_content/SHA256`. A clone shares them.
#[derive(Clone, Debug)]
pub struct ModelStore {
    pub(super) blobs: Arc<dyn Blobs>,
}

impl ModelStore {
    /// The models in a store.
    #[must_use]
    pub fn new(blobs: Arc<dyn Blobs>) -> Self {
        Self { blobs }
    }

    /// The names of all models, each with the version of its document.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be read.
    pub fn list(&self) -> Result<BTreeMap<String, Version>, CatalogError> {
        let listed = self.blobs.list(DOCUMENTS)?.into_iter();
        let named = listed.filter_map(|(key, version)| {
            let file = key.strip_prefix(DOCUMENTS)?.strip_prefix('/')?;
            let name = file.strip_suffix(".json")?;
            is_name(name).then(|| (name.to_owned(), version))
        });
        Ok(named.collect())
    }

    /// Reads the document of a model; `None` if there is none.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be read, or the document is wrong.
    pub fn read(&self, name: &str) -> Result<Option<(ModelDocument, Version)>, CatalogError> {
        if !is_name(name) {
            return Ok(None);
        }
        let key = document_key(name);
        let Some(blob) = self.blobs.get(&key)? else {
            return Ok(None);
        };
        let document = ModelDocument::parse(&self.blobs.name(&key), name, &blob.bytes)?;
        Ok(Some((document, blob.version)))
    }

    /// Writes the files of a model into a folder that has none, and checks the digest of each.
    ///
    /// # Errors
    /// [`CatalogError::StoredModel`] for a part that is missing or has another digest, [`CatalogError`] if the store cannot be read or the
    /// folder cannot be written.
    pub(super) fn copy_to(&self, document: &ModelDocument, folder: &Path) -> Result<(), CatalogError> {
        document
            .files
            .iter()
            .try_for_each(|file| self.copy_file(file, &folder.join(&file.path)))
    }

    fn copy_file(&self, file: &PublishedFile, target: &Path) -> Result<(), CatalogError> {
        let unwritable = |reason| CatalogError::Unwritable {
            file: target.display().to_string(),
            reason,
        };
        create_folder(target.parent().unwrap_or(Path::new("."))).map_err(unwritable)?;
        let mut copy = File::create(target).map_err(unwritable)?;
        let mut digest = Sha256::new();
        for part in &file.parts {
            let bytes = self.part(part)?;
            digest.update(&bytes);
            copy.write_all(&bytes).map_err(unwritable)?;
        }
        copy.sync_all().map_err(unwritable)?;
        check_digest(&target.display().to_string(), &digest.finalize(), &file.sha256)
    }

    /// Reads a part and checks its digest.
    fn part(&self, part: &PublishedPart) -> Result<Vec<u8>, CatalogError> {
        let key = part_key(&part.sha256);
        let Some(blob) = self.blobs.get(&key)? else {
            return Err(CatalogError::StoredModel {
                file: self.blobs.name(&key),
                reason: "found no file, expected a part of a model; publish the model again".to_owned(),
            });
        };
        check_digest(&self.blobs.name(&key), &Sha256::digest(&blob.bytes), &part.sha256)?;
        Ok(blob.bytes)
    }
}

/// Whether a model can have this name. It is then also the name of a file.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-'))
}

pub(super) fn document_key(name: &str) -> String {
    format!("{DOCUMENTS}/{name}.json")
}

pub(super) fn part_key(sha256: &str) -> String {
    format!("{PARTS}/{sha256}")
}

/// An error, unless the content of a file has the digest that is expected.
pub(super) fn check_digest(file: &str, found: &[u8], expected: &str) -> Result<(), CatalogError> {
    let found = hexadecimal(found);
    if found == expected {
        return Ok(());
    }
    Err(CatalogError::StoredModel {
        file: file.to_owned(),
        reason: format!(
            "found content with the SHA-256 {found}, expected {expected}; publish the model again"
        ),
    })
}

//! What a store of files can do: list, read, and change a file only if nobody else has changed it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use crate::catalog::CatalogError;

/// The version of a file of a store. Files with equal versions have equal content.
#[derive(Clone, Debug)]
pub struct Version {
    pub(super) tag: String,
    /// The number of the version, where a bucket counts them. Lists have none.
    #[cfg(feature = "object-store")]
    pub(super) generation: Option<String>,
}

impl Version {
    pub(super) fn new(tag: String) -> Self {
        Self {
            tag,
            #[cfg(feature = "object-store")]
            generation: None,
        }
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.tag == other.tag
    }
}

impl Eq for Version {}

/// A file of a store, as it was read.
#[derive(Clone, Debug)]
pub struct Blob {
    /// The content.
    pub bytes: Vec<u8>,
    /// The version of the content.
    pub version: Version,
}

/// The files of a store that several services share. A key is a path with `/`, such as `phantom/smile_w.json`.
///
/// Each file changes atomically: a reader finds the old content or the new one. A change names the version that it replaces, so that no
/// change of another service is lost unseen.
pub trait Blobs: Debug + Send + Sync {
    /// The keys and the versions of all files below a folder. Files and folders with names that begin with a dot are left out.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be read.
    fn list(&self, folder: &str) -> Result<BTreeMap<String, Version>, CatalogError>;

    /// The keys of all files below a folder, as in [`list`](Self::list), without a look at their content.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be read.
    fn keys(&self, folder: &str) -> Result<BTreeSet<String>, CatalogError> {
        Ok(self.list(folder)?.into_keys().collect())
    }

    /// Reads a file; `None` if it does not exist.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be read.
    fn get(&self, key: &str) -> Result<Option<Blob>, CatalogError>;

    /// Writes a file if it has the version `expected`, or does not exist for `None`. Returns its new version.
    ///
    /// # Errors
    /// [`CatalogError::StoreChanged`] if the file has another version, [`CatalogError`] if the store cannot be written.
    fn put(&self, key: &str, bytes: &[u8], expected: Option<&Version>) -> Result<Version, CatalogError>;

    /// Removes a file if it has the version `expected`.
    ///
    /// # Errors
    /// [`CatalogError::StoreChanged`] if the file has another version or does not exist, [`CatalogError`] if the store cannot be written.
    fn delete(&self, key: &str, expected: &Version) -> Result<(), CatalogError>;

    /// Removes a file that nobody writes again, whatever its version; nothing if it does not exist. It leaves no trace.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be written.
    fn remove(&self, key: &str) -> Result<(), CatalogError>;

    /// The name of a file in messages.
    fn name(&self, key: &str) -> String;
}

//! Where a store is: a folder, or a bucket.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use crate::catalog::CatalogError;
use crate::catalog::store::blobs::Blobs;
use crate::catalog::store::boundary_store::Store;
use crate::catalog::store::directory::Directory;

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreAddress {
    /// A folder.
    Folder(PathBuf),
    /// The URL of a bucket, with a path in it: `s3://bucket/path`, `gs://bucket/path` or `az://container/path`.
    Bucket(String),
}

impl FromStr for StoreAddress {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_url = text.contains("://");
        Ok(if is_url {
            Self::Bucket(text.to_owned())
        } else {
            Self::Folder(text.into())
        })
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(formatter),
            Self::Bucket(url) => url.fmt(formatter),
        }
    }
}

impl StoreAddress {
    /// Opens the store. Credentials of a bucket come from the environment. Do not call it on an async thread.
    ///
    /// # Errors
    /// [`CatalogError`] as [`Directory::open`]; [`CatalogError::StoreAddress`] for a URL that names no bucket, or without the feature
    /// `object-store`.
    pub fn open(&self) -> Result<Store, CatalogError> {
        let blobs: Arc<dyn Blobs> = match self {
            Self::Folder(folder) => Arc::new(Directory::open(folder.clone())?),
            Self::Bucket(url) => bucket(url)?,
        };
        Ok(Store::new(blobs))
    }
}

#[cfg(feature = "object-store")]
fn bucket(url: &str) -> Result<Arc<dyn Blobs>, CatalogError> {
    Ok(Arc::new(crate::catalog::store::bucket::Bucket::open(url)?))
}

#[cfg(not(feature = "object-store"))]
fn bucket(url: &str) -> Result<Arc<dyn Blobs>, CatalogError> {
    Err(CatalogError::StoreAddress {
        url: url.to_owned(),
        reason:
            "this program was built without buckets; build it with --features object-store, or name a folder"
                .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_buckets_and_everything_else_is_a_folder() {
        for (text, expected) in [
            ("/srv/store", StoreAddress::Folder("/srv/store".into())),
            ("store", StoreAddress::Folder("store".into())),
            (
                "s3://bucket/path",
                StoreAddress::Bucket("s3://bucket/path".to_owned()),
            ),
        ] {
            assert_eq!(text.parse(), Ok(expected));
        }
    }

    #[cfg(not(feature = "object-store"))]
    #[test]
    fn a_bucket_names_the_feature_that_is_missing() {
        let refused = StoreAddress::Bucket("s3://bucket".to_owned()).open();
        let reason = refused.unwrap_err().to_string();
        assert!(
            reason.contains("s3://bucket") && reason.contains("object-store"),
            "{reason}"
        );
    }
}

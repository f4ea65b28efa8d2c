//! A store in a bucket: Amazon S3 and servers that speak its protocol, Google Cloud Storage, Azure Blob Storage.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientConfigKey, Error, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload,
    RetryConfig, UpdateVersion,
};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::catalog::CatalogError;
use crate::catalog::store::blobs::{Blob, Blobs, Version};

/// The longest time of one request to the bucket.
const REQUEST_TIMEOUT: &str = "4 seconds";
/// The longest time until a connection is there.
const CONNECT_TIMEOUT: &str = "2 seconds";
/// The longest time of an operation, with its retries.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often a request is sent again that the bucket did not take.
const RETRIES: usize = 2;

/// A store in a bucket. Versions are the entity tags of objects.
///
/// Buckets have no conditional deletion that all vendors share, but conditional writing. So a file that is deleted at a version is an empty
/// object, which lists and reads leave out.
#[derive(Debug)]
pub(super) struct Bucket {
    /// The URL, for messages.
    url: String,
    objects: Arc<dyn ObjectStore>,
    /// The path in the bucket.
    prefix: Path,
    /// Runs the requests. `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl Bucket {
    /// The store at a URL, with the credentials in the environment.
    pub(super) fn open(url: &str) -> Result<Self, CatalogError> {
        let wrong = |reason: String| CatalogError::StoreAddress {
            url: url.to_owned(),
            reason,
        };
        // A second call finds the provider installed, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if name.is_empty() {
            return Err(wrong(
                "found no name of a bucket, expected such as s3://bucket/path".to_owned(),
            ));
        }
        let prefix = Path::parse(prefix).map_err(|error| wrong(error.to_string()))?;
        let objects = open_objects(scheme, name).ok_or_else(|| {
            wrong(format!(
                "found the scheme {scheme:?}, expected s3, gs or az, or a folder"
            ))
        })?;
        let objects = objects.map_err(|error| wrong(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store")
            .enable_all()
            .build()
            .map_err(|error| wrong(format!("the thread of the store cannot be started: {error}")))?;
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            objects,
            prefix,
            runtime: Some(runtime),
        })
    }

    fn path(&self, key: &str) -> Result<Path, CatalogError> {
        let path = Path::parse(format!("{}/{key}", self.prefix));
        path.map_err(|error| self.unavailable(key, &error.to_string()))
    }

    fn unavailable(&self, key: &str, reason: &str) -> CatalogError {
        CatalogError::StoreUnavailable {
            store: self.name(key),
            reason: reason.to_owned(),
        }
    }

    /// Waits for an operation on a file. Not to be called on an async thread.
    fn wait<T>(
        &self,
        key: &str,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<Result<T, Error>, CatalogError> {
        let runtime = self
            .runtime
            .as_ref()
            .expect("it is there until the store is dropped");
        let done = runtime.block_on(async { timeout(PATIENCE, operation).await });
        let late = || format!("found no answer within {} s", PATIENCE.as_secs());
        done.map_err(|_| self.unavailable(key, &late()))
    }

    fn changed(&self, key: &str) -> CatalogError {
        CatalogError::StoreChanged { file: self.name(key) }
    }

    /// Writes an object if it has a version, or does not exist for `None`.
    fn write(
        &self,
        key: &str,
        bytes: &[u8],
        expected: Option<UpdateVersion>,
    ) -> Result<Version, CatalogError> {
        let path = self.path(key)?;
        let mode = expected.map_or(PutMode::Create, PutMode::Update);
        let payload = PutPayload::from(bytes.to_vec());
        match self.wait(key, self.objects.put_opts(&path, payload, mode.into()))? {
            Ok(written) => Ok(version(written.e_tag, written.version)),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotFound { .. }) => {
                Err(self.changed(key))
            }
            Err(error) => Err(self.unavailable(key, &error.to_string())),
        }
    }

    /// The version of the empty object that stands for a removed file; `None` if there is another object or none.
    fn removed(&self, key: &str) -> Result<Option<UpdateVersion>, CatalogError> {
        let path = self.path(key)?;
        match self.wait(key, self.objects.head(&path))? {
            Ok(found) if found.size == 0 => Ok(Some(UpdateVersion {
                e_tag: found.e_tag,
                version: found.version,
            })),
            Ok(_) | Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.unavailable(key, &error.to_string())),
        }
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // Dropping a runtime waits for its work, which an async thread must not.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Blobs for Bucket {
    fn list(&self, folder: &str) -> Result<BTreeMap<String, Version>, CatalogError> {
        let path = self.path(folder)?;
        let listed = self.objects.list(Some(&path)).try_collect::<Vec<_>>();
        let listed = self.wait(folder, listed)?;
        let listed = listed.map_err(|error| self.unavailable(folder, &error.to_string()))?;
        let mut files = BTreeMap::new();
        for object in listed.into_iter().filter(|object| object.size > 0) {
            let Some(parts) = object.location.prefix_match(&self.prefix) else {
                continue;
            };
            let parts: Vec<_> = parts.map(|part| part.as_ref().to_owned()).collect();
            if !parts.iter().any(|part| part.starts_with('.')) {
                files.insert(parts.join("/"), version(object.e_tag, object.version));
            }
        }
        Ok(files)
    }

    fn get(&self, key: &str) -> Result<Option<Blob>, CatalogError> {
        let path = self.path(key)?;
        let read = async {
            let found = self.objects.get(&path).await?;
            let version = version(found.meta.e_tag.clone(), found.meta.version.clone());
            Ok((found.bytes().await?, version))
        };
        match self.wait(key, read)? {
            Ok((bytes, _)) if bytes.is_empty() => Ok(None),
            Ok((bytes, version)) => Ok(Some(Blob {
                bytes: bytes.to_vec(),
                version,
            })),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.unavailable(key, &error.to_string())),
        }
    }

    fn put(&self, key: &str, bytes: &[u8], expected: Option<&Version>) -> Result<Version, CatalogError> {
        if let Some(expected) = expected {
            return self.write(key, bytes, Some(condition(expected)));
        }
        match self.write(key, bytes, None) {
            Err(CatalogError::StoreChanged { .. }) => match self.removed(key)? {
                Some(removed) => self.write(key, bytes, Some(removed)),
                None => Err(self.changed(key)),
            },
            written => written,
        }
    }

    fn delete(&self, key: &str, expected: &Version) -> Result<(), CatalogError> {
        self.write(key, &[], Some(condition(expected))).map(drop)
    }

    fn remove(&self, key: &str) -> Result<(), CatalogError> {
        let path = self.path(key)?;
        match self.wait(key, self.objects.delete(&path))? {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.unavailable(key, &error.to_string())),
        }
    }

    fn name(&self, key: &str) -> String {
        format!("{}/{key}", self.url)
    }
}

/// A version from the headers of an object, or from a list. Some buckets put entity tags into quotes in only one of the two.
fn version(e_tag: Option<String>, generation: Option<String>) -> Version {
    let tag = e_tag.or_else(|| generation.clone()).unwrap_or_default();
    let tag = tag.trim_matches('"').to_owned();
    Version { tag, generation }
}

fn condition(version: &Version) -> UpdateVersion {
    UpdateVersion {
        e_tag: Some(format!("\"{}\"", version.tag)),
        version: version.generation.clone(),
    }
}

/// The bucket `name`, or `None` for an unknown scheme.
fn open_objects(scheme: &str, name: &str) -> Option<Result<Arc<dyn ObjectStore>, Error>> {
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(1),
            base: 2.0,
        },
        max_retries: RETRIES,
        retry_timeout: PATIENCE,
    };
    let limits = [
        (ClientConfigKey::Timeout, REQUEST_TIMEOUT),
        (ClientConfigKey::ConnectTimeout, CONNECT_TIMEOUT),
    ];
    Some(match scheme {
        "s3" => {
            let mut builder = AmazonS3Builder::from_env().with_bucket_name(name);
            for (key, value) in limits {
                builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
            }
            builder.with_retry(retry).build().map(shared)
        }
        "gs" => {
            let mut builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(name);
            for (key, value) in limits {
                builder = builder.with_config(GoogleConfigKey::Client(key), value);
            }
            builder.with_retry(retry).build().map(shared)
        }
        "az" => {
            let mut builder = MicrosoftAzureBuilder::from_env().with_container_name(name);
            for (key, value) in limits {
                builder = builder.with_config(AzureConfigKey::Client(key), value);
            }
            builder.with_retry(retry).build().map(shared)
        }
        _ => return None,
    })
}

fn shared(objects: impl ObjectStore) -> Arc<dyn ObjectStore> {
    Arc::new(objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_names_no_bucket_is_refused() {
        for (url, expected) in [
            ("ftp://bucket", "\"ftp\""),
            ("s3://", "no name"),
            ("s3:///path", "no name"),
        ] {
            let reason = Bucket::open(url).unwrap_err().to_string();
            assert!(reason.starts_with(url) && reason.contains(expected), "{reason}");
        }
    }

    #[test]
    fn versions_of_lists_and_of_headers_are_equal() {
        let of_header = version(Some("\"abc\"".to_owned()), Some("7".to_owned()));
        let of_list = version(Some("abc".to_owned()), None);
        assert_eq!(of_header, of_list);
        let condition = condition(&of_header);
        assert_eq!(condition.e_tag.as_deref(), Some("\"abc\""));
        assert_eq!(condition.version.as_deref(), Some("7"));
    }
}

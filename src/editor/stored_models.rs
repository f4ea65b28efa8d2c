//! The models of the store: loads, replaces and drops them as they are published and withdrawn.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::catalog::{CatalogError, Download, ModelDownloads, ModelFolder, Version};
use crate::editor::blocking::run_blocking;
use crate::editor::model_loader::{LoadedModel, ModelLoader};
use crate::editor::{EditorError, ModelChangeError};
use crate::engine::change_permit;

/// The wait before a download is tried again that this machine's disk could not take. It doubles with each further failure.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest such wait.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Loads, replaces and drops the models of a store, with a loader. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct StoredModels {
    loader: ModelLoader,
    downloads: Arc<ModelDownloads>,
    /// Locked while a model is downloaded and loaded.
    known: Arc<Mutex<BTreeMap<String, Known>>>,
}

/// What the service knows about a model of the store.
struct Known {
    /// The version that was looked at last; `None` if it is to be looked at again, or was withdrawn and cannot be dropped.
    version: Option<Version>,
    /// Whether it could not be loaded.
    has_failed: bool,
    /// When it is looked at again, though its version is the same.
    retry: Option<Retry>,
    /// The download that is loaded.
    folder: Option<PathBuf>,
}

impl Known {
    /// Whether a version that the store has now is to be loaded.
    fn needs(&self, version: &Version) -> bool {
        self.version.as_ref() != Some(version) || self.retry.is_some_and(Retry::is_due)
    }
}

/// When a download is tried again that failed on this machine.
#[derive(Clone, Copy)]
struct Retry {
    failed: Instant,
    wait: Duration,
}

impl Retry {
    /// After one more failure.
    fn after(before: Option<Self>) -> Self {
        let wait = before.map_or(FIRST_WAIT, |before| LONGEST_WAIT.min(2 * before.wait));
        let failed = Instant::now();
        Self { failed, wait }
    }

    fn is_due(self) -> bool {
        self.failed.elapsed() >= self.wait
    }
}

impl StoredModels {
    /// The models of a store. Those in `present` are loaded already.
    #[must_use]
    pub fn new(loader: ModelLoader, downloads: ModelDownloads, present: Vec<Download>) -> Self {
        let known = present.into_iter().map(|download| {
            let known = Known {
                version: Some(download.version),
                has_failed: false,
                retry: None,
                folder: Some(download.folder),
            };
            (download.name, known)
        });
        Self {
            loader,
            downloads: Arc::new(downloads),
            known: Arc::new(Mutex::new(known.collect())),
        }
    }

    /// The loader of all models.
    #[must_use]
    pub fn loader(&self) -> &ModelLoader {
        &self.loader
    }

    /// Loads, replaces and drops what was published and withdrawn since the last look. Takes as long as the downloads, so not for async
    /// threads. Mistakes in models are logged, once for each version. A download that this machine's disk cannot take is tried again after
    /// some seconds, later each minute.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be read. Look again later.
    pub fn look(&self) -> Result<(), CatalogError> {
        let mut known = self.known.blocking_lock();
        let listed = self.downloads.list()?;
        for (name, version) in &listed {
            // The log and the metrics have other errors.
            if known.get(name).is_none_or(|known| known.needs(version))
                && let Err(ModelChangeError::Store(error)) = self.load(&mut known, name)
            {
                return Err(error);
            }
        }
        let withdrawn = |(name, known): (&String, &Known)| {
            let is_followed = known.version.is_some() || known.has_failed;
            (is_followed && !listed.contains_key(name)).then(|| name.clone())
        };
        let withdrawn: Vec<_> = known.iter().filter_map(withdrawn).collect();
        for name in withdrawn {
            self.withdrawn(&mut known, &name);
        }
        Ok(())
    }

    /// Looks again at models that could not be loaded, with the next [`look`](Self::look). Not for async threads.
    pub fn forget_failures(&self) {
        let mut known = self.known.blocking_lock();
        for failed in known.values_mut().filter(|known| known.has_failed) {
            failed.version = None;
        }
    }

    /// Loads the model `name` as the store has it now; `None` if it has none of this name. Timeouts apply as in [`ModelLoader::put`].
    ///
    /// # Errors
    /// [`ModelChangeError`] if the model has a mistake, or the store fails. Then the models are as before.
    pub async fn put(&self, name: &str) -> Result<Option<LoadedModel>, EditorError> {
        let (stored, name, permit) = (self.clone(), name.to_owned(), change_permit());
        let mut known = Arc::clone(&self.known).lock_owned().await;
        let work = move || {
            if permit.begin() {
                Ok(stored.load(&mut known, &name)?)
            } else {
                Err(EditorError::TooLate)
            }
        };
        run_blocking(work).await
    }

    /// Loads a model as the store has it now; `None` if it has none of this name.
    fn load(
        &self,
        known: &mut BTreeMap<String, Known>,
        name: &str,
    ) -> Result<Option<LoadedModel>, ModelChangeError> {
        let failed = |error: CatalogError| match error {
            error if error.is_of_failing_store() => ModelChangeError::Store(error),
            error => self.loader.stored_failed(name, error),
        };
        let retried = known.get(name).and_then(|known| known.retry);
        let listed = match self.downloads.list() {
            Ok(listed) => listed,
            // The model may be one of a folder.
            Err(_) if !known.contains_key(name) => return Ok(None),
            Err(error) => return Err(ModelChangeError::Store(error)),
        };
        let Some(version) = listed.get(name) else {
            return Ok(None);
        };
        let loaded = match self.downloads.fetch(name) {
            Ok(None) => return Ok(None),
            Ok(Some(download)) => {
                let folder = ModelFolder::Disk(download.folder.clone());
                let loaded = self.loader.load_stored(name, folder);
                loaded.map(|loaded| (loaded, download))
            }
            Err(error) => Err(failed(error)),
        };
        let before = known.remove(name).and_then(|known| known.folder);
        let (folder, version) = match &loaded {
            Ok((_, download)) => {
                let kept: Vec<_> = [Some(&download.folder), before.as_ref()]
                    .into_iter()
                    .flatten()
                    .map(PathBuf::as_path)
                    .collect();
                // Requests that have begun may still read files of the version before.
                self.downloads.prune(name, &kept);
                (Some(download.folder.clone()), Some(download.version.clone()))
            }
            // It is looked at again.
            Err(ModelChangeError::Store(_)) => (before, None),
            Err(_) => (before, Some(version.clone())),
        };
        let has_failed = loaded.is_err();
        let is_of_disk = matches!(loaded, Err(ModelChangeError::NotDownloaded { .. }));
        let now = Known {
            version,
            has_failed,
            retry: is_of_disk.then(|| Retry::after(retried)),
            folder,
        };
        known.insert(name.to_owned(), now);
        Ok(Some(loaded?.0))
    }

    /// Drops a model that the store has no longer.
    fn withdrawn(&self, known: &mut BTreeMap<String, Known>, name: &str) {
        let Some(mut before) = known.remove(name) else {
            return;
        };
        match self.loader.drop_stored(name) {
            Ok(()) => self.downloads.prune(name, &[]),
            Err(reason) => {
                tracing::warn!(model = name, %reason, "the model was withdrawn from the store, and goes on here");
                (before.version, before.has_failed) = (None, false);
                known.insert(name.to_owned(), before);
            }
        }
    }
}

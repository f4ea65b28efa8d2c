//! Loads, reloads and drops models while requests go on.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::catalog::{CatalogError, FolderSnapshot, ModelFiles, ModelFolder};
use crate::editor::blocking::run_blocking;
use crate::editor::model::of_folder;
use crate::editor::model_opener::ModelOpener;
use crate::editor::model_source::ModelSource;
use crate::editor::{EditorError, LoadError, Model, ModelChangeError, Models};
use crate::engine::{Watchdog, change_permit};
use crate::metrics::LoadOutcome;

/// Loads, reloads and drops models while requests go on. Cheap to clone; clones share their state.
///
/// One model is loaded at a time. If its folder has a mistake, the model that was loaded before goes on.
#[derive(Clone)]
pub struct ModelLoader {
    models: Models,
    opener: ModelOpener,
    /// The settings' folders: model folders, or folders of them.
    configured: Arc<[PathBuf]>,
    /// Locked while a model is loaded or dropped.
    sources: Arc<Mutex<Vec<ModelSource>>>,
}

/// A model that was loaded, or is as its folder has it.
pub struct LoadedModel {
    /// The model.
    pub model: Arc<Model>,
    /// Whether no model of its name was loaded before.
    pub is_new: bool,
}

impl ModelLoader {
    /// A loader that changes `models`, which came from `sources`. `configured` are the paths of the settings: model folders, or folders
    /// of model folders, to which some can be added.
    #[must_use]
    pub fn new(
        models: Models,
        opener: ModelOpener,
        configured: Vec<PathBuf>,
        sources: Vec<ModelSource>,
    ) -> Self {
        Self {
            models,
            opener,
            configured: configured.into(),
            sources: Arc::new(Mutex::new(sources)),
        }
    }

    /// The watchdog of the runs of all models.
    #[must_use]
    pub fn watchdog(&self) -> &Watchdog {
        self.opener.runtime.watchdog()
    }

    /// Loads the model folder whose manifest has this name, or reloads it. If the folder has what is loaded, nothing changes.
    ///
    /// If the request's timeout passes before this begins, nothing changes. Loading that has begun is finished, and the timeout does
    /// not stop its request ([`change_permit`]).
    ///
    /// # Errors
    /// [`ModelChangeError`] if there is no such folder, or it has a mistake. Then the models are as before.
    pub async fn put(&self, name: &str) -> Result<LoadedModel, EditorError> {
        let name = name.to_owned();
        self.in_turn(move |loader, sources| Ok(loader.put_in(sources, &name)?))
            .await
    }

    /// Drops a model: requests do not find it any more, and it stays dropped until [`put`](Self::put) or [`reload`](Self::reload).
    /// Timeouts apply as in `put`.
    ///
    /// # Errors
    /// [`EditorError::UnknownModel`], or [`ModelChangeError::Default`] for the default model.
    pub async fn delete(&self, name: &str) -> Result<(), EditorError> {
        let name = name.to_owned();
        self.in_turn(move |loader, sources| {
            let dropped = loader.drop(&name)?;
            let of_it = |source: &&mut ModelSource| source.loaded() == Some(dropped.name());
            if let Some(source) = sources.iter_mut().find(of_it) {
                source.is_dropped = true;
            }
            Ok(())
        })
        .await
    }

    /// Loads the model `name` of the store from the folder of another version. If that fails, everything is as before.
    pub(crate) fn load_stored(
        &self,
        name: &str,
        folder: ModelFolder,
    ) -> Result<LoadedModel, ModelChangeError> {
        let mut sources = self.sources.blocking_lock();
        let known = sources.iter().position(|source| source.is_of_store(name));
        let before = known.map(|index| sources[index].clone());
        let index = known.unwrap_or_else(|| {
            sources.push(ModelSource::new(folder.clone()).of_store(name));
            sources.len() - 1
        });
        sources[index].folder = folder;
        let loaded = self.load(&mut sources, index);
        if loaded.is_err() {
            match before {
                Some(before) => sources[index] = before,
                None => drop(sources.remove(index)),
            }
        }
        loaded
    }

    /// Drops the model `name`, which was withdrawn from the store.
    ///
    /// # Errors
    /// [`ModelChangeError::Default`] for the default model.
    pub(crate) fn drop_stored(&self, name: &str) -> Result<(), EditorError> {
        let mut sources = self.sources.blocking_lock();
        if let Some(index) = sources.iter().position(|source| source.is_of_store(name)) {
            if sources[index].loaded().is_some() {
                self.drop(name)?;
            }
            sources.remove(index);
        }
        Ok(())
    }

    /// Logs and counts that the model `name` of the store cannot be loaded. Returns the error for the request that asked for it.
    pub(crate) fn stored_failed(&self, name: &str, reason: CatalogError) -> ModelChangeError {
        let is_served = self.models.find(name).is_some();
        tracing::error!(model = name, %reason, is_served, "a model of the store could not be loaded");
        self.opener.metrics.model_loaded(LoadOutcome::Failed);
        match reason {
            CatalogError::Unwritable { .. } => ModelChangeError::NotDownloaded { reason, is_served },
            reason => {
                let reason = Box::new(reason.into());
                ModelChangeError::Load { reason, is_served }
            }
        }
    }

    /// Reloads all folders that have changed, or that had a mistake, and loads those that are new or dropped. Takes seconds, so not for
    /// async threads. Mistakes are logged.
    pub fn reload(&self) {
        self.load_where(|source| source.needs_reload());
    }

    /// Reloads the folders that have changed since they were read, but not since the last look, and loads new ones. Call it again and
    /// again, not on an async thread. Mistakes are logged.
    pub fn look(&self) {
        self.load_where(|source| source.has_settled_change() && !source.is_dropped);
    }

    /// Makes a change on a blocking thread, when all others have been made.
    async fn in_turn<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Self, &mut Vec<ModelSource>) -> Result<T, EditorError> + Send + 'static,
    ) -> Result<T, EditorError> {
        let (loader, permit) = (self.clone(), change_permit());
        let mut sources = Arc::clone(&self.sources).lock_owned().await;
        run_blocking(move || {
            if permit.begin() {
                change(&loader, &mut sources)
            } else {
                Err(EditorError::TooLate)
            }
        })
        .await
    }

    fn load_where(&self, mut chosen: impl FnMut(&mut ModelSource) -> bool) {
        let mut sources = self.sources.blocking_lock();
        self.find_folders(&mut sources);
        for index in 0..sources.len() {
            if chosen(&mut sources[index]) {
                // The log and the metrics have the error.
                let _ = self.load(&mut sources, index);
            }
        }
    }

    /// Adds the model folders that are new.
    fn find_folders(&self, sources: &mut Vec<ModelSource>) {
        for folder in self.configured.iter().flat_map(|path| ModelFolder::at(path)) {
            if sources.iter().all(|known| known.folder != folder) {
                sources.push(ModelSource::new(folder));
            }
        }
    }

    fn put_in(&self, sources: &mut Vec<ModelSource>, name: &str) -> Result<LoadedModel, ModelChangeError> {
        self.find_folders(sources);
        let manifests: Vec<_> = sources
            .iter()
            .map(|source| ModelFiles::name_in(&source.folder).ok())
            .collect();
        let has_name = |now: &Option<String>| now.as_deref() == Some(name);
        // If the manifest is wrong now, the error says how.
        let was_called = || {
            let had =
                |(source, now): (&ModelSource, &Option<String>)| now.is_none() && has_name(&source.model);
            sources.iter().zip(&manifests).position(had)
        };
        if let Some(index) = manifests.iter().position(has_name).or_else(was_called) {
            return self.load(sources, index);
        }
        let mut known: Vec<_> = manifests.into_iter().flatten().collect();
        known.sort();
        let found = name.to_owned();
        Err(ModelChangeError::NoFolder { found, known })
    }

    /// Loads a folder, logs how that ended, and counts it.
    fn load(&self, sources: &mut [ModelSource], index: usize) -> Result<LoadedModel, ModelChangeError> {
        let loaded = self.try_load(sources, index);
        let source = &mut sources[index];
        source.has_failed = loaded.is_err();
        let folder = source.folder.name("");
        let outcome = match &loaded {
            Ok((loaded, outcome)) => {
                let (model, digest) = (loaded.model.name(), loaded.model.digest());
                tracing::info!(model, digest, folder, ?outcome, "a model folder was loaded");
                *outcome
            }
            Err(reason) => {
                let goes_on = source.loaded();
                tracing::error!(folder, %reason, goes_on, "a model folder could not be loaded");
                LoadOutcome::Failed
            }
        };
        self.opener.metrics.model_loaded(outcome);
        let is_served = source.loaded().is_some();
        let loaded = loaded.map_err(|reason| ModelChangeError::Load {
            reason: Box::new(reason),
            is_served,
        });
        Ok(loaded?.0)
    }

    fn try_load(
        &self,
        sources: &mut [ModelSource],
        index: usize,
    ) -> Result<(LoadedModel, LoadOutcome), LoadError> {
        let source = &mut sources[index];
        // Before the files are read, so that a change meanwhile is seen at the next look.
        source.read = FolderSnapshot::of(&source.folder);
        source.seen = source.read.clone();
        let files = ModelFiles::read(&source.folder)?;
        let name = files.manifest.name.clone();
        self.check_name(sources, index, &files)?;
        let known = self.models.find(&name);
        let (model, outcome) = match &known {
            Some(known) if is_of(known, &files) => (Arc::clone(known), LoadOutcome::Unchanged),
            Some(known) if known.files_digest() == files.digest => {
                // Only boundaries have changed. The networks are the same.
                let model = of_folder(files, known.engine().clone())?;
                (self.models.put_model(model)?, LoadOutcome::Replaced)
            }
            Some(_) => {
                let model = self.opener.open(files)?;
                (self.models.put_model(model)?, LoadOutcome::Replaced)
            }
            None => {
                let added = self
                    .opener
                    .open(files)
                    .and_then(|model| self.models.put_model(model));
                // The metrics of a model begin with its networks.
                let added = added.inspect_err(|_| self.opener.metrics.forget_model(&name));
                (added?, LoadOutcome::Added)
            }
        };
        let source = &mut sources[index];
        let before = source
            .loaded()
            .filter(|&before| before != name)
            .map(str::to_owned);
        source.model = Some(name);
        source.is_dropped = false;
        if let Some(before) = before {
            // The folder's model has another name now. It is not the default model, which may not change its name.
            let _ = self.drop(&before);
        }
        let is_new = known.is_none();
        Ok((LoadedModel { model, is_new }, outcome))
    }

    /// Checks that no other folder's model has the name in `files`, and that the default model has kept its name.
    fn check_name(&self, sources: &[ModelSource], index: usize, files: &ModelFiles) -> Result<(), LoadError> {
        let name = &files.manifest.name;
        let has_name =
            |(other, source): (usize, &ModelSource)| other != index && source.loaded() == Some(name.as_str());
        if sources.iter().enumerate().any(has_name) {
            return Err(LoadError::SameName { name: name.clone() });
        }
        match sources[index].loaded() {
            Some(before) if before != name && self.models.is_default(before) => {
                Err(LoadError::DefaultRenamed {
                    file: files.manifest_file.clone(),
                    found: name.clone(),
                    expected: before.to_owned(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Drops a model, logs and counts it.
    fn drop(&self, name: &str) -> Result<Arc<Model>, EditorError> {
        let model = self.models.drop_model(name)?;
        self.opener.metrics.forget_model(model.name());
        self.opener.metrics.model_loaded(LoadOutcome::Dropped);
        tracing::info!(model = model.name(), "a model was dropped");
        Ok(model)
    }
}

/// Whether the model is what its folder has: these files, and all of these boundaries.
fn is_of(model: &Model, files: &ModelFiles) -> bool {
    model.files_digest() == files.digest && model.boundaries().has_originals(&files.boundaries)
}

//! The loaded models by name, and changes: of their boundaries, and of the models themselves.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::catalog::{CatalogError, JobFiles, Store, StoredChange};
use crate::editor::blocking::run_blocking;
use crate::editor::boundary_limits::BoundaryLimits;
use crate::editor::boundary_set::{BoundarySet, bytes};
use crate::editor::kept_boundaries::{changes_of, with_changes, with_stored};
use crate::editor::{EditorError, LoadError, Model, ModelChangeError};
use crate::engine::change_permit;
use crate::latent::{Boundary, LatentSpace};
use crate::metrics::StoreMetrics;

/// Stands between the name of a model and its digest.
const DIGEST_MARK: char = '@';

/// The longest wait of a change for the store, and for changes before it.
const STORE_PATIENCE: Duration = Duration::from_secs(10);

/// How often a change is tried if other services change the same boundary at the same time.
const MOST_TRIES: u32 = 100;

/// The loaded models, one of which is the default. Cheap to clone.
///
/// A [`Model`] never changes. When a boundary or a model folder changes, another model replaces it. Requests that have begun
/// finish with the model that they began with, and its networks end when the last of them has.
#[derive(Clone)]
pub struct Models {
    /// In the order in which they were added.
    loaded: Arc<RwLock<Vec<Arc<Model>>>>,
    /// The name of the default model, which is always loaded.
    default: Arc<str>,
    store: Option<Arc<Store>>,
    store_metrics: StoreMetrics,
    limits: BoundaryLimits,
    /// Held while a change is made, so that the store and the memory change in the same order.
    changing: Arc<Mutex<()>>,
}

impl Models {
    /// Collects the models. `default` names the one for requests that name none; it is the first model if `None`.
    /// Changes of boundaries stay in memory.
    ///
    /// # Errors
    /// [`LoadError::SameName`] if two models have the same name. [`LoadError::UnknownDefault`] if the default is not
    /// among them, or there is no model at all.
    pub fn new(models: Vec<Model>, default: Option<&str>) -> Result<Self, LoadError> {
        let known: Vec<String> = models.iter().map(|model| model.name().to_owned()).collect();
        let repeated = |&(index, name): &(usize, &String)| known[..index].contains(name);
        if let Some((_, name)) = known.iter().enumerate().find(repeated) {
            return Err(LoadError::SameName { name: name.clone() });
        }
        let default = default.or(known.first().map(String::as_str));
        let name = default.unwrap_or_default().to_owned();
        if !known.contains(&name) {
            return Err(LoadError::UnknownDefault { name, known });
        }
        let loaded = models.into_iter().map(Arc::new).collect();
        Ok(Self {
            loaded: Arc::new(RwLock::new(loaded)),
            default: name.into(),
            store: None,
            store_metrics: StoreMetrics::default(),
            limits: BoundaryLimits::default(),
            changing: Arc::default(),
        })
    }

    /// The same models with other limits of their boundaries.
    #[must_use]
    pub fn with_limits(self, limits: BoundaryLimits) -> Self {
        Self { limits, ..self }
    }

    /// The same models with the changes that `store` has kept. The store keeps changes from now on.
    ///
    /// # Errors
    /// [`LoadError`] for the first file of the store that cannot be read.
    pub fn with_store(mut self, store: Store) -> Result<Self, LoadError> {
        for model in self.iter() {
            let changed = with_changes(&model, store.read(model.name())?);
            self.set(Arc::new(changed));
        }
        self.store = Some(Arc::new(store));
        Ok(self)
    }

    /// The same models, which count failures of the store in `metrics`.
    #[must_use]
    pub fn with_store_metrics(self, store_metrics: StoreMetrics) -> Self {
        Self {
            store_metrics,
            ..self
        }
    }

    pub(crate) fn store_metrics(&self) -> &StoreMetrics {
        &self.store_metrics
    }

    /// Whether changes of boundaries are kept in a store.
    #[must_use]
    pub fn keeps_changes(&self) -> bool {
        self.store.is_some()
    }

    /// The files of jobs in the store, if there is one.
    pub(crate) fn job_files(&self) -> Option<JobFiles> {
        self.store.as_ref().map(|store| JobFiles::new(store.blobs()))
    }

    /// The model with the name `name`, or the default model, as it is now. The digest of the model may follow its name and an `@`.
    ///
    /// # Errors
    /// [`EditorError::UnknownModel`]; it lists the names that exist. [`EditorError::OtherDigest`] if the model has another digest.
    pub fn get(&self, name: Option<&str>) -> Result<Arc<Model>, EditorError> {
        let Some(name) = name else {
            return Ok(self.default_model());
        };
        self.named(name)
    }

    /// Whether the digest of a model follows its name.
    #[must_use]
    pub fn names_digest(name: &str) -> bool {
        name.contains(DIGEST_MARK)
    }

    fn named(&self, name: &str) -> Result<Arc<Model>, EditorError> {
        let (name, digest) = match name.split_once(DIGEST_MARK) {
            Some((name, digest)) => (name, Some(digest)),
            None => (name, None),
        };
        let loaded = self.find(name).ok_or_else(|| EditorError::UnknownModel {
            found: name.to_owned(),
            known: self.iter().map(|model| model.name().to_owned()).collect(),
        })?;
        match digest.filter(|&digest| digest != loaded.digest()) {
            None => Ok(loaded),
            Some(found) => Err(EditorError::OtherDigest {
                model: name.to_owned(),
                found: found.to_owned(),
                loaded: loaded.digest().to_owned(),
            }),
        }
    }

    /// The model with exactly this name, as it is now, if there is one.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Model>> {
        self.iter().find(|model| model.name() == name)
    }

    /// The default model, as it is now.
    #[must_use]
    pub fn default_model(&self) -> Arc<Model> {
        let model = self.find(&self.default);
        model.expect("the default model is never dropped")
    }

    /// All models as they are now, in the order in which they were loaded.
    pub fn iter(&self) -> impl Iterator<Item = Arc<Model>> + use<> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.clone().into_iter()
    }

    /// Adds a model, or replaces the one of its name. It gets the changed boundaries that fit it: those in the store, or without a
    /// store, or if it fails, those of the replaced model. Waits for changes that have begun, so not for async threads.
    ///
    /// # Errors
    /// [`LoadError`] if the store cannot be read for a model that is new. Then nothing has changed.
    pub(crate) fn put_model(&self, model: Model) -> Result<Arc<Model>, LoadError> {
        let _turn = self.changing.blocking_lock();
        let old = self.find(model.name());
        let in_memory = || old.as_ref().map(|old| changes_of(old));
        let changes = match &self.store {
            Some(store) => match (store.read(model.name()), in_memory()) {
                (Ok(stored), _) => stored,
                (Err(error), Some(changes)) => {
                    self.store_metrics.failed();
                    let model = model.name();
                    tracing::error!(%error, model, "the store cannot be read: the model keeps the boundaries in memory");
                    changes
                }
                (Err(error), None) => return Err(error.into()),
            },
            None => in_memory().unwrap_or_default(),
        };
        let model = Arc::new(with_changes(&model, changes));
        self.set(Arc::clone(&model));
        Ok(model)
    }

    /// Drops a model and returns it: further requests do not find it. Its boundaries stay in the store. Waits as [`put_model`](Self::put_model) does.
    ///
    /// # Errors
    /// [`EditorError::UnknownModel`], or [`ModelChangeError::Default`] for the default model.
    pub(crate) fn drop_model(&self, name: &str) -> Result<Arc<Model>, EditorError> {
        let _turn = self.changing.blocking_lock();
        let dropped = self.named(name)?;
        if self.is_default(dropped.name()) {
            let model = dropped.name().to_owned();
            return Err(ModelChangeError::Default { model }.into());
        }
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        loaded.retain(|model| model.name() != dropped.name());
        Ok(dropped)
    }

    /// Whether requests that name no model get the model of this name.
    pub(crate) fn is_default(&self, name: &str) -> bool {
        *self.default == *name
    }

    /// Replaces the model of the same name, or adds the model.
    fn set(&self, model: Arc<Model>) {
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        match loaded.iter_mut().find(|known| known.name() == model.name()) {
            Some(known) => *known = model,
            None => loaded.push(model),
        }
    }

    /// Adds a boundary to the model `name`; it replaces the one of the same attribute and space. Returns the changed
    /// model.
    ///
    /// If the request's timeout passes before the change begins, nothing changes. A change that has begun is finished, and
    /// the timeout does not stop its request ([`change_permit`]).
    ///
    /// # Errors
    /// [`EditorError`] if the boundary does not fit the model, there is no room for it, or it cannot be stored. Then nothing
    /// has changed.
    pub async fn put_boundary(&self, name: &str, boundary: Arc<Boundary>) -> Result<Arc<Model>, EditorError> {
        self.named(name)?.check_boundary(&boundary)?;
        let models = self.clone();
        self.change(name, move |model, store| {
            // The model may have been replaced since.
            model.check_boundary(&boundary)?;
            let (attribute, space) = (boundary.attribute(), boundary.space());
            models.check_room(model, [attribute], space, bytes(&boundary))?;
            let mut boundaries = model.boundaries().clone();
            boundaries.insert(Arc::clone(&boundary))?;
            if let Some(store) = store {
                store.write(model.name(), &boundary)?;
            }
            Ok(boundaries)
        })
        .await
    }

    /// Deletes a boundary of the model `name`; if it replaces one that came with the model, that one is back. Returns the changed
    /// model. Timeouts apply as in [`put_boundary`](Self::put_boundary).
    ///
    /// # Errors
    /// [`EditorError`] if there is no such boundary, it came with the model, or the store cannot remove it. Then nothing has
    /// changed.
    pub async fn delete_boundary(
        &self,
        name: &str,
        attribute: &str,
        space: LatentSpace,
    ) -> Result<Arc<Model>, EditorError> {
        let attribute = attribute.to_owned();
        self.change(name, move |model, store| {
            let mut boundaries = model.boundaries().clone();
            boundaries.delete(&attribute, space)?;
            if let Some(store) = store {
                store.remove(model.name(), &attribute, space)?;
            }
            Ok(boundaries)
        })
        .await
    }

    /// Checks that `model` may get boundaries of `attributes` in `space`, each of `bytes_each`. They may replace those that it
    /// has.
    ///
    /// # Errors
    /// [`EditorError::SimilarAttribute`], [`EditorError::TooManyBoundaries`] or [`EditorError::BoundaryMemory`].
    pub(crate) fn check_room<'a>(
        &self,
        model: &Model,
        attributes: impl IntoIterator<Item = &'a str>,
        space: LatentSpace,
        bytes_each: usize,
    ) -> Result<(), EditorError> {
        let in_all = self.iter().map(|model| model.boundaries().bytes()).sum();
        self.limits
            .check(model.boundaries(), in_all, attributes, space, bytes_each)
    }

    /// What other services have changed in the store about the model `name`.
    pub(crate) fn stored_changes(&self, name: &str) -> Result<Vec<StoredChange>, CatalogError> {
        let changes = self.store.as_ref().map(|store| store.changes(name));
        changes.unwrap_or_else(|| Ok(Vec::new()))
    }

    /// Makes changes of other services to the boundaries of the model `name`.
    pub(crate) async fn make_stored(
        &self,
        name: &str,
        changes: Vec<StoredChange>,
    ) -> Result<Arc<Model>, EditorError> {
        let make = move |model: &Model, store: Option<&Store>| match store {
            Some(store) => Ok(with_stored(model, store, &changes)),
            None => Ok(model.boundaries().clone()),
        };
        self.change(name, make).await
    }

    /// Makes one change, first in the store, then in memory. If another service has changed the same boundary in the store, its change
    /// is made first, and `change` is called again.
    async fn change(
        &self,
        name: &str,
        change: impl Fn(&Model, Option<&Store>) -> Result<BoundarySet, EditorError> + Send + 'static,
    ) -> Result<Arc<Model>, EditorError> {
        self.named(name)?;
        let (models, name, permit) = (self.clone(), name.to_owned(), change_permit());
        let made = async {
            // Changes wait here and not on a blocking thread, of which there are few.
            let turn = Arc::clone(&self.changing).lock_owned().await;
            run_blocking(move || {
                let _turn = turn;
                if !permit.begin() {
                    return Err(EditorError::TooLate);
                }
                models.change_now(&name, change)
            })
            .await
        };
        let patience = self.store.as_ref().map_or(Duration::MAX, |_| STORE_PATIENCE);
        let made = timeout(patience, made).await.unwrap_or_else(|_| {
            let reason = format!("found no answer within {} s", patience.as_secs());
            let store = "the store".to_owned();
            Err(CatalogError::StoreUnavailable { store, reason }.into())
        });
        if let Err(EditorError::NotStored(_)) = made {
            self.store_metrics.failed();
        }
        made
    }

    /// Makes one change, while no other is made.
    fn change_now(
        &self,
        name: &str,
        change: impl Fn(&Model, Option<&Store>) -> Result<BoundarySet, EditorError>,
    ) -> Result<Arc<Model>, EditorError> {
        let set = |model: &Model, boundaries: BoundarySet| {
            let changed = Arc::new(model.with_boundaries(boundaries));
            self.set(Arc::clone(&changed));
            changed
        };
        let mut tries = 1;
        loop {
            let model = self.named(name)?;
            match (change(&model, self.store.as_deref()), &self.store) {
                (Ok(boundaries), _) => return Ok(set(&model, boundaries)),
                (Err(EditorError::NotStored(CatalogError::StoreChanged { .. })), Some(store))
                    if tries < MOST_TRIES =>
                {
                    tries += 1;
                    let changes = store.changes(model.name())?;
                    set(&model, with_stored(&model, store, &changes));
                }
                (Err(error), _) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! The loaded models by name, and changes of their boundaries.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::catalog::{Store, StoreEntry};
use crate::editor::blocking::run_blocking;
use crate::editor::{EditorError, LoadError, Model};
use crate::latent::{Boundary, LatentSpace};

/// The loaded models, one of which is the default. Cheap to clone.
///
/// A [`Model`] never changes. When a boundary changes, another model replaces it, and requests that have begun finish
/// with the model that they began with.
#[derive(Clone)]
pub struct Models {
    all: Arc<[RwLock<Arc<Model>>]>,
    default: usize,
    store: Option<Arc<Store>>,
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
        let default = known.iter().position(|known| *known == name);
        let default = default.ok_or(LoadError::UnknownDefault { name, known })?;
        let slot = |model| RwLock::new(Arc::new(model));
        Ok(Self {
            all: models.into_iter().map(slot).collect(),
            default,
            store: None,
            changing: Arc::default(),
        })
    }

    /// The same models with the changes that `store` has kept. The store keeps changes from now on.
    ///
    /// # Errors
    /// [`LoadError`] for the first file of the store that is wrong or belongs to another model.
    pub fn with_store(mut self, store: Store) -> Result<Self, LoadError> {
        for slot in self.all.iter() {
            let mut model = current(slot);
            for (file, kept) in store.read(model.name())? {
                let changed = match kept {
                    StoreEntry::Boundary(boundary) => model.with_boundary(*boundary),
                    // A boundary that the model folder no longer has need not be hidden.
                    StoreEntry::Removed { attribute, space } => {
                        match model.without_boundary(&attribute, space) {
                            Err(EditorError::UnknownAttribute { .. }) => continue,
                            other => other,
                        }
                    }
                };
                model = Arc::new(changed.map_err(|reason| LoadError::Stored {
                    file,
                    reason: Box::new(reason),
                })?);
            }
            *slot.write().unwrap_or_else(PoisonError::into_inner) = model;
        }
        self.store = Some(Arc::new(store));
        Ok(self)
    }

    /// Whether changes of boundaries are kept on disk.
    #[must_use]
    pub fn keeps_changes(&self) -> bool {
        self.store.is_some()
    }

    /// The model with the name `name`, or the default model, as it is now.
    ///
    /// # Errors
    /// [`EditorError::UnknownModel`]; it lists the names that exist.
    pub fn get(&self, name: Option<&str>) -> Result<Arc<Model>, EditorError> {
        let Some(name) = name else {
            return Ok(self.default_model());
        };
        self.slot(name).map(current)
    }

    fn slot(&self, name: &str) -> Result<&RwLock<Arc<Model>>, EditorError> {
        let named = |slot: &&RwLock<Arc<Model>>| current(slot).name() == name;
        let found = self.all.iter().find(named);
        found.ok_or_else(|| EditorError::UnknownModel {
            found: name.to_owned(),
            known: self.iter().map(|model| model.name().to_owned()).collect(),
        })
    }

    /// The default model, as it is now.
    #[must_use]
    pub fn default_model(&self) -> Arc<Model> {
        current(&self.all[self.default])
    }

    /// All models as they are now, in the order in which they were loaded.
    pub fn iter(&self) -> impl Iterator<Item = Arc<Model>> {
        self.all.iter().map(current)
    }

    /// Adds a boundary to the model `name`; it replaces the one of the same attribute and space. Returns the changed
    /// model.
    ///
    /// # Errors
    /// [`EditorError`] if the boundary does not fit the model or cannot be stored. Then nothing has changed.
    pub async fn put_boundary(&self, name: &str, boundary: Boundary) -> Result<Arc<Model>, EditorError> {
        self.change(name, move |model, store| {
            let changed = model.with_boundary(boundary.clone())?;
            if let Some(store) = store {
                store.write(model.name(), &boundary)?;
            }
            Ok(changed)
        })
        .await
    }

    /// Removes a boundary from the model `name`. Returns the changed model.
    ///
    /// # Errors
    /// [`EditorError`] if there is no such boundary, or the store cannot remove it. Then nothing has changed.
    pub async fn delete_boundary(
        &self,
        name: &str,
        attribute: &str,
        space: LatentSpace,
    ) -> Result<Arc<Model>, EditorError> {
        let attribute = attribute.to_owned();
        self.change(name, move |model, store| {
            let changed = model.without_boundary(&attribute, space)?;
            if let Some(store) = store {
                let shipped = model.boundaries().is_shipped(&attribute, space);
                store.remove(model.name(), &attribute, space, shipped)?;
            }
            Ok(changed)
        })
        .await
    }

    /// Makes one change, first on disk, then in memory.
    async fn change(
        &self,
        name: &str,
        change: impl FnOnce(&Model, Option<&Store>) -> Result<Model, EditorError> + Send + 'static,
    ) -> Result<Arc<Model>, EditorError> {
        self.slot(name)?;
        let (models, name) = (self.clone(), name.to_owned());
        run_blocking(move || {
            let _alone = models.changing.lock().unwrap_or_else(PoisonError::into_inner);
            let slot = models.slot(&name)?;
            let changed = Arc::new(change(&current(slot), models.store.as_deref())?);
            *slot.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&changed);
            Ok(changed)
        })
        .await
    }
}

fn current(slot: &RwLock<Arc<Model>>) -> Arc<Model> {
    Arc::clone(&slot.read().unwrap_or_else(PoisonError::into_inner))
}

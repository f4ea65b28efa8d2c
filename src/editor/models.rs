//! The models that are loaded, by name, and the changes of their boundaries.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::catalog::{Kept, Store};
use crate::editor::{EditorError, LoadError, Model};
use crate::latent::{Boundary, LatentSpace};

/// The loaded models, one of them the default. Cheap to clone.
///
/// A [`Model`] never changes: where a boundary does, another takes its place, and requests under way finish with the one
/// that they began with.
#[derive(Clone)]
pub struct Models {
    all: Arc<[RwLock<Arc<Model>>]>,
    default: usize,
    store: Option<Arc<Store>>,
    /// Held while a change is made, so that store and memory change in one order.
    changing: Arc<Mutex<()>>,
}

impl Models {
    /// Takes the models; `default` names the one for requests that name none, the first where it is `None`. Changes
    /// stay in memory.
    ///
    /// # Errors
    /// [`LoadError::SameName`], or [`LoadError::UnknownDefault`], also where there is no model at all.
    pub fn new(models: Vec<Model>, default: Option<&str>) -> Result<Self, LoadError> {
        let known: Vec<String> = models.iter().map(|model| model.name().to_owned()).collect();
        if let Some((_, name)) = known
            .iter()
            .enumerate()
            .find(|&(place, name)| known[..place].contains(name))
        {
            return Err(LoadError::SameName { name: name.clone() });
        }
        let wanted = default
            .or(known.first().map(String::as_str))
            .unwrap_or_default()
            .to_owned();
        let default = known.iter().position(|name| *name == wanted);
        let default = default.ok_or(LoadError::UnknownDefault { name: wanted, known })?;
        Ok(Self {
            all: models
                .into_iter()
                .map(|model| RwLock::new(Arc::new(model)))
                .collect(),
            default,
            store: None,
            changing: Arc::default(),
        })
    }

    /// The same models with the boundaries that `store` has kept, which keeps their changes from now on.
    ///
    /// # Errors
    /// [`LoadError`], naming the first file of the store that is wrong, or that is of another model.
    pub fn with_store(mut self, store: Store) -> Result<Self, LoadError> {
        for place in self.all.iter() {
            let mut model = current(place);
            for (file, kept) in store.read(model.name())? {
                let changed = match kept {
                    Kept::Boundary(boundary) => model.with_boundary(*boundary),
                    // What the model folder no longer has need not be hidden.
                    Kept::Removed { attribute, space } => match model.without_boundary(&attribute, space) {
                        Err(EditorError::UnknownAttribute { .. }) => continue,
                        other => other,
                    },
                };
                model = Arc::new(changed.map_err(|source| LoadError::Stored {
                    file,
                    source: Box::new(source),
                })?);
            }
            *place.write().unwrap_or_else(PoisonError::into_inner) = model;
        }
        self.store = Some(Arc::new(store));
        Ok(self)
    }

    /// Whether changes are kept on disk.
    #[must_use]
    pub fn keeps_changes(&self) -> bool {
        self.store.is_some()
    }

    /// The model called `name` as it is now, or the default.
    ///
    /// # Errors
    /// [`EditorError::UnknownModel`], with the names that exist.
    pub fn get(&self, name: Option<&str>) -> Result<Arc<Model>, EditorError> {
        let Some(name) = name else {
            return Ok(self.default_model());
        };
        self.place(name).map(current)
    }

    fn place(&self, name: &str) -> Result<&RwLock<Arc<Model>>, EditorError> {
        let named = |place: &&RwLock<Arc<Model>>| current(place).name() == name;
        self.all
            .iter()
            .find(named)
            .ok_or_else(|| EditorError::UnknownModel {
                found: name.to_owned(),
                known: self.iter().map(|model| model.name().to_owned()).collect(),
            })
    }

    /// The model for requests that name none, as it is now.
    #[must_use]
    pub fn default_model(&self) -> Arc<Model> {
        current(&self.all[self.default])
    }

    /// All of them as they are now, in the order they were loaded.
    pub fn iter(&self) -> impl Iterator<Item = Arc<Model>> {
        self.all.iter().map(current)
    }

    /// Gives the model called `name` a boundary, in place of one that it has of this attribute and space; the model as it
    /// is then.
    ///
    /// # Errors
    /// [`EditorError`] for a boundary that does not fit the model, or that cannot be kept; nothing has changed then.
    pub async fn put_boundary(&self, name: &str, boundary: Boundary) -> Result<Arc<Model>, EditorError> {
        self.change(name, move |model, store| {
            let changed = model.with_boundary(boundary.clone())?;
            if let Some(store) = store {
                store.keep(model.name(), &boundary)?;
            }
            Ok(changed)
        })
        .await
    }

    /// Takes a boundary from the model called `name`; the model as it is then.
    ///
    /// # Errors
    /// [`EditorError`] where there is no such boundary, or where the store cannot forget it; nothing has changed then.
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
                let hidden = model.came_with(&attribute, space);
                store.remove(model.name(), &attribute, space, hidden)?;
            }
            Ok(changed)
        })
        .await
    }

    /// Makes one change, on the disk first, off the async threads.
    async fn change(
        &self,
        name: &str,
        change: impl FnOnce(&Model, Option<&Store>) -> Result<Model, EditorError> + Send + 'static,
    ) -> Result<Arc<Model>, EditorError> {
        self.place(name)?;
        let (models, name) = (self.clone(), name.to_owned());
        let done = tokio::task::spawn_blocking(move || {
            let _alone = models.changing.lock().unwrap_or_else(PoisonError::into_inner);
            let place = models.place(&name)?;
            let changed = Arc::new(change(&current(place), models.store.as_deref())?);
            *place.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&changed);
            Ok(changed)
        });
        done.await.expect("changing a boundary does not panic")
    }
}

fn current(place: &RwLock<Arc<Model>>) -> Arc<Model> {
    Arc::clone(&place.read().unwrap_or_else(PoisonError::into_inner))
}

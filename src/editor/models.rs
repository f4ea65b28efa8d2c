//! The loaded models by name, and changes of their boundaries.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use crate::catalog::{Store, StoreEntry};
use crate::editor::blocking::run_blocking;
use crate::editor::boundary_limits::BoundaryLimits;
use crate::editor::boundary_set::{BoundarySet, bytes};
use crate::editor::{EditorError, LoadError, Model};
use crate::engine::change_permit;
use crate::latent::{Boundary, LatentSpace};

/// Stands between the name of a model and its digest.
const DIGEST_MARK: char = '@';

/// The loaded models, one of which is the default. Cheap to clone.
///
/// A [`Model`] never changes. When a boundary changes, another model replaces it, and requests that have begun finish
/// with the model that they began with.
#[derive(Clone)]
pub struct Models {
    all: Arc<[RwLock<Arc<Model>>]>,
    default: usize,
    store: Option<Arc<Store>>,
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
        let default = known.iter().position(|known| *known == name);
        let default = default.ok_or(LoadError::UnknownDefault { name, known })?;
        let slot = |model| RwLock::new(Arc::new(model));
        Ok(Self {
            all: models.into_iter().map(slot).collect(),
            default,
            store: None,
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
    /// [`LoadError`] for the first file of the store that is wrong or belongs to another model.
    pub fn with_store(mut self, store: Store) -> Result<Self, LoadError> {
        for slot in self.all.iter() {
            let model = current(slot);
            let mut boundaries = model.boundaries().clone();
            for (file, kept) in store.read(model.name())? {
                apply(&model, &mut boundaries, kept).map_err(|reason| LoadError::Stored {
                    file,
                    reason: Box::new(reason),
                })?;
            }
            let changed = Arc::new(model.with_boundaries(boundaries));
            *slot.write().unwrap_or_else(PoisonError::into_inner) = changed;
        }
        self.store = Some(Arc::new(store));
        Ok(self)
    }

    /// Whether changes of boundaries are kept on disk.
    #[must_use]
    pub fn keeps_changes(&self) -> bool {
        self.store.is_some()
    }

    /// The model with the name `name`, or the default model, as it is now. The digest of the model may follow its name and an `@`.
    ///
    /// # Errors
    /// [`EditorError::UnknownModel`]; it lists the names that exist. [`EditorError::OtherDigest`] if the model has another digest.
    pub fn get(&self, name: Option<&str>) -> Result<Arc<Model>, EditorError> {
        let Some(name) = name else {
            return Ok(self.default_model());
        };
        self.slot(name).map(current)
    }

    /// Whether the digest of a model follows its name.
    #[must_use]
    pub fn names_digest(name: &str) -> bool {
        name.contains(DIGEST_MARK)
    }

    fn slot(&self, name: &str) -> Result<&RwLock<Arc<Model>>, EditorError> {
        let (name, digest) = match name.split_once(DIGEST_MARK) {
            Some((name, digest)) => (name, Some(digest)),
            None => (name, None),
        };
        let named = |slot: &&RwLock<Arc<Model>>| current(slot).name() == name;
        let found = self.all.iter().find(named);
        let slot = found.ok_or_else(|| EditorError::UnknownModel {
            found: name.to_owned(),
            known: self.iter().map(|model| model.name().to_owned()).collect(),
        })?;
        let loaded = current(slot);
        match digest.filter(|&digest| digest != loaded.digest()) {
            None => Ok(slot),
            Some(found) => Err(EditorError::OtherDigest {
                model: name.to_owned(),
                found: found.to_owned(),
                loaded: loaded.digest().to_owned(),
            }),
        }
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
    /// If the request's timeout passes before the change begins, nothing changes. A change that has begun is finished, and
    /// the timeout does not stop its request ([`change_permit`]).
    ///
    /// # Errors
    /// [`EditorError`] if the boundary does not fit the model, there is no room for it, or it cannot be stored. Then nothing
    /// has changed.
    pub async fn put_boundary(&self, name: &str, boundary: Arc<Boundary>) -> Result<Arc<Model>, EditorError> {
        current(self.slot(name)?).check_boundary(&boundary)?;
        let models = self.clone();
        self.change(name, move |model, store| {
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

    /// Makes one change, first on disk, then in memory.
    async fn change(
        &self,
        name: &str,
        change: impl FnOnce(&Model, Option<&Store>) -> Result<BoundarySet, EditorError> + Send + 'static,
    ) -> Result<Arc<Model>, EditorError> {
        self.slot(name)?;
        let (models, name, permit) = (self.clone(), name.to_owned(), change_permit());
        // Changes wait here and not on a blocking thread, of which there are few.
        let turn = Arc::clone(&self.changing).lock_owned().await;
        run_blocking(move || {
            let _turn = turn;
            if !permit.begin() {
                return Err(EditorError::TooLate);
            }
            let slot = models.slot(&name)?;
            let model = current(slot);
            let changed = change(&model, models.store.as_deref())?;
            let changed = Arc::new(model.with_boundaries(changed));
            *slot.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&changed);
            Ok(changed)
        })
        .await
    }
}

/// Makes a change that the store has kept.
fn apply(model: &Model, boundaries: &mut BoundarySet, kept: StoreEntry) -> Result<(), EditorError> {
    match kept {
        StoreEntry::Boundary(boundary) => {
            model.check_boundary(&boundary)?;
            boundaries.insert(Arc::from(boundary))
        }
        StoreEntry::Removed { attribute, space } => {
            boundaries.take(&(attribute.into(), space));
            Ok(())
        }
    }
}

fn current(slot: &RwLock<Arc<Model>>) -> Arc<Model> {
    Arc::clone(&slot.read().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use ndarray::array;

    use super::*;
    use crate::catalog::{Graph, Manifest, ModelFiles, ModelFolder};
    use crate::engine::test_support::{SingleImageGenerator, engine};
    use crate::engine::within;
    use crate::latent::Provenance;

    const SHORT: Duration = Duration::from_millis(1);

    /// One model without boundaries.
    fn models() -> Models {
        let files = ModelFiles {
            folder: ModelFolder::Bundled,
            manifest_file: "manifest.toml".to_owned(),
            manifest: Manifest::parse("name = \"tiny\"\n[generator]\nsynthesis = \"g.onnx\"", "").unwrap(),
            mapping: None,
            synthesis: Graph::new("g.onnx".to_owned(), Vec::new().into()),
            w_avg: None,
            classifiers: Vec::new(),
            encoder: None,
            encoder_errors: None,
            landmarks: None,
            identity: None,
            gradient: None,
            boundaries: Vec::new(),
            digest: String::new(),
        };
        let engine = engine(vec![Box::new(SingleImageGenerator::new(1))], Vec::new(), 1);
        Models::new(vec![Model::new(files, engine).unwrap()], None).unwrap()
    }

    fn boundary(attribute: &str) -> Arc<Boundary> {
        let provenance = Provenance::default();
        let made = Boundary::new(attribute, LatentSpace::Z, array![[1.0]], 0.0, provenance);
        Arc::new(made.unwrap())
    }

    fn attributes(models: &Models) -> Vec<String> {
        let model = models.default_model();
        let boundaries = model.boundaries().iter();
        boundaries
            .map(|boundary| boundary.attribute().to_owned())
            .collect()
    }

    #[tokio::test]
    async fn a_change_that_waits_for_another_past_its_timeout_is_not_made() {
        let models = models();
        let slow = Arc::clone(&models.changing).lock_owned().await;
        let put = within(SHORT, models.put_boundary("tiny", boundary("smile")));
        assert!(put.await.is_none());
        drop(slow);
        models.put_boundary("tiny", boundary("age")).await.unwrap();
        assert_eq!(attributes(&models), ["age"]);
    }

    #[test]
    fn a_change_that_waits_for_a_thread_past_its_timeout_is_not_made() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        runtime.block_on(async {
            let models = models();
            let (go_on, wait) = std::sync::mpsc::channel();
            let busy = tokio::task::spawn_blocking(move || wait.recv().unwrap());
            let put = within(SHORT, models.put_boundary("tiny", boundary("smile")));
            assert!(put.await.is_none());
            go_on.send(()).unwrap();
            busy.await.unwrap();
            // It runs on the same thread, after the one before it.
            models.put_boundary("tiny", boundary("age")).await.unwrap();
            assert_eq!(attributes(&models), ["age"]);
        });
    }

    #[tokio::test]
    async fn a_change_by_a_slow_store_is_reported_if_and_only_if_it_is_made() {
        let models = models();
        // Until the limit is long enough for the change to begin.
        for exponent in 0.. {
            let limit = SHORT * 2_u32.pow(exponent);
            let began = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&began);
            let change = models.change("tiny", move |model, _| {
                seen.store(true, Ordering::SeqCst);
                std::thread::sleep(2 * limit);
                let mut boundaries = model.boundaries().clone();
                boundaries.insert(boundary("smile"))?;
                Ok(boundaries)
            });
            let reported = within(limit, change).await;
            assert_eq!(reported.is_some(), began.load(Ordering::SeqCst));
            if let Some(changed) = reported {
                assert_eq!(changed.unwrap().boundaries().iter().count(), 1);
                break;
            }
            assert!(attributes(&models).is_empty());
        }
    }

    #[tokio::test]
    async fn limits_refuse_new_boundaries_and_accept_replacements() {
        let each = bytes(&boundary("smile"));
        for (per_model, bytes, expected) in [
            (1, usize::MAX, "--max-boundaries"),
            (9, each, "--boundary-memory"),
        ] {
            let models = models().with_limits(BoundaryLimits { per_model, bytes });
            models.put_boundary("tiny", boundary("smile")).await.unwrap();
            models.put_boundary("tiny", boundary("smile")).await.unwrap();
            let refused = models.put_boundary("tiny", boundary("age")).await;
            let reason = refused.err().unwrap().to_string();
            assert!(reason.contains(expected), "{reason}");
            models
                .delete_boundary("tiny", "smile", LatentSpace::Z)
                .await
                .unwrap();
            models.put_boundary("tiny", boundary("age")).await.unwrap();
        }
    }
}

//! The models that are loaded, by name.

use std::sync::Arc;

use super::{EditorError, LoadError, Model};

/// The loaded models, one of them the default. Cheap to clone.
#[derive(Clone)]
pub struct Models {
    all: Arc<[Arc<Model>]>,
    default: usize,
}

impl Models {
    /// Takes the models; `default` names the one for requests that name none, the first where it is `None`.
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
            all: models.into_iter().map(Arc::new).collect(),
            default,
        })
    }

    /// The model called `name`, or the default.
    ///
    /// # Errors
    /// [`EditorError::UnknownModel`], with the names that exist.
    pub fn get(&self, name: Option<&str>) -> Result<&Arc<Model>, EditorError> {
        let Some(name) = name else {
            return Ok(self.default_model());
        };
        self.all
            .iter()
            .find(|model| model.name() == name)
            .ok_or_else(|| EditorError::UnknownModel {
                found: name.to_owned(),
                known: self.all.iter().map(|model| model.name().to_owned()).collect(),
            })
    }

    /// The model for requests that name none.
    #[must_use]
    pub fn default_model(&self) -> &Arc<Model> {
        &self.all[self.default]
    }

    /// All of them, in the order they were loaded.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.all.iter()
    }
}

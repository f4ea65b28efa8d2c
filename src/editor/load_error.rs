//! Why a model cannot be loaded.

use crate::catalog::{CatalogError, ModelFiles, ModelFolder};
use crate::engine::EngineError;
use crate::latent::{LatentError, LatentSpace};

/// Why a model cannot be loaded. Messages about a file begin with its name.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file of the folder is wrong.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A graph is wrong.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A boundary is in a space that the generator does not have.
    #[error(
        "{file}: found a boundary in {found}, expected one in {}: this generator has no other latent spaces",
        listed(known)
    )]
    BoundarySpace {
        /// The boundary file.
        file: String,
        /// Its space.
        found: LatentSpace,
        /// The generator's spaces.
        known: Vec<LatentSpace>,
    },
    /// A boundary does not fit the generator's codes.
    #[error(
        "{file}: found a boundary of shape {found:?}, expected {expected:?}, the shape of this generator's {space} codes"
    )]
    BoundaryShape {
        /// The boundary file.
        file: String,
        /// Its space.
        space: LatentSpace,
        /// Its shape.
        found: (usize, usize),
        /// The code's shape.
        expected: (usize, usize),
    },
    /// The rows of the mean code, or of the covariance of the encoder's errors, have another length than the
    /// generator's w codes.
    #[error("{file}: found {found} values a row, expected {expected}, as a w code of this generator has")]
    RowLength {
        /// The file.
        file: String,
        /// Values found.
        found: usize,
        /// Values expected.
        expected: usize,
    },
    /// The manifest's truncation, image range or covariance is invalid.
    #[error("{file}: {key}: {reason}")]
    Entry {
        /// The manifest.
        file: String,
        /// The key.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Two models have one name.
    #[error(
        "two models are called {name:?}{}; change the name in one manifest",
        about_bundled(name)
    )]
    SameName {
        /// The name.
        name: String,
    },
    /// The manifest of the default model has got another name.
    #[error(
        "{file}: found the name {found:?}, expected {expected:?}: it is the default model, which requests without a model name use; change \
         the name back, or start the service again"
    )]
    DefaultRenamed {
        /// The manifest.
        file: String,
        /// Its name of the model.
        found: String,
        /// The name of the default model.
        expected: String,
    },
    /// The configured default is not among the models.
    #[error("the default model {name:?} is not loaded; there is {}", known.join(", "))]
    UnknownDefault {
        /// The requested name.
        name: String,
        /// The models that are loaded.
        known: Vec<String>,
    },
}

impl LoadError {
    /// Turns an error of the mathematics into one about the manifest's entry `key`.
    pub(crate) fn entry(file: &str, key: &'static str) -> impl FnOnce(LatentError) -> Self {
        move |error| Self::Entry {
            file: file.to_owned(),
            key,
            reason: error.to_string(),
        }
    }
}

fn listed(spaces: &[LatentSpace]) -> String {
    spaces
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What else to say of two models with this name.
fn about_bundled(name: &str) -> &'static str {
    match ModelFiles::name_in(&ModelFolder::Bundled) {
        Ok(bundled) if bundled == name => ", and the bundled model, which is always loaded, is one of them",
        _ => "",
    }
}

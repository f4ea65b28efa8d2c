//! Loading a model: files, then networks, then the checks between them.

use crate::catalog::{CatalogError, ModelFolder, ModelPackage};
use crate::editor::{EditorError, Model};
use crate::engine::{self, EngineError, Operation, Runtime};
use crate::latent::{LatentError, LatentSpace};
use crate::metrics::Metrics;

/// Why a model cannot be loaded; each message opens with the file.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file of the folder is wrong.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A graph is wrong.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A boundary lies in a space that the generator does not have.
    #[error(
        "{file}: a boundary in {found}, but this generator's codes are in {}",
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
        "{file}: a boundary of shape {found:?}, but a {space} code of this generator has shape {expected:?}"
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
    /// The mean code, or the covariance of the encoder's errors, is of codes of another length than the generator's.
    #[error("{file}: {found} values a row, but a w code of this generator has {expected}")]
    RowLength {
        /// The file.
        file: String,
        /// Values found.
        found: usize,
        /// Values expected.
        expected: usize,
    },
    /// The manifest's truncation or image range cannot be used.
    #[error("{file}: {key}: {reason}")]
    Entry {
        /// The manifest.
        file: String,
        /// The key.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A file of the store does not fit the model that it is kept for.
    #[error("{file}: {source}; move the file away to start without it")]
    Stored {
        /// The file.
        file: String,
        /// Why it does not fit.
        source: Box<EditorError>,
    },
    /// Two models have one name.
    #[error("two models are called {name:?}; change the name in one manifest")]
    SameName {
        /// The name.
        name: String,
    },
    /// The configured default is not among the models.
    #[error("the default model {name:?} is not loaded; there is {}", known.join(", "))]
    UnknownDefault {
        /// The name asked for.
        name: String,
        /// The models that are loaded.
        known: Vec<String>,
    },
}

impl LoadError {
    /// Wraps what the mathematics says of a manifest's entry.
    pub(crate) fn entry(file: &str, key: &'static str) -> impl FnOnce(LatentError) -> Self {
        move |error| Self::Entry {
            file: file.to_owned(),
            key,
            reason: error.to_string(),
        }
    }
}

impl Model {
    /// Loads a model folder: reads its files, opens its graphs, checks them against one another, and sets
    /// them to work as `operation` says.
    ///
    /// # Errors
    /// [`LoadError`], naming the first file that is wrong.
    pub fn load(
        folder: &ModelFolder,
        runtime: &Runtime,
        operation: Operation,
        metrics: &Metrics,
    ) -> Result<Self, LoadError> {
        let package = ModelPackage::read(folder)?;
        let engine = engine::open(runtime, &package, operation, metrics)?;
        Self::new(package, engine)
    }
}

fn listed(spaces: &[LatentSpace]) -> String {
    spaces
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

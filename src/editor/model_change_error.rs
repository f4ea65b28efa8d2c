//! Why a model cannot be loaded, reloaded or dropped while the service runs.

use crate::catalog::CatalogError;
use crate::editor::LoadError;

/// A model cannot be loaded, reloaded or dropped while the service runs.
#[derive(Debug, thiserror::Error)]
pub enum ModelChangeError {
    /// No model folder has a model of this name.
    #[error(
        "found the name {found:?}, expected that of a model folder of the service (--model): {}",
        if known.is_empty() { "none".to_owned() } else { known.join(", ") }
    )]
    NoFolder {
        /// The requested name.
        found: String,
        /// The names of the models in the folders.
        known: Vec<String>,
    },
    /// The folder of the model has a mistake.
    #[error("{reason}; {}", state(*.is_served))]
    Load {
        /// What is wrong.
        reason: Box<LoadError>,
        /// Whether a model of this name is loaded.
        is_served: bool,
    },
    /// The store has the model, and the folder of downloads cannot take it.
    #[error("{reason}; make room for the model, or choose another folder (--downloads); {}", state(*.is_served))]
    NotDownloaded {
        /// Which file cannot be written, and why.
        reason: CatalogError,
        /// Whether a model of this name is loaded.
        is_served: bool,
    },
    /// The store, which has the model, cannot be read.
    #[error("the store, which has the model, cannot be read: {0}; try again")]
    Store(CatalogError),
    /// The default model cannot be dropped.
    #[error(
        "model {model} is the default, which requests without a model name use, so it cannot be dropped; start the service with \
         another --default-model"
    )]
    Default {
        /// The model.
        model: String,
    },
}

/// What goes on after a failure.
fn state(is_served: bool) -> &'static str {
    if is_served {
        "the model that was loaded before goes on"
    } else {
        "the model is not loaded"
    }
}

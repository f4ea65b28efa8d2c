//! Errors about boundaries that came with a model.

use crate::latent::LatentSpace;

/// No boundary came with the model, or one that did is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginalError {
    /// No boundary of the attribute came with the model.
    #[error("no boundary for {attribute:?} in {space} came with model {model}; leave out version=original")]
    Missing {
        /// The model.
        model: String,
        /// The attribute.
        attribute: String,
        /// The space.
        space: LatentSpace,
    },
    /// A boundary that came with the model is to be deleted.
    #[error(
        "the boundary for {attribute:?} in {space} came with model {model}, and stays; to use another one, train or PUT it: it \
         replaces this one until it is deleted"
    )]
    Undeletable {
        /// The model.
        model: String,
        /// The attribute.
        attribute: String,
        /// The space.
        space: LatentSpace,
    },
}

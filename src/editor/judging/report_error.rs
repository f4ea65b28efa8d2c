//! Why a report is not possible.

use crate::latent::LatentSpace;

/// A report is not possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// No attribute has both a boundary in this space and a classifier.
    #[error(
        "model {model} has no boundary in {space} of an attribute that its classifiers score, so there is nothing to report; \
         train one first, or compare all methods of editing with `compare`"
    )]
    NothingToReport {
        /// The model.
        model: String,
        /// The requested space.
        space: LatentSpace,
    },
    /// A report is asked for in a space that sampled faces have no codes in.
    #[error(
        "found the space {found} for a report on model {model}, expected one of {}: a report samples faces, and these are the spaces \
         of their codes; boundaries in all spaces are compared with `compare`",
        listed(sampled)
    )]
    NotSampled {
        /// The model.
        model: String,
        /// The requested space.
        found: LatentSpace,
        /// The spaces of sampled codes.
        sampled: Vec<LatentSpace>,
    },
}

fn listed(spaces: &[LatentSpace]) -> String {
    let spaces: Vec<String> = spaces.iter().map(ToString::to_string).collect();
    spaces.join(", ")
}

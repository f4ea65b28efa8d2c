//! Where the gradient graph of a model comes from.

use crate::catalog::{CatalogError, GradientEntry, Graph, InputEntry};

/// The gradient graph of a model, or what it is derived from.
#[derive(Clone, Debug)]
pub enum GradientSource {
    /// A graph in the model's folder.
    Stored(Graph),
    /// Derived from the synthesis graph when the model is loaded.
    Derived {
        /// The network in whose features images are compared, if the model has one.
        features: Option<FeatureNetwork>,
        /// Whether the manifest names this network. If it does, a model without a rule for its operators is refused.
        is_required: bool,
    },
}

/// A network in whose features images are compared.
#[derive(Clone, Debug)]
pub struct FeatureNetwork {
    /// Its graph.
    pub graph: Graph,
    /// The conversion of images for it.
    pub input: InputEntry,
}

impl GradientSource {
    /// What the graph of an entry without a file is derived from: the network that the entry names, or else the first of `networks`,
    /// each with its file.
    pub(super) fn derived(
        entry: &GradientEntry,
        mut networks: Vec<(String, FeatureNetwork)>,
        manifest_file: &str,
    ) -> Result<Self, CatalogError> {
        let place = match &entry.features {
            None => 0,
            Some(wanted) => {
                let place = networks.iter().position(|(file, _)| file == wanted);
                place.ok_or_else(|| CatalogError::Entry {
                    file: manifest_file.to_owned(),
                    key: "gradient.features".to_owned(),
                    found: format!("{wanted:?}"),
                    expected: "the file of the encoder, a classifier or the identity graph".to_owned(),
                })?
            }
        };
        let has_any = !networks.is_empty();
        Ok(Self::Derived {
            features: has_any.then(|| networks.swap_remove(place).1),
            is_required: entry.features.is_some(),
        })
    }
}

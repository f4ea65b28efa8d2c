//! The loads of models while the service runs, by how they ended.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// How a load of a model ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LoadOutcome {
    /// A model of a new name is there.
    Added,
    /// The model of this name was replaced.
    Replaced,
    /// The folder has what is loaded.
    Unchanged,
    /// The folder has a mistake. What was loaded before goes on.
    Failed,
    /// The model was dropped.
    Dropped,
}

impl LoadOutcome {
    const ALL: [Self; 5] = [
        Self::Added,
        Self::Replaced,
        Self::Unchanged,
        Self::Failed,
        Self::Dropped,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Replaced => "replaced",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

impl EncodeLabelValue for LoadOutcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.name().encode(encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: LoadOutcome,
}

/// The numbers of loads, one for each outcome. All are exported from the start, so that the first failure is a change.
#[derive(Clone)]
pub(super) struct ModelLoads(Family<OutcomeLabel, Counter>);

impl Default for ModelLoads {
    fn default() -> Self {
        let loads = Family::default();
        for outcome in LoadOutcome::ALL {
            drop(loads.get_or_create_owned(&OutcomeLabel { outcome }));
        }
        Self(loads)
    }
}

impl ModelLoads {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "model_loads",
            "Models loaded, reloaded or dropped while the service runs: added, replaced, unchanged (the folder has what is loaded), \
             failed (what was loaded before goes on), or dropped",
            self.0.clone(),
        );
    }

    pub(super) fn count(&self, outcome: LoadOutcome) {
        self.0.get_or_create(&OutcomeLabel { outcome }).inc();
    }
}

//! The samples of a training, kept after it: to download, and to fit again.

use std::sync::{Mutex, PoisonError};

use crate::catalog::ScoredSamples;
use crate::engine::Reservation;

/// Sampled and scored codes of a model, with the memory that is reserved for them.
pub struct KeptSamples {
    model: String,
    scored: ScoredSamples,
    memory: Mutex<Reservation>,
}

impl KeptSamples {
    /// Keeps `scored` of `model`, for which `memory` is reserved.
    pub(crate) fn new(model: String, scored: ScoredSamples, memory: Reservation) -> Self {
        Self {
            model,
            scored,
            memory: Mutex::new(memory),
        }
    }

    /// The name of the model.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The codes and their scores.
    #[must_use]
    pub fn scored(&self) -> &ScoredSamples {
        &self.scored
    }

    /// Gives back the memory that was reserved for more than the codes and the scores.
    pub(crate) fn shrink(&self) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.shrink_to(self.scored.bytes());
    }
}

impl std::fmt::Debug for KeptSamples {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("KeptSamples").finish_non_exhaustive()
    }
}

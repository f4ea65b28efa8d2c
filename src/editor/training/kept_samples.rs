//! The samples of a training, kept after it: to download, and to fit again.

use std::sync::{Mutex, PoisonError};

use crate::catalog::ScoredSamples;
use crate::editor::Model;
use crate::engine::Reservation;

/// Sampled and scored codes of a model, with the memory that is reserved for them.
pub struct KeptSamples {
    model: String,
    /// SHA-256 of the model's files without the boundaries.
    files_digest: String,
    scored: ScoredSamples,
    memory: Mutex<Reservation>,
}

impl KeptSamples {
    /// Keeps `scored` of `model`, for which `memory` is reserved.
    pub(crate) fn new(model: &Model, scored: ScoredSamples, memory: Reservation) -> Self {
        Self {
            model: model.name().to_owned(),
            files_digest: model.files_digest().to_owned(),
            scored,
            memory: Mutex::new(memory),
        }
    }

    /// The name of the model.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whether the networks of `model` made them. A model of the same name may have replaced the one that did.
    #[must_use]
    pub fn are_of(&self, model: &Model) -> bool {
        self.model == model.name() && self.files_digest == model.files_digest()
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

//! What fits of several scores to the same codes share.

use std::sync::OnceLock;

use crate::latent::fitting::moments::ReducedCodes;
use crate::latent::fitting::unequal_noise::Influences;

/// What fits of several scores to the same codes share: the codes, ready for regressions.
#[derive(Default)]
pub struct SharedCodes {
    pub(crate) reduction: OnceLock<Reduction>,
}

impl SharedCodes {
    /// Whether an earlier fit was to the same rows.
    pub(crate) fn holds(&self, selected: &[usize]) -> bool {
        self.reduction
            .get()
            .is_some_and(|known| known.selected == selected)
    }
}

impl std::fmt::Debug for SharedCodes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SharedCodes").finish_non_exhaustive()
    }
}

/// Codes, ready for regressions.
pub(crate) struct Reduction {
    /// The seed that splits the codes into halves.
    pub(crate) seed: u32,
    /// The rows that have a score.
    pub(crate) selected: Vec<usize>,
    pub(crate) all: ReducedCodes,
    pub(crate) of_halves: [ReducedCodes; 2],
    /// Without any, no error of a direction is estimated.
    pub(crate) influences: Influences,
}

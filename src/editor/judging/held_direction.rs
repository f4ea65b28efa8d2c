//! The direction of an attribute that changes no other one.

use crate::latent::{Boundary, Direction, LatentError, condition};

/// The direction along `primal` that changes none of `others`; `None` if they leave nothing of its normal.
///
/// # Errors
/// [`LatentError`] if the boundaries differ in space or size.
pub(crate) fn held_direction(
    primal: &Boundary,
    others: &[&Boundary],
) -> Result<Option<Direction>, LatentError> {
    match condition(primal, others) {
        Ok(conditioned) => Ok(Some(conditioned.direction)),
        Err(LatentError::DependentPrimal { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

//! The units of an edit's amounts.

use crate::api::types::choice::choice;
use crate::latent;

choice! {
    /// What one unit of `by`, of `to` and of a trajectory's positions is.
    pub(crate) enum Unit {
        /// The unit of the signed distance; the default.
        Distance = "distance",
        /// The standard deviation of the signed distances of the model's samples from the attribute's boundary.
        Deviation = "deviation",
        /// The normal in the file that the boundary comes from, at its own length, so that published coefficients apply. For a boundary without
        /// `length` it is that of `distance`.
        File = "file",
    }
}

impl From<Unit> for latent::Unit {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Distance => Self::Distance,
            Unit::Deviation => Self::Deviation,
            Unit::File => Self::File,
        }
    }
}

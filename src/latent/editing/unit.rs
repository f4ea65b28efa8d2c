//! The units in which an edit's amount may be given.

use crate::latent::{Boundary, LatentError, Spread};

/// What one unit of an edit's amount is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// The unit of the signed distance.
    #[default]
    Distance,
    /// The standard deviation of the samples' signed distances.
    Deviation,
    /// The normal in the file that the boundary comes from, at its own length.
    File,
}

impl Unit {
    /// One unit, as a signed distance from `boundary`. `spread` is that of the samples, if it is known.
    ///
    /// A file with the normal f has published coefficients c for the edit z + c f. The boundary's normal is n = f √L/‖f‖, with L rows,
    /// so that c f = c ‖f‖/√L · n: one unit is ‖f‖/√L.
    ///
    /// # Errors
    ///
    /// [`LatentError::UnknownDeviation`] if the deviation of the samples is not known, or 0.
    pub fn length(self, boundary: &Boundary, spread: Option<Spread>) -> Result<f64, LatentError> {
        match self {
            Self::Distance => Ok(1.0),
            Self::File => Ok(boundary.file_unit()),
            Self::Deviation => {
                let known = spread
                    .map(|spread| spread.deviation)
                    .filter(|&deviation| deviation > 0.0);
                known.ok_or_else(|| LatentError::UnknownDeviation {
                    attribute: boundary.attribute().to_owned(),
                    space: boundary.space(),
                })
            }
        }
    }
}

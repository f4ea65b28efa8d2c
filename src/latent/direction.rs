//! What a code is moved along.

use std::ops::Range;

use ndarray::Array2;

use crate::latent::{Boundary, LatentSpace};

/// A unit direction in a latent space, of shape [1, dim], or [layers, dim] in w+.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction {
    space: LatentSpace,
    unit: Array2<f64>,
}

impl Direction {
    /// The direction along a boundary's normal, towards its positive side.
    #[must_use]
    pub fn along(boundary: &Boundary) -> Self {
        Self {
            space: boundary.space(),
            unit: boundary.normal().clone(),
        }
    }

    /// The space it lies in.
    #[must_use]
    pub fn space(&self) -> LatentSpace {
        self.space
    }

    /// Its values, of norm 1, in row-major order.
    #[must_use]
    pub fn unit(&self) -> &Array2<f64> {
        &self.unit
    }

    /// A direction of values that are known to have norm 1.
    pub(crate) fn new(space: LatentSpace, unit: Array2<f64>) -> Self {
        Self { space, unit }
    }

    /// The direction on the `rows` of a code of `shape`, repeated where it has one row only, and zero
    /// elsewhere.
    pub(crate) fn on(&self, shape: (usize, usize), rows: Range<usize>) -> Array2<f64> {
        let mut shift = Array2::zeros(shape);
        let everywhere = self
            .unit
            .broadcast(shape)
            .expect("an edit's boundary was checked against the code");
        for row in rows {
            shift.row_mut(row).assign(&everywhere.row(row));
        }
        shift
    }
}

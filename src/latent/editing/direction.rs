//! A unit direction that a code is moved along.

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
    /// The direction of a boundary's normal, towards the positive side.
    #[must_use]
    pub fn along(boundary: &Boundary) -> Self {
        Self {
            space: boundary.space(),
            unit: boundary.normal().clone(),
        }
    }

    /// The latent space.
    #[must_use]
    pub fn space(&self) -> LatentSpace {
        self.space
    }

    /// The values, of norm 1, in row-major order.
    #[must_use]
    pub fn unit(&self) -> &Array2<f64> {
        &self.unit
    }

    /// Makes a direction from values of norm 1.
    pub(crate) fn new(space: LatentSpace, unit: Array2<f64>) -> Self {
        Self { space, unit }
    }

    /// The direction as a shift of a code of `shape`: the direction on `rows` and 0 on the other rows. A direction of one
    /// row is repeated.
    pub(crate) fn shift_of(&self, shape: (usize, usize), rows: Range<usize>) -> Array2<f64> {
        let mut shift = Array2::zeros(shape);
        let repeated = self
            .unit
            .broadcast(shape)
            .expect("an edit's boundary was checked against the code");
        for row in rows {
            shift.row_mut(row).assign(&repeated.row(row));
        }
        shift
    }
}

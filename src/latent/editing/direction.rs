//! A direction that a code is moved along.

use std::ops::Range;

use ndarray::Array2;

use crate::latent::{Boundary, LatentSpace};

/// A direction in a latent space, of shape [1, dim] and length 1, or [layers, dim] and length √layers in w+, so that its layers
/// have the mean square length 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction {
    space: LatentSpace,
    step: Array2<f64>,
}

impl Direction {
    /// The direction of a boundary's normal, towards the positive side.
    #[must_use]
    pub fn along(boundary: &Boundary) -> Self {
        Self {
            space: boundary.space(),
            step: boundary.normal().clone(),
        }
    }

    /// The latent space.
    #[must_use]
    pub fn space(&self) -> LatentSpace {
        self.space
    }

    /// The shift of a code by one unit, in row-major order.
    #[must_use]
    pub fn step(&self) -> &Array2<f64> {
        &self.step
    }

    /// Makes a direction from values of the right length.
    pub(crate) fn new(space: LatentSpace, step: Array2<f64>) -> Self {
        Self { space, step }
    }

    /// The direction as a shift of a code of `shape`: the direction on `rows` and 0 on the other rows. A direction of one
    /// row is repeated.
    pub(crate) fn shift_of(&self, shape: (usize, usize), rows: Range<usize>) -> Array2<f64> {
        let mut shift = Array2::zeros(shape);
        let repeated = self
            .step
            .broadcast(shape)
            .expect("an edit's boundary was checked against the code");
        for row in rows {
            shift.row_mut(row).assign(&repeated.row(row));
        }
        shift
    }
}

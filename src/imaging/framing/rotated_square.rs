//! A square in an image that may be rotated.

use std::array;

/// x and y in pixels, from the upper left corner of an image.
pub(crate) type Point = [f64; 2];

/// A square that may be rotated: its corners are centre ± x ± y.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RotatedSquare {
    pub(super) centre: Point,
    /// Half a side, to the right.
    pub(super) x: Point,
    /// Half a side, down.
    pub(super) y: Point,
}

impl RotatedSquare {
    /// The length of a side.
    pub(super) fn side(self) -> f64 {
        2.0 * length(self.x)
    }

    /// The point at (u, v), where both go from 0 to 1 over the square.
    pub(super) fn at(self, u: f64, v: f64) -> Point {
        array::from_fn(|axis| {
            self.centre[axis] + (2.0 * u - 1.0) * self.x[axis] + (2.0 * v - 1.0) * self.y[axis]
        })
    }

    /// The least and the greatest coordinates of the corners.
    pub(super) fn bounds(self) -> [Point; 2] {
        let reach: Point = array::from_fn(|axis| self.x[axis].abs() + self.y[axis].abs());
        [-1.0, 1.0].map(|sign| array::from_fn(|axis| self.centre[axis] + sign * reach[axis]))
    }

    /// The same square after all coordinates were shifted and then scaled.
    pub(super) fn transformed(self, shift: Point, scale: Point) -> Self {
        let scaled = |half: Point| array::from_fn(|axis| half[axis] * scale[axis]);
        Self {
            centre: array::from_fn(|axis| (self.centre[axis] + shift[axis]) * scale[axis]),
            x: scaled(self.x),
            y: scaled(self.y),
        }
    }
}

/// The length of a vector.
pub(super) fn length(vector: Point) -> f64 {
    vector[0].hypot(vector[1])
}

//! A square in a picture that may be turned, and the places in it.

use std::array;

/// x and y, in pixels from a picture's upper left corner.
pub(super) type Point = [f64; 2];

/// A square that may be turned: its corners are centre ± x ± y.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Square {
    pub(super) centre: Point,
    /// Half a side, to the right.
    pub(super) x: Point,
    /// Half a side, down.
    pub(super) y: Point,
}

impl Square {
    /// The length of a side.
    pub(super) fn side(self) -> f64 {
        2.0 * length(self.x)
    }

    /// Where the place (u, v) of the square is, both from 0 to 1.
    pub(super) fn at(self, u: f64, v: f64) -> Point {
        array::from_fn(|axis| {
            self.centre[axis] + (2.0 * u - 1.0) * self.x[axis] + (2.0 * v - 1.0) * self.y[axis]
        })
    }

    /// The least and the greatest coordinates of its corners.
    pub(super) fn bounds(self) -> [Point; 2] {
        let reach: Point = array::from_fn(|axis| self.x[axis].abs() + self.y[axis].abs());
        [-1.0, 1.0].map(|sign| array::from_fn(|axis| self.centre[axis] + sign * reach[axis]))
    }

    /// The same square where coordinates have been shifted, then scaled.
    pub(super) fn moved(self, shift: Point, scale: Point) -> Self {
        let scaled = |half: Point| array::from_fn(|axis| half[axis] * scale[axis]);
        Self {
            centre: array::from_fn(|axis| (self.centre[axis] + shift[axis]) * scale[axis]),
            x: scaled(self.x),
            y: scaled(self.y),
        }
    }
}

/// The length of a vector.
pub(super) fn length(a: Point) -> f64 {
    a[0].hypot(a[1])
}

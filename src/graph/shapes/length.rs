//! The length of an axis, which may be a multiple of the batch.

use std::fmt;

/// A number that a graph fixes, or a multiple of the batch: the length of an axis, or an element of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Length {
    /// The number, or how many times the batch.
    pub factor: i64,
    /// Whether it is a multiple of the batch.
    pub of_batch: bool,
}

impl Length {
    /// The length 1.
    pub const ONE: Self = Self::fixed(1);
    /// The batch.
    pub const BATCH: Self = Self {
        factor: 1,
        of_batch: true,
    };

    /// A number.
    #[must_use]
    pub const fn fixed(number: i64) -> Self {
        Self {
            factor: number,
            of_batch: false,
        }
    }

    /// The number, unless it depends on the batch.
    #[must_use]
    pub fn number(self) -> Option<i64> {
        (!self.of_batch).then_some(self.factor)
    }

    /// The product. `None` for a square of the batch.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        Some(Self {
            factor: self.factor.checked_mul(other.factor)?,
            of_batch: match (self.of_batch, other.of_batch) {
                (true, true) => return None,
                (of_batch, other) => of_batch || other,
            },
        })
    }

    /// The quotient, if it is exact.
    #[must_use]
    pub fn divided_by(self, other: Self) -> Option<Self> {
        if other.factor == 0 || self.factor % other.factor != 0 || (other.of_batch && !self.of_batch) {
            return None;
        }
        Some(Self {
            factor: self.factor / other.factor,
            of_batch: self.of_batch && !other.of_batch,
        })
    }

    /// The length of the axis of a tensor that combines axes of these lengths element by element.
    #[must_use]
    pub fn broadcast(self, other: Self) -> Option<Self> {
        if self == other || other == Self::ONE {
            Some(self)
        } else if self == Self::ONE {
            Some(other)
        } else {
            None
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.of_batch, self.factor) {
            (false, number) => write!(formatter, "{number}"),
            (true, 1) => write!(formatter, "batch"),
            (true, factor) => write!(formatter, "{factor}·batch"),
        }
    }
}

/// The number of elements of a shape. `None` if it has two axes of the batch.
pub(crate) fn elements(shape: &[Length]) -> Option<Length> {
    shape
        .iter()
        .try_fold(Length::ONE, |product, &length| product.times(length))
}

/// The shape of a tensor that combines tensors of these shapes element by element.
pub(crate) fn broadcast(one: &[Length], other: &[Length]) -> Option<Vec<Length>> {
    let rank = one.len().max(other.len());
    let at = |shape: &[Length], axis: usize| {
        (axis + shape.len())
            .checked_sub(rank)
            .map_or(Length::ONE, |axis| shape[axis])
    };
    (0..rank)
        .map(|axis| at(one, axis).broadcast(at(other, axis)))
        .collect()
}

/// A shape in errors.
pub(crate) fn describe(shape: &[Length]) -> String {
    let lengths: Vec<_> = shape.iter().map(Length::to_string).collect();
    format!("[{}]", lengths.join(", "))
}

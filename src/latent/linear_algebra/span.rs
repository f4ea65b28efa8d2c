//! The span of a few directions, and what lies outside it.

use ndarray::Array2;

use crate::latent::linear_algebra::product::{inner, norm};

/// A direction of which less than this lies outside the span of the others adds nothing to it.
///
/// What is dropped so has at most this cosine to what [`Span::outside`] gives.
const DEPENDENT: f64 = 1e-12;

/// An orthonormal basis of the span of some directions.
pub(crate) struct Span {
    basis: Vec<Array2<f64>>,
}

impl Span {
    /// The span of unit `directions` of one shape, any number of them, equal or dependent or none.
    ///
    /// Modified Gram-Schmidt, each step taking the direction of which most lies outside the span so far, and
    /// orthogonalised once more, which is enough for full precision (Parlett, *The Symmetric Eigenvalue
    /// Problem*, §6.9: "twice is enough"). It ends when what is left of all is below 1e-12.
    pub(crate) fn of(directions: impl IntoIterator<Item = Array2<f64>>) -> Self {
        let mut span = Self { basis: Vec::new() };
        let mut left: Vec<_> = directions.into_iter().collect();
        while let Some(widest) = widest(&left) {
            let mut next = left.swap_remove(widest);
            next /= norm(&next);
            span.remove_from(&mut next);
            next /= norm(&next);
            for direction in &mut left {
                remove(&next, direction);
            }
            span.basis.push(next);
        }
        span
    }

    /// `x` − C⁺C `x`, the part of `x` that is orthogonal to the span, orthogonalised twice.
    pub(crate) fn outside(&self, x: &Array2<f64>) -> Array2<f64> {
        let mut outside = x.clone();
        self.remove_from(&mut outside);
        self.remove_from(&mut outside);
        outside
    }

    fn remove_from(&self, x: &mut Array2<f64>) {
        for unit in &self.basis {
            remove(unit, x);
        }
    }
}

/// Removes from `x` its part along `unit`.
fn remove(unit: &Array2<f64>, x: &mut Array2<f64>) {
    let along = inner(unit, &*x);
    x.scaled_add(-along, unit);
}

/// Which of `left` is the longest, if any is long enough to count.
fn widest(left: &[Array2<f64>]) -> Option<usize> {
    let norms = left.iter().map(norm).enumerate();
    let (index, length) = norms.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    (length > DEPENDENT).then_some(index)
}

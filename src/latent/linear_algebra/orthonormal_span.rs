//! The span of several directions, and projections onto its orthogonal complement.

use ndarray::Array2;

use crate::latent::linear_algebra::dot_product::{norm, ordered_dot};

/// If the part of a direction outside the span of the others is shorter than this, the direction is dropped.
///
/// A dropped direction has at most this cosine to the result of [`OrthonormalSpan::orthogonal_part`].
const MIN_INDEPENDENT: f64 = 1e-12;

/// The span of several directions, as an orthonormal basis.
#[derive(Clone, Debug)]
pub(crate) struct OrthonormalSpan {
    basis: Vec<Array2<f64>>,
}

impl OrthonormalSpan {
    /// The span of any number of `directions` of one shape and about one length. They may be equal or dependent.
    ///
    /// Modified Gram-Schmidt with pivoting: each step takes the direction with the longest part outside the span so far,
    /// and orthogonalizes it a second time, which gives full precision (Parlett, *The Symmetric Eigenvalue Problem*, §6.9:
    /// "twice is enough"). It ends when no part is longer than 1e-12.
    pub(crate) fn of(directions: impl IntoIterator<Item = Array2<f64>>) -> Self {
        let mut span = Self { basis: Vec::new() };
        let mut left: Vec<_> = directions.into_iter().collect();
        while let Some(longest) = longest(&left) {
            let mut next = left.swap_remove(longest);
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

    /// x − C⁺C x, the part of `x` that is orthogonal to the span, orthogonalized twice. C has the directions as rows.
    pub(crate) fn orthogonal_part(&self, x: &Array2<f64>) -> Array2<f64> {
        let mut part = x.clone();
        self.remove_from(&mut part);
        self.remove_from(&mut part);
        part
    }

    fn remove_from(&self, x: &mut Array2<f64>) {
        for unit in &self.basis {
            remove(unit, x);
        }
    }
}

/// Subtracts from `x` its part along `unit`.
fn remove(unit: &Array2<f64>, x: &mut Array2<f64>) {
    let along = ordered_dot(unit, &*x);
    x.scaled_add(-along, unit);
}

/// The index of the longest of `left`, if it is longer than [`MIN_INDEPENDENT`].
fn longest(left: &[Array2<f64>]) -> Option<usize> {
    let norms = left.iter().map(norm).enumerate();
    let (index, length) = norms.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    (length > MIN_INDEPENDENT).then_some(index)
}

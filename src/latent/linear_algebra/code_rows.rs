//! Selected rows of a matrix of codes: their mean, their scatter matrix, and their sums and products with weights.

use std::array;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};

use crate::latent::linear_algebra::dot_product::{
    add_four_scaled, add_scaled, add_scaled_f64, dot_with_code,
};
use crate::latent::linear_algebra::halves::both_halves;

/// Rows of one matrix product: 1 MB in `f64` for codes of 512 values.
const CHUNK: usize = 256;

/// Columns of one block of a scatter matrix.
const BLOCK: usize = 128;

/// Selected rows of a matrix of codes.
#[derive(Clone, Copy)]
pub(crate) struct CodeRows<'a> {
    /// All codes, [count, dim], in row-major order.
    pub(crate) codes: ArrayView2<'a, f32>,
    /// Indices of the selected rows.
    pub(crate) selected: &'a [usize],
}

impl<'a> CodeRows<'a> {
    pub(crate) fn len(self) -> usize {
        self.selected.len()
    }

    pub(crate) fn dim(self) -> usize {
        self.codes.ncols()
    }

    /// The values of the selected row `index`.
    pub(crate) fn row(self, index: usize) -> &'a [f32] {
        let values = self.codes.to_slice().expect("codes lie in row-major order");
        &values[self.selected[index] * self.dim()..][..self.dim()]
    }

    /// The mean of the selected rows `indices`, in `f64`.
    pub(crate) fn mean(self, indices: &[usize]) -> Array1<f64> {
        let mut mean = Array1::zeros(self.dim());
        for &index in indices {
            for (mean, &value) in mean.iter_mut().zip(self.row(index)) {
                *mean += f64::from(value);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 codes")]
        let count = indices.len().max(1) as f64;
        mean / count
    }

    /// w·x for each of the selected rows `indices`, in `f64`, for each of N weights w.
    pub(crate) fn products<const N: usize>(self, indices: &[usize], weights: [&[f64]; N]) -> [Vec<f64>; N] {
        let [mut products, others] = both_halves(indices.len(), |half| {
            let mut products = weights.map(|_| Vec::with_capacity(indices.len()));
            for &index in &indices[half] {
                let row = self.row(index);
                for (products, w) in products.iter_mut().zip(weights) {
                    products.push(dot_with_code(w, row));
                }
            }
            products
        });
        for (products, others) in products.iter_mut().zip(others) {
            products.extend(others);
        }
        products
    }

    /// Σ a x over the selected rows `indices` in `f64`, for each of N factors a of a row. `factors` gets the row's position in `indices`.
    pub(crate) fn weighted_sums<const N: usize>(
        self,
        indices: &[usize],
        factors: impl Fn(usize) -> [f64; N] + Sync,
    ) -> [Vec<f64>; N] {
        let [mut sums, others] = both_halves(indices.len(), |half| {
            let first = half.start;
            self.weighted_sums_of(&indices[half], |position| factors(first + position))
        });
        for (sum, other) in sums.iter_mut().zip(others) {
            add_scaled_f64(sum, 1.0, &other);
        }
        sums
    }

    fn weighted_sums_of<const N: usize>(
        self,
        indices: &[usize],
        factors: impl Fn(usize) -> [f64; N],
    ) -> [Vec<f64>; N] {
        let mut sums = [const { Vec::new() }; N].map(|_: Vec<f64>| vec![0.0; self.dim()]);
        let (fours, rest) = indices.as_chunks::<4>();
        for (position, four) in fours.iter().enumerate() {
            let rows = four.map(|index| self.row(index));
            let factors = array::from_fn(|offset| factors(4 * position + offset));
            for (column, sum) in sums.iter_mut().enumerate() {
                add_four_scaled(sum, factors.map(|factors: [f64; N]| factors[column]), rows);
            }
        }
        for (offset, &index) in rest.iter().enumerate() {
            for (sum, factor) in sums.iter_mut().zip(factors(4 * fours.len() + offset)) {
                add_scaled(sum, factor, self.row(index));
            }
        }
        sums
    }

    /// Adds a Σ (x − c)(x − c)ᵀ to `scatter`, a symmetric matrix [dim, dim], in `f64`; x runs over the selected rows `indices`, and c is
    /// `centre`.
    pub(crate) fn add_scatter(
        self,
        indices: &[usize],
        centre: &Array1<f64>,
        a: f64,
        scatter: &mut Array2<f64>,
    ) {
        let mut chunk = Array2::zeros((CHUNK.min(indices.len()), self.dim()));
        for some in indices.chunks(CHUNK) {
            let mut chunk = chunk.slice_axis_mut(Axis(0), Slice::from(..some.len()));
            for (mut centred, &index) in chunk.axis_iter_mut(Axis(0)).zip(some) {
                let values = centred.iter_mut().zip(self.row(index)).zip(centre);
                for ((centred, &value), centre) in values {
                    *centred = f64::from(value) - centre;
                }
            }
            // The product is symmetric, so that its blocks above the diagonal are copied.
            for first in (0..self.dim()).step_by(BLOCK) {
                let columns = Slice::from(first..self.dim().min(first + BLOCK));
                let below = chunk.slice_axis(Axis(1), Slice::from(first..));
                let own = chunk.slice_axis(Axis(1), columns);
                let mut block = scatter.slice_axis_mut(Axis(0), Slice::from(first..));
                let mut block = block.slice_axis_mut(Axis(1), columns);
                general_mat_mul(a, &below.t(), &own, 1.0, &mut block);
            }
        }
        for row in 0..self.dim() {
            for column in row + 1..self.dim() {
                scatter[[row, column]] = scatter[[column, row]];
            }
        }
    }
}

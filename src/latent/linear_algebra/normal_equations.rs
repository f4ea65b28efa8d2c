//! Sums over many codes of their products with themselves, and the systems of equations that these make.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};

use crate::latent::linear_algebra::product::dot;

/// Codes whose products are summed at once: 1 MB at 512 values a code.
const CHUNK: usize = 256;

/// Some rows of a matrix of codes.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// All codes, [count, dim], in row-major order.
    pub(crate) codes: ArrayView2<'a, f32>,
    /// Which of them.
    pub(crate) chosen: &'a [usize],
}

impl<'a> Rows<'a> {
    pub(crate) fn len(self) -> usize {
        self.chosen.len()
    }

    pub(crate) fn dim(self) -> usize {
        self.codes.ncols()
    }

    pub(crate) fn row(self, index: usize) -> &'a [f32] {
        let values = self.codes.to_slice().expect("codes lie in row-major order");
        &values[self.chosen[index] * self.dim()..][..self.dim()]
    }

    /// The mean of the rows `among`, in `f64`.
    pub(crate) fn mean(self, among: &[usize]) -> Array1<f64> {
        let mut mean = Array1::zeros(self.dim());
        for &index in among {
            for (mean, &value) in mean.iter_mut().zip(self.row(index)) {
                *mean += f64::from(value);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 codes")]
        let count = among.len().max(1) as f64;
        mean / count
    }

    /// S + a Σ (x − `centre`)(x − `centre`)ᵀ over the rows `among`, of shape [dim, dim], in `f64`.
    pub(crate) fn add_scatter(
        self,
        among: &[usize],
        centre: &Array1<f64>,
        a: f64,
        scatter: &mut Array2<f64>,
    ) {
        let mut chunk = Array2::zeros((CHUNK.min(among.len()), self.dim()));
        for some in among.chunks(CHUNK) {
            let mut chunk = chunk.slice_axis_mut(Axis(0), Slice::from(..some.len()));
            for (mut centred, &index) in chunk.axis_iter_mut(Axis(0)).zip(some) {
                let values = centred.iter_mut().zip(self.row(index)).zip(centre);
                for ((centred, &value), centre) in values {
                    *centred = f64::from(value) - centre;
                }
            }
            general_mat_mul(a, &chunk.t(), &chunk, 1.0, scatter);
        }
    }
}

/// x with A x = b for a symmetric positive definite `a`, which is overwritten, or `None` where a pivot is not above
/// `least` of its diagonal element.
///
/// Cholesky's factorisation A = L Lᵀ by rows, then forward and backward substitution, in `f64`.
pub(crate) fn solve_definite(a: &mut Array2<f64>, b: &mut [f64], least: f64) -> Option<()> {
    let n = b.len();
    let values = a
        .as_slice_mut()
        .expect("a matrix made here lies in row-major order");
    for row in 0..n {
        let (above, own) = values.split_at_mut(row * n);
        let own = &mut own[..n];
        for column in 0..row {
            let other = &above[column * n..][..n];
            own[column] = (own[column] - dot(&own[..column], &other[..column])) / other[column];
        }
        let pivot = own[row] - dot(&own[..row], &own[..row]);
        if pivot.is_nan() || pivot <= least * own[row] {
            return None;
        }
        own[row] = pivot.sqrt();
        b[row] = (b[row] - dot(&own[..row], &b[..row])) / own[row];
    }
    for row in (0..n).rev() {
        let own = &values[row * n..][..n];
        b[row] /= own[row];
        let (before, at) = b.split_at_mut(row);
        for (value, own) in before.iter_mut().zip(own) {
            *value -= at[0] * own;
        }
    }
    Some(())
}

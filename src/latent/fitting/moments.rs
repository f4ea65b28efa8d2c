//! The first two moments of codes, and what regressions of several scores on the same codes share.

use ndarray::{Array1, Array2, Axis};

use crate::latent::FitError;
use crate::latent::fitting::progress::Progress;
use crate::latent::linear_algebra::code_rows::CodeRows;
use crate::latent::linear_algebra::dot_product::add_scaled;
use crate::latent::linear_algebra::tridiagonal::Tridiagonal;
use crate::latent::statistics::share;

/// Codes between two reports of the progress.
const REPORT_INTERVAL: usize = 2048;

/// The number of some codes, their mean, and their scatter matrix Σ (x − x̄)(x − x̄)ᵀ.
pub(crate) struct Moments {
    count: usize,
    mean: Array1<f64>,
    scatter: Array2<f64>,
}

impl Moments {
    /// The moments of the rows `indices`. `progress` goes from `from` to `to`.
    ///
    /// # Errors
    /// [`FitError::Cancelled`].
    pub(crate) fn of(
        rows: CodeRows<'_>,
        indices: &[usize],
        (from, to): (f64, f64),
        progress: &mut Progress<'_>,
    ) -> Result<Self, FitError> {
        let mean = rows.mean(indices);
        let mut scatter = Array2::zeros((rows.dim(), rows.dim()));
        for (round, chunk) in indices.chunks(REPORT_INTERVAL).enumerate() {
            progress.reach(from + (to - from) * share(round * REPORT_INTERVAL, indices.len()))?;
            rows.add_scatter(chunk, &mean, 1.0, &mut scatter);
        }
        Ok(Self {
            count: indices.len(),
            mean,
            scatter,
        })
    }

    /// The moments of these codes and those of `other` together.
    #[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 codes")]
    pub(crate) fn with(&self, other: &Self) -> Self {
        let (own, others) = (self.count as f64, other.count as f64);
        let apart = &other.mean - &self.mean;
        let column = apart.view().insert_axis(Axis(1));
        let between = column.dot(&column.t()) * (own * others / (own + others));
        Self {
            count: self.count + other.count,
            mean: &self.mean + &(apart * (others / (own + others))),
            scatter: &self.scatter + &other.scatter + between,
        }
    }

    /// Prepares regressions on these codes.
    pub(crate) fn reduce(self) -> ReducedCodes {
        ReducedCodes {
            count: self.count,
            mean: self.mean,
            scatter: Tridiagonal::of(self.scatter),
        }
    }
}

/// Codes, ready for regressions of scores on them.
pub(crate) struct ReducedCodes {
    pub(crate) count: usize,
    pub(crate) mean: Array1<f64>,
    pub(crate) scatter: Tridiagonal,
}

/// Σ (x − x̄) y over the rows `indices`, for one y each, whose sum is 0.
pub(crate) fn cross(
    rows: CodeRows<'_>,
    indices: impl IntoIterator<Item = usize>,
    y: impl IntoIterator<Item = f64>,
) -> Vec<f64> {
    let mut cross = vec![0.0; rows.dim()];
    // Σ x̄ y = 0.
    for (index, y) in indices.into_iter().zip(y) {
        add_scaled(&mut cross, y, rows.row(index));
    }
    cross
}

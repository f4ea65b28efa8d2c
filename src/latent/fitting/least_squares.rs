//! The hyperplane on which a linear prediction of the score equals the threshold.

use ndarray::{Array1, Array2};

use crate::latent::FitError;
use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::progress::Progress;
use crate::latent::linear_algebra::cholesky::solve_positive_definite;
use crate::latent::linear_algebra::code_rows::CodeRows;
use crate::latent::linear_algebra::dot_product::{add_scaled, dot};
use crate::latent::statistics::share;

/// The most values of a code: their matrix takes 128 MB.
pub(crate) const MAX_VALUES: usize = 4096;

/// The least share of the variance of a value that must be independent of the other values.
const MIN_PIVOT: f64 = 1e-10;

/// Codes between two reports of the progress.
const REPORT_INTERVAL: usize = 2048;

/// The hyperplane on which w·x + c = `threshold`, where w and c are the least squares fit of the standardized `scores` to
/// the codes of `rows`.
///
/// The normal equations Σ (x − x̄)(x − x̄)ᵀ w = Σ (x − x̄)(s − s̄)/σ are solved by Cholesky factorization in `f64`. This
/// takes samples · dim² products and memory for dim² numbers. Standardizing the scores scales w, but does not change the
/// hyperplane.
///
/// # Errors
///
/// [`FitError::TooFewSamples`] unless there are more codes than values of a code, [`FitError::TooManyValues`] for more than
/// 4096 values, [`FitError::DependentValues`] if some values depend on others, and [`FitError::Cancelled`].
pub(crate) fn least_squares(
    rows: CodeRows<'_>,
    scores: &[f64],
    threshold: f64,
    progress: &mut Progress<'_>,
) -> Result<Hyperplane, FitError> {
    let dim = rows.dim();
    if dim > MAX_VALUES {
        return Err(FitError::TooManyValues {
            found: dim,
            most: MAX_VALUES,
        });
    }
    if rows.len() <= dim {
        return Err(FitError::TooFewSamples {
            found: rows.len(),
            least: dim + 1,
            of: "with a score, for least squares",
            advice: "score more samples, or use the support vector machine",
        });
    }
    let scores: Array1<f64> = scores.iter().copied().collect();
    let mean = scores.mean().expect("there are more codes than values");
    let deviation = scores.std(0.0);
    let standardized = (scores - mean) / deviation;
    let all: Vec<usize> = (0..rows.len()).collect();
    let centre = rows.mean(&all);
    let mut scatter = Array2::zeros((dim, dim));
    let mut w = vec![0.0; dim];
    for chunk in all.chunks(REPORT_INTERVAL) {
        progress.reach(share(chunk[0], all.len()))?;
        rows.add_scatter(chunk, &centre, 1.0, &mut scatter);
        for &index in chunk {
            add_scaled(&mut w, standardized[index], rows.row(index));
        }
    }
    solve_positive_definite(&mut scatter, &mut w, MIN_PIVOT).ok_or(FitError::DependentValues { dim })?;
    let at_threshold = (threshold - mean) / deviation;
    let intercept = -dot(&w, centre.as_slice().expect("the mean is contiguous")) - at_threshold;
    Ok(Hyperplane { w, intercept })
}

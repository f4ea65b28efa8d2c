//! The hyperplane on which a linear prediction of the score is at its threshold.

use ndarray::{Array1, Array2};

use crate::latent::LatentError;
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::svm::svm::Hyperplane;
use crate::latent::linear_algebra::normal_equations::{Rows, solve_definite};
use crate::latent::linear_algebra::product::{add_scaled, dot, ratio};

/// Values of a code that least squares takes: the matrix for so many has 128 MB.
const WIDEST: usize = 4096;

/// A pivot of less than this share of a value's variance is the others' doing.
const DEPENDENT: f64 = 1e-10;

/// Codes between two looks at whether to go on.
const STRIDE: usize = 2048;

/// The plane on which w·x + c = `threshold`, with w and c the least squares fit of the standardised `scores` on the codes
/// of `rows`.
///
/// The normal equations Σ (x − x̄)(x − x̄)ᵀ w = Σ (x − x̄)(s − s̄)/σ in `f64`, by Cholesky's factorisation: samples ·
/// dim² products, and memory for dim² of them. Standardising the scores scales w and leaves the plane.
///
/// # Errors
///
/// [`LatentError::TooFewSamples`] unless there are more codes than values in one, [`LatentError::TooWide`] for more than
/// 4096 values, [`LatentError::Flat`] for codes in which some values are others' doing, and
/// [`LatentError::Cancelled`].
pub(crate) fn least_squares(
    rows: Rows<'_>,
    scores: &[f64],
    threshold: f64,
    watch: &mut Progress<'_>,
) -> Result<Hyperplane, LatentError> {
    let dim = rows.dim();
    if dim > WIDEST {
        return Err(LatentError::TooWide {
            found: dim,
            most: WIDEST,
        });
    }
    if rows.len() <= dim {
        return Err(LatentError::TooFewSamples {
            found: rows.len(),
            least: dim + 1,
            of: "with a score, for least squares",
            advice: "score more samples, or use the support vector machine",
        });
    }
    let scores: Array1<f64> = scores.iter().copied().collect();
    let mean = scores.mean().expect("there are more codes than values");
    let deviation = scores.std(0.0);
    let standard = (scores - mean) / deviation;
    let all: Vec<usize> = (0..rows.len()).collect();
    let centre = rows.mean(&all);
    let mut scatter = Array2::zeros((dim, dim));
    let mut w = vec![0.0; dim];
    for some in all.chunks(STRIDE) {
        watch.reach(ratio(some[0], all.len()))?;
        rows.add_scatter(some, &centre, 1.0, &mut scatter);
        for &index in some {
            add_scaled(&mut w, standard[index], rows.row(index));
        }
    }
    solve_definite(&mut scatter, &mut w, DEPENDENT).ok_or(LatentError::Flat { dim })?;
    let at_threshold = (threshold - mean) / deviation;
    let intercept = -dot(&w, centre.as_slice().expect("a mean lies in order")) - at_threshold;
    Ok(Hyperplane { w, intercept })
}

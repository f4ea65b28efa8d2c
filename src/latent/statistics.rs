//! Statistics of scores: their range, shares of a count, and the correlation between attributes.

use ndarray::{Array2, ArrayView2};

use crate::latent::{FitError, LatentError};

/// The Pearson correlation between the columns of `scores` [samples, attributes]: a matrix [attributes, attributes] with
/// 1 on its diagonal.
///
/// r = Σ (x − x̄)(y − ȳ)/√(Σ (x − x̄)² Σ (y − ȳ)²), in `f64`.
///
/// # Errors
///
/// [`FitError::ScoreNotFinite`], and [`FitError::ConstantScores`] for a column without two different scores.
pub fn correlation(scores: ArrayView2<'_, f64>) -> Result<Array2<f64>, LatentError> {
    if let Some(((sample, _), &found)) = scores.indexed_iter().find(|(_, score)| !score.is_finite()) {
        return Err(FitError::ScoreNotFinite { sample, found }.into());
    }
    let mut units = scores.to_owned();
    for mut column in units.columns_mut() {
        let (lowest, highest) = min_max(column.iter());
        if lowest >= highest {
            let samples = column.len();
            return Err(FitError::ConstantScores {
                samples,
                score: lowest,
            }
            .into());
        }
        // Scaled first, so that no square leaves the range of f64.
        column /= highest.max(-lowest);
        let mean = column.mean().expect("a column with two scores is not empty");
        column -= mean;
        let norm = column.dot(&column).sqrt();
        column /= norm;
    }
    let mut matrix = units.t().dot(&units).mapv(|r| r.clamp(-1.0, 1.0));
    matrix.diag_mut().fill(1.0);
    Ok(matrix)
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 of anything")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// The share `part`/`all`.
#[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 codes")]
pub(crate) fn share(part: usize, all: usize) -> f64 {
    part as f64 / all as f64
}

/// The mean of `values`; 0 without values.
#[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 scores")]
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The middle one of `values`, or the mean of the middle two; 0 without values.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        length if length.is_multiple_of(2) => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

/// The lowest and the highest of `values`; (∞, −∞) if there are none.
pub(crate) fn min_max<'a>(values: impl IntoIterator<Item = &'a f64>) -> (f64, f64) {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    let wider = |(low, high): (f64, f64), &value: &f64| (low.min(value), high.max(value));
    values.into_iter().fold(none, wider)
}

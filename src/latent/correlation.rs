//! Which attributes go together: by their scores, and by their boundaries.

use ndarray::{Array2, ArrayView2};

use crate::latent::linear_algebra::product::extremes;
use crate::latent::{Boundary, LatentError};

/// Pearson's correlation of the columns of `scores` [samples, attributes]: a matrix [attributes, attributes], 1 on its
/// diagonal.
///
/// r = Σ (x − x̄)(y − ȳ)/√(Σ (x − x̄)² Σ (y − ȳ)²), in `f64`.
///
/// # Errors
///
/// [`LatentError::Score`] for a score that is not finite, and [`LatentError::ConstantScores`] for a column that has
/// but one score, or none.
pub fn correlation(scores: ArrayView2<'_, f64>) -> Result<Array2<f64>, LatentError> {
    if let Some(((sample, _), &found)) = scores.indexed_iter().find(|(_, score)| !score.is_finite()) {
        return Err(LatentError::Score { sample, found });
    }
    let mut units = scores.to_owned();
    for mut column in units.columns_mut() {
        let (lowest, highest) = extremes(column.iter());
        if lowest >= highest {
            return Err(LatentError::ConstantScores {
                samples: column.len(),
                score: lowest,
            });
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

/// The cosines n·n′ between the normals of `boundaries`, of shape [boundaries, boundaries], 1 on its diagonal.
///
/// # Errors
///
/// [`LatentError::Space`] or [`LatentError::Shape`] unless all have one space and size.
pub fn cosines(boundaries: &[&Boundary]) -> Result<Array2<f64>, LatentError> {
    let mut matrix = Array2::eye(boundaries.len());
    for (row, one) in boundaries.iter().enumerate() {
        for (column, other) in boundaries.iter().enumerate().skip(row + 1) {
            let cosine = one.cosine(other)?;
            matrix[[row, column]] = cosine;
            matrix[[column, row]] = cosine;
        }
    }
    Ok(matrix)
}

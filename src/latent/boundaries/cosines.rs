//! The angles between the normals of several boundaries.

use ndarray::Array2;

use crate::latent::{Boundary, LatentError};

/// The cosines between the normals of `boundaries`, of shape [boundaries, boundaries], with 1 on the diagonal.
///
/// # Errors
///
/// [`LatentError::SpaceMismatch`] or [`LatentError::ShapeMismatch`] if the boundaries differ in space or size.
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

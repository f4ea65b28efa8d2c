//! Eigenvalues and eigenvectors of symmetric positive semidefinite matrices.

use ndarray::{Array1, Array2};

use crate::latent::linear_algebra::dot_product::dot;

/// The most passes over all pairs of rows. Matrices of 512 rows need about 10.
const SWEEPS: usize = 40;
/// Rows are orthogonal if the cosine between them is at most this.
const ORTHOGONAL: f64 = 1e-14;
/// A row is 0 if it is at most this times as long as the longest one: the rest of it is rounding.
const NEGLIGIBLE: f64 = 1e-14;

/// The eigenvalues above 0, each with its unit eigenvector, from the largest. `matrix` is symmetric, positive semidefinite and
/// in row-major order.
///
/// One-sided Jacobi rotations (Hestenes, 1958) make the rows orthogonal: they are then the eigenvectors, each times its
/// eigenvalue. A rotation works on two rows that lie in a row of memory each.
pub(crate) fn eigenvectors(mut matrix: Array2<f64>) -> Vec<(f64, Array1<f64>)> {
    let n = matrix.nrows();
    let rows = matrix.as_slice_mut().expect("the matrix is in row-major order");
    for _ in 0..SWEEPS {
        if !sweep(rows, n) {
            break;
        }
    }
    let mut found: Vec<_> = matrix
        .outer_iter()
        .map(|row| (row.dot(&row).sqrt(), row.to_owned()))
        .collect();
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let least = found.first().map_or(0.0, |(largest, _)| largest * NEGLIGIBLE);
    found.retain(|(length, _)| *length > least && length.is_finite());
    for (length, row) in &mut found {
        *row /= *length;
    }
    found
}

/// Makes each pair of rows orthogonal, one after another. Returns whether a pair was not.
fn sweep(rows: &mut [f64], n: usize) -> bool {
    let longest = rows.chunks(n.max(1)).map(|row| dot(row, row)).fold(0.0, f64::max);
    let least = longest * NEGLIGIBLE * NEGLIGIBLE;
    let mut rotated = false;
    for second in 1..n {
        let (before, from) = rows.split_at_mut(second * n);
        let b = &mut from[..n];
        for a in before.chunks_mut(n) {
            let (aa, bb, ab) = (dot(a, a), dot(b, b), dot(a, b));
            let is_apart = ab.abs() > ORTHOGONAL * (aa * bb).sqrt();
            if is_apart && aa > least && bb > least {
                rotate(a, b, (bb - aa) / (2.0 * ab));
                rotated = true;
            }
        }
    }
    rotated
}

/// Rotates two rows in their plane. The tangent t of the angle solves t² + 2 `cotangent` t = 1, with the smaller angle.
fn rotate(a: &mut [f64], b: &mut [f64], cotangent: f64) {
    let tangent = cotangent.signum() / (cotangent.abs() + cotangent.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = cosine * tangent;
    for (a, b) in a.iter_mut().zip(b) {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::eigenvectors;

    #[test]
    fn a_matrix_of_two_rows_has_its_known_eigenvectors() {
        let found = eigenvectors(array![[2.0, 1.0], [1.0, 2.0]]);
        assert_eq!(found.len(), 2);
        for ((value, vector), (expected, sign)) in found.iter().zip([(3.0, 1.0), (1.0, -1.0)]) {
            assert!((value - expected).abs() < 1e-14, "{value}");
            assert!((vector[0] * vector[1] - sign / 2.0).abs() < 1e-14, "{vector}");
        }
    }

    #[test]
    fn a_matrix_of_low_rank_has_as_many_eigenvectors() {
        let factor = Array2::from_shape_fn((3, 40), |(row, column)| {
            [1.0, -2.0, 0.5, 4.0, 3.0][(row + column * column) % 5]
        });
        let matrix = factor.t().dot(&factor);
        let found = eigenvectors(matrix.clone());
        assert_eq!(found.len(), 3);
        for (value, vector) in &found {
            let apart = matrix.dot(vector) - vector * *value;
            assert!(apart.iter().all(|value| value.abs() < 1e-9), "{apart}");
        }
        assert!(found.is_sorted_by(|(a, _), (b, _)| a >= b));
    }

    #[test]
    fn a_matrix_that_is_not_finite_or_is_zero_has_none() {
        assert!(eigenvectors(Array2::zeros((3, 3))).is_empty());
        assert!(eigenvectors(Array2::from_elem((2, 2), f64::NAN)).is_empty());
        assert!(eigenvectors(Array2::zeros((0, 0))).is_empty());
    }
}

//! Cholesky factorization of symmetric positive definite matrices.

use ndarray::Array2;

use crate::latent::linear_algebra::dot_product::dot;

/// Replaces the lower triangle of the symmetric matrix `a`, in row-major order, by L with L Lᵀ = A. The part above the
/// diagonal keeps its values.
///
/// `sum` computes the dot products, because their order decides the last bits. `None` if a pivot is not finite or is at
/// most `min_pivot` times its diagonal element: then A is not positive definite, or nearly so.
pub(crate) fn factorize(
    a: &mut Array2<f64>,
    min_pivot: f64,
    sum: impl Fn(&[f64], &[f64]) -> f64,
) -> Option<()> {
    let n = a.nrows();
    let values = a.as_slice_mut().expect("the matrix is in row-major order");
    for row in 0..n {
        let (above, own) = values.split_at_mut(row * n);
        let own = &mut own[..n];
        for column in 0..row {
            let other = &above[column * n..][..n];
            own[column] = (own[column] - sum(&own[..column], &other[..column])) / other[column];
        }
        let pivot = own[row] - sum(&own[..row], &own[..row]);
        if !pivot.is_finite() || pivot <= min_pivot * own[row] {
            return None;
        }
        own[row] = pivot.sqrt();
    }
    Some(())
}

/// Solves A x = b for a symmetric positive definite `a`, in row-major order; x replaces `b`, and `a` is overwritten. `None`
/// if a pivot is not finite or is at most `min_pivot` times its diagonal element.
///
/// Cholesky factorization, then forward and backward substitution, in `f64`.
pub(crate) fn solve_positive_definite(a: &mut Array2<f64>, b: &mut [f64], min_pivot: f64) -> Option<()> {
    factorize(a, min_pivot, dot)?;
    let n = b.len();
    let values = a.as_slice().expect("the matrix is in row-major order");
    for row in 0..n {
        let own = &values[row * n..][..n];
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

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_factor_times_its_transpose_is_the_matrix() {
        let matrix = array![[4.0, 2.0, 0.4], [2.0, 3.0, -0.5], [0.4, -0.5, 0.7]];
        let mut factor = matrix.clone();
        factorize(&mut factor, 0.0, dot).unwrap();
        let lower = Array2::from_shape_fn(
            (3, 3),
            |(row, column)| {
                if column <= row { factor[[row, column]] } else { 0.0 }
            },
        );
        let product = lower.dot(&lower.t());
        assert!(
            (product - matrix)
                .iter()
                .all(|difference| difference.abs() < 1e-12)
        );
    }

    #[test]
    fn the_solution_solves_the_system() {
        let matrix = array![[4.0, 2.0, 0.4], [2.0, 3.0, -0.5], [0.4, -0.5, 0.7]];
        let mut x = [1.0, -2.0, 0.5];
        solve_positive_definite(&mut matrix.clone(), &mut x, 0.0).unwrap();
        let product = matrix.dot(&array![x[0], x[1], x[2]]);
        assert!(
            (product - array![1.0, -2.0, 0.5])
                .iter()
                .all(|difference| difference.abs() < 1e-12)
        );
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_has_no_factor() {
        for matrix in [
            array![[1.0, 2.0], [2.0, 1.0]],
            array![[0.0, 0.0], [0.0, 1.0]],
            array![[f64::NAN, 0.0], [0.0, 1.0]],
        ] {
            assert_eq!(factorize(&mut matrix.clone(), 0.0, dot), None, "{matrix}");
        }
    }
}

//! A symmetric matrix reduced to three diagonals, so that systems with many shifts of its diagonal are cheap.

use ndarray::Array2;

use crate::latent::linear_algebra::dot_product::{add_scaled_f64, dot};

/// A smaller pivot, relative to the largest element of the diagonal, is rounding.
const MIN_PIVOT: f64 = 1e-13;

/// A symmetric matrix A = Q T Qᵀ, with an orthogonal Q and a tridiagonal T.
///
/// Householder's reduction takes 4/3 n³ operations, and each system (A + λ) x = b after it 4 n². Source: Golub and Van Loan,
/// *Matrix Computations*, section 8.3.1.
pub(crate) struct Tridiagonal {
    /// Row k has the k-th reflector, below its diagonal. Each has the length √2, or 0 if nothing is to reflect.
    reflectors: Array2<f64>,
    diagonal: Vec<f64>,
    /// Element k is beside the diagonal, in the rows k and k + 1.
    beside: Vec<f64>,
}

impl Tridiagonal {
    /// Reduces `a`, whose two triangles are equal.
    pub(crate) fn of(mut a: Array2<f64>) -> Self {
        let n = a.nrows();
        let mut reflectors = Array2::zeros((n, n));
        let (mut diagonal, mut beside) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let mut product = vec![0.0; n];
        for k in 0..n {
            diagonal.push(a[[k, k]]);
            if k + 1 == n {
                break;
            }
            let mut reflector = reflectors.row_mut(k);
            let reflector = reflector.as_slice_mut().expect("a row is contiguous");
            let reflector = &mut reflector[k + 1..];
            reflector.copy_from_slice(&a.as_slice().expect("the matrix is contiguous")[k * n..][k + 1..n]);
            beside.push(reflect(reflector));
            let values = a.as_slice_mut().expect("the matrix is in row-major order");
            let product = &mut product[k + 1..];
            for (row, product) in (k + 1..n).zip(&mut *product) {
                *product = dot(&values[row * n..][k + 1..n], reflector);
            }
            // With H = 1 − v vᵀ: H A H = A − v wᵀ − w vᵀ, where p = A v and w = p − v (vᵀ p)/2.
            let half = 0.5 * dot(product, reflector);
            add_scaled_f64(product, -half, reflector);
            for (index, row) in (k + 1..n).enumerate() {
                let own = &mut values[row * n..][k + 1..n];
                add_scaled_f64(own, -reflector[index], product);
                add_scaled_f64(own, -product[index], reflector);
            }
        }
        Self {
            reflectors,
            diagonal,
            beside,
        }
    }

    /// The trace of A.
    pub(crate) fn trace(&self) -> f64 {
        self.diagonal.iter().sum()
    }

    /// Qᵀ b.
    pub(crate) fn rotate(&self, b: &mut [f64]) {
        for k in 0..b.len() {
            self.apply(k, b);
        }
    }

    /// Q b.
    pub(crate) fn rotate_back(&self, b: &mut [f64]) {
        for k in (0..b.len()).rev() {
            self.apply(k, b);
        }
    }

    fn apply(&self, k: usize, b: &mut [f64]) {
        let reflector =
            &self.reflectors.as_slice().expect("the matrix is contiguous")[k * b.len()..][..b.len()];
        let (reflector, b) = (&reflector[k + 1..], &mut b[k + 1..]);
        let along = dot(reflector, b);
        add_scaled_f64(b, -along, reflector);
    }

    /// (T + λ)⁻¹ b for a shift that makes T positive definite, and the trace of (T + λ)⁻¹. `None` if it is not.
    ///
    /// The factors T + λ = L D Lᵀ from the top and U E Uᵀ from the bottom give the diagonal of the inverse: its element k is one
    /// over the sum of the k-th elements of D and E, less the k-th of T + λ.
    pub(crate) fn solve_shifted(&self, shift: f64, b: &[f64]) -> Option<(Vec<f64>, f64)> {
        let n = self.diagonal.len();
        let (mut from_top, mut from_bottom) = (vec![0.0; n], vec![0.0; n]);
        for k in 0..n {
            let above = if k == 0 {
                0.0
            } else {
                self.beside[k - 1] * self.beside[k - 1] / from_top[k - 1]
            };
            from_top[k] = self.diagonal[k] + shift - above;
        }
        for k in (0..n).rev() {
            let below = if k + 1 == n {
                0.0
            } else {
                self.beside[k] * self.beside[k] / from_bottom[k + 1]
            };
            from_bottom[k] = self.diagonal[k] + shift - below;
        }
        let largest = self.diagonal.iter().fold(0.0_f64, |most, &value| most.max(value)) + shift;
        let is_positive = |pivots: &[f64]| {
            let is_one = |pivot: &f64| pivot.is_finite() && *pivot > MIN_PIVOT * largest;
            pivots.iter().all(is_one)
        };
        if !is_positive(&from_top) || !is_positive(&from_bottom) {
            return None;
        }
        let trace = (0..n)
            .map(|k| 1.0 / (from_top[k] + from_bottom[k] - self.diagonal[k] - shift))
            .sum();
        let mut x = b.to_vec();
        for k in 1..n {
            x[k] -= self.beside[k - 1] / from_top[k - 1] * x[k - 1];
        }
        for k in (0..n).rev() {
            let below = if k + 1 == n {
                0.0
            } else {
                self.beside[k] * x[k + 1]
            };
            x[k] = (x[k] - below) / from_top[k];
        }
        Some((x, trace))
    }
}

/// Replaces `values` by the vector v of length √2, or 0, for which (1 − v vᵀ) maps them to their first axis. Returns the first
/// value of the result.
fn reflect(values: &mut [f64]) -> f64 {
    let scale = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    if scale == 0.0 {
        return 0.0;
    }
    for value in &mut *values {
        *value /= scale;
    }
    let norm = dot(values, values).sqrt();
    let first = -norm.copysign(values[0]);
    values[0] -= first;
    let length = (dot(values, values) / 2.0).sqrt();
    for value in &mut *values {
        *value /= length;
    }
    first * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix with the eigenvalues of a Gram matrix, and a right side.
    fn system(n: usize) -> (Array2<f64>, Vec<f64>) {
        #[expect(clippy::cast_precision_loss, reason = "small indices")]
        let value = |(row, column): (usize, usize)| ((row * 7 + column * 13) as f64 * 0.37).sin();
        let factor = Array2::from_shape_fn((n + 3, n), value);
        let b = (0..n).map(|index| value((index, 5))).collect();
        (factor.t().dot(&factor), b)
    }

    #[test]
    fn a_shifted_system_is_solved_and_its_inverse_has_the_right_trace() {
        for n in [1, 2, 3, 9] {
            let (a, b) = system(n);
            let reduced = Tridiagonal::of(a.clone());
            let shifted = &a + &(Array2::<f64>::eye(n) * 0.5);
            let solve = |b: &[f64]| {
                let mut x = b.to_vec();
                reduced.rotate(&mut x);
                let (mut x, trace) = reduced.solve_shifted(0.5, &x).unwrap();
                reduced.rotate_back(&mut x);
                (x, trace)
            };
            let (x, trace) = solve(&b);
            let again = shifted.dot(&ndarray::Array1::from(x));
            for (found, expected) in again.iter().zip(&b) {
                assert!((found - expected).abs() < 1e-10, "{n}: {found} {expected}");
            }
            let expected: f64 = (0..n)
                .map(|k| {
                    let mut unit = vec![0.0; n];
                    unit[k] = 1.0;
                    solve(&unit).0[k]
                })
                .sum();
            assert!(
                (trace - expected).abs() < 1e-9 * expected,
                "{n}: {trace} {expected}"
            );
            assert!((reduced.trace() - a.diag().sum()).abs() < 1e-10 * reduced.trace());
        }
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_has_no_solution() {
        let reduced = Tridiagonal::of(ndarray::array![[1.0, 2.0], [2.0, 1.0]]);
        assert!(reduced.solve_shifted(0.5, &[1.0, 0.0]).is_none());
        assert!(reduced.solve_shifted(1.5, &[1.0, 0.0]).is_some());
    }
}

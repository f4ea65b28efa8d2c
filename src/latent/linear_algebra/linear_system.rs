//! Small systems of linear equations, solved by elimination.

use ndarray::Array2;

/// A smaller pivot is taken for 0. With dot products of unit directions, it would mean a move of 10⁹ units for one unit of
/// distance.
const MIN_PIVOT: f64 = 1e-9;

/// Solves A x = b for a square `a` of shape [n, n] and `b` of length n. `None` if A is singular.
///
/// Gaussian elimination with row pivoting. The elements of A are dot products of unit directions, or of that order of
/// magnitude, so that a pivot is compared with an absolute 1e-9.
pub(crate) fn solve_linear_system(mut a: Array2<f64>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for step in 0..n {
        let pivot =
            (step..n).max_by(|&one, &other| a[[one, step]].abs().total_cmp(&a[[other, step]].abs()))?;
        if a[[pivot, step]].abs() < MIN_PIVOT {
            return None;
        }
        for column in step..n {
            a.swap([step, column], [pivot, column]);
        }
        b.swap(step, pivot);
        for row in step + 1..n {
            let factor = a[[row, step]] / a[[step, step]];
            for column in step..n {
                a[[row, column]] -= factor * a[[step, column]];
            }
            b[row] -= factor * b[step];
        }
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|column| a[[row, column]] * b[column]).sum();
        b[row] = (b[row] - known) / a[[row, row]];
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_system_that_needs_pivoting_is_solved() {
        let solution = solve_linear_system(
            array![[0.0, 1.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, -1.0]],
            vec![2.0, 2.0, 3.0],
        );
        assert_eq!(solution, Some(vec![2.0, 2.0, -3.0]));
    }

    #[test]
    fn a_system_without_equations_has_an_empty_solution() {
        assert_eq!(
            solve_linear_system(Array2::zeros((0, 0)), Vec::new()),
            Some(Vec::new())
        );
    }

    #[test]
    fn a_singular_system_has_no_solution() {
        assert_eq!(
            solve_linear_system(array![[1.0, 0.6], [1.0, 0.6]], vec![1.0, 2.0]),
            None
        );
    }
}

//! A small system of linear equations.

use ndarray::Array2;

/// A pivot below this is taken for zero: between unit directions, one unit of distance would cost a billion
/// of way.
const SINGULAR: f64 = 1e-9;

/// x with A x = b, for a square `a` of shape [n, n] and `b` of length n, or `None` where A is singular.
///
/// Gauss's elimination with row pivoting. A's elements are inner products of unit directions, so the pivots
/// are compared with an absolute 1e-9.
pub(crate) fn solve(mut a: Array2<f64>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for step in 0..n {
        let pivot =
            (step..n).max_by(|&one, &other| a[[one, step]].abs().total_cmp(&a[[other, step]].abs()))?;
        if a[[pivot, step]].abs() < SINGULAR {
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
        let solution = solve(
            array![[0.0, 1.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, -1.0]],
            vec![2.0, 2.0, 3.0],
        );
        assert_eq!(solution, Some(vec![2.0, 2.0, -3.0]));
    }

    #[test]
    fn nothing_to_solve_is_solved_by_nothing() {
        assert_eq!(solve(Array2::zeros((0, 0)), Vec::new()), Some(Vec::new()));
    }

    #[test]
    fn a_singular_system_has_no_solution() {
        assert_eq!(solve(array![[1.0, 0.6], [1.0, 0.6]], vec![1.0, 2.0]), None);
    }
}

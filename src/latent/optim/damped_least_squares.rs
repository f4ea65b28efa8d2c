//! A step along several directions that brings several measured values to their targets.

use ndarray::{Array2, ArrayView2};

use crate::latent::linear_algebra::dot_product::ordered_dot;
use crate::latent::linear_algebra::linear_system::solve_linear_system;

/// The longest step, in units of distance.
const MAX_STEP: f64 = 2.0;

/// The damped least squares step x that moves the `residuals` r towards 0, for a `jacobian` J of shape
/// [residuals, directions]: `(JᵀJ + λ I) x = −Jᵀ r`, with `λ = damping · trace(JᵀJ)/directions`. A step longer than 2 is
/// shortened to 2.
///
/// `None` if J is 0. Source: Levenberg (1944), Marquardt (1963).
#[must_use]
pub fn damped_least_squares_step(
    jacobian: ArrayView2<'_, f64>,
    residuals: &[f64],
    damping: f64,
) -> Option<Vec<f64>> {
    let directions = jacobian.ncols();
    let product = |one: usize, other: usize| ordered_dot(jacobian.column(one), jacobian.column(other));
    let trace: f64 = (0..directions)
        .map(|direction| product(direction, direction))
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "there are a few directions")]
    let mean = trace / directions as f64;
    if !mean.is_normal() {
        return None;
    }
    // Divided by the mean, because the solver compares pivots with 1.
    let damped = Array2::from_shape_fn((directions, directions), |(row, column)| {
        product(row, column) / mean + if row == column { damping } else { 0.0 }
    });
    let right_side = (0..directions).map(|direction| {
        let column = jacobian.column(direction);
        let terms = column.iter().zip(residuals);
        -terms.map(|(slope, residual)| slope * residual).sum::<f64>() / mean
    });
    let step = solve_linear_system(damped, right_side.collect())?;
    let length = step.iter().map(|part| part * part).sum::<f64>().sqrt();
    let factor = if length > MAX_STEP { MAX_STEP / length } else { 1.0 };
    Some(step.into_iter().map(|part| part * factor).collect())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_step_solves_what_can_be_solved_and_is_at_most_2_long() {
        let jacobian = array![[2.0, 0.5], [0.0, 1.0]];
        let step = damped_least_squares_step(jacobian.view(), &[1.0, -1.0], 1e-9).unwrap();
        assert!(
            (step[0] + 0.75).abs() < 1e-6 && (step[1] - 1.0).abs() < 1e-6,
            "{step:?}"
        );
        let long = damped_least_squares_step(jacobian.view(), &[100.0, 0.0], 1e-9).unwrap();
        assert!(long.iter().map(|part| part * part).sum::<f64>() < 4.000_001);
        let parallel = array![[1.0, 1.0]];
        assert!(damped_least_squares_step(parallel.view(), &[1.0], 1e-3).is_some());
        assert_eq!(
            damped_least_squares_step(array![[0.0]].view(), &[1.0], 1e-3),
            None
        );
    }
}

//! One step along the gradient of a score while other scores are held.

use ndarray::Array2;

use crate::latent::linear_algebra::dot_product::{norm, ordered_dot};
use crate::latent::linear_algebra::linear_system::solve_linear_system;
use crate::latent::linear_algebra::orthonormal_span::OrthonormalSpan;

/// Added to the cosines between the held gradients, which may be parallel.
const DAMPING: f64 = 1e-6;

/// The shortest gradient with a direction. A shorter one is rounding.
const SHORTEST: f64 = 1e-9;

/// The direction of a step, and the correction of the held scores.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientStep {
    /// The unit vector of g − H⁺H g: the part of the edited score's gradient that is orthogonal to the held scores' gradients. 0 if
    /// nothing is left.
    pub direction: Array2<f64>,
    /// ‖g − H⁺H g‖: the change of the edited score by one unit along the direction.
    pub slope: f64,
    /// ‖g − H⁺H g‖/‖g‖, from 0 to 1; 0 if g is 0.
    pub retained: f64,
    /// −H⁺r, which takes the held scores back by their residuals r, to first order.
    pub correction: Array2<f64>,
    /// What the correction does to the edited score, to first order.
    pub side_effect: f64,
}

/// A step along the gradient g of the `edited` score. The rows of H are the gradients of the `held` scores, and `residuals` are how far
/// these have drifted.
///
/// # Panics
/// If the gradients differ in shape, or there is not one residual for each held score.
#[must_use]
pub fn gradient_step(edited: &Array2<f64>, held: &[Array2<f64>], residuals: &[f64]) -> GradientStep {
    assert_eq!(held.len(), residuals.len(), "each held score has a residual");
    // At one length, the gradients of flat and of steep scores count alike. A score without a gradient cannot be corrected.
    let (units, drifts): (Vec<_>, Vec<_>) = held
        .iter()
        .zip(residuals)
        .filter_map(|(gradient, residual)| {
            let length = norm(gradient);
            (length > SHORTEST).then(|| (gradient / length, residual / length))
        })
        .unzip();
    let rest = OrthonormalSpan::of(units.iter().cloned()).orthogonal_part(edited);
    let (slope, length) = (norm(&rest), norm(edited));
    let is_left = slope > SHORTEST;
    let correction = correction(edited.dim(), &units, &drifts);
    GradientStep {
        direction: if is_left {
            rest / slope
        } else {
            Array2::zeros(edited.dim())
        },
        slope,
        retained: if length > SHORTEST { slope / length } else { 0.0 },
        side_effect: ordered_dot(edited, &correction),
        correction,
    }
}

/// The shortest move that changes the scores of these unit gradients by −drift.
fn correction(shape: (usize, usize), units: &[Array2<f64>], drifts: &[f64]) -> Array2<f64> {
    let cosines = Array2::from_shape_fn((units.len(), units.len()), |(one, other)| {
        let damping = if one == other { DAMPING } else { 0.0 };
        ordered_dot(&units[one], &units[other]) + damping
    });
    let wanted = drifts.iter().map(|drift| -drift).collect();
    let mut correction = Array2::zeros(shape);
    let shares = solve_linear_system(cosines, wanted).unwrap_or_default();
    for (unit, share) in units.iter().zip(shares) {
        correction.scaled_add(share, unit);
    }
    correction
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_direction_is_orthogonal_to_held_gradients_of_any_length() {
        let held = [array![[1e-3, 0.0, 0.0]], array![[1e3, 1e3, 0.0]]];
        let step = gradient_step(&array![[3.0, 5.0, 2.0]], &held, &[0.0, 0.0]);
        assert!(
            (&step.direction - &array![[0.0, 0.0, 1.0]])
                .iter()
                .all(|part| part.abs() < 1e-12)
        );
        assert!((step.slope - 2.0).abs() < 1e-12);
        assert!((step.retained - 2.0 / 38.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn the_correction_takes_back_the_drift_of_each_held_score() {
        let held = [array![[2.0, 0.0, 0.0]], array![[1.0, 1.0, 0.0]]];
        let step = gradient_step(&array![[1.0, 0.0, 2.0]], &held, &[0.5, -0.25]);
        for (gradient, residual) in held.iter().zip([0.5, -0.25]) {
            let change = ordered_dot(gradient, &step.correction);
            assert!((change + residual).abs() < 1e-5, "{change}");
        }
        assert!((step.side_effect + 0.25).abs() < 1e-5);
    }

    #[test]
    fn parallel_and_missing_gradients_are_no_error() {
        let held = [array![[1.0, 0.0]], array![[2.0, 0.0]], array![[0.0, 0.0]]];
        let step = gradient_step(&array![[1.0, 0.0]], &held, &[0.1, 0.2, 5.0]);
        assert!(step.retained < 1e-12 && step.direction.iter().all(|&part| part == 0.0));
        assert!((step.correction[[0, 0]] + 0.1).abs() < 1e-4);
        assert_eq!(gradient_step(&array![[0.0, 0.0]], &[], &[]).retained.to_bits(), 0);
    }
}

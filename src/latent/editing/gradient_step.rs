//! One step along the gradient of a score while other scores are held.

use ndarray::Array2;

use crate::latent::linear_algebra::dot_product::{norm, ordered_dot};
use crate::latent::linear_algebra::linear_system::solve_linear_system;
use crate::latent::linear_algebra::orthonormal_span::OrthonormalSpan;

/// Added to the cosines between the held gradients, which may be parallel.
const DAMPING: f64 = 1e-6;

/// The shortest gradient with a direction. A shorter one is rounding.
const SHORTEST: f64 = 1e-9;

/// How steep a step is at least, as a share of the steepest one that holds everything.
const LEAST_STEEP: f64 = 0.5;

/// The direction of a step, and the correction of what is held.
#[derive(Clone, Debug)]
pub struct GradientStep {
    /// A unit vector that is orthogonal to the gradients of all that is held, or 0 if nothing is left of the edited score's gradient.
    ///
    /// Without a normal, it is what is left of the edited score's gradient. With one, it is the unit vector nearest to what is left of
    /// the normal that is at least half as steep.
    pub direction: Array2<f64>,
    /// The change of the edited score by one unit along the direction.
    pub slope: f64,
    /// The share of the edited score's gradient that is left, from 0 to 1; 0 if the gradient is 0.
    pub retained: f64,
    /// −H⁺r, which takes the residuals r back, to first order.
    pub correction: Array2<f64>,
    /// What the correction does to the edited score, to first order.
    pub side_effect: f64,
    /// The span of all gradients and the normal.
    effective: OrthonormalSpan,
}

impl GradientStep {
    /// The part of a move that changes nothing that is edited or held, to first order.
    #[must_use]
    pub fn idle_part(&self, moved: &Array2<f64>) -> Array2<f64> {
        self.effective.orthogonal_part(moved)
    }
}

/// A step that changes the edited score, which has the gradient `edited`. The rows of H are the gradients of what is `held`: other
/// scores, and distances from boundaries. The `residuals` r are how far these have drifted. `normal` is the direction in which the
/// edited attribute changes on average, if that is known.
///
/// # Panics
/// If the gradients differ in shape, or there is not one residual for each held gradient.
#[must_use]
pub fn gradient_step(
    edited: &Array2<f64>,
    normal: Option<&Array2<f64>>,
    held: &[Array2<f64>],
    residuals: &[f64],
) -> GradientStep {
    assert_eq!(held.len(), residuals.len(), "each held gradient has a residual");
    // At one length, the gradients of flat and of steep scores count alike. A score without a gradient cannot be corrected.
    let (units, drifts): (Vec<_>, Vec<_>) = held
        .iter()
        .zip(residuals)
        .filter_map(|(gradient, residual)| Some((unit(gradient)?, residual / norm(gradient))))
        .unzip();
    let still = OrthonormalSpan::of(units.iter().cloned());
    let rest = still.orthogonal_part(edited);
    let gradient = unit(&rest);
    let normal = normal.and_then(|normal| unit(&still.orthogonal_part(normal)));
    let direction = match (&gradient, &normal) {
        (None, _) => Array2::zeros(edited.dim()),
        (Some(gradient), None) => gradient.clone(),
        (Some(gradient), Some(normal)) => steep_enough(normal, gradient),
    };
    let correction = correction(edited.dim(), &units, &drifts);
    let length = norm(edited);
    GradientStep {
        slope: ordered_dot(edited, &direction),
        retained: if length > SHORTEST {
            norm(&rest) / length
        } else {
            0.0
        },
        side_effect: ordered_dot(edited, &correction),
        effective: OrthonormalSpan::of(units.into_iter().chain(gradient).chain(normal)),
        direction,
        correction,
    }
}

/// The unit vector nearest to `normal` whose cosine to `gradient` is at least [`LEAST_STEEP`].
fn steep_enough(normal: &Array2<f64>, gradient: &Array2<f64>) -> Array2<f64> {
    let cosine = ordered_dot(normal, gradient);
    if cosine >= LEAST_STEEP {
        return normal.clone();
    }
    let across = (1.0 - LEAST_STEEP * LEAST_STEEP).sqrt();
    unit(&(normal - &(cosine * gradient)))
        .map_or_else(|| gradient.clone(), |rest| LEAST_STEEP * gradient + across * rest)
}

/// The unit vector along this one, if it is not 0.
fn unit(vector: &Array2<f64>) -> Option<Array2<f64>> {
    let length = norm(vector);
    (length > SHORTEST).then(|| vector / length)
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
        let step = gradient_step(&array![[3.0, 5.0, 2.0]], None, &held, &[0.0, 0.0]);
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
        let step = gradient_step(&array![[1.0, 0.0, 2.0]], None, &held, &[0.5, -0.25]);
        for (gradient, residual) in held.iter().zip([0.5, -0.25]) {
            let change = ordered_dot(gradient, &step.correction);
            assert!((change + residual).abs() < 1e-5, "{change}");
        }
        assert!((step.side_effect + 0.25).abs() < 1e-5);
    }

    #[test]
    fn parallel_and_missing_gradients_are_no_error() {
        let held = [array![[1.0, 0.0]], array![[2.0, 0.0]], array![[0.0, 0.0]]];
        let step = gradient_step(&array![[1.0, 0.0]], None, &held, &[0.1, 0.2, 5.0]);
        assert!(step.retained < 1e-12 && step.direction.iter().all(|&part| part == 0.0));
        assert!((step.correction[[0, 0]] + 0.1).abs() < 1e-4);
        assert_eq!(
            gradient_step(&array![[0.0, 0.0]], None, &[], &[])
                .retained
                .to_bits(),
            0
        );
    }

    #[test]
    fn the_step_is_the_one_nearest_to_the_normal_that_is_steep_enough() {
        let normal = array![[3.0, 0.0, 0.0]];
        for (angle, cosine) in [(0.4_f64, 0.4_f64.cos()), (1.4, 0.5), (2.8, 0.5)] {
            let gradient = 2.0 * array![[angle.cos(), angle.sin(), 0.0]];
            let step = gradient_step(&gradient, Some(&normal), &[], &[]);
            assert!(
                (step.slope - 2.0 * cosine).abs() < 1e-9,
                "{angle}: {}",
                step.slope
            );
            assert!((norm(&step.direction) - 1.0).abs() < 1e-9);
        }
        let opposite = gradient_step(&array![[-1.0, 0.0, 0.0]], Some(&normal), &[], &[]);
        assert!((opposite.slope - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_idle_part_of_a_move_changes_nothing_that_is_edited_or_held() {
        let (edited, normal) = (array![[0.0, 2.0, 0.0, 0.0]], array![[1.0, 1.0, 0.0, 0.0]]);
        let held = [array![[0.0, 0.0, 1.0, 0.0]]];
        let step = gradient_step(&edited, Some(&normal), &held, &[0.0]);
        let idle = step.idle_part(&array![[1.0, 2.0, 3.0, 4.0]]);
        let expected = array![[0.0, 0.0, 0.0, 4.0]];
        assert!(
            (&idle - &expected).iter().all(|part| part.abs() < 1e-12),
            "{idle}"
        );
    }
}

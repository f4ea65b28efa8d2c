//! Newton's method for the support vector machine with a smoothed loss.

use ndarray::{Array1, Array2};

use crate::latent::FitError;
use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::svm::problem::{ADVICE, SvmProblem};
use crate::latent::linear_algebra::cholesky::solve_positive_definite;
use crate::latent::linear_algebra::dot_product::{add_scaled, dot};

/// Each width of the smoothing is this factor of the one before.
const WIDTH_FACTOR: f64 = 0.2;

/// The most steps with one width.
const MAX_STEPS: usize = 300;

/// The greatest norm of the gradient, relative to ‖w‖, at the end of a width that another follows, and of the last width.
const GRADIENT_TOLERANCE: (f64, f64) = (0.1, 1e-3);

/// Minimizes ½‖w‖² + C Σ ℓ(1 − yᵢ(w·xᵢ + b)) from `start`. The loss ℓ is max(0, ·) with its corner smoothed over the width
/// h: ℓ′(t) = t/h + ½, clamped to 0 and 1. h starts at 1 and falls to `tolerance`.
///
/// With αᵢ = C ℓ′, the minimum fulfils the conditions of the problem without smoothing, except that margins of samples with
/// 0 < αᵢ < C are only within h/2 of 1, which is LIBSVM's criterion for the tolerance h. For each h, the steps solve
/// (I + C/h Σ (x − x̄)(x − x̄)ᵀ) Δw = −∇, where the sum runs over the samples in the smoothed corner, and a line search
/// follows. The objective is convex and piecewise quadratic, so that the number of steps is finite. Source: Keerthi,
/// DeCoste, *A Modified Finite Newton Method for Fast Solution of Large Scale Linear SVMs* (JMLR 6, 2005); Chapelle,
/// *Training a Support Vector Machine in the Primal* (Neural Computation 19, 2007).
///
/// # Errors
/// [`FitError::NotConverged`] and [`FitError::Cancelled`].
pub(crate) fn minimize(
    problem: &SvmProblem<'_>,
    start: Hyperplane,
    tolerance: f64,
    progress: &mut Progress<'_>,
) -> Result<Hyperplane, FitError> {
    let mut iterate = Iterate {
        problem,
        margins: problem.margins(&start.w, start.intercept),
        hyperplane: start,
        width: 1.0,
    };
    loop {
        let last = iterate.width <= tolerance;
        let enough = if last {
            GRADIENT_TOLERANCE.1
        } else {
            GRADIENT_TOLERANCE.0
        };
        let mut steps = 0;
        loop {
            progress.converged_to(iterate.width, tolerance)?;
            let gradient = iterate.gradient();
            if gradient.is_small(&iterate.hyperplane.w, enough) {
                break;
            }
            let step = if steps < MAX_STEPS {
                iterate.newton_step(&gradient)
            } else {
                None
            };
            let not_converged = FitError::NotConverged {
                gap: iterate.width,
                tolerance,
                advice: ADVICE,
            };
            iterate.move_along(&step.ok_or(not_converged)?);
            steps += 1;
        }
        if last {
            return Ok(iterate.hyperplane);
        }
        iterate.width = (iterate.width * WIDTH_FACTOR).max(tolerance);
    }
}

/// The hyperplane at one step, with its margins and the width of the smoothing.
struct Iterate<'a, 'b> {
    problem: &'a SvmProblem<'b>,
    hyperplane: Hyperplane,
    /// yᵢ(w·xᵢ + b).
    margins: Vec<f64>,
    /// h.
    width: f64,
}

/// The gradient of the objective.
struct ObjectiveGradient {
    w: Vec<f64>,
    intercept: f64,
    /// Σ αᵢ.
    alpha_sum: f64,
}

impl ObjectiveGradient {
    fn is_small(&self, w: &[f64], enough: f64) -> bool {
        let short = dot(&self.w, &self.w) <= enough * enough * dot(w, w);
        short && self.intercept.abs() <= enough * 0.01 * self.alpha_sum.max(1.0)
    }
}

impl Iterate<'_, '_> {
    /// α of a sample with this margin.
    fn alpha(&self, margin: f64) -> f64 {
        self.problem.cost * ((1.0 - margin) / self.width + 0.5).clamp(0.0, 1.0)
    }

    /// ∇ = (w − Σ αᵢyᵢxᵢ, −Σ αᵢyᵢ).
    fn gradient(&self) -> ObjectiveGradient {
        let mut gradient = ObjectiveGradient {
            w: self.hyperplane.w.clone(),
            intercept: 0.0,
            alpha_sum: 0.0,
        };
        for (index, (&margin, side)) in self.margins.iter().zip(self.problem.sides).enumerate() {
            let alpha = self.alpha(margin);
            if alpha > 0.0 {
                add_scaled(&mut gradient.w, -alpha * side, self.problem.rows.row(index));
                gradient.intercept -= alpha * side;
                gradient.alpha_sum += alpha;
            }
        }
        gradient
    }

    /// The step to the minimum of the current quadratic piece, with Δb eliminated by the mean x̄. `None` if numbers overflow.
    fn newton_step(&self, gradient: &ObjectiveGradient) -> Option<Hyperplane> {
        let within = |&index: &usize| (1.0 - self.margins[index]).abs() < self.width / 2.0;
        let corner: Vec<usize> = (0..self.margins.len()).filter(within).collect();
        let rows = self.problem.rows;
        let centre = rows.mean(&corner);
        let curvature = self.problem.cost / self.width;
        let mut second = Array2::from_diag(&Array1::ones(rows.dim()));
        rows.add_scatter(&corner, &centre, curvature, &mut second);
        let mut w: Vec<f64> = gradient
            .w
            .iter()
            .zip(&centre)
            .map(|(w, x)| x * gradient.intercept - w)
            .collect();
        solve_positive_definite(&mut second, &mut w, f64::EPSILON)?;
        #[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 codes")]
        let second_of_intercept = if corner.is_empty() {
            1.0
        } else {
            curvature * corner.len() as f64
        };
        let intercept = -gradient.intercept / second_of_intercept - dot(&w, centre.as_slice()?);
        Some(Hyperplane { w, intercept })
    }

    /// Moves along `step` to the minimum of the objective.
    fn move_along(&mut self, step: &Hyperplane) {
        let changes = self.problem.margins(&step.w, step.intercept);
        let (along, square) = (dot(&self.hyperplane.w, &step.w), dot(&step.w, &step.w));
        let derivative = |length: f64| {
            let pairs = self.margins.iter().zip(&changes);
            let loss: f64 = pairs
                .map(|(margin, change)| self.alpha(margin + length * change) * change)
                .sum();
            along + length * square - loss
        };
        let length = root(derivative);
        for (w, step) in self.hyperplane.w.iter_mut().zip(&step.w) {
            *w += length * step;
        }
        self.hyperplane.intercept += length * step.intercept;
        for (margin, change) in self.margins.iter_mut().zip(changes) {
            *margin += length * change;
        }
    }
}

/// The root of a `derivative` that never decreases and is below 0 at 0: 1 if the value there is small, otherwise by
/// bisection.
fn root(derivative: impl Fn(f64) -> f64) -> f64 {
    let small = 1e-6 * derivative(0.0).abs();
    let (mut low, mut high) = (0.0, 1.0);
    let mut value = derivative(high);
    if value.abs() <= small {
        return high;
    }
    while value < 0.0 && high < 1e6 {
        low = high;
        high *= 2.0;
        value = derivative(high);
    }
    for _ in 0..24 {
        let middle = f64::midpoint(low, high);
        if derivative(middle) > 0.0 {
            high = middle;
        } else {
            low = middle;
        }
    }
    f64::midpoint(low, high)
}

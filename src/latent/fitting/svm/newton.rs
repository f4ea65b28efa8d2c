//! Newton's method for the support vector machine whose corner is rounded off.

use ndarray::{Array1, Array2};

use crate::latent::LatentError;
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::svm::svm::{Hyperplane, LinearSvm};
use crate::latent::linear_algebra::normal_equations::solve_definite;
use crate::latent::linear_algebra::product::{add_scaled, dot, project};

/// Each rounding is this much narrower than the one before.
const NARROWER: f64 = 0.2;

/// Steps within one rounding after which it will never be done.
const STEPS: usize = 300;

/// The share of w's length that the gradient may keep: under a rounding that another follows, and under the last.
const ENOUGH: (f64, f64) = (0.1, 1e-3);

/// The plane that minimises ½‖w‖² + C Σ ℓ(1 − yᵢ(w·xᵢ + b)), where ℓ is max(0, ·) with the corner rounded off over the
/// width h = `tolerance`: ℓ′(t) = t/h + ½, kept within 0 and 1.
///
/// With αᵢ = C ℓ′ the optimum fulfils the conditions of the problem with the corner, but for margins of samples
/// with 0 < αᵢ < C that are within h/2 of 1: LIBSVM's criterion for tolerance h. h starts at 1 and
/// narrows; under each, steps solve (I + C/h Σ (x − x̄)(x − x̄)ᵀ) Δw = −∇, summed over the samples in the rounded corner,
/// and go as far as the objective falls. It is convex and quadratic in pieces, so that this ends after finitely
/// many. Source: Keerthi, DeCoste, *A Modified Finite Newton Method for Fast Solution of Large Scale Linear SVMs*
/// (JMLR 6, 2005); Chapelle, *Training a Support Vector Machine in the Primal* (Neural Computation 19, 2007).
pub(crate) fn descend(
    machine: &LinearSvm<'_>,
    start: Hyperplane,
    tolerance: f64,
    watch: &mut Progress<'_>,
) -> Result<Hyperplane, LatentError> {
    let mut descent = Adam {
        machine,
        margins: machine.margins(&start.w, start.intercept),
        plane: start,
        width: 1.0,
    };
    loop {
        let last = descent.width <= tolerance;
        let enough = if last { ENOUGH.1 } else { ENOUGH.0 };
        let mut steps = 0;
        loop {
            watch.settled_to(descent.width, tolerance)?;
            let slope = descent.slope();
            if slope.is_level(&descent.plane.w, enough) {
                break;
            }
            let step = if steps < STEPS {
                descent.newton_step(&slope)
            } else {
                None
            };
            let unsettled = LatentError::Unsettled {
                gap: descent.width,
                tolerance,
            };
            descent.go(&step.ok_or(unsettled)?);
            steps += 1;
        }
        if last {
            return Ok(descent.plane);
        }
        descent.width = (descent.width * NARROWER).max(tolerance);
    }
}

struct Adam<'a, 'b> {
    machine: &'a LinearSvm<'b>,
    plane: Hyperplane,
    /// yᵢ(w·xᵢ + b).
    margins: Vec<f64>,
    /// h.
    width: f64,
}

/// The objective's gradient.
struct LossGradient {
    w: Vec<f64>,
    intercept: f64,
    /// Σ αᵢ.
    pull: f64,
}

impl LinearSvm<'_> {
    /// yᵢ(w·xᵢ + b) of all samples.
    fn margins(&self, w: &[f64], intercept: f64) -> Vec<f64> {
        let sides = self.sides.iter().enumerate();
        sides
            .map(|(index, side)| side * (project(w, self.rows.row(index)) + intercept))
            .collect()
    }
}

impl LossGradient {
    fn is_level(&self, w: &[f64], enough: f64) -> bool {
        let short = dot(&self.w, &self.w) <= enough * enough * dot(w, w);
        short && self.intercept.abs() <= enough * 0.01 * self.pull.max(1.0)
    }
}

impl Adam<'_, '_> {
    /// α for a margin.
    fn alpha(&self, margin: f64) -> f64 {
        self.machine.cost * ((1.0 - margin) / self.width + 0.5).clamp(0.0, 1.0)
    }

    /// ∇ = (w − Σ αᵢyᵢxᵢ, −Σ αᵢyᵢ).
    fn slope(&self) -> LossGradient {
        let mut slope = LossGradient {
            w: self.plane.w.clone(),
            intercept: 0.0,
            pull: 0.0,
        };
        for (index, (&margin, side)) in self.margins.iter().zip(self.machine.sides).enumerate() {
            let alpha = self.alpha(margin);
            if alpha > 0.0 {
                add_scaled(&mut slope.w, -alpha * side, self.machine.rows.row(index));
                slope.intercept -= alpha * side;
                slope.pull += alpha;
            }
        }
        slope
    }

    /// The step to where the quadratic piece is least, Δb eliminated by the mean x̄; `None` where numbers overflow.
    fn newton_step(&self, slope: &LossGradient) -> Option<Hyperplane> {
        let within = |&index: &usize| (1.0 - self.margins[index]).abs() < self.width / 2.0;
        let corner: Vec<usize> = (0..self.margins.len()).filter(within).collect();
        let rows = self.machine.rows;
        let centre = rows.mean(&corner);
        let curvature = self.machine.cost / self.width;
        let mut second = Array2::from_diag(&Array1::ones(rows.dim()));
        rows.add_scatter(&corner, &centre, curvature, &mut second);
        let mut w: Vec<f64> = slope
            .w
            .iter()
            .zip(&centre)
            .map(|(w, x)| x * slope.intercept - w)
            .collect();
        solve_definite(&mut second, &mut w, f64::EPSILON)?;
        #[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 codes")]
        let second_of_intercept = if corner.is_empty() {
            1.0
        } else {
            curvature * corner.len() as f64
        };
        let intercept = -slope.intercept / second_of_intercept - dot(&w, centre.as_slice()?);
        Some(Hyperplane { w, intercept })
    }

    /// Goes along `step` to where the objective is least.
    fn go(&mut self, step: &Hyperplane) {
        let changes = self.machine.margins(&step.w, step.intercept);
        let (along, square) = (dot(&self.plane.w, &step.w), dot(&step.w, &step.w));
        let slope_at = |length: f64| {
            let pairs = self.margins.iter().zip(&changes);
            let pull: f64 = pairs
                .map(|(margin, change)| self.alpha(margin + length * change) * change)
                .sum();
            along + length * square - pull
        };
        let length = root(slope_at);
        for (w, step) in self.plane.w.iter_mut().zip(&step.w) {
            *w += length * step;
        }
        self.plane.intercept += length * step.intercept;
        for (margin, change) in self.margins.iter_mut().zip(changes) {
            *margin += length * change;
        }
    }
}

/// Where a slope that never falls, from below 0 at 0, is 0: 1 where that is as good, else by bisection.
fn root(slope_at: impl Fn(f64) -> f64) -> f64 {
    let small = 1e-6 * slope_at(0.0).abs();
    let (mut low, mut high) = (0.0, 1.0);
    let mut slope = slope_at(high);
    if slope.abs() <= small {
        return high;
    }
    while slope < 0.0 && high < 1e6 {
        low = high;
        high *= 2.0;
        slope = slope_at(high);
    }
    for _ in 0..24 {
        let middle = f64::midpoint(low, high);
        if slope_at(middle) > 0.0 {
            high = middle;
        } else {
            low = middle;
        }
    }
    f64::midpoint(low, high)
}

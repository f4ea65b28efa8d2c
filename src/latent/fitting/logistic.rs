//! Logistic regression of two classes on codes, with balanced weights.

use crate::latent::FitError;
use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::progress::Progress;
use crate::latent::linear_algebra::code_rows::CodeRows;
use crate::latent::linear_algebra::dot_product::{add_scaled, add_scaled_f64, dot, dot_with_code};

/// The most steps of Newton's method.
const MAX_STEPS: usize = 100;
/// The length of the gradient at the end, relative to that at the start.
const TOLERANCE: f64 = 1e-5;
/// The most steps of the conjugate gradients in each step of Newton's method.
const MAX_INNER_STEPS: usize = 50;

/// Codes of two classes.
pub(crate) struct LogisticProblem<'c, 'a> {
    pub(crate) rows: CodeRows<'c>,
    /// The rows that the fit uses, as indices of `rows`.
    pub(crate) indices: &'a [usize],
    /// The class of each of these rows: 1 or −1.
    pub(crate) sides: &'a [f64],
}

/// A point in the space of the weights: a weight for each value, and the intercept at the end.
type Point = Vec<f64>;

/// The hyperplane that minimizes ½‖w‖² + Σ cᵢ ln(1 + exp(−yᵢ(w·x̃ᵢ + b))), where x̃ are the codes, centred and divided by the root
/// mean square of their values, and c are weights that count both classes alike.
///
/// Newton's method with conjugate gradients. Source: Lin, Weng, Keerthi, *Trust Region Newton Method for Large-Scale Logistic
/// Regression* (JMLR 9, 2008), with a line search instead of the trust region.
///
/// # Errors
/// [`FitError::NotConverged`] and [`FitError::Cancelled`].
pub(crate) fn solve(
    problem: &LogisticProblem<'_, '_>,
    progress: &mut Progress<'_>,
) -> Result<Hyperplane, FitError> {
    let scaled = Scaled::new(problem);
    let mut point = vec![0.0; problem.rows.dim() + 1];
    let mut margins = vec![0.0; problem.indices.len()];
    let mut value = scaled.value(&point, &margins);
    let (mut first_length, mut last) = (None, 1.0);
    for _ in 0..MAX_STEPS {
        let gradient = scaled.gradient(&point, &margins);
        let length = dot(&gradient, &gradient).sqrt();
        let first_length = *first_length.get_or_insert(length);
        if length <= TOLERANCE * first_length {
            return Ok(scaled.hyperplane(point));
        }
        last = length / first_length;
        progress.converged_to(last.min(1.0), TOLERANCE)?;
        let step = scaled.newton_step(&gradient, &margins, last);
        let slope = dot(&gradient, &step);
        let change = scaled.margins(&step);
        let mut share = 1.0;
        loop {
            let mut tried = point.clone();
            add_scaled_f64(&mut tried, share, &step);
            let mut tried_margins = margins.clone();
            add_scaled_f64(&mut tried_margins, share, &change);
            let tried_value = scaled.value(&tried, &tried_margins);
            if tried_value <= value + 1e-4 * share * slope {
                (point, margins, value) = (tried, tried_margins, tried_value);
                break;
            }
            share *= 0.5;
            if share < 1e-10 {
                // Rounding hides what is left to gain.
                return Ok(scaled.hyperplane(point));
            }
        }
    }
    Err(FitError::NotConverged {
        gap: last,
        tolerance: TOLERANCE,
    })
}

/// The problem in scaled codes.
struct Scaled<'c, 'a> {
    problem: &'a LogisticProblem<'c, 'a>,
    mean: Vec<f64>,
    /// The root mean square of the centred values.
    scale: f64,
    /// The weight of a row of each class: negative, positive.
    weights: [f64; 2],
}

impl<'c, 'a> Scaled<'c, 'a> {
    #[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 codes")]
    fn new(problem: &'a LogisticProblem<'c, 'a>) -> Self {
        let mean = problem.rows.mean(problem.indices).to_vec();
        let square = |&index: &usize| -> f64 {
            let values = problem.rows.row(index).iter().zip(&mean);
            values.map(|(&x, mean)| (f64::from(x) - mean).powi(2)).sum()
        };
        let squares: f64 = problem.indices.iter().map(square).sum();
        let all = problem.indices.len() as f64;
        let positive = problem.sides.iter().filter(|&&side| side > 0.0).count() as f64;
        let scale = (squares / (all * mean.len() as f64)).sqrt();
        Self {
            problem,
            scale: if scale > 0.0 { scale } else { 1.0 },
            mean,
            weights: [all / (2.0 * (all - positive)), all / (2.0 * positive)],
        }
    }

    /// w·x̃ + b for each row.
    fn margins(&self, point: &Point) -> Vec<f64> {
        let (w, intercept) = self.in_codes(point);
        let margin = |&index: &usize| dot_with_code(&w, self.problem.rows.row(index)) + intercept;
        self.problem.indices.iter().map(margin).collect()
    }

    /// The weights and the intercept for codes that are not scaled.
    fn in_codes(&self, point: &Point) -> (Vec<f64>, f64) {
        let (intercept, w) = point.split_last().expect("a point has an intercept");
        let w: Vec<f64> = w.iter().map(|w| w / self.scale).collect();
        let intercept = intercept - dot(&w, &self.mean);
        (w, intercept)
    }

    fn weight(&self, side: f64) -> f64 {
        self.weights[usize::from(side > 0.0)]
    }

    fn value(&self, point: &Point, margins: &[f64]) -> f64 {
        let w = &point[..point.len() - 1];
        let losses = margins.iter().zip(self.problem.sides).map(|(margin, &side)| {
            let t = -side * margin;
            // ln(1 + exp(t)), without an overflow.
            self.weight(side) * (t.max(0.0) + (-t.abs()).exp().ln_1p())
        });
        0.5 * dot(w, w) + losses.sum::<f64>()
    }

    /// Σ factor x̃ over the rows, with Σ factor at the end. `factor` gets the position of a row, and its values.
    fn combine(&self, factor: impl Fn(usize, &[f32]) -> f64) -> Point {
        let mut sum = vec![0.0; self.mean.len()];
        let mut total = 0.0;
        for (position, &index) in self.problem.indices.iter().enumerate() {
            let row = self.problem.rows.row(index);
            let factor = factor(position, row);
            add_scaled(&mut sum, factor, row);
            total += factor;
        }
        let scaled = |(sum, mean): (f64, &f64)| (sum - total * mean) / self.scale;
        sum.into_iter()
            .zip(&self.mean)
            .map(scaled)
            .chain([total])
            .collect()
    }

    fn gradient(&self, point: &Point, margins: &[f64]) -> Point {
        let sides = self.problem.sides;
        let mut gradient = self.combine(|position, _| {
            let side = sides[position];
            -side * self.weight(side) * logistic(-side * margins[position])
        });
        let values = self.mean.len();
        add_scaled_f64(&mut gradient[..values], 1.0, &point[..values]);
        gradient
    }

    /// The step −H⁻¹ g by conjugate gradients, to a precision that grows as the gradient falls.
    fn newton_step(&self, gradient: &Point, margins: &[f64], precision: f64) -> Point {
        let values = self.mean.len();
        let curvatures: Vec<f64> = margins
            .iter()
            .zip(self.problem.sides)
            .map(|(&margin, &side)| self.weight(side) * logistic(margin) * logistic(-margin))
            .collect();
        let product = |direction: &Point| {
            let (w, intercept) = self.in_codes(direction);
            let mut product =
                self.combine(|position, row| (dot_with_code(&w, row) + intercept) * curvatures[position]);
            add_scaled_f64(&mut product[..values], 1.0, &direction[..values]);
            product
        };
        let mut step = vec![0.0; values + 1];
        let mut residual: Point = gradient.iter().map(|slope| -slope).collect();
        let mut direction = residual.clone();
        let mut square = dot(&residual, &residual);
        let enough = square * (0.1 * precision.sqrt()).min(0.1).powi(2);
        for _ in 0..MAX_INNER_STEPS {
            let along = product(&direction);
            let curvature = dot(&direction, &along);
            if curvature <= 0.0 {
                break;
            }
            let length = square / curvature;
            add_scaled_f64(&mut step, length, &direction);
            add_scaled_f64(&mut residual, -length, &along);
            let next = dot(&residual, &residual);
            if next <= enough {
                break;
            }
            for (direction, residual) in direction.iter_mut().zip(&residual) {
                *direction = residual + next / square * *direction;
            }
            square = next;
        }
        step
    }

    fn hyperplane(&self, point: Point) -> Hyperplane {
        let (w, intercept) = self.in_codes(&point);
        Hyperplane { w, intercept }
    }
}

/// 1/(1 + exp(−t)).
fn logistic(t: f64) -> f64 {
    1.0 / (1.0 + (-t).exp())
}

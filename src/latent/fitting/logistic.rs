//! Logistic regression of two classes of codes.

use std::array;
use std::ops::Range;

use ndarray::Array2;

use crate::latent::FitError;
use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::moments::ReducedCodes;
use crate::latent::linear_algebra::cholesky::solve_positive_definite;
use crate::latent::linear_algebra::code_rows::CodeRows;
use crate::latent::linear_algebra::dot_product::{add_scaled_f64, dot};
use crate::latent::linear_algebra::halves::both_halves;
use crate::latent::statistics::float;

/// The most steps. A handful is usual.
const MAX_STEPS: usize = 500;
/// The fit stops when one more step would lower the loss by less than this for each weight. Sampling noise alone changes the loss at the
/// minimum by about 0.5 for each weight.
const PER_WEIGHT: f64 = 1e-2;
/// The same for each code. It is the stricter one for few codes, whose loss is small.
const PER_CODE: f64 = 1e-4;
/// The most directions of a step.
const MAX_DIRECTIONS: usize = 3;
/// The coefficients of a step: one for each direction, and one for the intercept.
const COEFFICIENTS: usize = MAX_DIRECTIONS + 1;
/// The most steps of Newton's method to find the coefficients. Fewer than ten are usual.
const MAX_INNER_STEPS: usize = 30;
/// The search for the coefficients stops at this share of the tolerance of the fit.
const INNER_TOLERANCE: f64 = 0.3;

/// Codes of two classes.
pub(crate) struct LogisticProblem<'c, 'a> {
    pub(crate) rows: CodeRows<'c>,
    /// The values of a code: those of a row, or more if the rows are coordinates of the codes.
    pub(crate) values: usize,
    /// The rows that the fit uses, as indices of `rows`.
    pub(crate) indices: &'a [usize],
    /// The class of each row of `rows`: 1 or −1.
    pub(crate) sides: &'a [f64],
    /// Whether both classes count alike, however many codes each has.
    pub(crate) balanced: bool,
    /// The codes of these rows, ready for regressions.
    pub(crate) codes: &'a ReducedCodes,
}

/// The hyperplane that minimizes ½ s² ‖w‖² + Σ cᵢ ln(1 + exp(−yᵢ mᵢ)), where m = w·(x − x̄) + b are the margins of the codes x, s is
/// the root mean square of their centred values, and c are the weights of the classes.
///
/// The search starts from `start`. Each step minimizes the loss over four directions: the preconditioned gradient, the step
/// before, w, and the intercept. It reads the codes twice. For normally distributed codes, the second derivative by w is
/// a Σ + b (Σ w)(Σ w)ᵀ plus the penalty, where Σ is their covariance; the preconditioner covers the first and the last term, and the
/// direction w the second. Source: Narkiss and Zibulevsky, *Sequential Subspace Optimization Method for Large-Scale Unconstrained Problems*
/// (2005).
///
/// `reach` gets the share that is done.
///
/// # Errors
/// [`FitError::NotConverged`], and those of `reach`.
pub(crate) fn solve(
    problem: &LogisticProblem<'_, '_>,
    start: Start,
    reach: &mut dyn FnMut(f64) -> Result<(), FitError>,
) -> Result<Solution, FitError> {
    let loss = Loss::new(problem);
    let first = match start.margins {
        Some(margins) => Point {
            w: start.w,
            intercept: 0.0,
            margins,
        },
        None => loss.point(start.w),
    };
    let mut point = loss.best_move(&Point::zero(problem), &[&first], start.times);
    let (mut previous, mut first_excess, mut excess) = (None, None, 0.0);
    for _ in 0..MAX_STEPS {
        let (gradient, curvature) = loss.gradient(&point);
        let downhill = loss.downhill(&gradient, curvature);
        excess = -0.5 * dot(&gradient, &downhill) / loss.enough();
        if excess <= 1.0 {
            return Ok(loss.solution(point));
        }
        let first_excess: f64 = *first_excess.get_or_insert(excess);
        // Each tenfold decrease takes about the same time.
        reach((1.0 - excess.ln() / first_excess.ln()).clamp(0.0, 1.0))?;
        let downhill = loss.point(downhill);
        let directions: Vec<_> = [&downhill, &point].into_iter().chain(previous.as_ref()).collect();
        let change = loss.best_move(&point, &directions, 0.0);
        point.add(1.0, &change);
        previous = Some(change);
    }
    Err(FitError::NotConverged {
        gap: excess * loss.enough(),
        tolerance: loss.enough(),
        advice: "choose another threshold, or use the method `least-squares` or `svm`",
    })
}

/// Where the search starts.
pub(crate) struct Start {
    /// A direction.
    pub(crate) w: Vec<f64>,
    /// About how many times as long the solution is; 0 if nothing is known of its length.
    pub(crate) times: f64,
    /// w·(x − x̄) for the codes x of the fit, if it is known.
    pub(crate) margins: Option<Vec<f64>>,
}

/// The hyperplane of a fit, and its value w·x + b at each row of the fit.
pub(crate) struct Solution {
    pub(crate) hyperplane: Hyperplane,
    pub(crate) values: Vec<f64>,
}

/// Weights and an intercept, or a change of them.
struct Point {
    w: Vec<f64>,
    intercept: f64,
    /// w·(x − x̄) + b of each row.
    margins: Vec<f64>,
}

impl Point {
    fn zero(problem: &LogisticProblem<'_, '_>) -> Self {
        Self {
            w: vec![0.0; problem.rows.dim()],
            intercept: 0.0,
            margins: vec![0.0; problem.indices.len()],
        }
    }

    /// Adds `scale` times `other`.
    fn add(&mut self, scale: f64, other: &Self) {
        add_scaled_f64(&mut self.w, scale, &other.w);
        add_scaled_f64(&mut self.margins, scale, &other.margins);
        self.intercept += scale * other.intercept;
    }

    fn add_to_intercept(&mut self, change: f64) {
        self.intercept += change;
        for margin in &mut self.margins {
            *margin += change;
        }
    }
}

/// The loss after a step, with its derivatives by the coefficients of the step.
#[derive(Default)]
struct LocalLoss {
    value: f64,
    slope: [f64; COEFFICIENTS],
    curvature: [[f64; COEFFICIENTS]; COEFFICIENTS],
}

impl LocalLoss {
    fn add(&mut self, other: &Self) {
        self.value += other.value;
        for row in 0..COEFFICIENTS {
            self.slope[row] += other.slope[row];
            for column in 0..=row {
                self.curvature[row][column] += other.curvature[row][column];
            }
        }
    }
}

/// The function that the fit minimizes.
struct Loss<'c, 'a> {
    problem: &'a LogisticProblem<'c, 'a>,
    mean: &'a [f64],
    /// s²: the mean square of the centred values.
    square: f64,
    /// The weight c of a row of each class: negative, positive.
    weights: [f64; 2],
}

impl<'c, 'a> Loss<'c, 'a> {
    fn new(problem: &'a LogisticProblem<'c, 'a>) -> Self {
        let (codes, indices) = (problem.codes, problem.indices);
        let all = float(indices.len());
        let positive = indices.iter().filter(|&&index| problem.sides[index] > 0.0);
        let positive = float(positive.count());
        let mean = codes.centre();
        let square = codes.scatter.trace() / (all * float(problem.values));
        Self {
            problem,
            mean,
            square: if square > 0.0 { square } else { 1.0 },
            weights: if problem.balanced {
                [all / (2.0 * (all - positive)), all / (2.0 * positive)]
            } else {
                [1.0, 1.0]
            },
        }
    }

    /// The point with the weights `w` and no intercept.
    fn point(&self, w: Vec<f64>) -> Point {
        let plane = Hyperplane {
            intercept: -dot(&w, self.mean),
            w,
        };
        Point {
            margins: plane.values(self.problem.rows, self.problem.indices),
            intercept: 0.0,
            w: plane.w,
        }
    }

    /// The side of the row at a position of the fit, and its weight.
    fn side(&self, position: usize) -> (f64, f64) {
        let side = self.problem.sides[self.problem.indices[position]];
        (side, self.weights[usize::from(side > 0.0)])
    }

    /// What the last step may leave to gain.
    fn enough(&self) -> f64 {
        let by_weights = PER_WEIGHT * float(self.mean.len());
        by_weights.min(PER_CODE * float(self.problem.indices.len()))
    }

    /// The gradient by w, and the sum of the second derivatives by the margins.
    fn gradient(&self, point: &Point) -> (Vec<f64>, f64) {
        let mut curvature = 0.0;
        let mut slopes = Vec::with_capacity(point.margins.len());
        for (position, margin) in point.margins.iter().enumerate() {
            let (side, weight) = self.side(position);
            let [_, slope, curved] = logistic(*margin, side);
            slopes.push(weight * slope);
            curvature += weight * curved;
        }
        let [mut gradient] = self
            .problem
            .rows
            .weighted_sums(self.problem.indices, |position| [slopes[position]]);
        add_scaled_f64(&mut gradient, -slopes.iter().sum::<f64>(), self.mean);
        add_scaled_f64(&mut gradient, self.square, &point.w);
        (gradient, curvature)
    }

    /// −M⁻¹ g, where M is near the second derivative by w: `curvature` times the covariance of the codes, and the penalty.
    fn downhill(&self, gradient: &[f64], curvature: f64) -> Vec<f64> {
        let codes = self.problem.codes;
        // Where all margins are very large, the curvature is 0.
        let relative = float(codes.count) / curvature.max(1e-100);
        let mut rotated = gradient.to_vec();
        codes.scatter.rotate(&mut rotated);
        let solution = codes.scatter.solve_shifted(self.square * relative, &rotated);
        let (mut step, _) = solution.expect("the penalty makes the matrix positive definite");
        codes.scatter.rotate_back(&mut step);
        for value in &mut step {
            *value *= -relative;
        }
        step
    }

    /// The sum of multiples of `directions` and a change of the intercept that, added to a point, has the least loss. The search starts from
    /// `times` the first direction.
    fn best_move(&self, point: &Point, directions: &[&Point], times: f64) -> Point {
        let mut coefficients = [0.0; COEFFICIENTS];
        coefficients[0] = times;
        let mut local = self.local(point, directions, &coefficients);
        'steps: for _ in 0..MAX_INNER_STEPS {
            let step = newton_step(&local, directions.len());
            let slope: f64 = step
                .iter()
                .zip(&local.slope)
                .map(|(step, slope)| step * slope)
                .sum();
            if -0.5 * slope <= INNER_TOLERANCE * self.enough() {
                break;
            }
            let mut share = 1.0;
            loop {
                let tried = array::from_fn(|index| coefficients[index] + share * step[index]);
                let tried_local = self.local(point, directions, &tried);
                if tried_local.value <= local.value + 1e-4 * share * slope {
                    (coefficients, local) = (tried, tried_local);
                    break;
                }
                share *= 0.5;
                if share < 1e-10 {
                    // Rounding hides what is left to gain.
                    break 'steps;
                }
            }
        }
        let mut change = Point::zero(self.problem);
        for (coefficient, direction) in coefficients.iter().zip(directions) {
            change.add(*coefficient, direction);
        }
        change.add_to_intercept(coefficients[MAX_DIRECTIONS]);
        change
    }

    /// The loss at a point to which multiples of `directions` are added; the last coefficient is added to the intercept.
    fn local(&self, point: &Point, directions: &[&Point], coefficients: &[f64; COEFFICIENTS]) -> LocalLoss {
        let [mut local, other] = both_halves(point.margins.len(), |half| {
            self.local_of(half, point, directions, coefficients)
        });
        local.add(&other);
        // The penalty.
        let mut w = point.w.clone();
        for (coefficient, direction) in coefficients.iter().zip(directions) {
            add_scaled_f64(&mut w, *coefficient, &direction.w);
        }
        local.value += 0.5 * self.square * dot(&w, &w);
        for (row, direction) in directions.iter().enumerate() {
            local.slope[row] += self.square * dot(&w, &direction.w);
            for (column, other) in directions[..=row].iter().enumerate() {
                local.curvature[row][column] += self.square * dot(&direction.w, &other.w);
            }
        }
        local
    }

    /// The part of the loss that the rows at `positions` have, without the penalty.
    fn local_of(
        &self,
        positions: Range<usize>,
        point: &Point,
        directions: &[&Point],
        coefficients: &[f64; COEFFICIENTS],
    ) -> LocalLoss {
        let mut local = LocalLoss::default();
        for position in positions {
            let (side, weight) = self.side(position);
            let mut by = [0.0; COEFFICIENTS];
            for (by, direction) in by.iter_mut().zip(directions) {
                *by = direction.margins[position];
            }
            by[MAX_DIRECTIONS] = 1.0;
            let change: f64 = by
                .iter()
                .zip(coefficients)
                .map(|(by, coefficient)| by * coefficient)
                .sum();
            let [loss, slope, curvature] = logistic(point.margins[position] + change, side);
            local.value += weight * loss;
            for row in 0..COEFFICIENTS {
                local.slope[row] += weight * slope * by[row];
                for column in 0..=row {
                    local.curvature[row][column] += weight * curvature * by[row] * by[column];
                }
            }
        }
        local
    }

    fn solution(&self, point: Point) -> Solution {
        Solution {
            values: point.margins,
            hyperplane: Hyperplane {
                intercept: point.intercept - dot(&point.w, self.mean),
                w: point.w,
            },
        }
    }
}

/// The coefficients that minimize a loss of these derivatives, for `directions` directions and the intercept.
fn newton_step(local: &LocalLoss, directions: usize) -> [f64; COEFFICIENTS] {
    let used: Vec<usize> = (0..directions).chain([MAX_DIRECTIONS]).collect();
    let mut curvature = Array2::from_shape_fn((used.len(), used.len()), |(row, column)| {
        let (row, column) = (used[row.max(column)], used[row.min(column)]);
        let value = local.curvature[row][column];
        // A direction may be 0, or a sum of others.
        match value {
            0.0 if row == column => 1.0,
            _ if row == column => value * (1.0 + 1e-9),
            _ => value,
        }
    });
    let mut solution: Vec<f64> = used.iter().map(|&index| -local.slope[index]).collect();
    let mut step = [0.0; COEFFICIENTS];
    if solve_positive_definite(&mut curvature, &mut solution, 1e-13).is_some() {
        for (index, value) in used.into_iter().zip(solution) {
            step[index] = value;
        }
    }
    step
}

/// ln(1 + exp(−y m)) at the margin m for the side y, and its first and second derivatives by m.
fn logistic(margin: f64, side: f64) -> [f64; 3] {
    let t = -side * margin;
    // Without an overflow.
    let small = (-t.abs()).exp();
    let wrong = if t > 0.0 { 1.0 } else { small } / (1.0 + small);
    [
        t.max(0.0) + small.ln_1p(),
        -side * wrong,
        small / (1.0 + small).powi(2),
    ]
}

#[cfg(test)]
mod tests;

//! Limited-memory BFGS: minimizes a loss by its gradients, with step lengths from the last steps.

use std::collections::VecDeque;
use std::sync::Arc;

use ndarray::Array2;

use crate::latent::Whitening;
use crate::latent::linear_algebra::dot_product::ordered_dot;

/// Pairs of steps and gradient changes that are kept. Measured with the phantom's codes of 64 values: with 200 pairs, the
/// minimum is reached in two thirds of the steps that 64 pairs need.
const MAX_PAIRS: usize = 200;
/// Length of the first step, in deviations.
const FIRST_STEP: f64 = 0.3;
/// Length of the longest step, in deviations.
const MAX_STEP: f64 = 4.0;
/// Share of the predicted decrease that a step must bring (Armijo's condition).
const SUFFICIENT_DECREASE: f64 = 1e-4;
/// The least and the greatest factor by which a rejected step is shortened.
const SHORTENING: (f64, f64) = (0.1, 0.5);
/// The least share of a step that is tried.
const MIN_SHARE: f64 = 1e-4;

/// Minimizes a loss plus a pull towards an anchor, one evaluation at a time. The sum never increases from one accepted
/// step to the next.
///
/// If a step does not lower the sum enough, a shorter step from the same code is tried, with a length from a parabola
/// through the known values. Steps are measured in deviations of a [`Whitening`], so that they are long in directions in
/// which codes vary much.
///
/// The pull never weighs more than the loss: it keeps a code plausible while the loss is high, and gives way when the image
/// is matched. In directions that do not change the loss, the code stays at the anchor.
///
/// Source: Nocedal and Wright, *Numerical Optimization* (2006), algorithms 7.4 and 3.1.
#[derive(Clone, Debug)]
pub struct Lbfgs {
    anchor: Array2<f64>,
    whitening: Arc<Whitening>,
    pull: f64,
    /// The last accepted evaluation.
    current: Option<Evaluation>,
    /// The weight of the pull from there on: the sum is loss + weight · ‖deviations‖².
    weight: f64,
    /// The search direction from there, and the share of it that is tried.
    direction: Array2<f64>,
    share: f64,
    /// The next deviations to evaluate, and their code.
    next: Array2<f64>,
    code: Array2<f64>,
    /// The last accepted steps, the newest last.
    pairs: VecDeque<Pair>,
    is_done: bool,
}

/// The loss and its gradient with respect to deviations, at one point of deviations from the anchor.
#[derive(Clone, Debug)]
struct Evaluation {
    deviations: Array2<f64>,
    loss: f64,
    gradient: Array2<f64>,
}

impl Evaluation {
    /// The loss plus a pull of this `weight`.
    fn sum(&self, weight: f64) -> f64 {
        self.loss + weight * ordered_dot(&self.deviations, &self.deviations)
    }

    /// The gradient of the sum.
    fn sum_gradient(&self, weight: f64) -> Array2<f64> {
        &self.gradient + 2.0 * weight * &self.deviations
    }
}

/// An accepted step, and the change of the loss's gradient along it.
#[derive(Clone, Debug)]
struct Pair {
    step: Array2<f64>,
    change: Array2<f64>,
}

impl Lbfgs {
    /// Makes a minimizer that starts at the code `start` `[rows, dim]`, with a pull towards `anchor` `[rows, dim]`. The pull
    /// is min(`pull`, loss) times the mean square of the deviations from the anchor.
    ///
    /// # Panics
    /// If `start` and `anchor` differ in shape, or the whitening is that of rows of another length.
    #[must_use]
    pub fn new(start: Array2<f64>, anchor: Array2<f64>, whitening: Arc<Whitening>, pull: f64) -> Self {
        assert_eq!(
            start.dim(),
            anchor.dim(),
            "the anchor must have the shape of the start"
        );
        Self {
            pull,
            current: None,
            weight: 0.0,
            direction: Array2::zeros(start.dim()),
            share: 1.0,
            next: whitening.deviations(&(&start - &anchor)),
            code: start,
            anchor,
            whitening,
            pairs: VecDeque::with_capacity(MAX_PAIRS),
            is_done: false,
        }
    }

    /// The next code to evaluate, `[rows, dim]`.
    #[must_use]
    pub fn code(&self) -> &Array2<f64> {
        &self.code
    }

    /// Whether no further step lowers the sum.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// Takes the loss at [`code`](Self::code) and its gradient `[rows, dim]`, and chooses the next code. A code without a finite loss has
    /// the loss ∞ and the gradient 0; after the first one, a shorter step is tried.
    ///
    /// # Panics
    /// If the gradient has another shape than the code.
    pub fn step(&mut self, loss: f64, gradient: &Array2<f64>) {
        assert_eq!(
            gradient.dim(),
            self.code.dim(),
            "the gradient must have the shape of the code"
        );
        let new = Evaluation {
            deviations: self.next.clone(),
            loss,
            gradient: self.whitening.gradient_by_deviations(gradient),
        };
        if let Some(current) = &self.current {
            let predicted = self.share * ordered_dot(&current.sum_gradient(self.weight), &self.direction);
            let change = new.sum(self.weight) - current.sum(self.weight);
            if change > SUFFICIENT_DECREASE * predicted {
                return self.shorten(change - predicted, predicted);
            }
            if self.pairs.len() == MAX_PAIRS {
                self.pairs.pop_front();
            }
            self.pairs.push_back(Pair {
                step: &new.deviations - &current.deviations,
                change: &new.gradient - &current.gradient,
            });
        }
        #[expect(clippy::cast_precision_loss, reason = "a code has a few thousand values")]
        let count = new.deviations.len() as f64;
        self.weight = self.pull.min(loss.max(0.0)) / count;
        let gradient = new.sum_gradient(self.weight);
        self.is_done = ordered_dot(&gradient, &gradient) == 0.0;
        self.current = Some(new);
        self.start_line(&gradient);
    }

    /// Tries a shorter step from the current code. `excess` is how far the sum is above its tangent, and `predicted` the
    /// change along the tangent.
    fn shorten(&mut self, excess: f64, predicted: f64) {
        let (least, most) = SHORTENING;
        self.share *= (-predicted / (2.0 * excess)).clamp(least, most);
        if self.share >= MIN_SHARE {
            return self.try_share();
        }
        // The pairs are of no use here. Without pairs the direction was the gradient's, so that this is the minimum.
        self.is_done = self.pairs.is_empty();
        self.pairs.clear();
        let weight = self.weight;
        if let Some(gradient) = self.current.as_ref().map(|current| current.sum_gradient(weight)) {
            self.start_line(&gradient);
        }
    }

    /// Starts a line search from the current code, with a full step.
    fn start_line(&mut self, gradient: &Array2<f64>) {
        self.direction = self.search_direction(gradient);
        self.share = 1.0;
        self.try_share();
    }

    /// Sets the next code to the current share of the direction.
    fn try_share(&mut self) {
        let Some(current) = &self.current else { return };
        self.next = &current.deviations + self.share * &self.direction;
        self.code = &self.anchor + self.whitening.difference(&self.next);
    }

    /// −H · gradient, where H is the approximation of the inverse Hessian from the last steps (two-loop recursion). Steps
    /// without positive curvature are left out.
    fn search_direction(&self, gradient: &Array2<f64>) -> Array2<f64> {
        let with_curvature = |pair: &Pair| {
            let change = &pair.change + 2.0 * self.weight * &pair.step;
            let product = ordered_dot(&pair.step, &change);
            let squares = ordered_dot(&pair.step, &pair.step) * ordered_dot(&change, &change);
            (product > 1e-10 * squares.sqrt()).then_some((change, product))
        };
        let pairs = self.pairs.iter();
        let pairs: Vec<_> = pairs
            .filter_map(|pair| with_curvature(pair).map(|(change, product)| (&pair.step, change, product)))
            .collect();
        let mut direction = -gradient;
        let mut shares = Vec::with_capacity(pairs.len());
        for (step, change, product) in pairs.iter().rev() {
            let share = ordered_dot(*step, &direction) / product;
            direction.scaled_add(-share, change);
            shares.push(share);
        }
        match pairs.last() {
            Some((_, change, product)) => direction *= product / ordered_dot(change, change),
            None => direction *= FIRST_STEP / ordered_dot(gradient, gradient).sqrt().max(f64::MIN_POSITIVE),
        }
        for ((step, change, product), share) in pairs.iter().zip(shares.into_iter().rev()) {
            let other = ordered_dot(change, &direction) / product;
            direction.scaled_add(share - other, step);
        }
        let length = ordered_dot(&direction, &direction).sqrt();
        if length > MAX_STEP {
            direction *= MAX_STEP / length;
        }
        direction
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    /// A minimizer that starts at its anchor.
    fn from_anchor(start: Array2<f64>, whitening: Arc<Whitening>, pull: f64) -> Lbfgs {
        Lbfgs::new(start.clone(), start, whitening, pull)
    }

    /// Rosenbrock's function, with its minimum at (1, 1), and its gradient.
    fn rosenbrock(code: &Array2<f64>) -> (f64, Array2<f64>) {
        let (x, y) = (code[[0, 0]], code[[0, 1]]);
        let (across, along) = (y - x * x, 1.0 - x);
        let gradient = array![[-2.0 * along - 40.0 * x * across, 20.0 * across]];
        (10.0 * across * across + along * along, gradient)
    }

    #[test]
    fn the_minimum_of_a_curved_valley_is_found() {
        let mut lbfgs = from_anchor(array![[-1.2, 1.0]], Arc::default(), 0.0);
        for _ in 0..60 {
            let (loss, gradient) = rosenbrock(lbfgs.code());
            lbfgs.step(loss, &gradient);
        }
        let found = lbfgs.anchor + lbfgs.current.unwrap().deviations;
        assert!(
            (found.clone() - 1.0).iter().all(|left| left.abs() < 1e-4),
            "{found}"
        );
    }

    #[test]
    fn the_loss_never_increases_between_accepted_steps() {
        let mut lbfgs = from_anchor(array![[-1.2, 1.0]], Arc::default(), 0.0);
        let mut last = f64::INFINITY;
        for _ in 0..60 {
            let (loss, gradient) = rosenbrock(lbfgs.code());
            lbfgs.step(loss, &gradient);
            let loss = lbfgs.current.as_ref().unwrap().loss;
            assert!(loss <= last, "{loss} after {last}");
            last = loss;
        }
    }

    #[test]
    fn the_pull_never_weighs_more_than_the_loss() {
        // At the minimum of (x − 1)² + floor + b x², the derivative 2 (x − 1) + 2 b x is 0.
        for (pull, floor) in [(0.0, 1.0), (0.5, 1.0), (3.0, 0.2)] {
            let mut lbfgs = from_anchor(array![[0.0]], Arc::default(), pull);
            let loss = |x: f64| (x - 1.0) * (x - 1.0) + floor;
            for _ in 0..60 {
                let x = lbfgs.code()[[0, 0]];
                lbfgs.step(loss(x), &array![[2.0 * (x - 1.0)]]);
            }
            let x = lbfgs.current.unwrap().deviations[[0, 0]];
            // The anchor is 0, so that the deviation is x.
            let derivative = (x - 1.0) + pull.min(loss(x)) * x;
            assert!(derivative.abs() < 1e-6, "pull {pull}: {x}, {derivative}");
        }
    }

    #[test]
    fn values_that_do_not_change_the_loss_follow_their_covariance() {
        let whitening = Arc::new(Whitening::of(array![[0.5, 0.2], [0.2, 2.0]].view()).unwrap());
        let mut lbfgs = Lbfgs::new(array![[3.0, 4.0]], array![[0.0, 1.0]], whitening, 1.0);
        assert_eq!(lbfgs.code(), array![[3.0, 4.0]]);
        for _ in 0..60 {
            let error = lbfgs.code()[[0, 0]] - 1.0;
            lbfgs.step(error * error + 1e-3, &array![[2.0 * error, 0.0]]);
        }
        let found = &lbfgs.anchor + lbfgs.whitening.difference(&lbfgs.current.unwrap().deviations);
        // If the first value differs by 1, the second is expected to differ by 0.2 / 0.5.
        let expected = array![[1.0, 1.4]];
        assert!((&found - &expected).iter().all(|off| off.abs() < 0.01), "{found}");
    }

    #[test]
    fn steps_are_measured_in_deviations() {
        // The loss is a thousand times steeper in x than in y, and the covariance says the same.
        let whitening = Arc::new(Whitening::of(array![[1e-3, 0.0], [0.0, 1.0]].view()).unwrap());
        let mut lbfgs = from_anchor(array![[1.0, 1.0]], whitening, 0.0);
        for _ in 0..12 {
            let (x, y) = (lbfgs.code()[[0, 0]], lbfgs.code()[[0, 1]]);
            lbfgs.step(1e3 * x * x + y * y, &array![[2e3 * x, 2.0 * y]]);
        }
        assert!(
            lbfgs.code().iter().all(|left| left.abs() < 1e-6),
            "{}",
            lbfgs.code()
        );
    }

    #[test]
    fn a_step_to_where_there_is_no_loss_is_shortened() {
        // The minimum would be at 2, and beyond 1 there is no loss.
        let mut lbfgs = from_anchor(array![[0.0]], Arc::default(), 0.0);
        let mut lost = 0;
        for _ in 0..60 {
            let x = lbfgs.code()[[0, 0]];
            if x > 1.0 {
                lost += 1;
                lbfgs.step(f64::INFINITY, &array![[0.0]]);
            } else {
                lbfgs.step((x - 2.0) * (x - 2.0), &array![[2.0 * (x - 2.0)]]);
            }
        }
        let found = lbfgs.current.unwrap();
        assert!(lost > 0 && found.loss.is_finite());
        let x = found.deviations[[0, 0]];
        assert!(x > 0.9 && x <= 1.0, "{x}");
    }

    #[test]
    fn a_wrong_gradient_ends_the_minimization_at_the_start() {
        let mut lbfgs = from_anchor(array![[0.5]], Arc::default(), 0.0);
        // The loss has its minimum at the start, but the gradient does not say so.
        for _ in 0..40 {
            let loss = (lbfgs.code()[[0, 0]] - 0.5).abs();
            lbfgs.step(loss, &array![[1.0]]);
        }
        assert!(lbfgs.is_done());
        assert_eq!(lbfgs.current.unwrap().deviations, array![[0.0]]);
    }

    #[test]
    fn a_gradient_of_zero_is_the_end() {
        let mut lbfgs = from_anchor(array![[2.0, 3.0]], Arc::default(), 0.0);
        lbfgs.step(1.0, &array![[0.0, 0.0]]);
        assert!(lbfgs.is_done() && lbfgs.code().iter().all(|value| value.is_finite()));
    }
}

//! Down a loss by its slopes alone, each step the length that the last ones say: limited-memory BFGS.

use std::collections::VecDeque;

use ndarray::Array2;

/// Steps whose changes of slope are kept.
const KEPT: usize = 64;
/// Length of the first step, in units of the code.
const FIRST: f64 = 0.3;
/// Longest step. A code's numbers deviate by about 1.
const LONGEST: f64 = 2.0;
/// The share of the fall that the slope promises, and that a step has to bring.
const SUFFICIENT: f64 = 1e-4;
/// Shares of a step that are tried: at most one half of the last one, and none below the least.
const SHORTER: (f64, f64) = (0.1, 0.5);
const LEAST: f64 = 1e-4;

/// A code on its way down. The loss at the places that it goes on from never rises.
///
/// Where a step does not lower the loss enough, a shorter one is tried from the same place, as a parabola through what is
/// known suggests.
///
/// Source: Nocedal and Wright, *Numerical Optimization* (2006), algorithms 7.4 and 3.1.
#[derive(Clone, Debug)]
pub struct QuasiNewton {
    start: Array2<f64>,
    pull: f64,
    /// Where it is, once that was looked at.
    here: Option<Place>,
    /// The way from there, and the share of it that is tried.
    direction: Array2<f64>,
    share: f64,
    /// Where the loss is asked for next.
    next: Array2<f64>,
    /// The last steps, the newest last.
    pairs: VecDeque<Pair>,
    stuck: bool,
}

/// A code with its loss and slope.
#[derive(Clone, Debug)]
struct Place {
    code: Array2<f64>,
    loss: f64,
    slope: Array2<f64>,
}

/// A step, and how it changed the slope.
#[derive(Clone, Debug)]
struct Pair {
    step: Array2<f64>,
    change: Array2<f64>,
    /// Their product, above 0.
    product: f64,
}

impl QuasiNewton {
    /// Begins at `start` `[rows, dim]`. `pull` is the weight of the mean square distance from it beside the loss.
    #[must_use]
    pub fn new(start: Array2<f64>, pull: f64) -> Self {
        Self {
            pull,
            here: None,
            direction: Array2::zeros(start.dim()),
            share: 1.0,
            next: start.clone(),
            start,
            pairs: VecDeque::with_capacity(KEPT),
            stuck: false,
        }
    }

    /// Where the loss is asked for, `[rows, dim]`.
    #[must_use]
    pub fn code(&self) -> &Array2<f64> {
        &self.next
    }

    /// Whether no step leads further down.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.stuck
    }

    /// Goes on, given the loss at [`code`](Self::code) and its gradient `[rows, dim]`.
    ///
    /// # Panics
    /// Where the gradient has another shape than the code.
    pub fn step(&mut self, loss: f64, gradient: &Array2<f64>) {
        assert_eq!(gradient.dim(), self.next.dim(), "a gradient has its code's shape");
        #[expect(clippy::cast_precision_loss, reason = "a code has a few thousand numbers")]
        let pull = self.pull / self.next.len() as f64;
        let away = &self.next - &self.start;
        let there = Place {
            code: self.next.clone(),
            loss: loss + pull * dot(&away, &away),
            slope: gradient + 2.0 * pull * away,
        };
        if let Some(here) = &self.here {
            let promised = self.share * dot(&here.slope, &self.direction);
            if there.loss > here.loss + SUFFICIENT * promised {
                return self.shorten(there.loss - here.loss - promised, promised);
            }
            self.keep(&there);
        }
        self.direction = self.turn(&there.slope);
        self.share = 1.0;
        self.next = &there.code + &self.direction;
        self.stuck = dot(&there.slope, &there.slope) == 0.0;
        self.here = Some(there);
    }

    /// Tries a shorter step from the same place; `excess` is the loss above the tangent's.
    fn shorten(&mut self, excess: f64, promised: f64) {
        let Some(here) = &self.here else { return };
        let (least, most) = SHORTER;
        self.share *= (-promised / (2.0 * excess)).clamp(least, most);
        if self.share < LEAST {
            // What the last steps said holds no more. Where there were none, this is the bottom.
            self.stuck = self.pairs.is_empty();
            self.pairs.clear();
            self.direction = self.turn(&here.slope);
            self.share = 1.0;
        }
        self.next = &here.code + self.share * &self.direction;
    }

    /// Remembers the step to `there`, unless the slope does not rise along it.
    fn keep(&mut self, there: &Place) {
        let Some(here) = &self.here else { return };
        let (step, change) = (&there.code - &here.code, &there.slope - &here.slope);
        let product = dot(&step, &change);
        if product <= 1e-10 * (dot(&step, &step) * dot(&change, &change)).sqrt() {
            return;
        }
        if self.pairs.len() == KEPT {
            self.pairs.pop_front();
        }
        self.pairs.push_back(Pair {
            step,
            change,
            product,
        });
    }

    /// The way down from a place of that slope: −H · slope, H being what the last steps say of the inverse of the second
    /// derivatives.
    fn turn(&self, slope: &Array2<f64>) -> Array2<f64> {
        let mut way = -slope;
        let mut shares = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let share = dot(&pair.step, &way) / pair.product;
            way.scaled_add(-share, &pair.change);
            shares.push(share);
        }
        match self.pairs.back() {
            Some(pair) => way *= pair.product / dot(&pair.change, &pair.change),
            None => way *= FIRST / dot(slope, slope).sqrt().max(f64::MIN_POSITIVE),
        }
        for (pair, share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let other = dot(&pair.change, &way) / pair.product;
            way.scaled_add(share - other, &pair.step);
        }
        let length = dot(&way, &way).sqrt();
        if length > LONGEST {
            way *= LONGEST / length;
        }
        way
    }
}

fn dot(one: &Array2<f64>, other: &Array2<f64>) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    /// Rosenbrock's valley, whose bottom (1, 1) is reached along a bend.
    fn valley(code: &Array2<f64>) -> (f64, Array2<f64>) {
        let (x, y) = (code[[0, 0]], code[[0, 1]]);
        let (across, along) = (y - x * x, 1.0 - x);
        let slope = array![[-2.0 * along - 40.0 * x * across, 20.0 * across]];
        (10.0 * across * across + along * along, slope)
    }

    #[test]
    fn the_bottom_of_a_bent_valley_is_found() {
        let mut way = QuasiNewton::new(array![[-1.2, 1.0]], 0.0);
        for _ in 0..60 {
            let (loss, slope) = valley(way.code());
            way.step(loss, &slope);
        }
        let found = way.here.unwrap().code;
        assert!(
            (found.clone() - 1.0).iter().all(|left| left.abs() < 1e-4),
            "{found}"
        );
    }

    #[test]
    fn the_loss_never_rises_from_place_to_place() {
        let mut way = QuasiNewton::new(array![[-1.2, 1.0]], 0.0);
        let mut last = f64::INFINITY;
        for _ in 0..60 {
            let (loss, slope) = valley(way.code());
            way.step(loss, &slope);
            let here = way.here.as_ref().unwrap().loss;
            assert!(here <= last, "{here} after {last}");
            last = here;
        }
    }

    #[test]
    fn a_pull_keeps_the_code_near_its_start() {
        // The minimum of (x − 1)² + pull x² is 1 / (1 + pull).
        for pull in [0.0, 1.0, 3.0] {
            let mut way = QuasiNewton::new(array![[0.0]], pull);
            for _ in 0..20 {
                let left = way.code()[[0, 0]] - 1.0;
                way.step(left * left, &array![[2.0 * left]]);
            }
            let found = way.here.unwrap().code[[0, 0]];
            assert!((found - 1.0 / (1.0 + pull)).abs() < 1e-6, "pull {pull}: {found}");
        }
    }

    #[test]
    fn a_slope_that_misleads_ends_the_descent_where_it_was() {
        let mut way = QuasiNewton::new(array![[0.5]], 0.0);
        // The loss is least at the start, and the slope says otherwise.
        for _ in 0..40 {
            let loss = (way.code()[[0, 0]] - 0.5).abs();
            way.step(loss, &array![[1.0]]);
        }
        assert!(way.is_done());
        assert_eq!(way.here.unwrap().code, array![[0.5]]);
    }

    #[test]
    fn a_flat_place_is_the_end() {
        let mut way = QuasiNewton::new(array![[2.0, 3.0]], 0.0);
        way.step(1.0, &array![[0.0, 0.0]]);
        assert!(way.is_done() && way.code().iter().all(|value| value.is_finite()));
    }
}

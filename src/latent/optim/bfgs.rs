//! Down a loss by its slopes alone, each step the length that the last ones say: limited-memory BFGS.

use std::collections::VecDeque;
use std::sync::Arc;

use ndarray::Array2;

use crate::latent::Whitening;

/// Steps whose changes of slope are kept: on a code of the phantom's 64 numbers, 200 lead to the bottom in two thirds of the
/// steps that 64 take.
const KEPT: usize = 200;
/// Length of the first step, in deviations.
const FIRST: f64 = 0.3;
/// Longest step.
const LONGEST: f64 = 4.0;
/// The share of the fall that the slope promises, and that a step has to bring.
const SUFFICIENT: f64 = 1e-4;
/// Shares of a step that are tried: at most one half of the last one, and none below the least.
const SHORTER: (f64, f64) = (0.1, 0.5);
const LEAST: f64 = 1e-4;

/// A code on its way down. The loss and its pull, at the places that it goes on from, never rise.
///
/// Where a step does not lower them enough, a shorter one is tried from the same place, as a parabola through what is
/// known suggests. Steps are counted in deviations of a [`Whitening`]: along directions that little is known of they are long.
///
/// The pull towards an anchor weighs no more than the loss: it keeps a code plausible, but where the picture is met, all
/// that it says is believed. What it does not say at all is left as the anchor has it.
///
/// Source: Nocedal and Wright, *Numerical Optimization* (2006), algorithms 7.4 and 3.1.
#[derive(Clone, Debug)]
pub struct Bfgs {
    anchor: Array2<f64>,
    spread: Arc<Whitening>,
    pull: f64,
    /// Where it is, once that was looked at.
    here: Option<Place>,
    /// Half the curvature that the pull has from there.
    bend: f64,
    /// The way from there, and the share of it that is tried.
    direction: Array2<f64>,
    share: f64,
    /// Where the loss is asked for next: deviations from the anchor, and the code.
    next: Array2<f64>,
    code: Array2<f64>,
    /// The last steps, the newest last.
    pairs: VecDeque<Pair>,
    stuck: bool,
}

/// Deviations from the anchor, with the loss and its slope there.
#[derive(Clone, Debug)]
struct Place {
    away: Array2<f64>,
    loss: f64,
    slope: Array2<f64>,
}

impl Place {
    /// The loss and a pull of so much curvature.
    fn height(&self, bend: f64) -> f64 {
        self.loss + bend * dot(&self.away, &self.away)
    }

    /// The slope of both.
    fn slope(&self, bend: f64) -> Array2<f64> {
        &self.slope + 2.0 * bend * &self.away
    }
}

/// A step, and how it changed the loss's slope.
#[derive(Clone, Debug)]
struct Pair {
    step: Array2<f64>,
    change: Array2<f64>,
}

impl Bfgs {
    /// Begins at `start` `[rows, dim]`. A code whose deviations from `anchor` `[rows, dim]` have a mean square of 1 bears
    /// `pull` besides its loss, or as much again as the loss, if that is less.
    ///
    /// # Panics
    /// Where the two have different shapes, or the spread is one of rows of another length.
    #[must_use]
    pub fn new(start: Array2<f64>, anchor: Array2<f64>, spread: Arc<Whitening>, pull: f64) -> Self {
        assert_eq!(start.dim(), anchor.dim(), "an anchor has the start's shape");
        Self {
            pull,
            here: None,
            bend: 0.0,
            direction: Array2::zeros(start.dim()),
            share: 1.0,
            next: spread.deviations(&(&start - &anchor)),
            code: start,
            anchor,
            spread,
            pairs: VecDeque::with_capacity(KEPT),
            stuck: false,
        }
    }

    /// Where the loss is asked for, `[rows, dim]`.
    #[must_use]
    pub fn code(&self) -> &Array2<f64> {
        &self.code
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
        assert_eq!(gradient.dim(), self.code.dim(), "a gradient has its code's shape");
        let there = Place {
            away: self.next.clone(),
            loss,
            slope: self.spread.by_deviations(gradient),
        };
        if let Some(here) = &self.here {
            let promised = self.share * dot(&here.slope(self.bend), &self.direction);
            let rise = there.height(self.bend) - here.height(self.bend);
            if rise > SUFFICIENT * promised {
                return self.shorten(rise - promised, promised);
            }
            if self.pairs.len() == KEPT {
                self.pairs.pop_front();
            }
            self.pairs.push_back(Pair {
                step: &there.away - &here.away,
                change: &there.slope - &here.slope,
            });
        }
        #[expect(clippy::cast_precision_loss, reason = "a code has a few thousand numbers")]
        let count = there.away.len() as f64;
        self.bend = self.pull.min(loss.max(0.0)) / count;
        let slope = there.slope(self.bend);
        self.stuck = dot(&slope, &slope) == 0.0;
        self.here = Some(there);
        self.set_out(&slope);
    }

    /// Tries a shorter step from the same place; `excess` is the height above the tangent.
    fn shorten(&mut self, excess: f64, promised: f64) {
        let (least, most) = SHORTER;
        self.share *= (-promised / (2.0 * excess)).clamp(least, most);
        if self.share >= LEAST {
            return self.look_ahead();
        }
        // What the last steps said holds no more. Where there were none, this is the bottom.
        self.stuck = self.pairs.is_empty();
        self.pairs.clear();
        if let Some(slope) = self.here.as_ref().map(|here| here.slope(self.bend)) {
            self.set_out(&slope);
        }
    }

    /// From a place of that slope, a whole step.
    fn set_out(&mut self, slope: &Array2<f64>) {
        self.direction = self.turn(slope);
        self.share = 1.0;
        self.look_ahead();
    }

    fn look_ahead(&mut self) {
        let Some(here) = &self.here else { return };
        self.next = &here.away + self.share * &self.direction;
        self.code = &self.anchor + self.spread.difference(&self.next);
    }

    /// The way down from a place of that slope: −H · slope, H being what the last steps say of the inverse of the second
    /// derivatives. Steps along which the slope does not rise say nothing.
    fn turn(&self, slope: &Array2<f64>) -> Array2<f64> {
        let bent = |pair: &Pair| {
            let change = &pair.change + 2.0 * self.bend * &pair.step;
            let product = dot(&pair.step, &change);
            let least = 1e-10 * (dot(&pair.step, &pair.step) * dot(&change, &change)).sqrt();
            (product > least).then_some((change, product))
        };
        let pairs = self.pairs.iter();
        let pairs: Vec<_> = pairs
            .filter_map(|pair| bent(pair).map(|(change, product)| (&pair.step, change, product)))
            .collect();
        let mut way = -slope;
        let mut shares = Vec::with_capacity(pairs.len());
        for (step, change, product) in pairs.iter().rev() {
            let share = dot(step, &way) / product;
            way.scaled_add(-share, change);
            shares.push(share);
        }
        match pairs.last() {
            Some((_, change, product)) => way *= product / dot(change, change),
            None => way *= FIRST / dot(slope, slope).sqrt().max(f64::MIN_POSITIVE),
        }
        for ((step, change, product), share) in pairs.iter().zip(shares.into_iter().rev()) {
            let other = dot(change, &way) / product;
            way.scaled_add(share - other, step);
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

    /// From a place that is the anchor too.
    fn descent(start: Array2<f64>, spread: Arc<Whitening>, pull: f64) -> Bfgs {
        Bfgs::new(start.clone(), start, spread, pull)
    }

    /// Rosenbrock's valley, whose bottom (1, 1) is reached along a bend.
    fn valley(code: &Array2<f64>) -> (f64, Array2<f64>) {
        let (x, y) = (code[[0, 0]], code[[0, 1]]);
        let (across, along) = (y - x * x, 1.0 - x);
        let slope = array![[-2.0 * along - 40.0 * x * across, 20.0 * across]];
        (10.0 * across * across + along * along, slope)
    }

    #[test]
    fn the_bottom_of_a_bent_valley_is_found() {
        let mut way = descent(array![[-1.2, 1.0]], Arc::default(), 0.0);
        for _ in 0..60 {
            let (loss, slope) = valley(way.code());
            way.step(loss, &slope);
        }
        let found = way.anchor + way.here.unwrap().away;
        assert!(
            (found.clone() - 1.0).iter().all(|left| left.abs() < 1e-4),
            "{found}"
        );
    }

    #[test]
    fn the_loss_never_rises_from_place_to_place() {
        let mut way = descent(array![[-1.2, 1.0]], Arc::default(), 0.0);
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
    fn a_pull_weighs_no_more_than_the_loss() {
        // At the least of (x − 1)² + floor beside b x², the slope 2 (x − 1) + 2 b x is 0.
        for (pull, floor) in [(0.0, 1.0), (0.5, 1.0), (3.0, 0.2)] {
            let mut way = descent(array![[0.0]], Arc::default(), pull);
            let loss = |x: f64| (x - 1.0) * (x - 1.0) + floor;
            for _ in 0..60 {
                let x = way.code()[[0, 0]];
                way.step(loss(x), &array![[2.0 * (x - 1.0)]]);
            }
            let x = way.here.unwrap().away[[0, 0]];
            // It began at the anchor, so what is away from it is x.
            let left = (x - 1.0) + pull.min(loss(x)) * x;
            assert!(left.abs() < 1e-6, "pull {pull}: {x}, {left}");
        }
    }

    #[test]
    fn what_the_loss_does_not_tell_is_left_to_the_anchor() {
        let spread = Arc::new(Whitening::of(array![[0.5, 0.2], [0.2, 2.0]].view()).unwrap());
        let mut way = Bfgs::new(array![[3.0, 4.0]], array![[0.0, 1.0]], spread, 1.0);
        assert_eq!(way.code(), array![[3.0, 4.0]]);
        for _ in 0..60 {
            let left = way.code()[[0, 0]] - 1.0;
            way.step(left * left + 1e-3, &array![[2.0 * left, 0.0]]);
        }
        let found = &way.anchor + way.spread.difference(&way.here.unwrap().away);
        // Where the first number is off by 1, the second is likely to be off by 0.2 / 0.5.
        let expected = array![[1.0, 1.4]];
        assert!((&found - &expected).iter().all(|off| off.abs() < 0.01), "{found}");
    }

    #[test]
    fn steps_are_counted_in_deviations() {
        // A valley a thousand times as steep across as along, and a spread that says so.
        let spread = Arc::new(Whitening::of(array![[1e-3, 0.0], [0.0, 1.0]].view()).unwrap());
        let mut way = descent(array![[1.0, 1.0]], spread, 0.0);
        for _ in 0..12 {
            let (x, y) = (way.code()[[0, 0]], way.code()[[0, 1]]);
            way.step(1e3 * x * x + y * y, &array![[2e3 * x, 2.0 * y]]);
        }
        assert!(way.code().iter().all(|left| left.abs() < 1e-6), "{}", way.code());
    }

    #[test]
    fn a_slope_that_misleads_ends_the_descent_where_it_was() {
        let mut way = descent(array![[0.5]], Arc::default(), 0.0);
        // The loss is least at the start, and the slope says otherwise.
        for _ in 0..40 {
            let loss = (way.code()[[0, 0]] - 0.5).abs();
            way.step(loss, &array![[1.0]]);
        }
        assert!(way.is_done());
        assert_eq!(way.here.unwrap().away, array![[0.0]]);
    }

    #[test]
    fn a_flat_place_is_the_end() {
        let mut way = descent(array![[2.0, 3.0]], Arc::default(), 0.0);
        way.step(1.0, &array![[0.0, 0.0]]);
        assert!(way.is_done() && way.code().iter().all(|value| value.is_finite()));
    }
}

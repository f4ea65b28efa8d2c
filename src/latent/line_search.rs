//! Searching for the place where something measured has a wanted value: along one direction, or along several at once.

use ndarray::{Array2, ArrayView2};

use crate::latent::linear_algebra::system::solve;

/// Distances that are looked at on both sides of the start, nearest first, one list a round.
const OUTWARD: [&[f64]; 2] = [&[0.5, 1.0, 2.0, 4.0], &[6.0, 8.0, 12.0]];
/// A bracket narrower than this is not divided: pictures do not differ within it.
const NARROW: f64 = 1e-4;
/// The longest step of a correction, in units of distance.
const LONGEST: f64 = 2.0;

/// A search along a line for the place nearest to its start where what is measured equals a target.
///
/// It looks outward on both sides until two neighbouring places lie on two sides of the target, and then between these:
/// where a straight line through them meets the target, and an eighth of their distance before and behind that. Each
/// round's places are known together, so that they can be measured in one batch.
#[derive(Clone, Debug)]
pub struct LineSearch {
    target: f64,
    /// Distance and value, by distance; all values finite.
    known: Vec<(f64, f64)>,
    rounds: usize,
}

impl LineSearch {
    /// The search for `target` from distance 0, where the value is `start`.
    #[must_use]
    pub fn new(target: f64, start: f64) -> Self {
        Self {
            target,
            known: vec![(0.0, start)],
            rounds: 0,
        }
    }

    /// Where to measure next; nowhere once it can get no nearer.
    #[must_use]
    pub fn next(&self) -> Vec<f64> {
        let Some([(low, below), (high, above)]) = self.bracket() else {
            let radii = OUTWARD.get(self.rounds).copied().unwrap_or_default();
            return radii.iter().flat_map(|&radius| [-radius, radius]).collect();
        };
        let width = high - low;
        if width < NARROW {
            return Vec::new();
        }
        let share = (self.target - below) / (above - below);
        let middle = low + width * share.clamp(0.02, 0.98);
        let around = [middle - width / 8.0, middle, middle + width / 8.0];
        around
            .into_iter()
            .filter(|&place| low < place && place < high)
            .collect()
    }

    /// Takes what was measured at `distances`; values that are no numbers are passed over.
    pub fn take(&mut self, distances: &[f64], values: &[f64]) {
        let pairs = distances.iter().copied().zip(values.iter().copied());
        self.known.extend(pairs.filter(|(_, value)| value.is_finite()));
        self.known.sort_by(|one, other| one.0.total_cmp(&other.0));
        self.rounds += 1;
    }

    /// The two neighbouring places on two sides of the target that lie nearest to the start.
    fn bracket(&self) -> Option<[(f64, f64); 2]> {
        let crossing = |pair: &&[(f64, f64)]| (pair[0].1 < self.target) != (pair[1].1 < self.target);
        let far = |pair: &[(f64, f64)]| pair[0].0.abs().max(pair[1].0.abs());
        self.known
            .windows(2)
            .filter(crossing)
            .min_by(|one, other| far(one).total_cmp(&far(other)))
            .map(|pair| [pair[0], pair[1]])
    }
}

/// The step x that takes `residuals` r towards 0 where J holds their `slopes` [residuals, directions]: the damped
/// least-squares step `(JᵀJ + λ I) x = −Jᵀ r`, with λ = `damping` times the mean of the diagonal of `JᵀJ`, and no longer
/// than 2.
///
/// `None` where nothing has a slope. Source: Levenberg (1944), Marquardt (1963).
#[must_use]
pub fn correction(slopes: ArrayView2<'_, f64>, residuals: &[f64], damping: f64) -> Option<Vec<f64>> {
    let directions = slopes.ncols();
    let product = |one: usize, other: usize| -> f64 {
        let column = slopes.column(one);
        column
            .iter()
            .zip(slopes.column(other))
            .map(|(one, other)| one * other)
            .sum()
    };
    let trace: f64 = (0..directions).map(|place| product(place, place)).sum();
    #[expect(clippy::cast_precision_loss, reason = "a handful of directions")]
    let mean = trace / directions as f64;
    if !mean.is_normal() {
        return None;
    }
    // Divided by the mean, pivots are compared with 1 as the solver does.
    let damped = Array2::from_shape_fn((directions, directions), |(row, column)| {
        product(row, column) / mean + if row == column { damping } else { 0.0 }
    });
    let against = (0..directions).map(|place| {
        let column = slopes.column(place);
        -column
            .iter()
            .zip(residuals)
            .map(|(slope, residual)| slope * residual)
            .sum::<f64>()
            / mean
    });
    let step = solve(damped, against.collect())?;
    let length = step.iter().map(|part| part * part).sum::<f64>().sqrt();
    let shorter = if length > LONGEST { LONGEST / length } else { 1.0 };
    Some(step.into_iter().map(|part| part * shorter).collect())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn search(target: f64, curve: impl Fn(f64) -> f64) -> (f64, usize) {
        let mut search = LineSearch::new(target, curve(0.0));
        let off = |place: f64| (curve(place) - target).abs();
        let mut nearest = 0.0;
        for round in 0..10 {
            let places = search.next();
            if places.is_empty() || off(nearest) < 1e-3 {
                return (nearest, round);
            }
            let values: Vec<f64> = places.iter().map(|&place| curve(place)).collect();
            search.take(&places, &values);
            for place in places.into_iter().filter(|&place| curve(place).is_finite()) {
                if off(place) < off(nearest) {
                    nearest = place;
                }
            }
        }
        (nearest, 10)
    }

    #[test]
    fn the_place_of_a_value_is_found_on_either_side_and_along_curves() {
        for target in [-6.0, -1.0, 0.1, 3.0] {
            let (place, rounds) = search(target, |distance| 2.0 * distance + 0.5);
            assert!((2.0 * place + 0.5 - target).abs() < 1e-3, "{target}: {place}");
            assert!(rounds <= 3, "{rounds}");
            let (place, rounds) = search(target, |distance| (-distance).sinh());
            assert!(((-place).sinh() - target).abs() < 1e-3, "{target}: {place}");
            assert!(rounds <= 7, "{rounds}");
        }
    }

    #[test]
    fn what_is_never_reached_ends_at_the_nearest_place() {
        let (place, rounds) = search(1.0, |distance| distance / (1.0 + distance.abs()));
        assert_eq!((place, rounds), (12.0, 2));
    }

    #[test]
    fn of_two_places_the_nearer_one_is_found() {
        let (place, _) = search(1.0, |distance| (distance - 1.0).powi(2) - 0.5);
        assert!((place + 0.2247).abs() < 1e-2, "{place}");
    }

    #[test]
    fn values_that_are_no_numbers_are_passed_over() {
        let (place, _) = search(1.0, |distance| if distance > 3.0 { f64::NAN } else { distance });
        assert!((place - 1.0).abs() < 1e-3, "{place}");
    }

    #[test]
    fn a_correction_solves_what_can_be_solved_and_is_never_long() {
        let slopes = array![[2.0, 0.5], [0.0, 1.0]];
        let step = correction(slopes.view(), &[1.0, -1.0], 1e-9).unwrap();
        assert!(
            (step[0] + 0.75).abs() < 1e-6 && (step[1] - 1.0).abs() < 1e-6,
            "{step:?}"
        );
        let long = correction(slopes.view(), &[100.0, 0.0], 1e-9).unwrap();
        assert!(long.iter().map(|part| part * part).sum::<f64>() < 4.000_001);
        let parallel = array![[1.0, 1.0]];
        assert!(correction(parallel.view(), &[1.0], 1e-3).is_some());
        assert_eq!(correction(array![[0.0]].view(), &[1.0], 1e-3), None);
    }
}

//! A search along one direction for the distance at which a measured value reaches its target.

/// Distances to measure on both sides of the start, one list per round, until a bracket is found.
const OUTWARD: [&[f64]; 2] = [&[0.5, 1.0, 2.0, 4.0], &[6.0, 8.0, 12.0]];
/// A bracket narrower than this is not divided: images within it do not differ.
const MIN_BRACKET: f64 = 1e-4;

/// Searches for the distance nearest to the start at which a measured value equals a target.
///
/// First it measures outward on both sides, until two neighbouring distances bracket the target. Then it measures inside
/// the bracket: where a line through its ends meets the target (regula falsi), and an eighth of the width before and
/// behind. All distances of a round are known together, so that they can be measured in one batch.
#[derive(Clone, Debug)]
pub struct RootSearch {
    target: f64,
    /// Distances and their values, sorted by distance. All values are finite.
    known: Vec<(f64, f64)>,
    rounds: usize,
}

impl RootSearch {
    /// Makes a search for `target` from the distance 0, which has the value `start`.
    #[must_use]
    pub fn new(target: f64, start: f64) -> Self {
        Self {
            target,
            known: vec![(0.0, start)],
            rounds: 0,
        }
    }

    /// The distances to measure next; empty if the search cannot come nearer to the target.
    #[must_use]
    pub fn next_distances(&self) -> Vec<f64> {
        let Some([(low, below), (high, above)]) = self.bracket() else {
            let radii = OUTWARD.get(self.rounds).copied().unwrap_or_default();
            return radii.iter().flat_map(|&radius| [-radius, radius]).collect();
        };
        let width = high - low;
        if width < MIN_BRACKET {
            return Vec::new();
        }
        let share = (self.target - below) / (above - below);
        let middle = low + width * share.clamp(0.02, 0.98);
        let around = [middle - width / 8.0, middle, middle + width / 8.0];
        around
            .into_iter()
            .filter(|&distance| low < distance && distance < high)
            .collect()
    }

    /// Adds the `values` that were measured at `distances`. Values that are not finite are ignored.
    pub fn add(&mut self, distances: &[f64], values: &[f64]) {
        let pairs = distances.iter().copied().zip(values.iter().copied());
        self.known.extend(pairs.filter(|(_, value)| value.is_finite()));
        self.known.sort_by(|one, other| one.0.total_cmp(&other.0));
        self.rounds += 1;
    }

    /// The two neighbouring distances, nearest to the start, with values on both sides of the target.
    fn bracket(&self) -> Option<[(f64, f64); 2]> {
        let crosses = |pair: &&[(f64, f64)]| (pair[0].1 < self.target) != (pair[1].1 < self.target);
        let far_end = |pair: &[(f64, f64)]| pair[0].0.abs().max(pair[1].0.abs());
        self.known
            .windows(2)
            .filter(crosses)
            .min_by(|one, other| far_end(one).total_cmp(&far_end(other)))
            .map(|pair| [pair[0], pair[1]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(target: f64, value: impl Fn(f64) -> f64) -> (f64, usize) {
        let mut search = RootSearch::new(target, value(0.0));
        let error = |distance: f64| (value(distance) - target).abs();
        let mut nearest = 0.0;
        for round in 0..10 {
            let distances = search.next_distances();
            if distances.is_empty() || error(nearest) < 1e-3 {
                return (nearest, round);
            }
            let values: Vec<f64> = distances.iter().map(|&distance| value(distance)).collect();
            search.add(&distances, &values);
            for distance in distances
                .into_iter()
                .filter(|&distance| value(distance).is_finite())
            {
                if error(distance) < error(nearest) {
                    nearest = distance;
                }
            }
        }
        (nearest, 10)
    }

    #[test]
    fn a_target_is_found_on_either_side_and_along_curves() {
        for target in [-6.0, -1.0, 0.1, 3.0] {
            let (found, rounds) = search(target, |distance| 2.0 * distance + 0.5);
            assert!((2.0 * found + 0.5 - target).abs() < 1e-3, "{target}: {found}");
            assert!(rounds <= 3, "{rounds}");
            let (found, rounds) = search(target, |distance| (-distance).sinh());
            assert!(((-found).sinh() - target).abs() < 1e-3, "{target}: {found}");
            assert!(rounds <= 7, "{rounds}");
        }
    }

    #[test]
    fn a_target_that_is_never_reached_ends_at_the_nearest_distance() {
        let (found, rounds) = search(1.0, |distance| distance / (1.0 + distance.abs()));
        assert_eq!((found, rounds), (12.0, 2));
    }

    #[test]
    fn of_two_roots_the_nearer_one_is_found() {
        let (found, _) = search(1.0, |distance| (distance - 1.0).powi(2) - 0.5);
        assert!((found + 0.2247).abs() < 1e-2, "{found}");
    }

    #[test]
    fn values_that_are_not_finite_are_ignored() {
        let (found, _) = search(1.0, |distance| if distance > 3.0 { f64::NAN } else { distance });
        assert!((found - 1.0).abs() < 1e-3, "{found}");
    }
}

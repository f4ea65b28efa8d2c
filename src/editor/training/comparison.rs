//! Which is better: a new boundary, or the one that the model has.

use ndarray::ArrayView3;

use crate::latent::{AreaDifference, Boundary, median, min_max};

/// One of this many samples is held out from the fit, to compare the boundaries.
pub(crate) const HELD_OUT: usize = 5;

/// By how many standard errors a new boundary must be better to replace the current one.
const CLEARLY: f64 = 2.0;

/// How a new boundary compares with the current one.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The attribute of the boundaries.
    pub attribute: String,
    /// Whether the new boundary is kept, and why.
    pub reason: ComparisonReason,
    /// The number of samples that were held out from the new fit.
    pub samples: usize,
    /// How well the new boundary orders these samples by the side of their score: the area under its ROC curve, 0.5 by chance, at most 1.
    /// `None` with few samples on a side.
    pub new: Option<f64>,
    /// The same for the current boundary.
    pub current: Option<f64>,
}

/// Why a boundary is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonReason {
    /// The new one: there is no other.
    NoCurrent,
    /// The new one: it is better, by more than chance.
    NewIsBetter,
    /// The current one: the new one is not better, or by no more than chance.
    NewIsNotBetter,
    /// The current one: it was fitted to the samples by which it would be judged.
    SameSamples,
}

impl Comparison {
    /// Whether the model gets the new boundary.
    #[must_use]
    pub fn keeps_new(&self) -> bool {
        match self.reason {
            ComparisonReason::NoCurrent | ComparisonReason::NewIsBetter => true,
            ComparisonReason::NewIsNotBetter | ComparisonReason::SameSamples => false,
        }
    }

    /// Compares `new` with `current` by `scores` of `codes` [samples, rows, dim] that `new` was not fitted to. `threshold` is that of the
    /// fit, if it was given one; `has_seen` says whether `current` was fitted to the codes.
    pub(crate) fn of(
        new: &Boundary,
        current: Option<&Boundary>,
        has_seen: bool,
        codes: ArrayView3<'_, f32>,
        scores: &[f64],
        threshold: Option<f64>,
    ) -> Self {
        let threshold = threshold.unwrap_or_else(|| middle(scores));
        let positive: Vec<bool> = scores.iter().map(|&score| score > threshold).collect();
        let of_new = distances(new, codes);
        let of_current = distances(current.unwrap_or(new), codes);
        let rarer = positive.iter().filter(|&&positive| positive).count();
        let rarer = rarer.min(positive.len() - rarer);
        let found = (rarer >= AreaDifference::LEAST_OF_CLASS)
            .then(|| AreaDifference::between(&of_new, &of_current, &positive));
        let is_better = found.is_some_and(|found| found.difference > CLEARLY * found.variance.sqrt());
        let reason = match current {
            None => ComparisonReason::NoCurrent,
            Some(_) if has_seen => ComparisonReason::SameSamples,
            Some(_) if is_better => ComparisonReason::NewIsBetter,
            Some(_) => ComparisonReason::NewIsNotBetter,
        };
        Self {
            attribute: new.attribute().to_owned(),
            reason,
            samples: scores.len(),
            new: found.map(|found| found.areas[0]),
            current: found.filter(|_| current.is_some()).map(|found| found.areas[1]),
        }
    }
}

/// The threshold of scores without one: the median, or where no score is above it, the mean of the lowest and the highest.
fn middle(scores: &[f64]) -> f64 {
    let (median, (lowest, highest)) = (median(scores), min_max(scores));
    if median < highest {
        median
    } else {
        f64::midpoint(lowest, highest)
    }
}

/// The places of codes along the normal of a boundary.
fn distances(boundary: &Boundary, codes: ArrayView3<'_, f32>) -> Vec<f64> {
    let along = |code: ndarray::ArrayView2<'_, f32>| {
        let products = code.iter().zip(boundary.normal()).map(|(&x, n)| f64::from(x) * n);
        products.sum::<f64>()
    };
    codes.outer_iter().map(along).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;
    use crate::latent::{LatentSpace, Provenance, standard_normal};

    fn boundary(normal: [f64; 2]) -> Boundary {
        let normal = ndarray::Array2::from_shape_vec((1, 2), normal.to_vec()).unwrap();
        Boundary::new("smile", LatentSpace::W, normal, 0.0, Provenance::default()).unwrap()
    }

    /// The comparison of a boundary with another one by codes that score as the first of their two values says.
    fn compared(new: [f64; 2], current: [f64; 2], samples: usize, score: impl Fn(f64) -> f64) -> Comparison {
        let numbers = standard_normal(3, 2 * samples);
        let scores: Vec<f64> = numbers.chunks(2).map(|code| score(code[0])).collect();
        #[expect(clippy::cast_possible_truncation, reason = "codes are f32")]
        let codes = numbers.into_iter().map(|value| value as f32).collect();
        let codes = Array3::from_shape_vec((samples, 1, 2), codes).unwrap();
        Comparison::of(
            &boundary(new),
            Some(&boundary(current)),
            false,
            codes.view(),
            &scores,
            None,
        )
    }

    #[test]
    fn the_direction_of_the_score_replaces_another_one_however_unevenly_the_score_rises() {
        let scores: [fn(f64) -> f64; 3] = [|value| value, |value| (5.0 * value).exp(), f64::signum];
        for score in scores {
            let better = compared([1.0, 0.0], [0.8, 0.6], 400, score);
            assert_eq!(better.reason, ComparisonReason::NewIsBetter, "{better:?}");
            assert!(
                better.new.unwrap() > 0.999 && better.current.unwrap() < 0.95,
                "{better:?}"
            );
            let worse = compared([0.8, 0.6], [1.0, 0.0], 400, score);
            assert_eq!(worse.reason, ComparisonReason::NewIsNotBetter);
            let backwards = compared([0.8, 0.6], [-1.0, 0.0], 400, score);
            assert_eq!(backwards.reason, ComparisonReason::NewIsBetter, "{backwards:?}");
        }
    }

    #[test]
    fn a_difference_that_may_be_chance_replaces_nothing() {
        let equal = compared([1.0, 0.0], [1.0, 0.0], 400, |value| value);
        assert_eq!(equal.reason, ComparisonReason::NewIsNotBetter);
        let few = compared([1.0, 0.0], [0.99, 0.14], 40, |value| value);
        assert_eq!(few.reason, ComparisonReason::NewIsNotBetter, "{few:?}");
        let very_few = compared([1.0, 0.0], [0.0, 1.0], 15, |value| value);
        assert!(very_few.new.is_none() && !very_few.keeps_new(), "{very_few:?}");
    }
}

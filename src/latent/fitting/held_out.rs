//! How well a hyperplane does on codes: on those that it was not fitted to, and on all.

use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::score_ends::ScoreEnds;
use crate::latent::fitting::scored_codes::ScoredCodes;
use crate::latent::linear_algebra::dot_product::{dot, norm};
use crate::latent::statistics::{mean, share};

/// What is found on held-out codes. `None` without such codes.
pub(crate) struct HeldOut {
    /// Share on the right side, of the codes with the highest and the lowest scores.
    pub(crate) ends: Option<f64>,
    /// Share on the right side, of all codes.
    pub(crate) all: Option<f64>,
    /// Correlation between distance and score.
    pub(crate) correlation: Option<f64>,
    /// How much the score rises with one unit of distance.
    pub(crate) score_per_unit: Option<f64>,
}

impl HeldOut {
    /// Measures each hyperplane of `folds` on the codes beside it, and takes the means.
    pub(crate) fn measure(
        scored: &ScoredCodes<'_>,
        folds: &[(Hyperplane, Vec<usize>)],
        ends: Option<&ScoreEnds>,
    ) -> Self {
        let mut sides = vec![None; scored.scores.len()];
        for (index, positive) in ends.into_iter().flat_map(ScoreEnds::training) {
            sides[index] = Some(positive);
        }
        let measured: Vec<_> = folds
            .iter()
            .map(|(plane, codes)| Distances::new(scored, plane, codes.clone()))
            .collect();
        let of_ends = |distances: &Distances<'_, '_>| distances.accuracy(|index| sides[index]);
        Self {
            ends: mean_of(measured.iter().filter_map(of_ends)),
            all: mean_of(measured.iter().filter_map(Distances::accuracy_by_score)),
            correlation: mean_of(measured.iter().filter_map(Distances::correlation)),
            score_per_unit: mean_of(measured.iter().filter_map(Distances::score_per_unit)),
        }
    }
}

/// The distances of some codes from a hyperplane, times the length of its normal.
pub(crate) struct Distances<'s, 'c> {
    scored: &'s ScoredCodes<'c>,
    codes: Vec<usize>,
    values: Vec<f64>,
    /// ‖w‖.
    unit: f64,
}

impl<'s, 'c> Distances<'s, 'c> {
    pub(crate) fn new(scored: &'s ScoredCodes<'c>, plane: &Hyperplane, codes: Vec<usize>) -> Self {
        Self {
            scored,
            values: plane.values(scored.rows, &codes),
            codes,
            unit: norm(&plane.w),
        }
    }

    /// The share of codes on the side of their score beside the threshold.
    pub(crate) fn accuracy_by_score(&self) -> Option<f64> {
        self.accuracy(|index| Some(self.scored.is_positive(index)))
    }

    /// The share of codes on their side, of those that have one.
    fn accuracy(&self, side: impl Fn(usize) -> Option<bool>) -> Option<f64> {
        let (mut right, mut count) = (0, 0);
        for (&index, value) in self.codes.iter().zip(&self.values) {
            if let Some(positive) = side(index) {
                right += usize::from((*value > 0.0) == positive);
                count += 1;
            }
        }
        (count > 0).then(|| share(right, count))
    }

    fn correlation(&self) -> Option<f64> {
        let (x, y) = self.centred();
        let r = dot(&x, &y) / (norm(&x) * norm(&y));
        r.is_finite().then(|| r.clamp(-1.0, 1.0))
    }

    /// How much the score rises with one unit of distance: the slope of the scores over the distances.
    pub(crate) fn score_per_unit(&self) -> Option<f64> {
        let (x, y) = self.centred();
        let slope = dot(&x, &y) / dot(&x, &x) * self.unit;
        slope.is_finite().then_some(slope)
    }

    /// Distances and scores, each less their mean.
    fn centred(&self) -> (Vec<f64>, Vec<f64>) {
        let less_mean = |values: Vec<f64>| -> Vec<f64> {
            let mean = mean(&values);
            values.into_iter().map(|value| value - mean).collect()
        };
        let scores = self.codes.iter().map(|&index| self.scored.scores[index]);
        (less_mean(self.values.clone()), less_mean(scores.collect()))
    }
}

fn mean_of(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| mean(&values))
}

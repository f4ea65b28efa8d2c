//! How well a hyperplane does on codes: on those that it was not fitted to, and on all.

use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::score_ends::ScoreEnds;
use crate::latent::fitting::scored_codes::ScoredCodes;
use crate::latent::linear_algebra::code_rows::CodeRows;
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
    /// Measures each hyperplane on the codes that it was not fitted to, and takes the means.
    pub(crate) fn measure(scored: &ScoredCodes<'_>, folds: &[Distances], ends: Option<&ScoreEnds>) -> Self {
        let mut sides = vec![None; scored.scores.len()];
        for (index, positive) in ends.into_iter().flat_map(ScoreEnds::training) {
            sides[index] = Some(positive);
        }
        let of_ends = |fold: &Distances| fold.accuracy(|index| sides[index]);
        Self {
            ends: mean_of(folds.iter().filter_map(of_ends)),
            all: mean_of(folds.iter().filter_map(|fold| fold.accuracy_by_score(scored))),
            correlation: mean_of(folds.iter().filter_map(|fold| fold.correlation(scored))),
            score_per_unit: mean_of(folds.iter().filter_map(|fold| fold.score_per_unit(scored))),
        }
    }
}

/// The distances of some codes from a hyperplane, times the length of its normal.
pub(crate) struct Distances {
    codes: Vec<usize>,
    values: Vec<f64>,
    /// ‖w‖.
    unit: f64,
}

impl Distances {
    pub(crate) fn new(rows: CodeRows<'_>, plane: &Hyperplane, codes: Vec<usize>) -> Self {
        let values = plane.values(rows, &codes);
        Self::known(plane, codes, values)
    }

    /// Distances whose `values` w·x + b are known.
    pub(crate) fn known(plane: &Hyperplane, codes: Vec<usize>, values: Vec<f64>) -> Self {
        Self {
            codes,
            values,
            unit: norm(&plane.w),
        }
    }

    /// The share of codes on the side of their score beside the threshold.
    pub(crate) fn accuracy_by_score(&self, scored: &ScoredCodes<'_>) -> Option<f64> {
        self.accuracy(|index| Some(scored.is_positive(index)))
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

    fn correlation(&self, scored: &ScoredCodes<'_>) -> Option<f64> {
        let (x, y) = self.centred(scored);
        let r = dot(&x, &y) / (norm(&x) * norm(&y));
        r.is_finite().then(|| r.clamp(-1.0, 1.0))
    }

    /// How much the score rises with one unit of distance: the slope of the scores over the distances.
    pub(crate) fn score_per_unit(&self, scored: &ScoredCodes<'_>) -> Option<f64> {
        let (x, y) = self.centred(scored);
        let slope = dot(&x, &y) / dot(&x, &x) * self.unit;
        slope.is_finite().then_some(slope)
    }

    /// Distances and scores, each less their mean.
    fn centred(&self, scored: &ScoredCodes<'_>) -> (Vec<f64>, Vec<f64>) {
        let less_mean = |values: Vec<f64>| -> Vec<f64> {
            let mean = mean(&values);
            values.into_iter().map(|value| value - mean).collect()
        };
        let y = self.codes.iter().map(|&index| scored.scores[index]);
        (less_mean(self.values.clone()), less_mean(y.collect()))
    }
}

fn mean_of(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| mean(&values))
}

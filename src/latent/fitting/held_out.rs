//! How well a hyperplane does on codes that it was not fitted to.

use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::score_ends::ScoreEnds;
use crate::latent::fitting::scored_codes::ScoredCodes;
use crate::latent::linear_algebra::dot_product::{dot, norm};
use crate::latent::statistics::mean;

/// What is found on held-out codes. `None` without such codes.
#[derive(Default)]
pub(crate) struct HeldOut {
    /// Share on the right side, of the codes with the highest and the lowest scores.
    pub(crate) ends: Option<f64>,
    /// Share on the right side, of all codes.
    pub(crate) all: Option<f64>,
    /// Correlation between distance and score.
    pub(crate) correlation: Option<f64>,
}

impl HeldOut {
    /// Measures each hyperplane of `folds` on the codes beside it, and takes the means.
    pub(crate) fn measure(
        scored: &ScoredCodes<'_>,
        folds: &[(Hyperplane, Vec<usize>)],
        ends: Option<&ScoreEnds>,
    ) -> Self {
        let mut sides = vec![None; scored.scores.len()];
        for (index, positive) in ends
            .into_iter()
            .flat_map(|ends| ends.training().chain(ends.held_out()))
        {
            sides[index] = Some(positive);
        }
        let of_ends = |(plane, codes): &(Hyperplane, Vec<usize>)| {
            let ends = codes.iter().filter_map(|&index| Some((index, sides[index]?)));
            scored.accuracy_on(plane, ends)
        };
        let of_all = |(plane, codes): &(Hyperplane, Vec<usize>)| {
            let above = |&index: &usize| (index, scored.scores[index] > scored.threshold);
            scored.accuracy_on(plane, codes.iter().map(above))
        };
        Self {
            ends: mean_of(folds.iter().filter_map(of_ends)),
            all: mean_of(folds.iter().filter_map(of_all)),
            correlation: mean_of(
                folds
                    .iter()
                    .filter_map(|(plane, codes)| correlation(scored, plane, codes)),
            ),
        }
    }
}

/// How much the score rises with one unit of distance: the slope of the scores over the distances of all codes.
pub(crate) fn score_per_unit(scored: &ScoredCodes<'_>, plane: &Hyperplane) -> Option<f64> {
    let all: Vec<usize> = (0..scored.scores.len()).collect();
    let (x, y) = centred(scored, plane, &all);
    let slope = dot(&x, &y) / dot(&x, &x) * norm(&plane.w);
    slope.is_finite().then_some(slope)
}

fn correlation(scored: &ScoredCodes<'_>, plane: &Hyperplane, codes: &[usize]) -> Option<f64> {
    let (x, y) = centred(scored, plane, codes);
    let r = dot(&x, &y) / (norm(&x) * norm(&y));
    r.is_finite().then(|| r.clamp(-1.0, 1.0))
}

/// Distances, in any unit, and scores, each less their mean.
fn centred(scored: &ScoredCodes<'_>, plane: &Hyperplane, codes: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let less_mean = |mut values: Vec<f64>| {
        let mean = mean(&values);
        for value in &mut values {
            *value -= mean;
        }
        values
    };
    let distance = |&index: &usize| plane.value(scored.rows.row(index));
    (
        less_mean(codes.iter().map(distance).collect()),
        less_mean(codes.iter().map(|&index| scored.scores[index]).collect()),
    )
}

fn mean_of(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| mean(&values))
}

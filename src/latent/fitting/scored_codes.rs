//! Codes with one score each: their checks, and the accuracy of a hyperplane on them.

use ndarray::ArrayView1;

use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::linear_algebra::code_rows::CodeRows;
use crate::latent::linear_algebra::halves::both_halves;
use crate::latent::statistics::{median, min_max, share};
use crate::latent::{FitError, LatentError};

/// The least number of samples of one class.
pub(crate) const MIN_CLASS: usize = 2;

/// Codes with one finite score each; at least two scores differ.
pub(crate) struct ScoredCodes<'a> {
    pub(crate) rows: CodeRows<'a>,
    /// One score per selected row.
    pub(crate) scores: Vec<f64>,
    /// Scores above the threshold belong to the positive side.
    pub(crate) threshold: f64,
    /// The values of a code, which are more than those of a row if the rows are coordinates of the codes.
    pub(crate) values: usize,
}

impl<'a> ScoredCodes<'a> {
    /// Checks the scores of codes whose values are finite. The default of `threshold` is the mean of the lowest and the highest score.
    ///
    /// # Errors
    /// [`FitError::TooFewSamples`] or [`FitError::ConstantScores`].
    pub(crate) fn new(
        rows: CodeRows<'a>,
        all_scores: ArrayView1<'_, f64>,
        threshold: Option<f64>,
    ) -> Result<Self, LatentError> {
        let scores: Vec<_> = rows.selected.iter().map(|&sample| all_scores[sample]).collect();
        if scores.len() < 2 * MIN_CLASS {
            return Err(FitError::TooFewSamples {
                found: scores.len(),
                least: 2 * MIN_CLASS,
                of: "with a score",
                advice: "score more samples",
            }
            .into());
        }
        let (lowest, highest) = min_max(&scores);
        if lowest >= highest {
            let samples = scores.len();
            return Err(FitError::ConstantScores {
                samples,
                score: lowest,
            }
            .into());
        }
        let threshold = threshold.unwrap_or(f64::midpoint(lowest, highest));
        Ok(Self {
            rows,
            scores,
            threshold,
            values: rows.dim(),
        })
    }

    /// Takes the median of more than two different scores as the threshold, if some are above it.
    pub(crate) fn split_at_median(&mut self) {
        let (median, (_, highest)) = (median(&self.scores), min_max(&self.scores));
        if self.classes().is_none() && median < highest {
            self.threshold = median;
        }
    }

    /// Whether the score of a code is above the threshold.
    pub(crate) fn is_positive(&self, index: usize) -> bool {
        self.scores[index] > self.threshold
    }

    /// If there are exactly two different scores: how many codes have the lower one, and how many the higher one.
    #[expect(clippy::float_cmp, reason = "classes are equal numbers")]
    pub(crate) fn classes(&self) -> Option<[u64; 2]> {
        let (lowest, highest) = min_max(&self.scores);
        let mut counts = [0; 2];
        for &score in &self.scores {
            if score != lowest && score != highest {
                return None;
            }
            counts[usize::from(score == highest)] += 1;
        }
        Some(counts)
    }

    /// The share of `samples` that lie on their side of `hyperplane`. A sample is an index, with whether its side is the
    /// positive one. `None` without samples.
    pub(crate) fn accuracy_on(
        &self,
        hyperplane: &Hyperplane,
        samples: impl IntoIterator<Item = (usize, bool)>,
    ) -> Option<f64> {
        let (mut right, mut count) = (0, 0);
        for (index, positive) in samples {
            right += usize::from((hyperplane.value(self.rows.row(index)) > 0.0) == positive);
            count += 1;
        }
        (count > 0).then(|| share(right, count))
    }
}

/// The indices of the samples that have a score other than `invalid_score`.
///
/// # Errors
/// [`FitError::ScoreNotFinite`] for another score that is not finite.
pub(crate) fn valid_samples(
    scores: ArrayView1<'_, f64>,
    invalid_score: Option<f64>,
) -> Result<Vec<usize>, FitError> {
    // Networks score in f32, so that files of scores hold the mark rounded to f32.
    #[expect(clippy::cast_possible_truncation, reason = "both scores are rounded to f32")]
    let single = |score: f64| score as f32;
    #[expect(clippy::float_cmp, reason = "the mark is one number, not a range of numbers")]
    let is_invalid = |score: f64| match invalid_score {
        Some(invalid) => single(score) == single(invalid) || (score.is_nan() && invalid.is_nan()),
        None => false,
    };
    let mut valid = Vec::with_capacity(scores.len());
    for (sample, &found) in scores
        .iter()
        .enumerate()
        .filter(|&(_, &score)| !is_invalid(score))
    {
        if !found.is_finite() {
            return Err(FitError::ScoreNotFinite { sample, found });
        }
        valid.push(sample);
    }
    Ok(valid)
}

/// Checks that all values are finite.
///
/// # Errors
/// [`LatentError::NotFinite`].
pub(crate) fn check_finite(rows: CodeRows<'_>) -> Result<(), LatentError> {
    // A fold without early exit checks eight values at once.
    let has_other = |index: &usize| {
        let values = rows.row(*index).iter();
        !values.fold(true, |finite, value| finite & value.is_finite())
    };
    let found = both_halves(rows.len(), |mut half| half.find(has_other));
    let Some(index) = found.into_iter().flatten().next() else {
        return Ok(());
    };
    let mut values = rows.row(index).iter().enumerate();
    match values.find(|(_, value)| !value.is_finite()) {
        Some((column, &value)) => Err(LatentError::NotFinite {
            row: rows.selected[index],
            column,
            value: value.into(),
        }),
        None => Ok(()),
    }
}

//! The samples with the highest and the lowest scores, split into training and validation.

use std::ops::Range;

use crate::latent::FitError;
use crate::latent::fitting::scored_codes::MIN_CLASS;
use crate::latent::sampling::shuffle::Shuffler;

/// How many samples to select at each end of the scores, at most half of all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SampleSelection {
    /// This many samples.
    Count(usize),
    /// This share of all samples that have a score, above 0 and at most 1, rounded down.
    Ratio(f64),
}

/// The samples at both ends of the scores, as indices of the scores, shuffled.
pub(crate) struct ScoreEnds {
    high: Vec<usize>,
    low: Vec<usize>,
    /// Number of samples at the beginning of each end that are for training; the others are held out.
    train: usize,
}

impl ScoreEnds {
    /// Sorts `scores`, selects both ends, shuffles them by `seed` as `RandomState(seed).permutation` does, the upper end
    /// first, and takes the share `split` of them for training.
    ///
    /// # Errors
    /// [`FitError::TooFewSamples`] or [`FitError::OneClass`].
    pub(crate) fn select(
        scores: &[f64],
        selection: SampleSelection,
        split: f64,
        seed: u32,
    ) -> Result<Self, FitError> {
        let count = scores.len();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&one, &other| {
            scores[other]
                .partial_cmp(&scores[one])
                .expect("scores are finite")
        });
        let chosen = match selection {
            SampleSelection::Count(count) => count,
            SampleSelection::Ratio(ratio) => rounded_share(count, ratio),
        };
        let chosen = chosen.min(count / 2);
        let train = rounded_share(chosen, split);
        if train < MIN_CLASS {
            return Err(FitError::TooFewSamples {
                found: train,
                least: MIN_CLASS,
                of: "for training at each end of the scores",
                advice: "score more samples, or select more of them",
            });
        }
        let (mut high, mut low) = (order[..chosen].to_vec(), order[count - chosen..].to_vec());
        for rank in [0, chosen - 1] {
            let (of_high, of_low) = (scores[high[rank]], scores[low[rank]]);
            if of_high <= of_low {
                return Err(FitError::OneClass {
                    chosen,
                    score: of_high,
                });
            }
        }
        let mut shuffler = Shuffler::new(seed);
        shuffler.shuffle(&mut high);
        shuffler.shuffle(&mut low);
        Ok(Self { high, low, train })
    }

    /// The number of samples at each end.
    pub(crate) fn chosen(&self) -> usize {
        self.high.len()
    }

    /// The training samples of the upper end, then those of the lower end, each with whether it is of the upper end.
    pub(crate) fn training(&self) -> impl Iterator<Item = (usize, bool)> {
        self.part(0..self.train)
    }

    /// The samples that are held out, in the same form.
    pub(crate) fn held_out(&self) -> impl Iterator<Item = (usize, bool)> {
        self.part(self.train..self.high.len())
    }

    fn part(&self, range: Range<usize>) -> impl Iterator<Item = (usize, bool)> {
        let high = self.high[range.clone()].iter().map(|&sample| (sample, true));
        high.chain(self.low[range].iter().map(|&sample| (sample, false)))
    }
}

/// `ratio` times `count`, rounded down.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count of samples"
)]
fn rounded_share(count: usize, ratio: f64) -> usize {
    (count as f64 * ratio) as usize
}

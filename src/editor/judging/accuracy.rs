//! How well boundaries separate new samples.

use std::sync::Arc;

use ndarray::Axis;

use crate::editor::judging::report::BoundaryReport;
use crate::editor::training::sample_scores::SampleScores;
use crate::latent::{Boundary, LatentCode, LatentError, LatentSpace};

/// Of a thousand samples, those at each end of the scores: 2 %, as in the paper.
const ENDS_OF_1000: usize = 20;

/// An attribute to report on.
pub(crate) struct ReportedAttribute {
    pub(crate) boundary: Arc<Boundary>,
    /// The column of its scores.
    pub(crate) column: usize,
    pub(crate) threshold: f64,
}

impl ReportedAttribute {
    /// The accuracy of its boundary in `space` on the samples.
    ///
    /// # Errors
    /// [`LatentError`] if the boundary does not fit the codes.
    pub(crate) fn accuracy(
        &self,
        samples: &SampleScores,
        space: LatentSpace,
    ) -> Result<BoundaryReport, LatentError> {
        let count = samples.scores.nrows();
        let per_end = (count * ENDS_OF_1000 / 1000).clamp(1, count / 2);
        let scores = samples.scores.column(self.column).mapv(f64::from);
        let mut is_positive = Vec::with_capacity(count);
        for sample in 0..count {
            let code = sampled_code(samples, space, sample)?;
            is_positive.push(self.boundary.signed_distance(&code)? > 0.0);
        }
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&one, &other| scores[one].total_cmp(&scores[other]));
        let (low, high) = (&order[..per_end], &order[count - per_end..]);
        let correct_at_ends = low.iter().filter(|&&sample| !is_positive[sample]).count()
            + high.iter().filter(|&&sample| is_positive[sample]).count();
        let sides = scores.iter().zip(&is_positive);
        let correct = sides.filter(|&(&score, &side)| (score > self.threshold) == side);
        Ok(BoundaryReport {
            attribute: self.boundary.attribute().to_owned(),
            threshold: self.threshold,
            standard_deviation: scores.std(0.0),
            samples_per_end: per_end,
            accuracy_at_ends: share(correct_at_ends, 2 * per_end),
            accuracy: share(correct.count(), count),
        })
    }
}

/// The code of one sample.
pub(crate) fn sampled_code(
    samples: &SampleScores,
    space: LatentSpace,
    sample: usize,
) -> Result<LatentCode, LatentError> {
    LatentCode::new(space, samples.codes.index_axis(Axis(0), sample).to_owned())
}

/// A part of a total, as a number from 0 to 1.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of samples and images are far below 2^53"
)]
pub(crate) fn share(part: usize, total: usize) -> f64 {
    part as f64 / total as f64
}

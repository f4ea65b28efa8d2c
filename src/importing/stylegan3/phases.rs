//! Filters for changing the sampling rate, split into phases.
//!
//! To upsample by a factor U is to insert U − 1 zeros after each sample and to filter. The samples of the result at U·m + a, its
//! phase a, depend on every U-th tap only. Therefore, a phase is a short correlation of the input, at the sampling rate of the
//! input, and no product with an inserted zero is computed. A filter that comes afterwards reads the phases in the same way, so that
//! they need not be interleaved.

use ndarray::Array2;

use crate::graph::signed;

/// The filters of a layer. Axes x and y are alike.
#[derive(Debug)]
pub(super) struct Resampling {
    /// The samples of the input.
    pub(super) input: usize,
    /// The samples of the output.
    pub(super) output: usize,
    /// The taps of the filter that follows the inserted zeros.
    pub(super) up: Vec<f32>,
    /// The samples that it makes of one.
    pub(super) up_factor: usize,
    /// The filter before the samples that are left out. Its factor divides the other one.
    pub(super) down: DownFilter,
    /// The samples that it makes one of.
    pub(super) down_factor: usize,
}

/// A filter before samples are left out.
#[derive(Debug)]
pub(super) enum DownFilter {
    /// The taps in each direction.
    Separable(Vec<f32>),
    /// The taps `[y, x]`.
    Full(Array2<f32>),
}

/// A correlation of samples with a few taps.
#[derive(Debug)]
pub(super) struct Correlation {
    /// The taps.
    pub(super) taps: Vec<f32>,
    /// Zeros before the samples.
    pub(super) before: usize,
    /// Zeros after the samples.
    pub(super) after: usize,
}

impl Resampling {
    /// The number of phases of the output: upsampled samples for each sample that is left.
    pub(super) fn output_phases(&self) -> usize {
        self.up_factor / self.down_factor
    }

    /// The samples of each phase of the output. The last of them may be one too many.
    pub(super) fn phase_length(&self) -> usize {
        self.output.div_ceil(self.output_phases())
    }

    /// Input → each phase of the upsampled samples, as many of them as [`Resampling::down_taps`] read.
    pub(super) fn up_correlations(&self) -> Vec<Correlation> {
        let padding = self.padding();
        let factor = signed(self.up_factor);
        (0..self.up_factor)
            .map(|phase| {
                let first = (padding - signed(phase)).rem_euclid(factor);
                // The sample of the input under the first tap, for the first sample of the phase.
                let start = (signed(phase) + first - padding) / factor;
                let taps = self.up.iter().rev().skip(unsigned(first)).step_by(self.up_factor);
                let length = self.phase_length() + self.down_length(phase) - 1;
                correlation(taps.copied().collect(), start, self.input, length)
            })
            .collect()
    }

    /// For each tap of the filter that a sample of the output phase `output` sees in the phase `phase`: its index. All output
    /// phases see as many.
    pub(super) fn down_taps(&self, phase: usize, output: usize) -> Vec<Option<usize>> {
        (0..self.down_length(phase))
            .map(|sample| (phase + self.up_factor * sample).checked_sub(self.down_factor * output))
            .map(|tap| tap.filter(|&tap| tap < self.down_side()))
            .collect()
    }

    /// The samples of a phase that a sample of the output sees.
    fn down_length(&self, phase: usize) -> usize {
        let last_output = self.down_factor * (self.output_phases() - 1);
        (self.down_side() + last_output - phase).div_ceil(self.up_factor)
    }

    fn down_side(&self) -> usize {
        match &self.down {
            DownFilter::Separable(taps) => taps.len(),
            DownFilter::Full(taps) => taps.nrows(),
        }
    }

    /// The zeros before the upsampled samples, so that the output is centred on the input; negative for a crop.
    fn padding(&self) -> i64 {
        let needed = (signed(self.output) - 1) * signed(self.down_factor) + signed(self.down_side());
        let total = needed - signed(self.input * self.up_factor) + signed(self.up.len()) - 1;
        (total + signed(self.up_factor)).div_euclid(2)
    }
}

/// The correlation with its first tap at the sample `start` of `input` samples and with `length` samples. Where it begins or ends
/// within the samples, it gets taps of 0, because a convolution cannot have a negative padding.
fn correlation(mut taps: Vec<f32>, start: i64, input: usize, length: usize) -> Correlation {
    let skipped = unsigned(start.max(0));
    taps.splice(0..0, std::iter::repeat_n(0.0, skipped));
    let before = unsigned((-start).max(0));
    let after = signed(length + taps.len() - 1) - signed(input + before);
    taps.extend(std::iter::repeat_n(0.0, unsigned((-after).max(0))));
    Correlation {
        taps,
        before,
        after: unsigned(after.max(0)),
    }
}

fn unsigned(length: i64) -> usize {
    usize::try_from(length).expect("the length is not negative")
}

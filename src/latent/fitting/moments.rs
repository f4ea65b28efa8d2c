//! The first two moments of codes, and what regressions of several scores on the same codes share.

use std::{array, mem, thread};

use ndarray::{Array1, Array2, Axis};

use crate::latent::FitError;
use crate::latent::fitting::progress::Progress;
use crate::latent::linear_algebra::code_rows::CodeRows;
use crate::latent::linear_algebra::tridiagonal::Tridiagonal;
use crate::latent::statistics::{float, share};

/// Codes between two reports of the progress.
const REPORT_INTERVAL: usize = 2048;

/// The number of some codes, their mean, and their scatter matrix Σ (x − x̄)(x − x̄)ᵀ.
pub(crate) struct Moments {
    count: usize,
    mean: Array1<f64>,
    scatter: Array2<f64>,
}

impl Moments {
    /// The moments of the rows in each of two halves, which two threads compute. `progress` goes to 0.8.
    ///
    /// # Errors
    /// [`FitError::Cancelled`].
    pub(crate) fn of_halves(
        rows: CodeRows<'_>,
        halves: &[Vec<usize>; 2],
        progress: &mut Progress<'_>,
    ) -> Result<[Self; 2], FitError> {
        let [first, second] =
            progress.both_halves(0.0..0.8, |half, reach| Self::of(rows, &halves[half], reach));
        Ok([first?, second?])
    }

    /// The moments of the rows `indices`. `reach` gets the share that is done.
    fn of(
        rows: CodeRows<'_>,
        indices: &[usize],
        mut reach: impl FnMut(f64) -> Result<(), FitError>,
    ) -> Result<Self, FitError> {
        let mean = rows.mean(indices);
        let mut scatter = Array2::zeros((rows.dim(), rows.dim()));
        for (round, chunk) in indices.chunks(REPORT_INTERVAL).enumerate() {
            reach(share(round * REPORT_INTERVAL, indices.len()))?;
            rows.add_scatter(chunk, &mean, 1.0, &mut scatter);
        }
        Ok(Self {
            count: indices.len(),
            mean,
            scatter,
        })
    }

    /// The moments of these codes and those of `other` together.
    pub(crate) fn with(&self, other: &Self) -> Self {
        let (own, others) = (float(self.count), float(other.count));
        let apart = &other.mean - &self.mean;
        let column = apart.view().insert_axis(Axis(1));
        let between = column.dot(&column.t()) * (own * others / (own + others));
        Self {
            count: self.count + other.count,
            mean: &self.mean + &(apart * (others / (own + others))),
            scatter: &self.scatter + &other.scatter + between,
        }
    }

    /// Prepares regressions on the codes of each half, and on all, in two threads.
    pub(crate) fn reduce_all([first, second]: [Self; 2]) -> ([ReducedCodes; 2], ReducedCodes) {
        let all = first.with(&second);
        thread::scope(|scope| {
            let all = scope.spawn(|| all.reduce());
            let halves = [first.reduce(), second.reduce()];
            (
                halves,
                all.join().expect("a reduction of finite numbers never panics"),
            )
        })
    }

    /// Prepares regressions on these codes.
    fn reduce(self) -> ReducedCodes {
        ReducedCodes {
            count: self.count,
            mean: self.mean,
            scatter: Tridiagonal::of(self.scatter),
        }
    }
}

/// Codes, ready for regressions of scores on them.
pub(crate) struct ReducedCodes {
    pub(crate) count: usize,
    pub(crate) mean: Array1<f64>,
    pub(crate) scatter: Tridiagonal,
}

impl ReducedCodes {
    /// The mean of the codes.
    pub(crate) fn centre(&self) -> &[f64] {
        self.mean.as_slice().expect("the mean is contiguous")
    }
}

/// The moments of scores, and of scores with codes.
pub(crate) struct ScoreMoments {
    /// Number of scores.
    count: usize,
    pub(crate) mean: f64,
    /// Σ (y − ȳ)².
    pub(crate) total: f64,
    /// Σ (x − x̄)(y − ȳ).
    pub(crate) cross: Vec<f64>,
}

/// The moments of scores of all codes, and of each half.
pub(crate) struct HalvedScoreMoments {
    pub(crate) all: ScoreMoments,
    pub(crate) of_halves: [ScoreMoments; 2],
}

impl ScoreMoments {
    /// The moments of N `scores` of each code, over the rows `indices`.
    pub(crate) fn of<const N: usize>(
        rows: CodeRows<'_>,
        indices: &[usize],
        scores: [&[f64]; N],
    ) -> [Self; N] {
        let means = scores.map(|scores| mean(indices.iter().map(|&index| scores[index])));
        let centred = |position: usize| -> [f64; N] {
            array::from_fn(|column| scores[column][indices[position]] - means[column])
        };
        // Σ x̄ (y − ȳ) = 0.
        let mut crosses = rows.weighted_sums(indices, centred);
        array::from_fn(|column| Self {
            count: indices.len(),
            mean: means[column],
            total: indices
                .iter()
                .map(|&index| (scores[column][index] - means[column]).powi(2))
                .sum(),
            cross: mem::take(&mut crosses[column]),
        })
    }

    /// The moments of these scores and those of `other` together, where `mean` and `other_mean` are the means of their codes.
    pub(crate) fn with(&self, mean: &Array1<f64>, other: &Self, other_mean: &Array1<f64>) -> Self {
        let (own, others) = (float(self.count), float(other.count));
        let (weight, apart) = (own * others / (own + others), other.mean - self.mean);
        let mut cross = self.cross.clone();
        for (index, cross) in cross.iter_mut().enumerate() {
            *cross += other.cross[index] + weight * apart * (other_mean[index] - mean[index]);
        }
        Self {
            count: self.count + other.count,
            mean: self.mean + apart * others / (own + others),
            total: self.total + other.total + weight * apart * apart,
            cross,
        }
    }
}

/// The mean of numbers; 0 without any.
fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = float(numbers.len().max(1));
    numbers.sum::<f64>() / count
}

//! The boundary of the best direction that scored codes hold: ridge regression of scores, logistic regression of two classes.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::latent::FitError;
use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::logistic::{self, LogisticProblem};
use crate::latent::fitting::moments::{Moments, ReducedCodes, cross};
use crate::latent::fitting::normal_scores::NormalScores;
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::ridge::{self, Ridge};
use crate::latent::fitting::scored_codes::{MIN_CLASS, ScoredCodes};
use crate::latent::linear_algebra::dot_product::dot;
use crate::latent::sampling::shuffle::Shuffler;
use crate::latent::statistics::mean;

/// The most values of a code: their matrix takes 128 MB.
pub(crate) const MAX_VALUES: usize = 4096;

/// A fitted hyperplane, and what is known of it.
pub(crate) struct RegressionResult {
    pub(crate) hyperplane: Hyperplane,
    /// Name of the method, in words.
    pub(crate) method: &'static str,
    /// The expected cosine between the normal and that of unlimited codes.
    pub(crate) cosine: Option<f64>,
    /// For each half of the codes: the hyperplane of the other half, and the codes of this half.
    pub(crate) folds: Vec<(Hyperplane, Vec<usize>)>,
}

/// What fits of several scores to the same codes share: the codes, ready for regressions.
#[derive(Default)]
pub struct SharedCodes {
    reduction: OnceLock<Reduction>,
}

impl std::fmt::Debug for SharedCodes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SharedCodes").finish_non_exhaustive()
    }
}

/// Codes, ready for regressions.
struct Reduction {
    /// The seed that splits the codes into halves.
    seed: u32,
    /// The rows that have a score.
    selected: Vec<usize>,
    all: ReducedCodes,
    of_halves: [ReducedCodes; 2],
}

/// How scores are regressed on codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Regression {
    /// The strongest evidence: scores or their ranks, by ridge regression; two classes, by logistic regression.
    Best,
    /// The scores, by least squares.
    LeastSquares,
}

/// Codes with their scores, split into two halves.
struct SplitCodes<'a, 'b> {
    scored: &'a ScoredCodes<'b>,
    halves: [Vec<usize>; 2],
    seed: u32,
    shared: &'a SharedCodes,
}

impl Regression {
    /// Fits the hyperplane. `seed` splits the codes into the halves on which the fit of the other half is tested.
    ///
    /// # Errors
    /// [`FitError`] if there are too few codes for least squares, their values depend on each other, the fit does not converge, or
    /// it is cancelled.
    pub(crate) fn fit(
        self,
        scored: &ScoredCodes<'_>,
        seed: u32,
        shared: &SharedCodes,
        progress: &mut Progress<'_>,
    ) -> Result<RegressionResult, FitError> {
        let dim = scored.rows.dim();
        if dim > MAX_VALUES {
            return Err(FitError::TooManyValues {
                found: dim,
                most: MAX_VALUES,
            });
        }
        let mut order: Vec<usize> = (0..scored.rows.len()).collect();
        Shuffler::new(seed).shuffle(&mut order);
        let second = order.split_off(order.len() / 2);
        let split = SplitCodes {
            scored,
            halves: [order, second],
            seed,
            shared,
        };
        match self {
            Self::Best if is_two_valued(&scored.scores) => split.logistic(progress),
            Self::Best => split.ridge(progress),
            Self::LeastSquares => split.least_squares(progress),
        }
    }
}

impl SplitCodes<'_, '_> {
    fn logistic(self, progress: &mut Progress<'_>) -> Result<RegressionResult, FitError> {
        let Self { scored, halves, .. } = self;
        let fit = |indices: &[usize], progress: &mut Progress<'_>| {
            let side = |&index: &usize| if scored.is_positive(index) { 1.0 } else { -1.0 };
            let sides: Vec<f64> = indices.iter().map(side).collect();
            logistic::solve(
                &LogisticProblem {
                    rows: scored.rows,
                    indices,
                    sides: &sides,
                },
                progress,
            )
        };
        let positive = (0..scored.scores.len())
            .filter(|&index| scored.is_positive(index))
            .count();
        let rarer = positive.min(scored.scores.len() - positive);
        if rarer < MIN_CLASS {
            return Err(FitError::TooFewSamples {
                found: rarer,
                least: MIN_CLASS,
                of: "of the rarer of two scores",
                advice: "label more of them; if there are some, choose a threshold between the two scores",
            });
        }
        let has_both = |half: &Vec<usize>| {
            let positive = half.iter().filter(|&&index| scored.is_positive(index));
            (1..half.len()).contains(&positive.count())
        };
        let all: Vec<usize> = (0..scored.rows.len()).collect();
        let hyperplane = fit(&all, progress)?;
        let (mut folds, mut cosine) = (Vec::new(), None);
        if halves.iter().all(has_both) {
            let [first, second] = halves;
            let (of_first, of_second) = (fit(&first, progress)?, fit(&second, progress)?);
            cosine = cosine_of_halves(&of_first.w, &of_second.w, all.len());
            folds = vec![(of_second, first), (of_first, second)];
        }
        Ok(RegressionResult {
            hyperplane,
            method: "logistic regression",
            cosine,
            folds,
        })
    }

    fn ridge(self, progress: &mut Progress<'_>) -> Result<RegressionResult, FitError> {
        let scored = self.scored;
        let own = OnceLock::new();
        let codes = self.reduce(&own, progress)?;
        let raw = Target::raw(&scored.scores, scored.threshold);
        let ranks = Target::ranks(&scored.scores, scored.threshold);
        let fit = |target: &Target<'_>| {
            let all = 0..scored.rows.len();
            let y = target.centred(scored, all);
            let fit = ridge::cross_validated(&codes.all, &y.cross, y.total)?;
            Some((target.hyperplane(&codes.all, &y, &fit), fit))
        };
        let most_linear = [(raw, "ridge regression"), (ranks, "ridge regression of ranks")]
            .into_iter()
            .filter_map(|(target, method)| fit(&target).map(|fit| (target, method, fit)))
            .min_by(|one, other| one.2.1.expected_error.total_cmp(&other.2.1.expected_error));
        let (target, method, (hyperplane, fit)) = most_linear.ok_or(FitError::DependentValues {
            dim: scored.rows.dim(),
        })?;
        let folds = self.folds(&codes.of_halves, &target, fit.strength / 2.0);
        Ok(RegressionResult {
            hyperplane,
            method,
            cosine: fit.cosine,
            folds,
        })
    }

    fn least_squares(self, progress: &mut Progress<'_>) -> Result<RegressionResult, FitError> {
        let scored = self.scored;
        let dim = scored.rows.dim();
        if scored.rows.len() <= dim {
            return Err(FitError::TooFewSamples {
                found: scored.rows.len(),
                least: dim + 1,
                of: "with a score, for least squares",
                advice: "score more samples, or use another method",
            });
        }
        let own = OnceLock::new();
        let codes = self.reduce(&own, progress)?;
        let target = Target::raw(&scored.scores, scored.threshold);
        let y = target.centred(scored, 0..scored.rows.len());
        let fit = ridge::with_strength(&codes.all, &y.cross, y.total, 0.0);
        let fit = fit.ok_or(FitError::DependentValues { dim })?;
        let folds = self.folds(&codes.of_halves, &target, 0.0);
        Ok(RegressionResult {
            hyperplane: target.hyperplane(&codes.all, &y, &fit),
            method: "least squares",
            cosine: fit.cosine,
            folds,
        })
    }

    /// The codes, ready for regressions: those that earlier fits to the same codes left, or else new ones. They are shared, or kept in
    /// `own` if others are shared already.
    fn reduce<'o>(
        &self,
        own: &'o OnceLock<Reduction>,
        progress: &mut Progress<'_>,
    ) -> Result<&'o Reduction, FitError>
    where
        Self: 'o,
    {
        let rows = self.scored.rows;
        let shared = &self.shared.reduction;
        let fits = |found: &&Reduction| found.seed == self.seed && found.selected == rows.selected;
        if let Some(found) = shared.get().filter(fits) {
            return Ok(found);
        }
        let first = Moments::of(rows, &self.halves[0], (0.0, 0.4), progress)?;
        let second = Moments::of(rows, &self.halves[1], (0.4, 0.8), progress)?;
        let all = first.with(&second).reduce();
        progress.reach(0.9)?;
        let reduction = Reduction {
            seed: self.seed,
            selected: rows.selected.to_vec(),
            all,
            of_halves: [first.reduce(), second.reduce()],
        };
        match shared.set(reduction) {
            Ok(()) => Ok(shared.get().expect("it was just set")),
            Err(reduction) => Ok(own.get_or_init(|| reduction)),
        }
    }

    /// For each half: the fit of the other half, if there is one.
    fn folds(
        self,
        codes: &[ReducedCodes; 2],
        target: &Target<'_>,
        strength: f64,
    ) -> Vec<(Hyperplane, Vec<usize>)> {
        let [first, second] = self.halves;
        let fit = |codes: &ReducedCodes, half: &[usize]| {
            let y = target.centred(self.scored, half.iter().copied());
            let fit = ridge::with_strength(codes, &y.cross, y.total, strength)?;
            Some(target.hyperplane(codes, &y, &fit))
        };
        let (of_first, of_second) = (fit(&codes[0], &first), fit(&codes[1], &second));
        of_second
            .zip(Some(first))
            .into_iter()
            .chain(of_first.zip(Some(second)))
            .collect()
    }
}

/// What a regression predicts: the scores, or the normal quantiles of their ranks.
struct Target<'a> {
    values: Cow<'a, [f64]>,
    /// The value at the threshold of the scores.
    threshold: f64,
}

impl<'a> Target<'a> {
    fn raw(scores: &'a [f64], threshold: f64) -> Self {
        Self {
            values: Cow::Borrowed(scores),
            threshold,
        }
    }

    fn ranks(scores: &[f64], threshold: f64) -> Self {
        let ranked = NormalScores::of(scores);
        Self {
            threshold: ranked.at(threshold),
            values: Cow::Owned(ranked.quantiles),
        }
    }

    /// The values of the rows `indices`.
    fn centred(
        &self,
        scored: &ScoredCodes<'_>,
        indices: impl Iterator<Item = usize> + Clone,
    ) -> CentredTarget {
        let values: Vec<f64> = indices.clone().map(|index| self.values[index]).collect();
        let mean = mean(&values);
        let centred = values.iter().map(|value| value - mean);
        CentredTarget {
            mean,
            total: centred.clone().map(|y| y * y).sum(),
            cross: cross(scored.rows, indices, centred),
        }
    }

    /// The hyperplane on which the prediction is the threshold.
    fn hyperplane(&self, codes: &ReducedCodes, y: &CentredTarget, fit: &Ridge) -> Hyperplane {
        let centre = codes.mean.as_slice().expect("the mean is contiguous");
        Hyperplane {
            w: fit.w.clone(),
            intercept: y.mean - self.threshold - dot(&fit.w, centre),
        }
    }
}

/// The moments of some values y of a target.
struct CentredTarget {
    mean: f64,
    /// Σ (y − ȳ)².
    total: f64,
    /// Σ (x − x̄)(y − ȳ).
    cross: Vec<f64>,
}

/// Whether there are exactly two different scores.
fn is_two_valued(scores: &[f64]) -> bool {
    let first = scores[0];
    #[expect(clippy::float_cmp, reason = "classes are equal numbers")]
    let mut others = scores.iter().filter(|&&score| score != first);
    let second = others.next();
    #[expect(clippy::float_cmp, reason = "classes are equal numbers")]
    second.is_some_and(|second| others.all(|score| score == second))
}

/// The expected cosine between a direction and that of unlimited codes, from the directions of two halves of the codes.
///
/// If c is the cosine between the halves, the error of each has the square (1 − c)/c relative to the direction itself, and the error
/// of all n codes of d values has (n/2 − d − 1)/(n − d − 1) of that. `None` for fewer than ten codes for each value.
#[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 codes")]
fn cosine_of_halves(first: &[f64], second: &[f64], codes: usize) -> Option<f64> {
    let values = first.len();
    if codes < ridge::CODES_PER_VALUE * values {
        return None;
    }
    let cosine = dot(first, second) / (dot(first, first) * dot(second, second)).sqrt();
    let (n, d) = (codes as f64, values as f64);
    let error = (1.0 - cosine).max(0.0) / cosine * (n / 2.0 - d - 1.0) / (n - d - 1.0);
    (cosine > 0.0).then(|| 1.0 / (1.0 + error).sqrt())
}

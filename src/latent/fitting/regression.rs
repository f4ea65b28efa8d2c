//! The boundary of the best direction that scored codes hold: ridge regression of scores, logistic regression of two classes.

use std::sync::OnceLock;

use crate::latent::FitError;
use crate::latent::fitting::agreement::expected_cosine;
use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::logistic::{self, LogisticProblem};
use crate::latent::fitting::moments::{Moments, ReducedCodes, ScoreMoments};
use crate::latent::fitting::normal_scores::NormalScores;
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::ridge::{self, Ridge};
use crate::latent::fitting::scored_codes::{MIN_CLASS, ScoredCodes};
use crate::latent::linear_algebra::dot_product::dot;
use crate::latent::sampling::shuffle::Shuffler;

/// The most values of a code: their matrix takes 128 MB.
pub(crate) const MAX_VALUES: usize = 4096;

/// Name of the method that takes scores as classes.
pub(crate) const LOGISTIC: &str = "logistic regression";

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
        let mut first: Vec<usize> = (0..scored.rows.len()).collect();
        Shuffler::new(seed).shuffle(&mut first);
        let mut second = first.split_off(first.len() / 2);
        // In the order of memory, codes are read faster.
        first.sort_unstable();
        second.sort_unstable();
        let split = SplitCodes {
            scored,
            halves: [first, second],
            seed,
            shared,
        };
        match self {
            Self::Best if scored.classes().is_some() => split.logistic(progress),
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
            cosine = expected_cosine(&of_first, &of_second, all.len());
            folds = vec![(of_second, first), (of_first, second)];
        }
        Ok(RegressionResult {
            hyperplane,
            method: LOGISTIC,
            cosine,
            folds,
        })
    }

    fn ridge(self, progress: &mut Progress<'_>) -> Result<RegressionResult, FitError> {
        let scored = self.scored;
        let own = OnceLock::new();
        let codes = self.reduce(&own, progress)?;
        let ranked = NormalScores::of(&scored.scores);
        let threshold = ranked.at(scored.threshold);
        let [raw, ranks] = self.targets(codes, [&scored.scores, &ranked.quantiles]);
        let candidates = [
            (raw, scored.threshold, "ridge regression"),
            (ranks, threshold, "ridge regression of ranks"),
        ];
        let most_linear = candidates
            .into_iter()
            .filter_map(|(target, threshold, method)| {
                let fit = ridge::cross_validated(&codes.all, &target.all.cross, target.all.total)?;
                Some((target, threshold, method, fit))
            })
            .min_by(|one, other| one.3.expected_error.total_cmp(&other.3.expected_error));
        let (target, threshold, method, fit) = most_linear.ok_or(FitError::DependentValues {
            dim: scored.rows.dim(),
        })?;
        Ok(RegressionResult {
            hyperplane: hyperplane(&codes.all, &target.all, &fit, threshold),
            method,
            cosine: fit.cosine,
            folds: self.folds(&codes.of_halves, &target, threshold, fit.strength / 2.0),
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
        let [target, _] = self.targets(codes, [&scored.scores; 2]);
        let fit = ridge::with_strength(&codes.all, &target.all.cross, target.all.total, 0.0);
        let fit = fit.ok_or(FitError::DependentValues { dim })?;
        Ok(RegressionResult {
            hyperplane: hyperplane(&codes.all, &target.all, &fit, scored.threshold),
            method: "least squares",
            cosine: fit.cosine,
            folds: self.folds(&codes.of_halves, &target, scored.threshold, 0.0),
        })
    }

    /// The moments of two `values` of each code, which regressions predict.
    fn targets(&self, codes: &Reduction, values: [&[f64]; 2]) -> [Target; 2] {
        let of_half = |half: &Vec<usize>| ScoreMoments::of(self.scored.rows, half, values);
        let [first, second] = self.halves.each_ref().map(of_half);
        let [first_codes, second_codes] = &codes.of_halves;
        let target = |(first, second): (ScoreMoments, ScoreMoments)| Target {
            all: first.with(&first_codes.mean, &second, &second_codes.mean),
            of_halves: [first, second],
        };
        let [first_raw, first_ranks] = first;
        let [second_raw, second_ranks] = second;
        [(first_raw, second_raw), (first_ranks, second_ranks)].map(target)
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
        let halves = Moments::of_halves(rows, &self.halves, progress)?;
        let (of_halves, all) = Moments::reduce_all(halves);
        let reduction = Reduction {
            seed: self.seed,
            selected: rows.selected.to_vec(),
            all,
            of_halves,
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
        target: &Target,
        threshold: f64,
        strength: f64,
    ) -> Vec<(Hyperplane, Vec<usize>)> {
        let [first, second] = self.halves;
        let fit = |half: usize| {
            let (codes, target) = (&codes[half], &target.of_halves[half]);
            let fit = ridge::with_strength(codes, &target.cross, target.total, strength)?;
            Some(hyperplane(codes, target, &fit, threshold))
        };
        let others = [(fit(1), first), (fit(0), second)].into_iter();
        others.filter_map(|(plane, half)| Some((plane?, half))).collect()
    }
}

/// What a regression predicts: the moments of one value of each code.
struct Target {
    all: ScoreMoments,
    of_halves: [ScoreMoments; 2],
}

/// The hyperplane on which the prediction is `threshold`.
fn hyperplane(codes: &ReducedCodes, y: &ScoreMoments, fit: &Ridge, threshold: f64) -> Hyperplane {
    let centre = codes.mean.as_slice().expect("the mean is contiguous");
    Hyperplane {
        w: fit.w.clone(),
        intercept: y.mean - threshold - dot(&fit.w, centre),
    }
}

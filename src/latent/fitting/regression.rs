//! The boundary of the best direction that scored codes hold: ridge regression of scores, or logistic regression of two classes.

use std::sync::OnceLock;
use std::{array, thread};

use crate::latent::FitError;
use crate::latent::fitting::agreement::expected_cosine;
use crate::latent::fitting::area_under_curve::AreaDifference;
use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::logistic::{self, LogisticProblem};
use crate::latent::fitting::moments::{Moments, ReducedCodes, ScoreMoments};
use crate::latent::fitting::normal_scores::NormalScores;
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::ridge::{self, Ridge};
use crate::latent::fitting::scored_codes::{MIN_CLASS, ScoredCodes};
use crate::latent::fitting::shared_codes::{Reduction, SharedCodes};
use crate::latent::linear_algebra::dot_product::dot;
use crate::latent::sampling::shuffle::Shuffler;

/// The most values of a code: their matrix takes 128 MB.
pub(crate) const MAX_VALUES: usize = 4096;

/// Name of the method that takes scores as classes.
pub(crate) const LOGISTIC: &str = "logistic regression";

/// The most codes of each half on which two fits are compared.
const MAX_COMPARED: usize = 20_000;

/// The fewest codes of a half on either side of the threshold: fewer show little of a fit.
const MIN_SIDE: usize = 10;

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

/// How scores are regressed on codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Regression {
    /// The strongest evidence: scores or their ranks, by ridge regression, or their sides of the threshold, by logistic regression.
    Best,
    /// The scores, by least squares.
    LeastSquares,
}

/// A fit to all codes, and to each half.
struct Fit {
    hyperplane: Hyperplane,
    method: &'static str,
    cosine: Option<f64>,
    of_halves: [Option<Hyperplane>; 2],
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
        let fit = match self {
            Self::Best if scored.classes().is_some() => split.classes(progress),
            Self::Best => split.best(progress),
            Self::LeastSquares => split.least_squares(progress),
        }?;
        let ([of_first, of_second], [first, second]) = (fit.of_halves, split.halves);
        let folds = [(of_second, first), (of_first, second)].into_iter();
        Ok(RegressionResult {
            hyperplane: fit.hyperplane,
            method: fit.method,
            cosine: fit.cosine,
            folds: folds.filter_map(|(plane, half)| Some((plane?, half))).collect(),
        })
    }
}

impl SplitCodes<'_, '_> {
    /// Fits two classes.
    fn classes(&self, progress: &mut Progress<'_>) -> Result<Fit, FitError> {
        let sides = self.sides();
        let positive = sides.iter().filter(|&&side| side > 0.0).count();
        let rarer = positive.min(sides.len() - positive);
        if rarer < MIN_CLASS {
            return Err(FitError::TooFewSamples {
                found: rarer,
                least: MIN_CLASS,
                of: "of the rarer of two scores",
                advice: "label more of them; if there are some, choose a threshold between the two scores",
            });
        }
        let own = OnceLock::new();
        let codes = self.reduce(&own, progress)?;
        let [target] = self.targets(codes, [&sides]);
        let of_halves = self.part_halves(codes, &sides, &target, 1);
        progress.reach(0.9)?;
        let fit = self.part_all(codes, &sides, &target, of_halves)?;
        Ok(Fit {
            method: LOGISTIC,
            ..fit
        })
    }

    /// Fits the scores, or their ranks, and the sides of the threshold, and takes the fit that parts other codes better by their side.
    fn best(&self, progress: &mut Progress<'_>) -> Result<Fit, FitError> {
        let own = OnceLock::new();
        let codes = self.reduce(&own, progress)?;
        let sides = self.sides();
        let (values, target) = self.most_linear(codes, &sides)?;
        progress.reach(0.9)?;
        let of_halves = self.part_halves(codes, &sides, &target, MIN_SIDE);
        let better = of_halves.filter(|planes| self.is_better(planes, &values.of_halves, &sides));
        let Some(of_halves) = better else {
            return Ok(values);
        };
        let fit = self.part_all(codes, &sides, &target, Some(of_halves));
        Ok(fit.unwrap_or(values))
    }

    /// The side of the threshold on which each score is: 1 or −1.
    fn sides(&self) -> Vec<f64> {
        let side = |index| if self.scored.is_positive(index) { 1.0 } else { -1.0 };
        (0..self.scored.scores.len()).map(side).collect()
    }

    /// The ridge regression of the scores or of their ranks, whichever a plane predicts better; and the target of a regression of `sides`.
    fn most_linear(&self, codes: &Reduction, sides: &[f64]) -> Result<(Fit, Target), FitError> {
        let scored = self.scored;
        let ranked = NormalScores::of(&scored.scores);
        let [raw, ranks, of_sides] = self.targets(codes, [&scored.scores, &ranked.quantiles, sides]);
        let candidates = [
            (raw, scored.threshold, "ridge regression"),
            (ranks, ranked.at(scored.threshold), "ridge regression of ranks"),
        ];
        let fits = candidates.into_iter().filter_map(|(target, threshold, method)| {
            let fit = ridge::cross_validated(&codes.all, &target.all.cross, target.all.total)?;
            Some((target, threshold, method, fit))
        });
        let best = fits.min_by(|one, other| one.3.expected_error.total_cmp(&other.3.expected_error));
        let (target, threshold, method, fit) = best.ok_or(FitError::DependentValues {
            dim: scored.rows.dim(),
        })?;
        let fit = Fit {
            hyperplane: hyperplane(&codes.all, &target.all, &fit, threshold),
            method,
            cosine: fit.cosine,
            of_halves: of_halves(codes, &target, threshold, fit.strength / 2.0),
        };
        Ok((fit, of_sides))
    }

    /// The hyperplane that parts each half by its sides. `None` if a half has fewer than `least` codes of one side, or without a fit.
    fn part_halves(
        &self,
        codes: &Reduction,
        sides: &[f64],
        target: &Target,
        least: usize,
    ) -> Option<[Hyperplane; 2]> {
        let has_both = |half: &Vec<usize>| has_both(compared(half), sides, least);
        if !self.halves.iter().all(has_both) {
            return None;
        }
        let fit = |half: usize| {
            let (codes, target) = (&codes.of_halves[half], &target.of_halves[half]);
            self.part(&self.halves[half], codes, sides, &start(codes, target))
                .ok()
        };
        let [first, second] = thread::scope(|scope| {
            let second = scope.spawn(|| fit(1));
            let first = fit(0);
            [first, second.join().expect("a fit to finite codes never panics")]
        });
        Some([first?, second?])
    }

    /// The fit that parts all codes by their sides, from those of both halves, if they are known.
    fn part_all(
        &self,
        codes: &Reduction,
        sides: &[f64],
        target: &Target,
        of_halves: Option<[Hyperplane; 2]>,
    ) -> Result<Fit, FitError> {
        let start = match &of_halves {
            Some([first, second]) => first
                .w
                .iter()
                .zip(&second.w)
                .map(|(one, other)| one + other)
                .collect(),
            None => start(&codes.all, &target.all),
        };
        let all: Vec<usize> = (0..sides.len()).collect();
        let cosine = of_halves.as_ref();
        Ok(Fit {
            hyperplane: self.part(&all, &codes.all, sides, &start)?,
            method: "logistic regression of the sides of the threshold",
            cosine: cosine.and_then(|[first, second]| expected_cosine(first, second, all.len())),
            of_halves: of_halves.map_or([None, None], |planes| planes.map(Some)),
        })
    }

    /// The hyperplane that parts codes by their sides.
    fn part(
        &self,
        indices: &[usize],
        codes: &ReducedCodes,
        sides: &[f64],
        start: &[f64],
    ) -> Result<Hyperplane, FitError> {
        let problem = LogisticProblem {
            rows: self.scored.rows,
            indices,
            sides,
            codes,
        };
        logistic::solve(&problem, start)
    }

    /// Whether hyperplanes of both halves part the other half by its sides better than `others` do, by more than the standard error.
    fn is_better(&self, planes: &[Hyperplane; 2], others: &[Option<Hyperplane>; 2], sides: &[f64]) -> bool {
        let (mut difference, mut variance) = (0.0, 0.0);
        for ((plane, other), half) in planes.iter().zip(others).zip(self.halves.iter().rev()) {
            let Some(other) = other else {
                return false;
            };
            let compared = compared(half);
            let values = [plane, other].map(|plane| plane.values(self.scored.rows, compared));
            let positive: Vec<bool> = compared.iter().map(|&index| sides[index] > 0.0).collect();
            let found = AreaDifference::between(&values[0], &values[1], &positive);
            difference += found.difference;
            variance += found.variance;
        }
        difference > variance.sqrt()
    }

    fn least_squares(&self, progress: &mut Progress<'_>) -> Result<Fit, FitError> {
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
        let [target] = self.targets(codes, [&scored.scores]);
        let fit = ridge::with_strength(&codes.all, &target.all.cross, target.all.total, 0.0);
        let fit = fit.ok_or(FitError::DependentValues { dim })?;
        Ok(Fit {
            hyperplane: hyperplane(&codes.all, &target.all, &fit, scored.threshold),
            method: "least squares",
            cosine: fit.cosine,
            of_halves: of_halves(codes, &target, scored.threshold, 0.0),
        })
    }

    /// The moments of N `values` of each code, which regressions predict.
    fn targets<const N: usize>(&self, codes: &Reduction, values: [&[f64]; N]) -> [Target; N] {
        let [first, second] = self
            .halves
            .each_ref()
            .map(|half| ScoreMoments::of(self.scored.rows, half, values));
        let [first_codes, second_codes] = &codes.of_halves;
        let mut second = second.into_iter();
        first.map(|first| {
            let second = second.next().expect("both halves have N moments");
            Target {
                all: first.with(&first_codes.mean, &second, &second_codes.mean),
                of_halves: [first, second],
            }
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
}

/// The codes of a half on which two fits are compared.
fn compared(half: &[usize]) -> &[usize] {
    &half[..half.len().min(MAX_COMPARED)]
}

/// Whether there are at least so many codes on both sides.
fn has_both(codes: &[usize], sides: &[f64], least: usize) -> bool {
    let positive = codes.iter().filter(|&&index| sides[index] > 0.0).count();
    positive.min(codes.len() - positive) >= least
}

/// The direction from which a logistic regression of sides starts: that of a ridge regression, or if there is none, of the mean codes.
fn start(codes: &ReducedCodes, sides: &ScoreMoments) -> Vec<f64> {
    let ridge = ridge::cross_validated(codes, &sides.cross, sides.total);
    ridge.map_or_else(|| sides.cross.clone(), |ridge| ridge.w)
}

/// What a regression predicts: the moments of one value of each code.
struct Target {
    all: ScoreMoments,
    of_halves: [ScoreMoments; 2],
}

/// The ridge regression of each half with a given strength, if there is one.
fn of_halves(codes: &Reduction, target: &Target, threshold: f64, strength: f64) -> [Option<Hyperplane>; 2] {
    array::from_fn(|half| {
        let (codes, target) = (&codes.of_halves[half], &target.of_halves[half]);
        let fit = ridge::with_strength(codes, &target.cross, target.total, strength)?;
        Some(hyperplane(codes, target, &fit, threshold))
    })
}

/// The hyperplane on which the prediction is `threshold`.
fn hyperplane(codes: &ReducedCodes, y: &ScoreMoments, fit: &Ridge, threshold: f64) -> Hyperplane {
    let centre = codes.mean.as_slice().expect("the mean is contiguous");
    Hyperplane {
        w: fit.w.clone(),
        intercept: y.mean - threshold - dot(&fit.w, centre),
    }
}

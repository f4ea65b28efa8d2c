//! The boundary of the best direction that scored codes hold: ridge regression of scores, or logistic regression of their sides of the
//! threshold, or of two classes.

use std::sync::OnceLock;

use crate::latent::FitError;
use crate::latent::fitting::agreement::expected_cosine;
use crate::latent::fitting::area_under_curve::AreaDifference;
use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::moments::{HalvedScoreMoments, Moments, ReducedCodes, ScoreMoments};
use crate::latent::fitting::normal_scores::NormalScores;
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::ridge::{self, Ridge};
use crate::latent::fitting::ridge_target::RidgeTarget;
use crate::latent::fitting::scored_codes::{MIN_CLASS, ScoredCodes};
use crate::latent::fitting::separation::Separation;
use crate::latent::fitting::shared_codes::{Reduction, SharedCodes};
use crate::latent::fitting::unequal_noise::Influences;
use crate::latent::linear_algebra::dot_product::dot;
use crate::latent::sampling::shuffle::Shuffler;

/// The most values of a code: their matrix takes 128 MB.
pub(crate) const MAX_VALUES: usize = 4096;

/// Name of the method that takes scores as classes.
pub(crate) const LOGISTIC: &str = "logistic regression";

/// Name of the method that takes the sides of scores as classes.
const LOGISTIC_OF_SIDES: &str = "logistic regression of the sides of the threshold";

/// The most codes of each half on which two fits are compared. With so many, the standard error of the comparison is below 0.002.
const MAX_COMPARED: usize = 20_000;

/// The fewest of these codes on either side of the threshold. The standard error of a comparison by fewer is not known well.
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
    /// Ridge or logistic regression, whichever separates other codes better.
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
    /// Some codes of each half, on which fits are compared.
    compared: [Vec<usize>; 2],
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
        first.shrink_to_fit();
        let compared = |half: &Vec<usize>| half[..half.len().min(MAX_COMPARED)].to_vec();
        let compared = [compared(&first), compared(&second)];
        // In the order of memory, codes are read faster.
        first.sort_unstable();
        second.sort_unstable();
        let split = SplitCodes {
            scored,
            halves: [first, second],
            compared,
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

impl<'c> SplitCodes<'_, 'c> {
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
        let separation = self.separation(codes, &sides, &target, true);
        let has_both = self.halves.iter().all(|half| has_both(half, &sides, 1));
        let of_halves = if has_both {
            separation.of_halves(progress)?
        } else {
            None
        };
        let hyperplane = separation.of_all(of_halves.as_ref(), progress)?;
        Ok(self.separated(hyperplane, of_halves, LOGISTIC))
    }

    /// Fits the scores, or their ranks, and the sides of the threshold, and takes the fit that separates other codes better by their side.
    fn best(&self, progress: &mut Progress<'_>) -> Result<Fit, FitError> {
        let own = OnceLock::new();
        let codes = self.reduce(&own, progress)?;
        let sides = self.sides();
        let ranked = NormalScores::of(&self.scored.scores);
        let [raw, ranks, target] = self.targets(codes, [&self.scored.scores, &ranked.quantiles, &sides]);
        let candidates = [
            RidgeTarget {
                method: "ridge regression",
                threshold: self.scored.threshold,
                moments: raw,
                some: codes.influences.select(&self.scored.scores),
            },
            RidgeTarget {
                method: "ridge regression of ranks",
                threshold: ranked.at(self.scored.threshold),
                moments: ranks,
                some: codes.influences.select(&ranked.quantiles),
            },
        ];
        drop(ranked);
        let values = self.ridge(codes, candidates)?;
        if !self.compared.iter().all(|half| has_both(half, &sides, MIN_SIDE)) {
            return Ok(values);
        }
        let separation = self.separation(codes, &sides, &target, false);
        let of_halves = separation.of_halves(progress)?;
        let better = of_halves.filter(|planes| self.is_better(planes, &values.of_halves, &sides));
        if better.is_none() {
            return Ok(values);
        }
        match separation.of_all(better.as_ref(), progress) {
            Ok(hyperplane) => Ok(self.separated(hyperplane, better, LOGISTIC_OF_SIDES)),
            Err(FitError::NotConverged { .. }) => Ok(values),
            Err(error) => Err(error),
        }
    }

    fn separation<'a>(
        &'a self,
        codes: &'a Reduction,
        sides: &'a [f64],
        moments: &'a HalvedScoreMoments,
        balanced: bool,
    ) -> Separation<'c, 'a> {
        Separation {
            rows: self.scored.rows,
            values: self.scored.values,
            halves: &self.halves,
            codes,
            sides,
            moments,
            balanced,
        }
    }

    /// The fit of hyperplanes that separate all codes, and each half.
    fn separated(
        &self,
        hyperplane: Hyperplane,
        of_halves: Option<[Hyperplane; 2]>,
        method: &'static str,
    ) -> Fit {
        let planes = of_halves.as_ref();
        Fit {
            hyperplane,
            method,
            cosine: planes
                .and_then(|[first, second]| expected_cosine(first, second, self.scored.scores.len())),
            of_halves: of_halves.map_or([None, None], |planes| planes.map(Some)),
        }
    }

    /// The side of the threshold on which each score is: 1 or −1.
    fn sides(&self) -> Vec<f64> {
        let side = |index| if self.scored.is_positive(index) { 1.0 } else { -1.0 };
        (0..self.scored.scores.len()).map(side).collect()
    }

    /// The ridge regression of the candidate that a plane predicts best.
    fn ridge(&self, codes: &Reduction, candidates: [RidgeTarget; 2]) -> Result<Fit, FitError> {
        let fits = candidates.into_iter().filter_map(|target| {
            let all = &target.moments.all;
            let fit = ridge::cross_validated(&codes.all, &all.cross, all.total)?;
            Some((target, fit))
        });
        let best = fits.min_by(|one, other| one.1.expected_error.total_cmp(&other.1.expected_error));
        let (target, fit) = best.ok_or(FitError::DependentValues {
            dim: self.scored.rows.dim(),
        })?;
        let of_halves = target.of_halves(codes, |codes, moments| {
            // What a half of the codes needs may differ, if they are few.
            ridge::with_strength(codes, &moments.cross, moments.total, fit.strength / 2.0)
                .or_else(|| ridge::cross_validated(codes, &moments.cross, moments.total))
        });
        Ok(self.predicted(codes, &target, &fit, of_halves))
    }

    /// The fit of a hyperplane that predicts scores.
    fn predicted(
        &self,
        codes: &Reduction,
        target: &RidgeTarget,
        fit: &Ridge,
        of_halves: [Option<Hyperplane>; 2],
    ) -> Fit {
        let (rows, moments) = (self.scored.rows, &target.moments.all);
        let noise_factor = |w: &[f64]| {
            let b = moments.mean - dot(w, codes.all.centre());
            codes.influences.noise_factor(rows, &target.some, w, b)
        };
        Fit {
            hyperplane: target.hyperplane(&codes.all, moments, fit),
            method: target.method,
            cosine: ridge::expected_cosine(&codes.all, &moments.cross, moments.total, fit, noise_factor),
            of_halves,
        }
    }

    /// Whether hyperplanes of both halves separate the other half by its sides better than `others` do, by more than the standard error.
    fn is_better(&self, planes: &[Hyperplane; 2], others: &[Option<Hyperplane>; 2], sides: &[f64]) -> bool {
        let (mut difference, mut variance) = (0.0, 0.0);
        for ((plane, other), compared) in planes.iter().zip(others).zip(self.compared.iter().rev()) {
            let Some(other) = other else {
                return false;
            };
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
        let [moments] = self.targets(codes, [&scored.scores]);
        let target = RidgeTarget {
            method: "least squares",
            threshold: scored.threshold,
            moments,
            some: codes.influences.select(&scored.scores),
        };
        let fitted = |codes: &ReducedCodes, moments: &ScoreMoments| {
            ridge::with_strength(codes, &moments.cross, moments.total, 0.0)
        };
        let fit = fitted(&codes.all, &target.moments.all).ok_or(FitError::DependentValues { dim })?;
        let of_halves = target.of_halves(codes, fitted);
        Ok(self.predicted(codes, &target, &fit, of_halves))
    }

    /// The moments of N `values` of each code, which regressions predict.
    fn targets<const N: usize>(&self, codes: &Reduction, values: [&[f64]; N]) -> [HalvedScoreMoments; N] {
        let [first, second] = self
            .halves
            .each_ref()
            .map(|half| ScoreMoments::of(self.scored.rows, half, values));
        let [first_codes, second_codes] = &codes.of_halves;
        let mut second = second.into_iter();
        first.map(|first| {
            let second = second.next().expect("both halves have N moments");
            HalvedScoreMoments {
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
            influences: Influences::of(rows, &all),
            all,
            of_halves,
        };
        match shared.set(reduction) {
            Ok(()) => Ok(shared.get().expect("it was just set")),
            Err(reduction) => Ok(own.get_or_init(|| reduction)),
        }
    }
}

/// Whether each side has at least `least` of the codes.
fn has_both(codes: &[usize], sides: &[f64], least: usize) -> bool {
    let positive = codes.iter().filter(|&&index| sides[index] > 0.0).count();
    positive.min(codes.len() - positive) >= least
}

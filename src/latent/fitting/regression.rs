//! The boundary of the best direction that scored codes hold: ridge regression of scores, or logistic regression of their sides of the
//! threshold, or of two classes.

use std::sync::OnceLock;

use crate::latent::FitError;
use crate::latent::fitting::agreement::expected_cosine;
use crate::latent::fitting::held_out::Distances;
use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::logistic::Solution;
use crate::latent::fitting::moments::{HalvedScoreMoments, Moments, ReducedCodes, ScoreMoments};
use crate::latent::fitting::normal_scores::NormalScores;
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::ridge::{self, Ridge};
use crate::latent::fitting::ridge_target::RidgeTarget;
use crate::latent::fitting::scored_codes::{MIN_CLASS, ScoredCodes};
use crate::latent::fitting::separation::Separation;
use crate::latent::fitting::shared_codes::{Reduction, SharedCodes};
use crate::latent::fitting::side_comparison::{can_compare, has_both, separates_better};
use crate::latent::fitting::unequal_noise::Influences;
use crate::latent::linear_algebra::dot_product::dot;
use crate::latent::sampling::shuffle::Shuffler;

/// The most values of a code: their matrix takes 128 MB.
pub(crate) const MAX_VALUES: usize = 4096;

/// Name of the method that takes scores as classes.
pub(crate) const LOGISTIC: &str = "logistic regression";

/// Name of the method that takes the sides of scores as classes.
const LOGISTIC_OF_SIDES: &str = "logistic regression of the sides of the threshold";

/// A fitted hyperplane, and what is known of it.
pub(crate) struct RegressionResult {
    pub(crate) hyperplane: Hyperplane,
    /// Name of the method, in words.
    pub(crate) method: &'static str,
    /// The expected cosine between the normal and that of unlimited codes.
    pub(crate) cosine: Option<f64>,
    /// The distances of all codes from it.
    pub(crate) on_all: Distances,
    /// The distances of the codes of each half from the hyperplane of the other half.
    pub(crate) folds: Vec<Distances>,
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
    /// The value of the hyperplane at each code, if it is known.
    values: Option<Vec<f64>>,
    /// For the codes of each half, the values of the hyperplane of the other half, if they are known.
    values_of_others: Option<[Vec<f64>; 2]>,
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
        first.shrink_to_fit();
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
        let all: Vec<usize> = (0..scored.rows.len()).collect();
        let on_all = match fit.values {
            Some(values) => Distances::known(&fit.hyperplane, all, values),
            None => Distances::new(scored.rows, &fit.hyperplane, all),
        };
        let values = fit
            .values_of_others
            .map_or([None, None], |values| values.map(Some));
        let planes = fit.of_halves.into_iter().rev();
        let folds = planes
            .zip(split.halves)
            .zip(values)
            .filter_map(|((plane, half), values)| {
                let plane = plane?;
                Some(match values {
                    Some(values) => Distances::known(&plane, half, values),
                    None => Distances::new(scored.rows, &plane, half),
                })
            });
        Ok(RegressionResult {
            method: fit.method,
            cosine: fit.cosine,
            folds: folds.collect(),
            on_all,
            hyperplane: fit.hyperplane,
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
        let Some(halves) = of_halves else {
            let all = separation.of_all(None, progress)?;
            return Ok(self.separated(all, None, LOGISTIC));
        };
        let [values] = self.values_of_others(halves.each_ref().map(|half| [&half.hyperplane]));
        let all = separation.of_all(Some((&halves, &values)), progress)?;
        Ok(self.separated(all, Some((halves, values)), LOGISTIC))
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
        let mut predicted = self.ridge(codes, candidates)?;
        if !can_compare(&self.halves, &sides) {
            return Ok(predicted);
        }
        let separation = self.separation(codes, &sides, &target, false);
        let (Some(halves), [Some(first), Some(second)]) =
            (separation.of_halves(progress)?, &predicted.of_halves)
        else {
            return Ok(predicted);
        };
        let planes = [[&halves[0].hyperplane, first], [&halves[1].hyperplane, second]];
        let values = self.values_of_others(planes);
        let is_better = separates_better(&self.halves, &values, &sides);
        let [values, others] = values;
        predicted.values_of_others = Some(others);
        if !is_better {
            return Ok(predicted);
        }
        match separation.of_all(Some((&halves, &values)), progress) {
            Ok(all) => Ok(self.separated(all, Some((halves, values)), LOGISTIC_OF_SIDES)),
            Err(FitError::NotConverged { .. }) => Ok(predicted),
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

    /// The fit of hyperplanes that separate all codes, and each half, with their values at the codes of the other half.
    fn separated(
        &self,
        all: Solution,
        of_halves: Option<([Solution; 2], [Vec<f64>; 2])>,
        method: &'static str,
    ) -> Fit {
        let (planes, values_of_others) = of_halves.unzip();
        let planes = planes.map(|halves| halves.map(|half| half.hyperplane));
        let codes = self.scored.scores.len();
        let cosine = planes
            .as_ref()
            .map(|[first, second]| expected_cosine(first, second, codes));
        Fit {
            hyperplane: all.hyperplane,
            method,
            cosine: cosine.flatten(),
            of_halves: planes.map_or([None, None], |planes| planes.map(Some)),
            values: Some(all.values),
            values_of_others,
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
            values: None,
            values_of_others: None,
        }
    }

    /// The values of N hyperplanes of each half at the codes of the other half, for each of the N.
    fn values_of_others<const N: usize>(&self, planes: [[&Hyperplane; N]; 2]) -> [[Vec<f64>; 2]; N] {
        let values =
            |half: usize| Hyperplane::all_values(planes[1 - half], self.scored.rows, &self.halves[half]);
        let mut second = values(1).into_iter();
        values(0).map(|first| [first, second.next().expect("both halves have N hyperplanes")])
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

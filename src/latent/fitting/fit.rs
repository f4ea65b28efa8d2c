//! Fits a boundary to scored codes.

use std::ops::ControlFlow;

use ndarray::{Array2, ArrayView1, ArrayView3};

use crate::latent::codes::code::check_shape;
use crate::latent::fitting::agreement::{CODES_PER_VALUE, expected_cosine};
use crate::latent::fitting::held_out::{Distances, HeldOut};
use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::regression::{self, Regression};
use crate::latent::fitting::score_ends::ScoreEnds;
use crate::latent::fitting::scored_codes::{ScoredCodes, check_finite, valid_samples};
use crate::latent::fitting::span::Span;
use crate::latent::fitting::svm::decomposition;
use crate::latent::fitting::svm::problem::SvmProblem;
use crate::latent::linear_algebra::code_rows::CodeRows;
use crate::latent::{Accuracy, Boundary, FitError, LatentError, LatentSpace, Provenance};

pub use crate::latent::fitting::fit_method::FitMethod;
pub use crate::latent::fitting::score_ends::SampleSelection;
pub use crate::latent::fitting::shared_codes::SharedCodes;

/// The options of a fit.
///
/// The default method finds the best direction that the samples hold. [`paper`](Self::paper) is that of InterFaceGAN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundaryFit {
    /// Method of the fit.
    pub method: FitMethod,
    /// Samples at each end of the scores: the support vector machine is fitted to a part of them, and each method is tested on others.
    pub selection: SampleSelection,
    /// Share of the selected samples for training, above 0 and at most 1; the others are held out.
    pub split: f64,
    /// Seed of the shuffle before the split.
    pub seed: u32,
    /// C of the support vector machine, above 0.
    pub cost: f64,
    /// Score that marks samples to leave out.
    pub invalid_score: Option<f64>,
    /// Score above which a sample has the attribute; the default is the median of more than two different scores, otherwise,
    /// and for [`FitMethod::Svm`], the mean of the lowest and the highest.
    pub threshold: Option<f64>,
}

/// Codes to fit boundaries to: [samples, layers, dim].
#[derive(Clone, Copy, Debug)]
pub struct CodesToFit<'a> {
    codes: ArrayView3<'a, f32>,
    shared: Option<&'a SharedCodes>,
}

impl<'a> CodesToFit<'a> {
    /// Codes that several scores are fitted to. Each fit of these codes gets the same `shared`, so that what does not depend on the
    /// scores is computed once.
    #[must_use]
    pub fn shared(codes: ArrayView3<'a, f32>, shared: &'a SharedCodes) -> Self {
        Self {
            codes,
            shared: Some(shared),
        }
    }
}

impl<'a> From<ArrayView3<'a, f32>> for CodesToFit<'a> {
    fn from(codes: ArrayView3<'a, f32>) -> Self {
        Self { codes, shared: None }
    }
}

impl Default for BoundaryFit {
    fn default() -> Self {
        Self {
            method: FitMethod::Regression,
            selection: SampleSelection::Ratio(0.02),
            split: 0.7,
            seed: 0,
            cost: 1.0,
            invalid_score: None,
            threshold: None,
        }
    }
}

impl BoundaryFit {
    /// The options of the reference: a support vector machine with C = 1 on the 2 % of samples with the highest scores and the
    /// 2 % with the lowest, of which 30 % are held out. Source: Shen et al., *Interpreting the Latent Space of GANs for Semantic
    /// Face Editing* (CVPR 2020), section 3, and `train_boundary` of its code.
    #[must_use]
    pub fn paper() -> Self {
        Self {
            method: FitMethod::Svm,
            ..Self::default()
        }
    }

    /// Fits the boundary of `attribute` to `codes` [samples, layers, dim] with one score each. In z and w there is one
    /// layer; in w+ the values of all layers count as one code.
    ///
    /// The provenance is `known`, with the number of samples, the number selected and the accuracies filled in. The right
    /// side of a selected sample is its end of the scores; that of any sample is the side of its score beside the
    /// threshold. Regressions are fitted to all samples; what is said of held-out samples is measured with a fit to each half, on the
    /// other half. `report` gets the share that is done, from 0 to 1, and
    /// decides whether to continue.
    ///
    /// [`memory`](Self::memory) says how much memory a fit takes. Codes in another memory order than row-major are copied. The
    /// same input gives the same bits on one kind of processor.
    ///
    /// # Errors
    ///
    /// - [`FitError::OptionOutOfRange`].
    /// - For input that is not a set of scored codes: [`FitError::ScoreCount`], [`FitError::ScoreNotFinite`],
    ///   [`LatentError::Empty`], [`LatentError::RowCount`] or [`LatentError::NotFinite`], with the sample as its row, and a
    ///   column that counts over all layers.
    /// - For codes that cannot be separated: [`FitError::ConstantScores`], [`FitError::OneClass`],
    ///   [`FitError::TooFewSamples`], [`FitError::TooManyValues`], [`FitError::DependentValues`],
    ///   [`FitError::NotConverged`], and the errors of [`Boundary::new`].
    /// - [`FitError::Cancelled`].
    pub fn fit<'a>(
        &self,
        attribute: impl Into<String>,
        space: LatentSpace,
        codes: impl Into<CodesToFit<'a>>,
        scores: ArrayView1<'_, f64>,
        known: Provenance,
        mut report: impl FnMut(f64) -> ControlFlow<()>,
    ) -> Result<Boundary, LatentError> {
        self.check()?;
        let CodesToFit { codes, shared } = codes.into();
        let own = SharedCodes::default();
        let shared = shared.unwrap_or(&own);
        let (samples, layers, dim) = codes.dim();
        check_shape(space, (layers, dim))?;
        if scores.len() != samples {
            return Err(FitError::ScoreCount {
                scores: scores.len(),
                codes: samples,
            }
            .into());
        }
        let valid = valid_samples(scores, self.invalid_score)?;
        let codes = codes.as_standard_layout();
        let flat = codes.view().into_shape_with_order((samples, layers * dim));
        let rows = CodeRows {
            codes: flat.expect("the codes are in row-major order"),
            selected: &valid,
        };
        if !shared.holds(&valid) {
            check_finite(rows)?;
        }
        let mut labelled = ScoredCodes::new(rows, scores, self.threshold)?;
        if self.threshold.is_none() && self.method != FitMethod::Svm {
            labelled.split_at_median();
        }
        let progress = &mut Progress::new(&mut report);
        progress.reach(0.0)?;
        let fitted = match self.method {
            FitMethod::Regression if rows.dim() <= regression::MAX_VALUES => {
                self.regress(Regression::Best, &labelled, shared, progress)?
            }
            FitMethod::Regression if rows.len() <= regression::MAX_VALUES => {
                self.regress_in_span(&labelled, progress)?
            }
            FitMethod::LeastSquares => self.regress(Regression::LeastSquares, &labelled, shared, progress)?,
            FitMethod::Regression | FitMethod::Svm => self.fit_svm(&labelled, progress)?,
        };
        progress.reach(1.0)?;
        let Fitted {
            hyperplane, on_all, ..
        } = fitted;
        let score_per_unit = fitted
            .accuracy
            .score_per_unit
            .or_else(|| on_all.score_per_unit(&labelled));
        // On several layers, a distance is in units of √layers times the length of w: `Boundary`.
        #[expect(clippy::cast_precision_loss, reason = "a generator has few layers")]
        let unit = (layers as f64).sqrt();
        let provenance = Provenance {
            samples: Some(samples as u64),
            chosen: fitted.chosen,
            classes: labelled.classes(),
            method: Some(fitted.method.to_owned()),
            accuracy: Accuracy {
                all: on_all.accuracy_by_score(&labelled),
                score_per_unit: score_per_unit.map(|slope| slope * unit),
                ..fitted.accuracy
            },
            ..known
        };
        let normal =
            Array2::from_shape_vec((layers, dim), hyperplane.w).expect("there is one weight per value");
        Boundary::new(attribute, space, normal, hyperplane.intercept, provenance)
    }

    /// The memory of a fit for each sample, in bytes: its score, its place in lists, and the margins of the steps of a logistic regression.
    pub const MEMORY_PER_SAMPLE: usize = 100;

    /// The memory of a fit to `samples` codes of `values` values besides [`MEMORY_PER_SAMPLE`](Self::MEMORY_PER_SAMPLE), in bytes: 5 MB,
    /// and six matrices of all pairs of values if the method solves for all pairs. Where a code has too many values, two more of all
    /// pairs of samples.
    #[must_use]
    pub fn memory(&self, values: usize, samples: usize) -> usize {
        let most_values = match self.method {
            FitMethod::Svm => decomposition::MAX_NEWTON_VALUES,
            // The matrices of all codes and of each half, each reduced.
            FitMethod::Regression | FitMethod::LeastSquares => regression::MAX_VALUES,
        };
        let pairs = if values <= most_values {
            6 * values * values
        } else if self.method == FitMethod::Regression && samples <= regression::MAX_VALUES {
            8 * samples * samples
        } else {
            0
        };
        5_000_000 + pairs * size_of::<f64>()
    }

    /// Checks that all options are in range.
    ///
    /// # Errors
    ///
    /// [`FitError::OptionOutOfRange`].
    pub fn check(&self) -> Result<(), LatentError> {
        let refuse = |option, found, expected| {
            Err(FitError::OptionOutOfRange {
                option,
                found,
                expected,
            }
            .into())
        };
        if !(self.split > 0.0 && self.split <= 1.0) {
            return refuse(
                "split",
                self.split,
                "a share above 0 and at most 1: 0.7 is common",
            );
        }
        if !(self.cost > 0.0 && self.cost.is_finite()) {
            return refuse("cost", self.cost, "a finite number above 0: 1 is common");
        }
        if let SampleSelection::Ratio(ratio) = self.selection
            && !(ratio > 0.0 && ratio <= 1.0)
        {
            return refuse(
                "ratio",
                ratio,
                "a share above 0 and at most 1, or a count instead: 0.02 is common",
            );
        }
        match self.threshold {
            Some(threshold) if !threshold.is_finite() => refuse(
                "threshold",
                threshold,
                "a finite score: 0 is common for logits, 0.5 for probabilities",
            ),
            _ => Ok(()),
        }
    }

    /// Fits a regression to all samples.
    fn regress(
        &self,
        regression: Regression,
        scored: &ScoredCodes<'_>,
        shared: &SharedCodes,
        progress: &mut Progress<'_>,
    ) -> Result<Fitted, FitError> {
        let result = regression.fit(scored, self.seed, shared, progress)?;
        // Samples of two classes, or few of them, have no ends.
        let ends = ScoreEnds::select(&scored.scores, self.selection, 1.0, self.seed).ok();
        let held_out = HeldOut::measure(scored, &result.folds, ends.as_ref());
        Ok(Fitted {
            hyperplane: result.hyperplane,
            on_all: result.on_all,
            method: result.method,
            chosen: None,
            accuracy: Accuracy {
                held_out: held_out.ends,
                held_out_all: held_out.all,
                correlation: held_out.correlation,
                cosine: result.cosine,
                score_per_unit: held_out.score_per_unit,
                ..Accuracy::default()
            },
        })
    }

    /// Fits the regression to all samples, which are fewer than the values of a code, in the space that they span.
    fn regress_in_span(
        &self,
        scored: &ScoredCodes<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<Fitted, FitError> {
        let dim = scored.values;
        let span = Span::of(scored.rows).ok_or(FitError::DependentValues { dim })?;
        progress.reach(0.0)?;
        let spanned = ScoredCodes {
            rows: span.coordinates(),
            scores: scored.scores.clone(),
            threshold: scored.threshold,
            values: scored.values,
        };
        let fitted = self.regress(Regression::Best, &spanned, &SharedCodes::default(), progress)?;
        Ok(Fitted {
            hyperplane: span.lift(&fitted.hyperplane),
            ..fitted
        })
    }

    /// Fits a support vector machine to both ends of the scores.
    fn fit_svm(&self, scored: &ScoredCodes<'_>, progress: &mut Progress<'_>) -> Result<Fitted, FitError> {
        let ends = ScoreEnds::select(&scored.scores, self.selection, self.split, self.seed)?;
        let training: Vec<_> = ends.training().collect();
        let hyperplane = self.separate(scored, &training, progress)?;
        // Two fits, each to every other sample: the order of the samples at each end is random.
        let half = |first: usize| {
            training
                .iter()
                .skip(first)
                .step_by(2)
                .copied()
                .collect::<Vec<_>>()
        };
        let cosine = if training.len() >= CODES_PER_VALUE * scored.rows.dim() {
            let halves = [half(0), half(1)].map(|half| self.separate(scored, &half, progress));
            match halves {
                [Ok(first), Ok(second)] => expected_cosine(&first, &second, training.len()),
                [Err(FitError::Cancelled), _] | [_, Err(FitError::Cancelled)] => {
                    return Err(FitError::Cancelled);
                }
                _ => None,
            }
        } else {
            None
        };
        let mut is_held_out = vec![true; scored.scores.len()];
        for (index, _) in ends.training() {
            is_held_out[index] = false;
        }
        let others = (0..is_held_out.len())
            .filter(|&index| is_held_out[index])
            .collect();
        let fold = Distances::new(scored.rows, &hyperplane, others);
        let held_out = HeldOut::measure(scored, &[fold], None);
        let all = (0..scored.scores.len()).collect();
        Ok(Fitted {
            on_all: Distances::new(scored.rows, &hyperplane, all),
            method: "svm",
            chosen: Some(ends.chosen() as u64),
            accuracy: Accuracy {
                train: scored.accuracy_on(&hyperplane, ends.training()),
                held_out: scored.accuracy_on(&hyperplane, ends.held_out()),
                held_out_all: held_out.all,
                correlation: held_out.correlation,
                cosine,
                ..Accuracy::default()
            },
            hyperplane,
        })
    }

    /// Fits a support vector machine to some samples, each with whether it is on the positive side.
    fn separate(
        &self,
        scored: &ScoredCodes<'_>,
        samples: &[(usize, bool)],
        progress: &mut Progress<'_>,
    ) -> Result<Hyperplane, FitError> {
        let rows = samples.iter().map(|&(index, _)| scored.rows.selected[index]);
        let side = |&(_, positive): &(usize, bool)| if positive { 1.0 } else { -1.0 };
        let problem = SvmProblem {
            rows: CodeRows {
                codes: scored.rows.codes,
                selected: &rows.collect::<Vec<_>>(),
            },
            sides: &samples.iter().map(side).collect::<Vec<_>>(),
            cost: self.cost,
        };
        decomposition::solve(&problem, progress)
    }
}

/// A fitted hyperplane, and what is known of it.
struct Fitted {
    hyperplane: Hyperplane,
    /// The distances of all codes from it.
    on_all: Distances,
    method: &'static str,
    /// Number of samples at each end of the scores, if the fit selects any.
    chosen: Option<u64>,
    accuracy: Accuracy,
}

//! From scored codes to a boundary.

use std::ops::ControlFlow;

use ndarray::{Array2, ArrayView1, ArrayView3};

use crate::latent::code::check_shape;
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::regression::least_squares;
use crate::latent::fitting::svm::svm::{Hyperplane, LinearSvm};
use crate::latent::linear_algebra::normal_equations::Rows;
use crate::latent::linear_algebra::product::{extremes, project, ratio};
use crate::latent::sampling::Shuffler;
use crate::latent::{Accuracy, Boundary, LatentError, LatentSpace, Provenance};

/// Samples of a class that training needs.
const LEAST: usize = 2;

/// How to find a boundary by scored codes.
///
/// The default is the reference's: a support vector machine with C = 1 on the top and bottom 2 %, 30 % of these held
/// out. Source: Shen et al., *Interpreting the Latent Space of GANs for Semantic Face Editing* (CVPR 2020),
/// section 3, and `train_boundary` of its code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Separation {
    /// What finds the plane.
    pub method: FitMethod,
    /// How many samples at each end of the scores the support vector machine is shown.
    pub chosen: SampleSelection,
    /// The share of those that it is trained on; the others are held out. Above 0, at most 1.
    pub split: f64,
    /// The seed that shuffles them before.
    pub seed: u32,
    /// C of the support vector machine, above 0.
    pub cost: f64,
    /// The score that marks samples to leave out.
    pub invalid_score: Option<f64>,
    /// The score above which a sample has the attribute; without one, halfway between the extreme scores.
    pub threshold: Option<f64>,
}

/// What finds a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitMethod {
    /// A linear support vector machine on the samples at both ends of the scores.
    Svm,
    /// Least squares of the scores on all samples: the plane where the predicted score is at the threshold.
    ///
    /// It uses what the scores between the ends say too, and takes more codes than a code has values.
    LeastSquares,
}

impl std::fmt::Display for FitMethod {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Svm => "svm",
            Self::LeastSquares => "least-squares",
        })
    }
}

/// How many samples to choose at each end of the scores; at most half of all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SampleSelection {
    /// So many.
    Count(usize),
    /// This share of all that have a score, above 0 and at most 1, rounded down.
    Ratio(f64),
}

impl Default for Separation {
    fn default() -> Self {
        Self {
            method: FitMethod::Svm,
            chosen: SampleSelection::Ratio(0.02),
            split: 0.7,
            seed: 0,
            cost: 1.0,
            invalid_score: None,
            threshold: None,
        }
    }
}

/// Codes with a score each, all finite, and the scores not all one.
struct Labelled<'a> {
    codes: Rows<'a>,
    /// One for each of the chosen rows.
    scores: Vec<f64>,
    /// Above it lies the positive side.
    threshold: f64,
}

/// The samples at the ends of the scores, as places in [`Labelled`], shuffled.
struct Ends {
    high: Vec<usize>,
    low: Vec<usize>,
    /// How many of each are trained on.
    train: usize,
}

impl Separation {
    /// The boundary of `attribute` that `codes` [samples, layers, dim] with one score each have; layers is 1 in z and w,
    /// and in w+ all layers' values count as one code's.
    ///
    /// Samples are sorted by score, the ends shuffled and split as
    /// `RandomState(seed).permutation` does, the upper end first. The provenance is `known`, with samples, chosen
    /// and accuracies filled in: those trained on and held out are judged by their end, all of them by the
    /// threshold. Least squares chooses and holds out none. `watch` is told the share that is done, from 0 to 1, and
    /// says whether to go on.
    ///
    /// The support vector machine works in memory that grows by some 50 bytes a sample, besides 5 MB and, where the
    /// ends overlap, 8 bytes for each pair of a code's values; codes that do not lie in row-major order are copied.
    /// The same input gives the same bits on one kind of processor.
    ///
    /// # Errors
    ///
    /// [`LatentError::Separation`] for an option out of range; [`LatentError::ScoreCount`], [`LatentError::Empty`],
    /// [`LatentError::Rows`], [`LatentError::Score`] or [`LatentError::NotFinite`] (its row the sample, its column counted
    /// over all layers) for input that is no scored codes; [`LatentError::ConstantScores`],
    /// [`LatentError::OneClass`], [`LatentError::TooFewSamples`], [`LatentError::TooWide`] or
    /// [`LatentError::Flat`] for codes that cannot be separated so; [`LatentError::Unsettled`];
    /// [`LatentError::Cancelled`]; and those of [`Boundary::new`].
    pub fn separate(
        &self,
        attribute: impl Into<String>,
        space: LatentSpace,
        codes: ArrayView3<'_, f32>,
        scores: ArrayView1<'_, f64>,
        known: Provenance,
        mut watch: impl FnMut(f64) -> ControlFlow<()>,
    ) -> Result<Boundary, LatentError> {
        self.check()?;
        let (samples, layers, dim) = codes.dim();
        check_shape(space, (layers, dim))?;
        if scores.len() != samples {
            return Err(LatentError::ScoreCount {
                scores: scores.len(),
                codes: samples,
            });
        }
        let places = self.valid(scores)?;
        let codes = codes.as_standard_layout();
        let flat = codes.view().into_shape_with_order((samples, layers * dim));
        let rows = Rows {
            codes: flat.expect("standard layout has one order"),
            chosen: &places,
        };
        let labelled = Labelled::new(rows, scores, self.threshold)?;
        let watch = &mut Progress::new(&mut watch);
        watch.reach(0.0)?;
        let (plane, chosen, mut accuracy) = match self.method {
            FitMethod::Svm => self.by_machine(&labelled, watch)?,
            FitMethod::LeastSquares => {
                let plane = least_squares(labelled.codes, &labelled.scores, labelled.threshold, watch)?;
                (plane, None, Accuracy::default())
            }
        };
        let all = 0..labelled.scores.len();
        accuracy.all = labelled.right(
            &plane,
            all.map(|place| (place, labelled.scores[place] > labelled.threshold)),
        );
        watch.reach(1.0)?;
        let normal = Array2::from_shape_vec((layers, dim), plane.w).expect("one weight a value");
        let provenance = Provenance {
            samples: Some(samples as u64),
            chosen,
            accuracy,
            ..known
        };
        Boundary::new(attribute, space, normal, plane.intercept, provenance)
    }

    /// Refuses options out of range.
    ///
    /// # Errors
    ///
    /// [`LatentError::Separation`].
    pub fn check(&self) -> Result<(), LatentError> {
        let refuse = |option, found, expected| {
            Err(LatentError::Separation {
                option,
                found,
                expected,
            })
        };
        if !(self.split > 0.0 && self.split <= 1.0) {
            return refuse("split", self.split, "a share above 0 and at most 1: 0.7 is usual");
        }
        if !(self.cost > 0.0 && self.cost.is_finite()) {
            return refuse("cost", self.cost, "a finite number above 0: 1 is usual");
        }
        if let SampleSelection::Ratio(ratio) = self.chosen
            && !(ratio > 0.0 && ratio <= 1.0)
        {
            return refuse(
                "ratio",
                ratio,
                "a share above 0 and at most 1, or a count: 0.02 is usual",
            );
        }
        match self.threshold {
            Some(threshold) if !threshold.is_finite() => refuse(
                "threshold",
                threshold,
                "a finite score: 0 is usual for logits, 0.5 for probabilities",
            ),
            _ => Ok(()),
        }
    }

    /// The samples that have a score.
    fn valid(&self, scores: ArrayView1<'_, f64>) -> Result<Vec<usize>, LatentError> {
        // Networks score in single precision, and so are scores kept.
        #[expect(clippy::cast_possible_truncation, reason = "that is the point")]
        let single = |score: f64| score as f32;
        #[expect(clippy::float_cmp, reason = "the mark is one number, not one near it")]
        let invalid = |score: f64| match self.invalid_score {
            Some(invalid) => single(score) == single(invalid) || (score.is_nan() && invalid.is_nan()),
            None => false,
        };
        let mut valid = Vec::with_capacity(scores.len());
        for (sample, &found) in scores.iter().enumerate().filter(|&(_, &score)| !invalid(score)) {
            if !found.is_finite() {
                return Err(LatentError::Score { sample, found });
            }
            valid.push(sample);
        }
        Ok(valid)
    }

    /// The plane between the ends, how many samples each end has, and how well it separates them.
    fn by_machine(
        &self,
        labelled: &Labelled<'_>,
        watch: &mut Progress<'_>,
    ) -> Result<(Hyperplane, Option<u64>, Accuracy), LatentError> {
        let ends = self.ends(&labelled.scores)?;
        let Ends { high, low, train } = &ends;
        let trained: Vec<_> = [&high[..*train], &low[..*train]].concat();
        let chosen: Vec<_> = trained
            .iter()
            .map(|&place| labelled.codes.chosen[place])
            .collect();
        let sides: Vec<_> = (0..2 * train)
            .map(|place| if place < *train { 1.0 } else { -1.0 })
            .collect();
        let rows = Rows {
            codes: labelled.codes.codes,
            chosen: &chosen,
        };
        let plane = LinearSvm {
            rows,
            sides: &sides,
            cost: self.cost,
        }
        .solve(watch)?;
        let accuracy = Accuracy {
            train: labelled.right(&plane, ends.among(0..*train)),
            held_out: labelled.right(&plane, ends.among(*train..high.len())),
            all: None,
        };
        Ok((plane, Some(high.len() as u64), accuracy))
    }

    fn ends(&self, scores: &[f64]) -> Result<Ends, LatentError> {
        let count = scores.len();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&one, &other| {
            scores[other]
                .partial_cmp(&scores[one])
                .expect("scores are finite")
        });
        let chosen = match self.chosen {
            SampleSelection::Count(count) => count,
            SampleSelection::Ratio(ratio) => share(count, ratio),
        };
        let chosen = chosen.min(count / 2);
        let train = share(chosen, self.split);
        if train < LEAST {
            return Err(LatentError::TooFewSamples {
                found: train,
                least: LEAST,
                of: "to train on at each end of the scores",
                advice: "score more samples, or choose more of them",
            });
        }
        let (mut high, mut low) = (order[..chosen].to_vec(), order[count - chosen..].to_vec());
        let score = |ends: &[usize], place: usize| scores[ends[place]];
        for place in [0, chosen - 1] {
            if score(&high, place) <= score(&low, place) {
                return Err(LatentError::OneClass {
                    chosen,
                    score: score(&high, place),
                });
            }
        }
        let mut shuffler = Shuffler::new(self.seed);
        shuffler.shuffle(&mut high);
        shuffler.shuffle(&mut low);
        Ok(Ends { high, low, train })
    }
}

impl Ends {
    /// Of both ends the samples at `places`, each with whether it is from the upper end.
    fn among(&self, places: std::ops::Range<usize>) -> impl Iterator<Item = (usize, bool)> {
        let end = |samples: &[usize], upper| {
            samples[places.clone()]
                .iter()
                .map(move |&sample| (sample, upper))
                .collect()
        };
        let (high, low): (Vec<_>, Vec<_>) = (end(&self.high, true), end(&self.low, false));
        high.into_iter().chain(low)
    }
}

impl<'a> Labelled<'a> {
    /// Refuses codes that are not finite and scores that do not differ.
    fn new(
        codes: Rows<'a>,
        scores: ArrayView1<'_, f64>,
        threshold: Option<f64>,
    ) -> Result<Self, LatentError> {
        for (index, &row) in codes.chosen.iter().enumerate() {
            let values = codes.row(index);
            // Without a way out at each value, eight are looked at together.
            if values
                .iter()
                .fold(true, |finite, value| finite & value.is_finite())
            {
                continue;
            }
            let mut values = values.iter().enumerate();
            if let Some((column, &value)) = values.find(|(_, value)| !value.is_finite()) {
                return Err(LatentError::NotFinite {
                    row,
                    column,
                    value: value.into(),
                });
            }
        }
        let scores: Vec<_> = codes.chosen.iter().map(|&place| scores[place]).collect();
        if scores.len() < 2 * LEAST {
            return Err(LatentError::TooFewSamples {
                found: scores.len(),
                least: 2 * LEAST,
                of: "with a score",
                advice: "score more samples",
            });
        }
        let (lowest, highest) = extremes(&scores);
        if lowest >= highest {
            return Err(LatentError::ConstantScores {
                samples: scores.len(),
                score: lowest,
            });
        }
        let threshold = threshold.unwrap_or(f64::midpoint(lowest, highest));
        Ok(Self {
            codes,
            scores,
            threshold,
        })
    }

    /// The share of samples that lie on their side of the plane; `None` of none.
    fn right(&self, plane: &Hyperplane, samples: impl IntoIterator<Item = (usize, bool)>) -> Option<f64> {
        let (mut right, mut count) = (0, 0);
        for (place, positive) in samples {
            let distance = project(&plane.w, self.codes.row(place)) + plane.intercept;
            right += usize::from((distance > 0.0) == positive);
            count += 1;
        }
        (count > 0).then(|| ratio(right, count))
    }
}

/// The `ratio` of `count`, rounded down.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count of samples"
)]
fn share(count: usize, ratio: f64) -> usize {
    (count as f64 * ratio) as usize
}

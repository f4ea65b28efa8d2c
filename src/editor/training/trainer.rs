//! The trainer: collects scored codes, and fits the boundary of each attribute to them.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::SystemTime;

use ndarray::{Array1, ArrayView3, Axis};
use tokio_util::sync::CancellationToken;

use crate::catalog::ScoredSamples;
use crate::editor::blocking::run_blocking;
use crate::editor::timestamp::rfc3339;
use crate::editor::training::comparison::{Comparison, HELD_OUT};
use crate::editor::training::labelled_codes::LabelledCodes;
use crate::editor::training::request::{KeepRule, SampleCount, TrainRequest, TrainSource};
use crate::editor::training::sample_scores::{SampleScores, ScoreSampler};
use crate::editor::training::settling::{self, Exactness};
use crate::editor::{EditorError, Model};
use crate::latent::{
    Boundary, BoundaryFit, CodesToFit, LatentError, LatentSpace, Provenance, SharedCodes,
    check_attribute_name, valid_samples,
};

/// Trains the boundaries of one request.
pub(crate) struct Trainer {
    model: Arc<Model>,
    request: TrainRequest,
}

/// Codes, the scores to fit boundaries to, and what the fits of several attributes share.
pub(crate) struct TrainingCodes {
    source: ScoredSource,
    /// Why the sampling ended at this number of codes, if the request left the number open.
    sampling: Option<String>,
    /// How many of them are fitted to; the others are held out.
    fitted: usize,
    shared: SharedCodes,
}

/// Where codes and scores come from.
enum ScoredSource {
    /// Scored by the model: one column of scores for each output.
    Sampled(SampleScores),
    /// Scored by the caller: the scores of one attribute.
    Labelled(LabelledCodes),
}

impl ScoredSource {
    fn samples(&self) -> usize {
        match self {
            Self::Sampled(samples) => samples.codes.len_of(Axis(0)),
            Self::Labelled(labelled) => labelled.scores.len(),
        }
    }
}

impl TrainingCodes {
    fn new(source: ScoredSource, keep: KeepRule) -> Self {
        let samples = source.samples();
        Self {
            fitted: match keep {
                KeepRule::New => samples,
                KeepRule::Better => samples - samples / HELD_OUT,
            },
            source,
            sampling: None,
            shared: SharedCodes::default(),
        }
    }

    /// The codes to fit to.
    fn codes(&self) -> ArrayView3<'_, f32> {
        self.all_codes().split_at(Axis(0), self.fitted).0
    }

    fn all_codes(&self) -> ArrayView3<'_, f32> {
        match &self.source {
            ScoredSource::Sampled(samples) => samples.codes.view(),
            ScoredSource::Labelled(labelled) => labelled.codes.view(),
        }
    }

    /// The scores of all codes in a column; the caller's own scores for `None`.
    fn scores(&self, column: Option<usize>) -> Array1<f64> {
        match &self.source {
            ScoredSource::Sampled(samples) => {
                let column = column.expect("the model's scores have a column for each attribute");
                samples.scores.column(column).mapv(f64::from)
            }
            ScoredSource::Labelled(labelled) => Array1::from(labelled.scores.clone()),
        }
    }
}

impl Trainer {
    /// A trainer for a request that fits the model.
    ///
    /// # Errors
    /// [`EditorError`] if a name is no attribute's, the codes or the space do not fit the model, an option is out of range, or no
    /// classifier scores an attribute.
    pub(crate) fn new(model: Arc<Model>, request: TrainRequest) -> Result<Self, EditorError> {
        let dims = model.code_shape(request.space)?;
        request.fit.check()?;
        for name in request.attributes.iter().chain(&request.names) {
            check_attribute_name(name)?;
        }
        match &request.source {
            TrainSource::Sampled { .. } | TrainSource::Kept(_) => {
                model.classifiers().require_any()?;
                if request.space == LatentSpace::WPlus {
                    return Err(EditorError::SampledWPlus);
                }
                for attribute in &request.attributes {
                    model.classifiers().column(attribute)?;
                }
            }
            TrainSource::Labelled(labelled) => {
                let (_, rows, dim) = labelled.codes.dim();
                if (rows, dim) != dims {
                    return Err(EditorError::CodeShape {
                        model: model.name().to_owned(),
                        space: request.space,
                        found: (rows, dim),
                        expected: dims,
                    });
                }
            }
        }
        Ok(Self { model, request })
    }

    /// The model that the job began with.
    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    /// The request.
    pub(crate) fn request(&self) -> &TrainRequest {
        &self.request
    }

    /// Takes the caller's codes, or samples and scores codes in the background. `on_scored` gets the number of codes
    /// scored so far.
    ///
    /// # Errors
    /// [`EditorError`] if a network fails.
    pub(crate) async fn codes(&self, on_scored: impl FnMut(usize)) -> Result<TrainingCodes, EditorError> {
        let source = match &self.request.source {
            TrainSource::Labelled(labelled) if self.request.keep == KeepRule::Better => {
                ScoredSource::Labelled(labelled.held_out_last(HELD_OUT))
            }
            TrainSource::Labelled(labelled) => ScoredSource::Labelled(labelled.clone()),
            TrainSource::Kept(kept) => ScoredSource::Sampled(SampleScores {
                codes: kept.scored().codes.clone(),
                scores: kept.scored().scores.clone(),
            }),
            TrainSource::Sampled { samples, seed } => match *samples {
                SampleCount::Fixed(samples) => {
                    let space = self.request.space;
                    let scored = SampleScores::sample(&self.model, space, samples, *seed, on_scored);
                    ScoredSource::Sampled(scored.await?)
                }
                SampleCount::Auto { most } => return self.settled_codes(most, *seed, on_scored).await,
            },
        };
        Ok(TrainingCodes::new(source, self.request.keep))
    }

    /// Samples and scores codes until the directions of all attributes have settled.
    async fn settled_codes(
        &self,
        most: usize,
        seed: u32,
        mut on_scored: impl FnMut(usize),
    ) -> Result<TrainingCodes, EditorError> {
        let (rows, dim) = self.model.code_shape(self.request.space)?;
        let mut source = ScoreSampler::new(&self.model, self.request.space, most, seed)?;
        let mut samples = settling::first_samples(rows * dim, self.request.keep).min(most);
        loop {
            source.extend_to(samples, &mut on_scored).await?;
            let codes = Arc::new(TrainingCodes::new(
                ScoredSource::Sampled(source.scored()),
                self.request.keep,
            ));
            let exactness = self.exactness(&codes).await?;
            if exactness.has_settled() || samples >= most {
                let mut codes = Arc::into_inner(codes).expect("the fits have ended");
                codes.sampling = Some(exactness.reason(samples));
                return Ok(codes);
            }
            samples = exactness.next_samples(samples).min(most);
        }
    }

    /// How exact the least exact direction is. One that cannot be fitted yet is unknown.
    async fn exactness(&self, codes: &Arc<TrainingCodes>) -> Result<Exactness, EditorError> {
        let mut least = Exactness::PERFECT;
        // A cancelled job drops this future, and its fits end.
        let stopped = CancellationToken::new();
        let _stop = stopped.clone().drop_guard();
        for (index, attribute) in self.request.attributes.iter().enumerate() {
            let stopped = stopped.clone();
            let go_on = move |_| {
                if stopped.is_cancelled() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let fitted = self.fit(index, codes, go_on).await;
            let cosine = match fitted {
                Ok(boundary) => boundary.provenance().accuracy.cosine,
                Err(EditorError::Latent(_)) => None,
                Err(other) => return Err(other),
            };
            least = least.or_less(attribute, cosine);
        }
        Ok(least)
    }

    /// The codes with all scores, if they were sampled for this training.
    pub(crate) fn sampled(&self, codes: &TrainingCodes) -> Option<ScoredSamples> {
        let (&TrainSource::Sampled { seed, .. }, ScoredSource::Sampled(samples)) =
            (&self.request.source, &codes.source)
        else {
            return None;
        };
        let outputs = self.model.outputs();
        Some(ScoredSamples {
            codes: samples.codes.clone(),
            scores: samples.scores.clone(),
            attributes: outputs.iter().map(|output| output.attribute.clone()).collect(),
            thresholds: outputs.iter().map(|output| output.threshold).collect(),
            space: self.request.space,
            seed,
        })
    }

    /// Compares a new boundary of the attribute `index` with the `current` one, by the codes that were held out.
    ///
    /// # Errors
    /// [`EditorError`] if no classifier scores the attribute, or a score is not finite.
    pub(crate) async fn compare(
        &self,
        index: usize,
        codes: &Arc<TrainingCodes>,
        new: &Arc<Boundary>,
        current: Option<Arc<Boundary>>,
    ) -> Result<Comparison, EditorError> {
        let column = self.column(index)?;
        let has_seen = current.as_ref().is_some_and(|current| {
            let known = current.provenance();
            let same_seed = self.seed().is_some_and(|seed| known.seed == Some(seed.into()));
            let same_model = known.model.as_deref() == Some(self.model.generator_digest());
            same_seed && same_model && known.samples.is_some_and(|samples| samples > codes.fitted as u64)
        });
        let (codes, new) = (Arc::clone(codes), Arc::clone(new));
        let (invalid_score, threshold) = (self.request.fit.invalid_score, self.threshold(column));
        let compare = move || {
            let scores = codes.scores(column);
            let (_, held_out) = codes.all_codes().split_at(Axis(0), codes.fitted);
            let (_, scores) = scores.view().split_at(Axis(0), codes.fitted);
            let valid = valid_samples(scores, invalid_score).map_err(LatentError::from)?;
            let (held_out, scores) = (held_out.select(Axis(0), &valid), scores.select(Axis(0), &valid));
            Ok(Comparison::of(
                &new,
                current.as_deref(),
                has_seen,
                held_out.view(),
                &scores.to_vec(),
                threshold,
            ))
        };
        run_blocking(compare).await
    }

    /// Fits the boundary of the attribute `index`, off the async threads. `on_progress` gets the share that is done, 0 to 1, and can
    /// cancel the fit.
    ///
    /// # Errors
    /// [`EditorError::Latent`] if the codes cannot be separated, or the fit was cancelled.
    pub(crate) async fn fit(
        &self,
        index: usize,
        codes: &Arc<TrainingCodes>,
        on_progress: impl FnMut(f64) -> ControlFlow<()> + Send + 'static,
    ) -> Result<Boundary, EditorError> {
        let column = self.column(index)?;
        let provenance = Provenance {
            sampling: codes.sampling.clone(),
            ..self.provenance(column)
        };
        let fit = BoundaryFit {
            threshold: self.threshold(column),
            ..self.request.fit
        };
        let (name, space) = (self.request.names[index].clone(), self.request.space);
        let codes = Arc::clone(codes);
        let fit = move || {
            let scores = codes.scores(column);
            fit.fit(
                name,
                space,
                CodesToFit::shared(codes.codes(), &codes.shared),
                scores.view().split_at(Axis(0), codes.fitted).0,
                provenance,
                on_progress,
            )
        };
        Ok(run_blocking(fit).await?)
    }

    /// The threshold of the fits to a column of the model's scores, or to the caller's own.
    fn threshold(&self, column: Option<usize>) -> Option<f64> {
        let of_model = || column.map(|column| self.model.outputs()[column].threshold);
        self.request.fit.threshold.or_else(of_model)
    }

    /// The column of the model's scores for the attribute `index`; `None` for the caller's own scores.
    fn column(&self, index: usize) -> Result<Option<usize>, EditorError> {
        match self.request.source {
            TrainSource::Sampled { .. } | TrainSource::Kept(_) => {
                let column = self.model.classifiers().column(&self.request.attributes[index])?;
                Ok(Some(column))
            }
            TrainSource::Labelled(_) => Ok(None),
        }
    }

    /// The seed of the samples.
    fn seed(&self) -> Option<u32> {
        match &self.request.source {
            TrainSource::Sampled { seed, .. } => Some(*seed),
            TrainSource::Kept(kept) => Some(kept.scored().seed),
            TrainSource::Labelled(_) => None,
        }
    }

    /// What is known about a boundary before it is fitted.
    fn provenance(&self, column: Option<usize>) -> Provenance {
        let classifier = column.and_then(|column| self.model.classifiers().file(column));
        let (classifier, classifier_digest) = classifier.cloned().unzip();
        Provenance {
            seed: self.seed().map(u64::from),
            classifier,
            classifier_digest,
            model: Some(self.model.generator_digest().to_owned()),
            date: Some(rfc3339(SystemTime::now())),
            ..Provenance::default()
        }
    }
}

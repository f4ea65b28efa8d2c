//! The trainer: collects scored codes, and fits the boundary of each attribute to them.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::SystemTime;

use ndarray::{Array1, ArrayView3};

use crate::editor::blocking::run_blocking;
use crate::editor::timestamp::rfc3339;
use crate::editor::training::labelled_codes::LabelledCodes;
use crate::editor::training::request::{SampleCount, TrainRequest, TrainSource};
use crate::editor::training::sample_scores::{SampleScores, ScoreSampler};
use crate::editor::training::settling::{self, Exactness};
use crate::editor::{EditorError, Model};
use crate::latent::{
    Boundary, BoundaryFit, CodesToFit, LatentSpace, Provenance, SharedCodes, check_attribute_name,
};

/// Trains the boundaries of one request.
pub(crate) struct Trainer {
    model: Arc<Model>,
    request: TrainRequest,
}

/// Codes, the scores to fit boundaries to, and what the fits of several attributes share.
pub(crate) struct TrainingCodes {
    source: ScoredSource,
    /// Why the sampling ended at their number, if that was found while sampling.
    sampling: Option<String>,
    shared: SharedCodes,
}

/// Where codes and scores come from.
enum ScoredSource {
    /// Scored by the model: one column of scores for each output.
    Sampled(SampleScores),
    /// Scored by the caller: the scores of one attribute.
    Labelled(LabelledCodes),
}

impl TrainingCodes {
    fn new(source: ScoredSource) -> Self {
        Self {
            source,
            sampling: None,
            shared: SharedCodes::default(),
        }
    }

    fn codes(&self) -> ArrayView3<'_, f32> {
        match &self.source {
            ScoredSource::Sampled(samples) => samples.codes.view(),
            ScoredSource::Labelled(labelled) => labelled.codes.view(),
        }
    }

    /// The scores in a column; the caller's own scores for `None`.
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
        for attribute in &request.attributes {
            check_attribute_name(attribute)?;
        }
        match &request.source {
            TrainSource::Sampled { .. } => {
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
            TrainSource::Labelled(labelled) => ScoredSource::Labelled(labelled.clone()),
            TrainSource::Sampled { samples, seed } => match *samples {
                SampleCount::Fixed(samples) => {
                    let space = self.request.space;
                    let scored = SampleScores::sample(&self.model, space, samples, *seed, on_scored);
                    ScoredSource::Sampled(scored.await?)
                }
                SampleCount::Auto { most } => return self.settled_codes(most, *seed, on_scored).await,
            },
        };
        Ok(TrainingCodes::new(source))
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
        let mut samples = settling::first_samples(rows * dim).min(most);
        loop {
            source.extend_to(samples, &mut on_scored).await?;
            let codes = Arc::new(TrainingCodes::new(ScoredSource::Sampled(source.scored())));
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
        for attribute in &self.request.attributes {
            let fitted = self.fit(attribute, codes, |_| ControlFlow::Continue(())).await;
            let cosine = match fitted {
                Ok(boundary) => boundary.provenance().accuracy.cosine,
                Err(EditorError::Latent(_)) => None,
                Err(other) => return Err(other),
            };
            least = least.or_less(attribute, cosine);
        }
        Ok(least)
    }

    /// Fits the boundary of `attribute`, off the async threads. `on_progress` gets the share that is done, 0 to 1, and can
    /// cancel the fit.
    ///
    /// # Errors
    /// [`EditorError::Latent`] if the codes cannot be separated, or the fit was cancelled.
    pub(crate) async fn fit(
        &self,
        attribute: &str,
        codes: &Arc<TrainingCodes>,
        on_progress: impl FnMut(f64) -> ControlFlow<()> + Send + 'static,
    ) -> Result<Boundary, EditorError> {
        let column = match self.request.source {
            TrainSource::Sampled { .. } => Some(self.model.classifiers().column(attribute)?),
            TrainSource::Labelled(_) => None,
        };
        let provenance = Provenance {
            sampling: codes.sampling.clone(),
            ..self.provenance(column)
        };
        let fit = BoundaryFit {
            threshold: self
                .request
                .fit
                .threshold
                .or_else(|| column.map(|column| self.model.outputs()[column].threshold)),
            ..self.request.fit
        };
        let (attribute, space, codes) = (attribute.to_owned(), self.request.space, Arc::clone(codes));
        let fit = move || {
            let scores = codes.scores(column);
            fit.fit(
                attribute,
                space,
                CodesToFit::shared(codes.codes(), &codes.shared),
                scores.view(),
                provenance,
                on_progress,
            )
        };
        Ok(run_blocking(fit).await?)
    }

    /// What is known about a boundary before it is fitted.
    fn provenance(&self, column: Option<usize>) -> Provenance {
        let classifier = column.and_then(|column| self.model.classifiers().file(column));
        let (classifier, classifier_digest) = classifier.cloned().unzip();
        let seed = match self.request.source {
            TrainSource::Sampled { seed, .. } => Some(seed.into()),
            TrainSource::Labelled(_) => None,
        };
        Provenance {
            seed,
            classifier,
            classifier_digest,
            model: Some(self.model.generator_digest().to_owned()),
            date: Some(rfc3339(SystemTime::now())),
            ..Provenance::default()
        }
    }
}

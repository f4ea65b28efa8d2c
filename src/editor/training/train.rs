//! Training: codes are sampled, drawn and scored, and a plane is found between the ends of each attribute's scores.

use std::sync::Arc;

use ndarray::{ArcArray, Array2, Array3, Axis, Ix3, Slice};
use tokio::task::JoinSet;

use crate::editor::score::draw_and_score;
use crate::editor::{EditorError, LabelledCodes, Model};
use crate::engine::{EngineError, SynthesisInput};
use crate::latent::{LatentSpace, Provenance, Samples, Separation};

/// Most bytes that a job's codes take in memory: the paper's 500,000 codes of 512 values fit.
const MOST_BYTES: usize = 1 << 30;

/// Batches that are under way at a time, so that the generator does not wait for the classifiers.
const BATCHES: usize = 4;

/// Which boundaries to find, and how.
#[derive(Clone, Debug)]
pub struct TrainRequest {
    /// The attributes, each of which gets a boundary.
    pub attributes: Vec<String>,
    /// The space of the boundaries.
    pub space: LatentSpace,
    /// The codes.
    pub source: TrainSource,
    /// How each plane is found.
    pub separation: Separation,
}

/// Where scored codes come from.
#[derive(Clone, Debug)]
pub enum TrainSource {
    /// Sampled in z, and scored by the model's classifiers.
    Sampled {
        /// How many.
        samples: usize,
        /// The seed of them all.
        seed: u32,
    },
    /// The caller has them.
    Given(LabelledCodes),
}

/// Codes with their scores.
pub(crate) struct ScoredCodes {
    /// `[samples, rows, dim]`.
    pub(crate) codes: ArcArray<f32, Ix3>,
    /// `[samples, columns]`: one for each of the model's outputs, or the one that was given.
    pub(crate) scores: Array2<f32>,
}

impl TrainRequest {
    /// How many codes there are.
    #[must_use]
    pub fn samples(&self) -> usize {
        match &self.source {
            TrainSource::Sampled { samples, .. } => *samples,
            TrainSource::Given(given) => given.codes.len_of(Axis(0)),
        }
    }
}

impl Model {
    /// Refuses a training that cannot come to a good end, before it begins.
    pub(crate) fn check_training(&self, request: &TrainRequest) -> Result<(), EditorError> {
        let Some(dims) = self.shape().code_shape(request.space) else {
            return Err(self.no_such_space(request.space));
        };
        request.separation.check()?;
        let bytes = request
            .samples()
            .saturating_mul(dims.0 * dims.1 * size_of::<f32>());
        if bytes > MOST_BYTES {
            return Err(EditorError::TooManySamples {
                found: request.samples(),
                most: MOST_BYTES / (dims.0 * dims.1 * size_of::<f32>()),
            });
        }
        match &request.source {
            TrainSource::Sampled { .. } => {
                self.check_scores()?;
                if request.space == LatentSpace::WPlus {
                    return Err(EditorError::TrainedInW);
                }
                for attribute in &request.attributes {
                    self.column(attribute)?;
                }
            }
            TrainSource::Given(given) => {
                let (_, rows, dim) = given.codes.dim();
                if (rows, dim) != dims {
                    return Err(EditorError::CodeShape {
                        model: self.name().to_owned(),
                        space: request.space,
                        found: (rows, dim),
                        expected: dims,
                    });
                }
            }
        }
        Ok(())
    }

    /// Which of the outputs scores `attribute`.
    pub(crate) fn column(&self, attribute: &str) -> Result<usize, EditorError> {
        let scores = |output: &crate::catalog::OutputEntry| output.attribute == attribute;
        self.outputs()
            .iter()
            .position(scores)
            .ok_or_else(|| EditorError::NotScored {
                model: self.name().to_owned(),
                found: attribute.to_owned(),
                known: self
                    .outputs()
                    .iter()
                    .map(|output| output.attribute.clone())
                    .collect(),
            })
    }

    /// What is known of a boundary before it is found.
    pub(crate) fn provenance(&self, column: Option<usize>, request: &TrainRequest) -> Provenance {
        let scorer = column.and_then(|column| self.scorers().get(column)).cloned();
        let (classifier, classifier_digest) = scorer.unzip();
        let seed = match request.source {
            TrainSource::Sampled { seed, .. } => Some(seed.into()),
            TrainSource::Given(_) => None,
        };
        Provenance {
            seed,
            classifier,
            classifier_digest,
            model: Some(self.generator_digest().to_owned()),
            ..Provenance::default()
        }
    }

    /// Samples `samples` codes in `space`, draws and scores them behind all requests; `told` hears how many are done.
    ///
    /// w codes are not truncated. Whoever drops the future stops the work.
    pub(crate) async fn score_samples(
        self: &Arc<Self>,
        space: LatentSpace,
        samples: usize,
        seed: u32,
        mut told: impl FnMut(usize),
    ) -> Result<ScoredCodes, EditorError> {
        let (rows, dim) = self
            .shape()
            .code_shape(space)
            .expect("the request was checked against the shape");
        let mut drawn = Samples::new(seed, self.shape().z_dim, self.rescale_z);
        let mut codes = Array3::zeros((samples, rows, dim));
        let mut scores = Array2::zeros((samples, self.outputs().len()));
        let mut under_way = JoinSet::new();
        let (mut ordered, mut done) = (0, 0);
        while done < samples {
            while ordered < samples && under_way.len() < self.batches_at_once() {
                let count = self.engine.largest_batch().min(samples - ordered);
                let (model, z, first) = (Arc::clone(self), drawn.draw(count), ordered);
                under_way.spawn(async move { Ok((first, model.score_batch(space, z).await?)) });
                ordered += count;
            }
            let batch: Result<_, EngineError> = under_way
                .join_next()
                .await
                .expect("batches are under way until all are done")
                .expect("a batch does not panic, and nobody else ends it");
            let (first, (own, of_batch)) = batch?;
            let places = Slice::from(first..first + own.nrows());
            codes
                .slice_axis_mut(Axis(0), places)
                .assign(&own.view().insert_axis(Axis(1)));
            scores.slice_axis_mut(Axis(0), places).assign(&of_batch);
            done += own.nrows();
            told(done);
        }
        Ok(ScoredCodes {
            codes: codes.into_shared(),
            scores,
        })
    }

    /// Batches of background work under way: each generator has one, and one waits, so that none is ever idle.
    pub(crate) fn batches_at_once(&self) -> usize {
        BATCHES.max(self.engine.generators() + 1)
    }

    /// Draws and scores z codes `[batch, dim]`: the codes in `space`, and their scores.
    async fn score_batch(
        &self,
        space: LatentSpace,
        z: Array2<f32>,
    ) -> Result<(Array2<f32>, Array2<f32>), EngineError> {
        let mut admission = self.engine.background();
        let synthesized = if self.shape().has_mapping() {
            admission.map(z.clone()).await?
        } else {
            z.clone()
        };
        let rows = match self.shape().synthesis {
            SynthesisInput::WPlus { layers } => layers,
            SynthesisInput::Z | SynthesisInput::W => 1,
        };
        let view = synthesized.view().insert_axis(Axis(1));
        let input = view
            .broadcast((synthesized.nrows(), rows, synthesized.ncols()))
            .expect("one row may be repeated")
            .to_owned();
        let scores = draw_and_score(&mut admission, input).await?;
        let codes = if space == LatentSpace::Z { z } else { synthesized };
        Ok((codes, scores))
    }
}

//! Sampled codes and their scores, made in the background lane.

use std::sync::Arc;

use ndarray::{ArcArray, Array2, Axis, Ix2, Ix3, Slice};

use crate::editor::background_batches::BackgroundBatches;
use crate::editor::rendering::labels::labels;
use crate::editor::rendering::latent_source::class_of;
use crate::editor::rendering::synthesis_input::synthesis_input;
use crate::editor::{EditorError, Model};
use crate::latent::{CodeSampler, Label, LatentSpace};

/// Sampled codes with their scores.
pub(crate) struct SampleScores {
    /// `[samples, rows, dim]`.
    pub(crate) codes: ArcArray<f32, Ix3>,
    /// `[samples, outputs]`: one column for each of the model's outputs.
    pub(crate) scores: ArcArray<f32, Ix2>,
}

/// Samples and scores codes, up to one number after another.
pub(crate) struct ScoreSampler {
    model: Arc<Model>,
    space: LatentSpace,
    seed: u32,
    generator: CodeSampler,
    /// Room for all of them; the first `done` are there.
    scored: SampleScores,
    done: usize,
}

/// One batch of them.
struct Batch {
    /// Index of the first sample.
    first: usize,
    /// `[batch, dim]`.
    codes: Array2<f32>,
    /// `[batch, outputs]`.
    scores: Array2<f32>,
}

impl SampleScores {
    /// Samples `samples` codes in `space`, z or w, and scores them: [`ScoreSampler`]. `on_scored` gets the number of codes scored so
    /// far.
    ///
    /// # Errors
    /// [`EditorError`] if the generator has no such space, or a network fails.
    pub(crate) async fn sample(
        model: &Arc<Model>,
        space: LatentSpace,
        samples: usize,
        seed: u32,
        on_scored: impl FnMut(usize),
    ) -> Result<Self, EditorError> {
        let mut source = ScoreSampler::new(model, space, samples, seed)?;
        source.extend_to(samples, on_scored).await?;
        Ok(source.scored)
    }
}

impl ScoreSampler {
    /// A sampler of at most `most` codes in `space`, z or w. What does not become a code takes no memory.
    ///
    /// w codes are not truncated. With a class-conditional generator, the samples have the labels of [`label_of`].
    ///
    /// # Errors
    /// [`EditorError`] if the generator has no such space.
    pub(crate) fn new(
        model: &Arc<Model>,
        space: LatentSpace,
        most: usize,
        seed: u32,
    ) -> Result<Self, EditorError> {
        let (rows, dim) = model.code_shape(space)?;
        Ok(Self {
            model: Arc::clone(model),
            space,
            seed,
            generator: CodeSampler::new(seed, model.shape().z_dim, model.generator().rescale_z),
            scored: SampleScores {
                codes: ArcArray::zeros((most, rows, dim)),
                scores: ArcArray::zeros((most, model.outputs().len())),
            },
            done: 0,
        })
    }

    /// Samples and scores codes until there are `samples`. `on_scored` gets the number of codes scored so far. The codes do not depend
    /// on the steps in which they are sampled. If the future is dropped, the work stops.
    ///
    /// # Errors
    /// [`EditorError`] if a network fails.
    pub(crate) async fn extend_to(
        &mut self,
        samples: usize,
        mut on_scored: impl FnMut(usize),
    ) -> Result<(), EditorError> {
        let engine = self.model.engine();
        let mut batches = BackgroundBatches::new(engine);
        let mut started = self.done;
        while self.done < samples {
            while started < samples && !batches.is_full() {
                let count = engine.largest_batch().min(samples - started);
                let (model, z, first) = (Arc::clone(&self.model), self.generator.sample(count), started);
                let (space, seed) = (self.space, self.seed);
                batches.start(async move { Batch::score(&model, space, z, seed, first).await });
                started += count;
            }
            let batch = batches.next().await;
            let batch = batch.expect("batches are in flight until all codes are scored")?;
            let range = Slice::from(batch.first..batch.first + batch.codes.nrows());
            let SampleScores { codes, scores } = &mut self.scored;
            codes
                .slice_axis_mut(Axis(0), range)
                .assign(&batch.codes.view().insert_axis(Axis(1)));
            scores.slice_axis_mut(Axis(0), range).assign(&batch.scores);
            self.done += batch.codes.nrows();
            on_scored(self.done);
        }
        Ok(())
    }

    /// The codes and scores so far. The codes are shared, so that the sampler copies them if they are still held when it goes on.
    pub(crate) fn scored(&self) -> SampleScores {
        let done = Slice::from(..self.done);
        let mut codes = self.scored.codes.clone();
        codes.slice_axis_inplace(Axis(0), done);
        SampleScores {
            codes,
            scores: self
                .scored
                .scores
                .slice_axis(Axis(0), done)
                .to_owned()
                .into_shared(),
        }
    }
}

/// The label of one of the samples of a seed, if the generator is class-conditional: the classes take turns, from the class of the seed
/// on.
pub(crate) fn label_of(model: &Model, seed: u32, sample: usize) -> Option<Label> {
    let sample = u32::try_from(sample).expect("there are fewer than 2^32 samples");
    class_of(model, seed.wrapping_add(sample))
}

impl Batch {
    /// Maps, synthesizes and scores z codes `[batch, dim]`, the samples of `seed` from `first` on.
    async fn score(
        model: &Model,
        space: LatentSpace,
        z: Array2<f32>,
        seed: u32,
        first: usize,
    ) -> Result<Self, EditorError> {
        let mut admission = model.engine().background();
        let rows = if model.shape().has_mapping() {
            let labelled: Vec<_> = (first..first + z.nrows())
                .map(|sample| label_of(model, seed, sample))
                .collect();
            let labels = labels(model, labelled.iter().map(Option::as_ref))?;
            admission.map(z.clone(), labels).await?
        } else {
            z.clone()
        };
        let codes = rows.outer_iter().map(|row| row.insert_axis(Axis(0)));
        let input = synthesis_input(model.shape(), codes);
        let images = admission.synthesize(input).await?;
        let scores = admission.score(&images).await?;
        let codes = if space == LatentSpace::Z { z } else { rows };
        Ok(Self { first, codes, scores })
    }
}

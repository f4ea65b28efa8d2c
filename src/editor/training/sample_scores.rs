//! Sampled codes and their scores, made in the background lane.

use std::sync::Arc;

use ndarray::{ArcArray, Array2, Array3, Axis, Ix3, Slice};

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
    pub(crate) scores: Array2<f32>,
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
    /// Samples `samples` codes in `space`, z or w, and scores them. `on_scored` gets the number of codes scored so far.
    ///
    /// w codes are not truncated. With a class-conditional generator, the samples have the labels of [`label_of`]. If the future is dropped, the work stops.
    ///
    /// # Errors
    /// [`EditorError`] if the generator has no such space, or a network fails.
    pub(crate) async fn sample(
        model: &Arc<Model>,
        space: LatentSpace,
        samples: usize,
        seed: u32,
        mut on_scored: impl FnMut(usize),
    ) -> Result<Self, EditorError> {
        let (rows, dim) = model.code_shape(space)?;
        let mut generator = CodeSampler::new(seed, model.shape().z_dim, model.generator().rescale_z);
        let mut codes = Array3::zeros((samples, rows, dim));
        let mut scores = Array2::zeros((samples, model.outputs().len()));
        let mut batches = BackgroundBatches::new(model.engine());
        let (mut started, mut done) = (0, 0);
        while done < samples {
            while started < samples && !batches.is_full() {
                let count = model.engine().largest_batch().min(samples - started);
                let (model, z, first) = (Arc::clone(model), generator.sample(count), started);
                batches.start(async move { Batch::score(&model, space, z, seed, first).await });
                started += count;
            }
            let batch = batches.next().await;
            let batch = batch.expect("batches are in flight until all codes are scored")?;
            let range = Slice::from(batch.first..batch.first + batch.codes.nrows());
            codes
                .slice_axis_mut(Axis(0), range)
                .assign(&batch.codes.view().insert_axis(Axis(1)));
            scores.slice_axis_mut(Axis(0), range).assign(&batch.scores);
            done += batch.codes.nrows();
            on_scored(done);
        }
        let codes = codes.into_shared();
        Ok(Self { codes, scores })
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

//! Measures what each style channel changes: moves it in sampled faces, and scores the images.

use std::sync::Arc;

use ndarray::{Array1, Array2, Axis};

use crate::catalog::OutputKind;
use crate::editor::background_batches::BackgroundBatches;
use crate::editor::editing::score_search::scored_attribute::linear;
use crate::editor::rendering::renderer::Renderer;
use crate::editor::rendering::style_samples::sample_styles;
use crate::editor::style_channels::ranking::ChannelEffects;
use crate::editor::{EditorError, Model};
use crate::latent::{LatentCode, LatentSpace};

/// Faces whose styles and scores give the standard deviations: these are then known to about 5 %.
pub(crate) const SAMPLES: usize = 200;
/// How far a channel is moved, in standard deviations of its samples. A smaller move changes scores less than the next faces do; a
/// larger one leaves what the generator draws well.
const STEP: f64 = 3.0;

/// Measures the effects of all channels on `faces` faces each. `on_images` gets the number of images so far.
///
/// Every other face moves the other way, so that the effects of a pair are a central difference. If the future is dropped, the work
/// stops.
///
/// # Errors
/// [`EditorError`] if a network fails.
pub(crate) async fn measure(
    model: &Arc<Model>,
    faces: usize,
    seed: u32,
    mut on_images: impl FnMut(usize),
) -> Result<ChannelEffects, EditorError> {
    let samples = sample_styles(model, SAMPLES.max(faces), seed).await?;
    let mut scores = Array2::zeros((samples.len(), model.outputs().len()));
    let mut done = 0;
    score_all(model, samples.iter().cloned().enumerate(), |sample, found| {
        scores.row_mut(sample).assign(&found);
        done += 1;
        on_images(done);
    })
    .await?;
    let (means, deviations) = moments(&samples);
    let score_deviations = scores.std_axis(Axis(0), 1.0);
    let channels = means.len();
    let mut changes: Array2<f64> = Array2::zeros((channels, scores.ncols()));
    let moves = (0..faces * channels).map(|index| {
        let (face, channel) = (index / channels, index % channels);
        (
            index,
            moved(&samples[face], channel, sign(face) * STEP * deviations[channel]),
        )
    });
    score_all(model, moves, |index, found| {
        let (face, channel) = (index / channels, index % channels);
        let change = (found - scores.row(face)) * sign(face);
        let mut sum = changes.row_mut(channel);
        sum += &change;
        done += 1;
        on_images(done);
    })
    .await?;
    #[expect(clippy::cast_precision_loss, reason = "faces are few")]
    let moved_by = STEP * faces as f64;
    let per_deviation =
        score_deviations.mapv(|deviation| if deviation > 0.0 { 1.0 / deviation } else { 0.0 });
    Ok(ChannelEffects {
        means,
        deviations,
        score_deviations,
        effects: changes * &per_deviation / moved_by,
    })
}

/// The way in which a face's channels are moved.
fn sign(face: usize) -> f64 {
    if face.is_multiple_of(2) { 1.0 } else { -1.0 }
}

/// The mean and the standard deviation of each channel.
fn moments(samples: &[LatentCode]) -> (Array1<f64>, Array1<f64>) {
    let rows: Vec<_> = samples.iter().map(|code| code.values().row(0)).collect();
    let values = ndarray::stack(Axis(0), &rows).expect("styles of one model have one length");
    let values = values.mapv(f64::from);
    let mean = values.mean_axis(Axis(0)).expect("there are samples");
    (mean, values.std_axis(Axis(0), 1.0))
}

/// A code with one channel moved.
fn moved(code: &LatentCode, channel: usize, by: f64) -> LatentCode {
    let mut values = code.values().clone();
    #[expect(clippy::cast_possible_truncation, reason = "styles are f32")]
    let by = by as f32;
    values[[0, channel]] += by;
    LatentCode::new(LatentSpace::S, values).expect("a style moves by a few of its deviations")
}

/// Scores codes in the background lane, in whatever order the batches end. Scores are on the scale where they change about linearly.
async fn score_all(
    model: &Arc<Model>,
    codes: impl Iterator<Item = (usize, LatentCode)>,
    mut on_scores: impl FnMut(usize, Array1<f64>),
) -> Result<(), EditorError> {
    let kinds: Vec<OutputKind> = model.outputs().iter().map(|output| output.kind).collect();
    let mut codes = codes.peekable();
    let mut batches = BackgroundBatches::new(model.engine());
    loop {
        while !batches.is_full() && codes.peek().is_some() {
            let batch = codes.by_ref().take(model.engine().largest_batch());
            let (indices, batch): (Vec<usize>, Vec<LatentCode>) = batch.unzip();
            let model = Arc::clone(model);
            batches.start(async move {
                let mut renderer = Renderer::background(&model);
                let images = renderer.synthesize(&batch).await?;
                Ok((indices, renderer.admission.score(&images).await?))
            });
        }
        let Some(batch) = batches.next().await else {
            return Ok(());
        };
        let (indices, scores) = batch?;
        for (index, row) in indices.into_iter().zip(scores.outer_iter()) {
            let on_scale = row
                .iter()
                .zip(&kinds)
                .map(|(&score, &kind)| linear(kind, score.into()));
            on_scores(index, on_scale.collect());
        }
    }
}

//! The styles of sampled faces.

use std::sync::Arc;

use crate::editor::rendering::renderer::Renderer;
use crate::editor::training::sample_scores::label_of;
use crate::editor::{EditorError, FaceSource, Model};
use crate::latent::{CodeSampler, LatentCode, LatentSpace};

/// Samples for the spread of the styles: a standard deviation is then known to about 3 %.
const SAMPLES: usize = 500;
/// Seed of these samples.
const SEED: u32 = 2020;

/// The styles of the first `count` faces of `seed`, without truncation. The classes of a class-conditional generator take turns.
///
/// # Errors
/// [`EditorError`] if the model has no styles, or a network fails.
pub(crate) async fn sample_styles(
    model: &Model,
    count: usize,
    seed: u32,
) -> Result<Vec<LatentCode>, EditorError> {
    let mut sampler = CodeSampler::new(seed, model.shape().z_dim, model.generator().rescale_z);
    let codes = sampler.sample(count);
    let code = |(sample, z): (usize, ndarray::ArrayView1<'_, f32>)| {
        let z = LatentCode::from_row(LatentSpace::Z, z.to_vec())?;
        Ok(FaceSource::Latent(z.with_label(label_of(model, seed, sample))))
    };
    let sources = codes.outer_iter().enumerate().map(code);
    let sources: Vec<_> = sources.collect::<Result<_, EditorError>>()?;
    Renderer::background(model)
        .codes(&sources, Some(LatentSpace::S))
        .await
}

/// The styles that the spread of distances in s is measured with. They are sampled when they are first needed, and kept.
///
/// The sampling goes on if the caller goes away, so that requests with short timeouts do not begin it again and again.
///
/// # Errors
/// Those of [`sample_styles`].
pub(crate) async fn kept_styles(model: &Model) -> Result<Arc<Vec<LatentCode>>, EditorError> {
    let cell = &model.generator().sample_styles;
    if let Some(styles) = cell.get() {
        return Ok(Arc::clone(styles));
    }
    let (cell, model) = (Arc::clone(cell), model.clone());
    let sampled = tokio::spawn(async move {
        let sample = || async { Ok(Arc::new(sample_styles(&model, SAMPLES, SEED).await?)) };
        cell.get_or_try_init(sample).await.map(Arc::clone)
    });
    sampled.await.expect("the sampling does not panic")
}

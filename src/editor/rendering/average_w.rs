//! The average w code of a model whose files do not have it.

use crate::editor::rendering::renderer::Renderer;
use crate::editor::{EditorError, FaceSource, Model};
use crate::latent::LatentSpace;

/// Seeds in one run of the mapping.
const BATCH: u32 = 500;

/// The mean of the w codes of the seeds 0, 1, …, `samples` − 1, which truncation pulls codes towards.
///
/// # Errors
/// [`EditorError`] if the model has no mapping, or the mapping fails.
pub async fn average_w(model: &Model, samples: u32) -> Result<Vec<f32>, EditorError> {
    let mut renderer = Renderer::background(model);
    let mut sums = vec![0.0_f64; model.shape().w_dim];
    for first in (0..samples).step_by(BATCH as usize) {
        let seeds = first..samples.min(first + BATCH);
        let sources: Vec<_> = seeds.map(FaceSource::Seed).collect();
        for code in renderer.codes(&sources, Some(LatentSpace::W)).await? {
            for (sum, value) in sums.iter_mut().zip(code.values()) {
                *sum += f64::from(*value);
            }
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "codes are f32")]
    let mean = |sum: f64| (sum / f64::from(samples)) as f32;
    Ok(sums.into_iter().map(mean).collect())
}

//! Codes of samples in z and in w, without images.

use std::sync::Arc;

use ndarray::Array2;

use crate::editor::rendering::labels::labels;
use crate::editor::training::sample_scores::label_of;
use crate::editor::{EditorError, Model};
use crate::latent::CodeSampler;

/// Codes in one run of the mapping.
const BATCH: usize = 256;

/// Samples `count` codes of `seed` in the background lane, in the order of a report's samples. `on_codes` gets them in parts: codes in z,
/// and in w if the generator has a mapping. The classes of a class-conditional generator take turns.
///
/// # Errors
/// [`EditorError`] if the mapping fails.
pub(crate) async fn sample_codes(
    model: &Arc<Model>,
    seed: u32,
    count: usize,
    mut on_codes: impl FnMut(Array2<f32>, Option<Array2<f32>>),
) -> Result<(), EditorError> {
    let mut sampler = CodeSampler::new(seed, model.shape().z_dim, model.generator().rescale_z);
    let mut admission = model.engine().background();
    for first in (0..count).step_by(BATCH) {
        let end = count.min(first + BATCH);
        let z = sampler.sample(end - first);
        let w = if model.shape().has_mapping() {
            let labelled: Vec<_> = (first..end).map(|sample| label_of(model, seed, sample)).collect();
            let labels = labels(model, labelled.iter().map(Option::as_ref))?;
            Some(admission.map(z.clone(), labels).await?)
        } else {
            None
        };
        on_codes(z, w);
    }
    Ok(())
}

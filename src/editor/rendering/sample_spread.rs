//! Where a model's samples are, seen from its boundaries.

use std::sync::Arc;

use ndarray::{Array2, Axis, concatenate};

use crate::editor::blocking::run_blocking;
use crate::editor::rendering::labels::labels;
use crate::editor::rendering::latent_source::class_of;
use crate::editor::rendering::style_samples::kept_styles;
use crate::editor::{EditorError, Model};
use crate::latent::{Boundary, CodeMoments, CodeSampler, Label, LatentSpace, LayerRange, Spread};

/// Samples for the moments of w: a standard deviation is then known to about 1.1 %.
const SAMPLES: u32 = 4000;
/// Samples in one run of the mapping.
const BATCH: usize = 500;
/// Seed of the samples.
const SEED: u32 = 2020;

/// The moments of the model's w codes, which are measured when they are first needed, and kept.
///
/// The measurement goes on if the caller goes away, so that requests with short timeouts do not begin it again and again.
async fn moments(model: &Model) -> Result<Arc<CodeMoments>, EditorError> {
    let cell = &model.generator().sample_moments;
    if let Some(moments) = cell.get() {
        return Ok(Arc::clone(moments));
    }
    let (cell, model) = (Arc::clone(cell), model.clone());
    let measured = tokio::spawn(async move {
        let moments = cell.get_or_try_init(|| measure(&model)).await;
        moments.map(Arc::clone)
    });
    measured.await.expect("the measurement does not panic")
}

/// Samples w codes without truncation, and takes their moments. The classes of a class-conditional generator take turns.
async fn measure(model: &Model) -> Result<Arc<CodeMoments>, EditorError> {
    let (dim, rescale) = (model.shape().z_dim, model.generator().rescale_z);
    let z = run_blocking(move || CodeSampler::new(SEED, dim, rescale).sample(SAMPLES as usize)).await;
    let classes: Vec<Option<Label>> = (0..SAMPLES).map(|index| class_of(model, index)).collect();
    let mut admission = model.engine().background();
    let mut codes: Vec<Array2<f32>> = Vec::new();
    for (z, classes) in z.axis_chunks_iter(Axis(0), BATCH).zip(classes.chunks(BATCH)) {
        let labels = labels(model, classes.iter().map(Option::as_ref))?;
        codes.push(admission.map(z.to_owned(), labels).await?);
    }
    let take = move || {
        let codes: Vec<_> = codes.iter().map(|codes| codes.view()).collect();
        let codes = concatenate(Axis(0), &codes).expect("w codes have one length");
        Arc::new(CodeMoments::of(codes.view()))
    };
    Ok(run_blocking(take).await)
}

/// The spread of the model's samples, without truncation, around each of `boundaries`, on some layers of w+ or on all; `None` where it
/// is not known, because no z code leads to the space, or the mapping fails.
pub async fn spreads(
    model: &Model,
    boundaries: Vec<(Arc<Boundary>, Option<LayerRange>)>,
) -> Vec<Option<Spread>> {
    let is_of_s = |(boundary, _): &(Arc<Boundary>, _)| boundary.space() == LatentSpace::S;
    let is_of_w =
        |(boundary, _): &(Arc<Boundary>, _)| matches!(boundary.space(), LatentSpace::W | LatentSpace::WPlus);
    let log = |error: &EditorError| tracing::warn!(model = model.name(), %error, "the model's samples are not known");
    let styles = if boundaries.iter().any(is_of_s) {
        kept_styles(model).await.inspect_err(log).ok()
    } else {
        None
    };
    let moments = if model.shape().has_mapping() && boundaries.iter().any(is_of_w) {
        let measured = moments(model).await;
        measured.inspect_err(log).ok()
    } else {
        None
    };
    let spread = move |(boundary, layers): &(Arc<Boundary>, Option<LayerRange>)| {
        let in_w = || moments.as_ref()?.spread(boundary, *layers);
        let in_s = || Spread::of_codes(boundary, styles.as_deref()?);
        Spread::in_z(boundary).or_else(in_w).or_else(in_s)
    };
    run_blocking(move || boundaries.iter().map(spread).collect()).await
}

/// The [spread](spreads) around one boundary, on all layers.
pub async fn spread(model: &Model, boundary: &Arc<Boundary>) -> Option<Spread> {
    spreads(model, vec![(Arc::clone(boundary), None)]).await.pop()?
}

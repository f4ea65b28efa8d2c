//! What the networks say of the images of codes, in the background lane.

use std::sync::Arc;

use ndarray::{Array2, Axis, aview1};

use crate::editor::background_batches::BackgroundBatches;
use crate::editor::rendering::renderer::Renderer;
use crate::editor::{EditorError, Model};
use crate::latent::{LatentCode, LatentSpace};

/// What says how similar two faces are as persons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityMeasure {
    /// The embeddings of the model's identity graph.
    Graph,
    /// The encoder's codes, as differences from the mean code: the whole face, and not the person alone.
    Encoder,
}

impl IdentityMeasure {
    /// The identity graph, if the model has one.
    pub(crate) fn graph_of(model: &Model) -> Option<Self> {
        model.engine().has_recognizer().then_some(Self::Graph)
    }

    /// The best measure that the model has: its identity graph, or else its encoder.
    pub(crate) fn best_of(model: &Model) -> Option<Self> {
        let encoder = model.engine().has_encoder().then_some(Self::Encoder);
        Self::graph_of(model).or(encoder)
    }
}

/// The networks' outputs for images, one row each.
pub(crate) struct ImageOutputs {
    pub(crate) scores: Array2<f32>,
    /// Present if a measure of identity was asked for.
    pub(crate) embeddings: Option<Array2<f32>>,
}

/// The networks' outputs for the images of codes of one space, at least one.
///
/// # Errors
/// [`EditorError`] if a network fails.
pub(crate) async fn image_outputs(
    model: &Arc<Model>,
    codes: &[LatentCode],
    identity: Option<IdentityMeasure>,
) -> Result<ImageOutputs, EditorError> {
    let parts = codes.chunks(model.engine().largest_batch());
    let mut outputs: Vec<Option<ImageOutputs>> = parts.clone().map(|_| None).collect();
    let mut parts = parts.map(<[_]>::to_vec).enumerate();
    let mut batches = BackgroundBatches::new(model.engine());
    loop {
        while !batches.is_full()
            && let Some((index, part)) = parts.next()
        {
            let model = Arc::clone(model);
            batches.start(async move { Ok((index, batch_outputs(&model, &part, identity).await?)) });
        }
        let Some(batch) = batches.next().await else {
            break;
        };
        let (index, part) = batch?;
        outputs[index] = Some(part);
    }
    let mut outputs = outputs.into_iter().flatten();
    let mut all = outputs.next().expect("at least one code");
    for part in outputs {
        append(&mut all.scores, &part.scores);
        if let (Some(all), Some(part)) = (&mut all.embeddings, &part.embeddings) {
            append(all, part);
        }
    }
    Ok(all)
}

async fn batch_outputs(
    model: &Model,
    codes: &[LatentCode],
    identity: Option<IdentityMeasure>,
) -> Result<ImageOutputs, EditorError> {
    let mut renderer = Renderer::background(model);
    let images = renderer.synthesize(codes).await?;
    let scores = renderer.admission.score(&images).await?;
    let embeddings = match identity {
        None => None,
        Some(IdentityMeasure::Graph) => Some(renderer.admission.embed(&images).await?),
        Some(IdentityMeasure::Encoder) => Some(encoded(&mut renderer, images).await?),
    };
    Ok(ImageOutputs { scores, embeddings })
}

/// The encoder's codes of images as differences from the mean code, a row each.
async fn encoded(
    renderer: &mut Renderer<'_>,
    images: crate::engine::Images,
) -> Result<Array2<f32>, EditorError> {
    let mut codes = renderer.admission.encode(images).await?;
    let model = renderer.model();
    let has_mean = |entry: &&crate::catalog::EncoderEntry| entry.adds_w_avg && entry.space != LatentSpace::Z;
    let entry = model.inversion().encoder.as_ref().filter(has_mean);
    if let (Some(_), Some(mean)) = (entry, &model.generator().mean) {
        for mut row in codes.rows_mut() {
            row -= &aview1(&mean.w_avg);
        }
    }
    let (images, rows, dim) = codes.dim();
    Ok(codes
        .to_shape((images, rows * dim))
        .expect("the codes have as many values")
        .into_owned())
}

fn append(all: &mut Array2<f32>, rows: &Array2<f32>) {
    all.append(Axis(0), rows.view())
        .expect("every batch has rows of one length");
}

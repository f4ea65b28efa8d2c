//! The operation *sample*: seeds, or codes that the caller has, become faces.

use crate::editor::rendering::face_channel::FaceSender;
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::{EditorError, Face, FaceSource, Model, TruncationChoice};
use crate::engine::Timings;
use crate::latent::LatentSpace;

/// The faces to sample.
#[derive(Clone, Debug)]
pub struct SampleRequest {
    /// The sources of the faces, in order.
    pub sources: Vec<FaceSource>,
    /// The space of the returned codes. If `None`: the model's default space for seeds, and a code's own space.
    pub space: Option<LatentSpace>,
    /// The truncation of codes that are mapped.
    pub truncation: TruncationChoice,
    /// Whether the classifiers score the faces.
    pub with_scores: bool,
}

/// Sampled faces.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// The faces, in the order of their sources; none if they were sent one by one.
    pub faces: Vec<Face>,
    /// The time that each part took.
    pub timings: Timings,
}

/// Samples faces.
///
/// # Errors
/// [`EditorError`] if a code, the space or the truncation does not fit the model, the model is overloaded, or a network
/// fails.
pub async fn sample(model: &Model, request: &SampleRequest) -> Result<Sampled, EditorError> {
    sample_to(model, request, None).await
}

/// The same; with a `sender`, the faces are sent there as they are made.
///
/// # Errors
/// As [`sample`].
pub async fn sample_to(
    model: &Model,
    request: &SampleRequest,
    sender: Option<FaceSender>,
) -> Result<Sampled, EditorError> {
    let renderer = Renderer::admit(model, request.truncation, request.sources.len())?;
    let mut renderer = renderer.sending_to(sender);
    let codes = renderer.codes(&request.sources, request.space).await?;
    let outputs = RenderOutputs::with_scores(request.with_scores);
    let mut faces = renderer.render(codes, outputs).await?;
    for (face, source) in faces.iter_mut().zip(&request.sources) {
        face.seed = source.seed();
    }
    let timings = renderer.admission.timings();
    Ok(Sampled { faces, timings })
}

//! Sampling: seeds (or codes that the caller has) become faces.

use crate::editor::render::RenderOutputs;
use crate::editor::{EditorError, Face, FaceSource, Model, TruncationChoice};
use crate::engine::Timings;
use crate::latent::LatentSpace;

/// What to sample.
#[derive(Clone, Debug)]
pub struct SampleRequest {
    /// The faces, in order.
    pub sources: Vec<FaceSource>,
    /// The space of the codes in the answer; the default space for seeds, and a code's own, where it is `None`.
    pub space: Option<LatentSpace>,
    /// Truncation of what is mapped.
    pub truncation: TruncationChoice,
    /// Whether the classifiers score the pictures.
    pub with_scores: bool,
}

/// Faces that were sampled.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// The faces, in the order of their sources.
    pub faces: Vec<Face>,
    /// Where the time went.
    pub timings: Timings,
}

impl Model {
    /// Samples faces.
    ///
    /// # Errors
    /// [`EditorError`] for codes, spaces or truncation that do not fit the model, and for networks that fail.
    pub async fn sample(&self, request: &SampleRequest) -> Result<Sampled, EditorError> {
        let truncation = self.truncation(request.truncation)?;
        let mut admission = self.engine.admit(request.sources.len())?;
        let codes = self
            .codes(
                &mut admission,
                &request.sources,
                request.space,
                request.truncation,
            )
            .await?;
        let mut faces = self
            .render(
                &mut admission,
                codes,
                truncation,
                RenderOutputs::scores(request.with_scores),
            )
            .await?;
        for (face, source) in faces.iter_mut().zip(&request.sources) {
            if let FaceSource::Seed(seed) = source {
                face.seed = Some(*seed);
            }
        }
        let timings = admission.timings();
        Ok(Sampled { faces, timings })
    }
}

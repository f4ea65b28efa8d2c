//! Sampling: seeds (or codes that the caller has) become faces.

use super::{EditorError, Face, FaceSource, Model, TruncationChoice};
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

impl Model {
    /// Samples faces.
    ///
    /// # Errors
    /// [`EditorError`] for codes, spaces or truncation that do not fit the model, and for networks that fail.
    pub async fn sample(&self, request: &SampleRequest) -> Result<Vec<Face>, EditorError> {
        let truncation = self.truncation(request.truncation)?;
        let admission = self.engine.admit(request.sources.len())?;
        let codes = self
            .codes(&admission, &request.sources, request.space, request.truncation)
            .await?;
        let mut faces = self
            .render(&admission, codes, truncation, request.with_scores)
            .await?;
        for (face, source) in faces.iter_mut().zip(&request.sources) {
            if let FaceSource::Seed(seed) = source {
                face.seed = Some(*seed);
            }
        }
        Ok(faces)
    }
}

//! Scoring: what the classifiers say of a face.

use std::collections::BTreeMap;

use ndarray::{Array2, Array3};

use crate::editor::{EditorError, FaceSource, Model, TruncationChoice};
use crate::engine::{Admission, EngineError, Timings};
use crate::latent::{LatentCode, LatentSpace};

/// What to score.
#[derive(Clone, Debug)]
pub struct ScoreRequest {
    /// The face.
    pub source: FaceSource,
    /// The space of the code in the answer; the default space for a seed, and a code's own, where it is `None`.
    pub space: Option<LatentSpace>,
    /// Truncation of what is mapped.
    pub truncation: TruncationChoice,
}

/// What the classifiers say of a face, and the planes.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The seed that the face was sampled with, if it was.
    pub seed: Option<u32>,
    /// Its code.
    pub code: LatentCode,
    /// One score for each of the model's outputs, in their order.
    pub scores: Vec<f32>,
    /// Signed distance from each attribute's boundary in the code's space.
    pub distances: BTreeMap<String, f64>,
    /// Where the time went.
    pub timings: Timings,
}

impl Model {
    /// Scores a face.
    ///
    /// # Errors
    /// [`EditorError::NoClassifier`] where the model has none; [`EditorError`] for codes, spaces or truncation that do
    /// not fit the model, and for networks that fail.
    pub async fn score(&self, request: &ScoreRequest) -> Result<Scored, EditorError> {
        self.check_scores()?;
        let truncation = self.truncation(request.truncation)?;
        let mut admission = self.engine.admit(1)?;
        let sources = std::slice::from_ref(&request.source);
        let codes = self
            .codes(&mut admission, sources, request.space, request.truncation)
            .await?;
        let input = self.synthesis_input(&mut admission, &codes, truncation).await?;
        let scores = draw_and_score(&mut admission, input).await?;
        let code = codes.into_iter().next().expect("one source is one code");
        Ok(Scored {
            seed: match request.source {
                FaceSource::Seed(seed) => Some(seed),
                FaceSource::Latent(_) => None,
            },
            distances: self.distances(&code),
            code,
            scores: scores.iter().copied().collect(),
            timings: admission.timings(),
        })
    }

    /// Refuses to score where there is no classifier.
    pub(crate) fn check_scores(&self) -> Result<(), EditorError> {
        if self.outputs().is_empty() {
            let model = self.name().to_owned();
            return Err(EditorError::NoClassifier { model });
        }
        Ok(())
    }
}

/// The scores `[images, outputs]` of what synthesis draws from `codes` `[images, rows, dim]`, at most the generator's
/// largest batch of them.
pub(crate) async fn draw_and_score(
    admission: &mut Admission,
    codes: Array3<f32>,
) -> Result<Array2<f32>, EngineError> {
    let images = admission.synthesize(codes).await?;
    admission.score(&images).await
}

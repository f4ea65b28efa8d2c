//! The operation *score*: the classifiers' scores of a face, and its distances from the boundaries.

use std::collections::BTreeMap;

use crate::editor::rendering::latent_source::check_conversion;
use crate::editor::rendering::renderer::Renderer;
use crate::editor::{EditorError, FaceSource, Model, TruncationChoice};
use crate::engine::Timings;
use crate::latent::{LatentCode, LatentSpace};

/// The face to score.
#[derive(Clone, Debug)]
pub struct ScoreRequest {
    /// The source of the face.
    pub source: FaceSource,
    /// The space of the returned code. If `None`: the model's default space for a seed, and a code's own space.
    pub space: Option<LatentSpace>,
    /// The truncation of a code that is mapped.
    pub truncation: TruncationChoice,
}

/// A face's scores and distances.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The seed that the code was sampled from, if any.
    pub seed: Option<u32>,
    /// The code.
    pub code: LatentCode,
    /// One score for each of the model's outputs, in their order.
    pub scores: Vec<f32>,
    /// The signed distance from the boundary of each attribute.
    pub distances: BTreeMap<String, f64>,
    /// The time that each part took.
    pub timings: Timings,
}

/// Checks everything that does not depend on the face, for a face with a code in `space`, which is found later.
///
/// [`score`] checks it again. Callers check it first if the code takes long to find.
///
/// # Errors
/// [`EditorError::NoClassifier`] if the model has no classifier, or another [`EditorError`] if the space does not fit.
pub fn check_score(model: &Model, request: &ScoreRequest, space: LatentSpace) -> Result<(), EditorError> {
    model.classifiers().require_any()?;
    check_conversion(model, space, request.space).map(|_| ())
}

/// Scores a face.
///
/// # Errors
/// [`EditorError::NoClassifier`] if the model has no classifier. Other [`EditorError`]s if the code, the space or the
/// truncation does not fit the model, the model is overloaded, or a network fails.
pub async fn score(model: &Model, request: &ScoreRequest) -> Result<Scored, EditorError> {
    model.classifiers().require_any()?;
    let mut renderer = Renderer::admit(model, request.truncation, 1)?;
    let sources = std::slice::from_ref(&request.source);
    let codes = renderer.codes(sources, request.space).await?;
    let scores = renderer.score(&codes).await?;
    let distances = model.boundaries().distances(&codes).await;
    let code = codes.into_iter().next().expect("one source has one code");
    Ok(Scored {
        seed: request.source.seed(),
        distances: distances.into_iter().next().expect("one code has its distances"),
        code,
        scores: scores.into_iter().collect(),
        timings: renderer.admission.timings(),
    })
}

//! The part of a JSON report that compares methods of editing.

use serde::Serialize;
use utoipa::ToSchema;

use crate::editor;

/// What one method of editing does.
#[derive(Serialize, ToSchema)]
pub(crate) struct MethodReport {
    /// The name of the method, such as `plane in w, others held`.
    method: String,
    /// The attributes that it can edit.
    effects: Vec<MethodEffect>,
}

/// What a method does when it edits one attribute.
#[derive(Serialize, ToSchema)]
struct MethodEffect {
    /// The edited attribute.
    attribute: String,
    /// The direction that the method uses, if that is not the attribute's own, such as `sefa-3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    along: Option<String>,
    /// The seconds from a code to the edited image, for one face: the median of three, or the mean of the searches.
    seconds: f64,
    /// The number of faces that were moved.
    faces: usize,
    /// The effect at each of the report's `levels`.
    by_score: Vec<LevelEffect>,
    /// The number of faces that were moved to measure the truth; absent if no graph knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    faces_by_truth: Option<usize>,
    /// The effect at each of the report's `levels` by the true values, with their standard deviations as units; absent if no graph
    /// knows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    by_truth: Option<Vec<LevelEffect>>,
    /// Manipulation inversion: how close undone edits come. Absent without `inverted_faces`, or if the target of no face has changed by 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone: Option<UndoneEdits>,
}

/// Manipulation inversion: the first faces were edited until the target had changed by 1 standard deviation, the edited images were inverted by the
/// encoder, and the edits undone.
#[derive(Serialize, ToSchema)]
struct UndoneEdits {
    /// The number of faces, at most four.
    faces: usize,
    /// Their mean PSNR to the faces before the edit, in dB.
    psnr: f64,
}

/// The mean effect on the faces whose target has changed by one of the levels.
#[derive(Serialize, ToSchema)]
struct LevelEffect {
    /// The number of faces that came so far.
    reached: usize,
    /// Re-scoring: the mean change of each of the report's `scored` attributes in standard deviations, positive in the direction of the
    /// edit. By truth: of as many attributes as the graph knows. Empty if no face came so far.
    changes: Vec<f64>,
    /// Attribute dependency: the mean absolute change of all attributes but the target, in standard deviations; null if no face
    /// came so far.
    dependency: Option<f64>,
    /// The mean similarity to the face before the edit, −1 to 1; null if it is not known.
    identity: Option<f64>,
}

/// What says how similar two faces are as persons.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum IdentityBy {
    /// The cosine of the identity graph's embeddings.
    Graph,
    /// The cosine of the encoder's codes, as differences from the mean code. It is about the whole face.
    Encoder,
}

/// Faces that were inverted by the encoder without an edit.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvertedFaces {
    /// The number of faces.
    faces: usize,
    /// The mean PSNR of their images to those before, in dB.
    psnr: f64,
}

impl From<&editor::MethodReport> for MethodReport {
    fn from(report: &editor::MethodReport) -> Self {
        Self {
            method: report.method.clone(),
            effects: report.effects.iter().map(Into::into).collect(),
        }
    }
}

impl From<&editor::MethodEffect> for MethodEffect {
    fn from(effect: &editor::MethodEffect) -> Self {
        let is_known = !effect.by_truth.is_empty();
        Self {
            attribute: effect.attribute.clone(),
            along: effect.along.clone(),
            seconds: effect.seconds,
            faces: effect.faces,
            by_score: effect.by_score.iter().map(Into::into).collect(),
            faces_by_truth: is_known.then_some(effect.faces_by_truth),
            by_truth: is_known.then(|| effect.by_truth.iter().map(Into::into).collect()),
            undone: effect.undone.map(|undone| UndoneEdits {
                faces: undone.faces,
                psnr: undone.psnr,
            }),
        }
    }
}

impl From<&editor::LevelEffect> for LevelEffect {
    fn from(level: &editor::LevelEffect) -> Self {
        Self {
            reached: level.reached,
            changes: level.changes.clone(),
            dependency: level.dependency,
            identity: level.identity,
        }
    }
}

impl From<editor::IdentityMeasure> for IdentityBy {
    fn from(measure: editor::IdentityMeasure) -> Self {
        match measure {
            editor::IdentityMeasure::Graph => Self::Graph,
            editor::IdentityMeasure::Encoder => Self::Encoder,
        }
    }
}

impl From<editor::InvertedFaces> for InvertedFaces {
    fn from(inverted: editor::InvertedFaces) -> Self {
        Self {
            faces: inverted.faces,
            psnr: inverted.psnr,
        }
    }
}

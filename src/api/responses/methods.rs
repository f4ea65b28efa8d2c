//! The part of a JSON report that compares methods of editing.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::types::space::Space;
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

/// Manipulation inversion: faces were edited, the images inverted by the encoder, the edits undone, and the images compared with those
/// before.
#[derive(Serialize, ToSchema)]
pub(crate) struct ManipulationInversion {
    /// The space of the edits.
    space: Space,
    /// The number of faces.
    faces: usize,
    /// The mean PSNR of inverted faces that were not edited, in dB.
    unedited: f64,
    /// For each edited attribute, the mean PSNR after the edit was undone, in dB.
    undone: BTreeMap<String, f64>,
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

impl From<&editor::ManipulationInversion> for ManipulationInversion {
    fn from(inversion: &editor::ManipulationInversion) -> Self {
        Self {
            space: inversion.space.into(),
            faces: inversion.faces,
            unedited: inversion.unedited,
            undone: inversion.undone.iter().cloned().collect(),
        }
    }
}

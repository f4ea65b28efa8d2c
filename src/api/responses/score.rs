//! The JSON response of `/v1/score`.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::openapi::responses::{FaceResponse, File, NPZ, SEED, WARNINGS};
use crate::api::responses::face::Face;
use crate::api::responses::model::ScoreKind;
use crate::api::types::latent::Latent;
use crate::catalog::OutputEntry;
use crate::editor::{Model, Scored};

/// The scores of a face.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScoreResponse {
    /// The name of the model.
    model: String,
    /// SHA-256 of the model's files and boundaries.
    digest: String,
    /// The seed of the face; absent if it did not come from a seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, maximum = 4_294_967_295u64)]
    seed: Option<u32>,
    /// The latent code. Sent back as `latent`, it gives the same face. Absent if the request has a list of faces, like `scores` and
    /// `distances`.
    #[serde(skip_serializing_if = "Option::is_none")]
    latent: Option<Latent>,
    /// The score of each attribute that a classifier scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Vec<AttributeScore>>,
    /// The signed distance from the boundary of each attribute, in the space of the code: n·code + b.
    #[serde(skip_serializing_if = "Option::is_none")]
    distances: Option<BTreeMap<String, f64>>,
    /// The faces in order, if the request has a list of faces.
    #[serde(skip_serializing_if = "Option::is_none")]
    faces: Option<Vec<Face>>,
    /// Warnings, such as an image that the model cannot make.
    warnings: Vec<String>,
}

impl FaceResponse for ScoreResponse {
    const DESCRIPTION: &'static str = "The scores of the face, and its distance from each boundary.";
    const IMAGES: bool = false;
    const FILES: &'static [File] = &[NPZ];
    const HEADERS: &'static [(&'static str, &'static str)] = &[SEED, WARNINGS];
}

impl ScoreResponse {
    /// The response for a face of `model`.
    pub(crate) fn new(model: &Model, scored: Scored, warnings: Vec<String>) -> Self {
        let outputs = model.outputs().iter().zip(scored.scores);
        Self {
            model: model.name().to_owned(),
            digest: model.digest().to_owned(),
            seed: scored.seed,
            latent: Some(Latent::numbers(&scored.code)),
            scores: Some(
                outputs
                    .map(|(output, score)| AttributeScore::new(output, score))
                    .collect(),
            ),
            distances: Some(scored.distances),
            faces: None,
            warnings,
        }
    }
}

/// The score of an attribute.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttributeScore {
    /// The attribute.
    attribute: String,
    /// The score.
    score: f32,
    /// The kind of score.
    kind: ScoreKind,
    /// The score at the attribute's boundary.
    threshold: f64,
    /// The side of the threshold on which the score lies.
    side: Side,
    /// The meaning of this side; absent if the model's manifest does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    meaning: Option<String>,
}

/// A side of a threshold: `positive` if the score is above it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    /// The score is above the threshold.
    Positive,
    /// The score is not above the threshold.
    Negative,
}

impl AttributeScore {
    fn new(output: &OutputEntry, score: f32) -> Self {
        let (side, meaning) = if f64::from(score) > output.threshold {
            (Side::Positive, &output.positive)
        } else {
            (Side::Negative, &output.negative)
        };
        Self {
            attribute: output.attribute.clone(),
            score,
            kind: output.kind.into(),
            threshold: output.threshold,
            side,
            meaning: meaning.clone(),
        }
    }
}

//! The JSON response of `/v1/edit` and `/v1/conditional-edit`.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::openapi::responses::{FaceResponse, File, NPZ, SEED, STREAM, WARNINGS, ZIP};
use crate::api::responses::face::Face;
use crate::api::responses::score_search::ScoreSearchResult;
use crate::api::responses::walk::Walk;
use crate::api::types::space::Space;
use crate::editor;

/// An edited face.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EditResponse {
    /// The name of the model.
    model: String,
    /// SHA-256 of the model's files and boundaries.
    digest: String,
    /// The face before the edit; absent if the request has a list of faces, or wants no pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Face>,
    /// The face after the edit; one face for each position of a trajectory. Of a list of faces, all in order.
    faces: Vec<Face>,
    /// The similarity of each face to the person before the edit, −1 to 1, by the model's identity graph; absent if the
    /// model has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    similarities: Vec<f64>,
    /// The position of each face on the trajectory, in the request's unit; empty without a trajectory.
    positions: Vec<f64>,
    /// The direction of each edit; empty if `along` is `gradient`.
    directions: Vec<EditDirection>,
    /// The result of the search for a score; absent unless an edit along normals has `to_score`.
    #[serde(skip_serializing_if = "Option::is_none")]
    score_search: Option<ScoreSearchResult>,
    /// The walks along the gradient of the score: one, or one for each side of a trajectory; absent unless `along` is `gradient`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    walks: Vec<Walk>,
    /// Warnings, such as an edit that moves the face out of where the model's samples are.
    warnings: Vec<String>,
}

impl FaceResponse for EditResponse {
    const DESCRIPTION: &'static str = "The edited face; several faces of a trajectory share one image.";
    const FILES: &'static [File] = &[ZIP, STREAM, NPZ];
    const HEADERS: &'static [(&'static str, &'static str)] = &[SEED, WARNINGS];
}

impl EditResponse {
    /// The response for `edited`, a face of `model`: the first of `faces` is the one before the edit.
    pub(crate) fn new(model: &editor::Model, edited: editor::Edited, mut faces: Vec<Face>) -> Self {
        Self {
            model: model.name().to_owned(),
            digest: model.digest().to_owned(),
            before: Some(faces.remove(0)),
            faces,
            similarities: edited.similarities,
            positions: edited.positions,
            directions: edited.directions.into_iter().map(Into::into).collect(),
            score_search: edited.score_search.map(Into::into),
            walks: edited.walks.into_iter().map(Into::into).collect(),
            warnings: edited.warnings.iter().map(ToString::to_string).collect(),
        }
    }

    /// The response for several faces.
    pub(crate) fn of_many(
        model: &editor::Model,
        edited: editor::RenderedFaces,
        positions: Vec<f64>,
        faces: Vec<Face>,
    ) -> Self {
        Self {
            model: model.name().to_owned(),
            digest: model.digest().to_owned(),
            before: None,
            faces,
            similarities: Vec::new(),
            positions,
            directions: edited.directions.into_iter().map(Into::into).collect(),
            score_search: None,
            walks: Vec::new(),
            warnings: edited.warnings.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The direction of an edit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EditDirection {
    /// The attribute.
    attribute: String,
    /// The space of the attribute's boundary.
    space: Space,
    /// The share of the length of the boundary's normal that remains after the projection, 0 to 1. A step of 1 along the direction
    /// changes the signed distance of the attribute by this.
    retained: f64,
    /// The cosine between the direction and the normal of each condition: 0, except for rounding.
    cosines: BTreeMap<String, f64>,
    /// One unit of the request's amounts, as a signed distance; 1 for the unit `distance`.
    unit: f64,
}

impl From<editor::EditDirection> for EditDirection {
    fn from(direction: editor::EditDirection) -> Self {
        Self {
            attribute: direction.attribute,
            space: direction.space.into(),
            retained: direction.retained,
            cosines: direction.cosines,
            unit: direction.unit,
        }
    }
}

//! The JSON response of `/v1/interpolate`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::openapi::responses::{FaceResponse, File, STREAM, WARNINGS, ZIP};
use crate::api::responses::face::Face;
use crate::editor::Model;

/// Faces of a motion.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InterpolateResponse {
    /// The name of the model.
    model: String,
    /// SHA-256 of the model's files and boundaries.
    digest: String,
    /// The faces, in the order of the motion.
    faces: Vec<Face>,
    /// The position of each face: 1.25 is a quarter of the way from the second face of the request to the third.
    positions: Vec<f64>,
    /// Warnings, such as an image that the model cannot make.
    warnings: Vec<String>,
}

impl FaceResponse for InterpolateResponse {
    const DESCRIPTION: &'static str = "The faces of the motion, by default as an animation.";
    const FILES: &'static [File] = &[ZIP, STREAM];
    const HEADERS: &'static [(&'static str, &'static str)] = &[WARNINGS];
}

impl InterpolateResponse {
    /// `faces` of `model` at their `positions`.
    pub(crate) fn new(model: &Model, faces: Vec<Face>, positions: Vec<f64>, warnings: Vec<String>) -> Self {
        Self {
            model: model.name().to_owned(),
            digest: model.digest().to_owned(),
            faces,
            positions,
            warnings,
        }
    }
}

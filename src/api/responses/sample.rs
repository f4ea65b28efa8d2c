//! The JSON response of `/v1/sample`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::openapi::responses::{FaceResponse, File, NPZ, SEED, STREAM, ZIP};
use crate::api::responses::face::Face;
use crate::editor::Model;

/// Sampled faces.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SampleResponse {
    /// The name of the model.
    model: String,
    /// SHA-256 of the model's files and boundaries.
    digest: String,
    /// The faces, in the order of their seeds.
    faces: Vec<Face>,
    /// Warnings; absent unless the request wants no pictures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<String>,
}

impl FaceResponse for SampleResponse {
    const DESCRIPTION: &'static str = "The face; several faces share one image.";
    const FILES: &'static [File] = &[ZIP, STREAM, NPZ];
    const HEADERS: &'static [(&'static str, &'static str)] = &[SEED];
}

impl SampleResponse {
    /// `faces` of `model`.
    pub(crate) fn new(model: &Model, faces: Vec<Face>) -> Self {
        Self {
            model: model.name().to_owned(),
            digest: model.digest().to_owned(),
            faces,
            warnings: Vec::new(),
        }
    }
}

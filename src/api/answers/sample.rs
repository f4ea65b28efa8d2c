//! The JSON answer of `/v1/sample`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::answers::face::Face;
use crate::api::openapi::responses::{FaceAnswer, SEED};
use crate::editor::Model;

/// Sampled faces.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SampleAnswer {
    /// The name of the model.
    model: String,
    /// SHA-256 of the model's files and boundaries.
    digest: String,
    /// The faces, in the order of their seeds.
    faces: Vec<Face>,
}

impl FaceAnswer for SampleAnswer {
    const DESCRIPTION: &'static str = "The face; several faces share one image.";
    const HEADERS: &'static [(&'static str, &'static str)] = &[SEED];
}

impl SampleAnswer {
    /// `faces` of `model`.
    pub(crate) fn new(model: &Model, faces: Vec<Face>) -> Self {
        Self {
            model: model.name().to_owned(),
            digest: model.digest().to_owned(),
            faces,
        }
    }
}

//! The JSON response of `/v1/mix`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::openapi::responses::{FaceResponse, File, WARNINGS, ZIP};
use crate::api::responses::face::Face;
use crate::editor::Model;

/// Two lists of faces, and their mixtures.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MixResponse {
    /// The name of the model.
    model: String,
    /// SHA-256 of the model's files and boundaries.
    digest: String,
    /// The faces of the rows.
    rows: Vec<Face>,
    /// The faces of the columns.
    columns: Vec<Face>,
    /// The mixtures: a list for each row, with a face for each column.
    cells: Vec<Vec<Face>>,
    /// Warnings, such as an image that the model cannot make.
    warnings: Vec<String>,
}

impl FaceResponse for MixResponse {
    const DESCRIPTION: &'static str =
        "A table of mixtures, with the faces of the columns above and those of the rows before them.";
    const FILES: &'static [File] = &[ZIP];
    const HEADERS: &'static [(&'static str, &'static str)] = &[WARNINGS];
}

impl MixResponse {
    /// The response for the `faces` of a table in its order: the heads of its `columns`, then each row after its head.
    pub(crate) fn new(model: &Model, faces: Vec<Face>, columns: usize, warnings: Vec<String>) -> Self {
        let mut faces = faces.into_iter();
        let heads = faces.by_ref().take(columns).collect();
        let (mut rows, mut cells) = (Vec::new(), Vec::new());
        while let Some(head) = faces.next() {
            rows.push(head);
            cells.push(faces.by_ref().take(columns).collect());
        }
        Self {
            model: model.name().to_owned(),
            digest: model.digest().to_owned(),
            rows,
            columns: heads,
            cells,
            warnings,
        }
    }
}

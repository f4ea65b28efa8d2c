//! The operation *mix*: each of some faces with some layers of each of others.

use crate::editor::blending::sources;
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::{EditorError, Face, FaceSource, Model, TruncationChoice};
use crate::engine::Timings;
use crate::latent::{LatentSpace, LayerRange, mix_layers};

/// Two lists of faces, and the layers to mix.
#[derive(Clone, Debug)]
pub struct MixRequest {
    /// The faces that keep their other layers.
    pub rows: Vec<FaceSource>,
    /// The faces that give their layers.
    pub columns: Vec<FaceSource>,
    /// The layers of w+ that come from the columns.
    pub layers: LayerRange,
    /// The truncation of codes that are mapped.
    pub truncation: TruncationChoice,
    /// Whether the classifiers score the faces.
    pub with_scores: bool,
}

/// The sources, and their mixtures.
#[derive(Clone, Debug)]
pub struct Mixed {
    /// The faces of the rows.
    pub rows: Vec<Face>,
    /// The faces of the columns.
    pub columns: Vec<Face>,
    /// The mixtures: row by row, one for each column.
    pub cells: Vec<Face>,
    /// The time that each part took.
    pub timings: Timings,
}

impl MixRequest {
    fn sources(&self) -> Vec<FaceSource> {
        [&self.rows[..], &self.columns[..]].concat()
    }
}

/// The images that a grid of so many rows and columns needs: the sources, and a mixture for each pair.
#[must_use]
pub fn images_of_mix(rows: usize, columns: usize) -> usize {
    rows.saturating_mul(columns)
        .saturating_add(rows)
        .saturating_add(columns)
}

/// Checks everything that needs no network. Callers check it first if the codes take long to find.
///
/// # Errors
/// The first of the errors that [`mix`] returns before it runs a network.
pub fn check_mix(model: &Model, request: &MixRequest) -> Result<(), EditorError> {
    sources::check(model, &request.sources(), LatentSpace::WPlus, request.truncation)?;
    let (layers, _) = model.code_shape(LatentSpace::WPlus)?;
    request.layers.rows(layers)?;
    Ok(())
}

/// Makes a mixture of each row with each column, and the faces of both.
///
/// # Errors
/// [`EditorError`] if the model has no w+, a code, the layers or the truncation does not fit the model, the model is overloaded, or a
/// network fails.
pub async fn mix(model: &Model, request: &MixRequest) -> Result<Mixed, EditorError> {
    check_mix(model, request)?;
    let (rows, columns) = (request.rows.len(), request.columns.len());
    let sources = request.sources();
    let mut renderer = Renderer::admit(model, request.truncation, images_of_mix(rows, columns))?;
    let mut codes = sources::codes(&mut renderer, &sources, LatentSpace::WPlus).await?;
    for row in 0..rows {
        for column in rows..rows + columns {
            codes.push(mix_layers(&codes[row], &codes[column], request.layers)?);
        }
    }
    let outputs = RenderOutputs::with_scores(request.with_scores);
    let mut faces = renderer.render(codes, outputs).await?;
    for (face, source) in faces.iter_mut().zip(&sources) {
        face.seed = source.seed();
    }
    let cells = faces.split_off(rows + columns);
    let columns = faces.split_off(rows);
    Ok(Mixed {
        rows: faces,
        columns,
        cells,
        timings: renderer.admission.timings(),
    })
}

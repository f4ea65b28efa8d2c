//! The request of `/v1/mix`.

use crate::api::decode::declare::fields;
use crate::api::decode::fields::{Group, Required, Unrecorded};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::types::face::TruncationInput;
use crate::api::types::faces::{Faces, HasFaces};
use crate::api::types::layers::Layers;
use crate::api::types::output_options::{Format, MixOutput};
use crate::api::types::text::Name;
use crate::editor::{self, MixRequest, Model, images_of_mix};

fields! {
    /// Two lists of faces, and the layers to mix.
    #[examples(
        serde_json::json!({"rows": [{"seed": 85}, {"seed": 100}], "columns": [{"seed": 55}, {"seed": 821}], "layers": "0-1"}),
    )]
    pub(crate) struct MixInput {
        /// The model. Default: the service's default model.
        model: Option<Name>,
        /// The faces that keep their other layers, one for each row. In a URL: seeds and ranges of seeds, or a code such as `w:0.1,-0.2`.
        rows: Required<Faces> = ["85,100"],
        /// The faces that give their layers to those of the rows, one for each column.
        columns: Required<Faces> = ["55,821"],
        /// The layers of w+ that come from the columns, counted from 0: `3`, or `0-3`. The first layers are the coarse ones, such as the
        /// pose, the last ones the fine ones, such as colours.
        layers: Required<Layers> = "0-1",
        truncation: Group<TruncationInput>,
        output: Unrecorded<MixOutput>,
    }
}

impl MixInput {
    /// Refuses more faces than one response may have.
    pub(crate) fn check_count(&self, api: &Api) -> Result<(), Problem> {
        let (rows, columns) = (self.rows.0.0.len(), self.columns.0.0.len());
        let (images, most) = (images_of_mix(rows, columns), api.limits.max_images);
        if u32::try_from(images).is_ok_and(|images| images <= most) {
            return Ok(());
        }
        let reason = format!(
            "found {rows} rows and {columns} columns, which are {images} images with those of the rows and columns; expected at most \
             {most} in one response"
        );
        Err(Problem::field("rows", reason))
    }

    /// Whether every face is that of a seed.
    pub(crate) fn is_seeded(&self) -> bool {
        let mut faces = self.rows.0.0.iter().chain(&self.columns.0.0);
        faces.all(|face| face.code.seed.is_some())
    }

    /// The editor's request.
    pub(crate) fn request(&self, format: Format) -> Result<MixRequest, Problem> {
        Ok(MixRequest {
            rows: self.rows.sources("rows")?,
            columns: self.columns.sources("columns")?,
            layers: self.layers.0.0,
            truncation: self.truncation.choice(),
            with_scores: format == Format::Json,
        })
    }
}

impl HasFaces for MixInput {
    fn faces(&mut self) -> (Vec<(&'static str, &mut Faces)>, &mut TruncationInput) {
        let lists = vec![("rows", &mut self.rows.0), ("columns", &mut self.columns.0)];
        (lists, &mut self.truncation)
    }

    fn check(&self, model: &Model) -> Result<(), Problem> {
        Ok(editor::check_mix(model, &self.request(Format::Png)?)?)
    }
}

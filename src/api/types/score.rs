//! The request of `/v1/score`.

use crate::api::decode::declare::fields;
use crate::api::decode::fields::Group;
use crate::api::problem::Problem;
use crate::api::types::face::{FaceInput, OneOrMany, TruncationInput, check_many};
use crate::api::types::form::form;
use crate::api::types::output_options::NumbersFormat;
use crate::api::types::space::Space;
use crate::api::types::text::Name;
use crate::api::types::uploaded_image::{HasImage, UploadedImage};
use crate::editor::{ManyFaces, ScoreRequest};

fields! {
    /// A face to score, or several.
    #[examples(serde_json::json!({"seed": 7}), serde_json::json!({"seeds": [85, 265, 297]}))]
    pub(crate) struct ScoreInput {
        /// The model. Default: the service's default model.
        model: Option<Name>,
        face: Group<FaceInput>,
        /// The space of the code and of the distances in the response. Default: the given code's space; for a seed, the model's default
        /// space.
        space: Option<Space>,
        truncation: Group<TruncationInput>,
        /// The format of the response. Default: `json`.
        format: Option<NumbersFormat>,
    }
}

form!(ScoreForm of ScoreInput: "An image of the face to score, as a file; the other fields are those of the URL.");

impl HasImage for ScoreInput {
    fn set_image(&mut self, file: UploadedImage) {
        self.face.image = Some(file);
    }

    fn take_image(&mut self) -> Option<UploadedImage> {
        self.face.image.take()
    }
}

impl ScoreInput {
    /// The editor's request.
    pub(crate) fn request(&self) -> Result<ScoreRequest, Problem> {
        Ok(ScoreRequest {
            source: self.face.code.source()?,
            space: self.space.map(Into::into),
            truncation: self.truncation.choice(),
        })
    }

    /// The editor's request for several faces, and the format of their scores; `None` for one face as JSON.
    pub(crate) fn many(&self) -> Result<Option<(ManyFaces, NumbersFormat)>, Problem> {
        let format = self.format.unwrap_or(NumbersFormat::Json);
        let sources = match self.face.code.faces()? {
            OneOrMany::One(_) if format == NumbersFormat::Json => return Ok(None),
            faces => faces.sources(),
        };
        check_many(self.face.code.field_of_many(), sources.len())?;
        let request = ManyFaces {
            sources,
            space: self.space.map(Into::into),
            truncation: self.truncation.choice(),
            edit: None,
        };
        Ok(Some((request, format)))
    }
}

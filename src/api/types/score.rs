//! The request of `/v1/score`.

use crate::api::decode::declare::fields;
use crate::api::decode::fields::Group;
use crate::api::problem::Problem;
use crate::api::types::face::{FaceInput, TruncationInput};
use crate::api::types::form::form;
use crate::api::types::space::Space;
use crate::api::types::text::Name;
use crate::api::types::uploaded_image::{HasImage, UploadedImage};
use crate::editor::ScoreRequest;

fields! {
    /// A face to score.
    #[examples(serde_json::json!({"seed": 7}))]
    pub(crate) struct ScoreInput {
        /// The model. Default: the service's default model.
        model: Option<Name>,
        face: Group<FaceInput>,
        /// The space of the code and of the distances in the response. Default: the given code's space; for a seed, the model's default
        /// space.
        space: Option<Space>,
        truncation: Group<TruncationInput>,
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
}

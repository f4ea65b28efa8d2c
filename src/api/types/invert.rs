//! The request of `/v1/invert`.

use std::time::Duration;

use crate::api::decode::declare::fields;
use crate::api::decode::fields::{Group, Required, Unrecorded};
use crate::api::problem::Problem;
use crate::api::types::choice::choice;
use crate::api::types::form::form;
use crate::api::types::framing::FramingInput;
use crate::api::types::number::{Integer, Positive};
use crate::api::types::output_options::{Format, ImageOptions};
use crate::api::types::space::Space;
use crate::api::types::text::Name;
use crate::api::types::uploaded_image::{HasImage, UploadedImage};
use crate::editor::{InversionMethod, InversionOptions, InvertRequest};
use crate::imaging::Framing;

/// A number of optimization steps.
type Steps = Integer<1, 1000>;

choice! {
    /// How the latent code is found.
    pub(crate) enum InversionMethodName as InversionMethod {
        /// One run of the encoder.
        Encoder = "encoder",
        /// Optimization from the mean code.
        Optimize = "optimize",
        /// Optimization from the encoder's result.
        Refine = "refine",
    }
}

impl From<InversionMethodName> for InversionMethod {
    fn from(name: InversionMethodName) -> Self {
        match name {
            InversionMethodName::Encoder => Self::Encoder,
            InversionMethodName::Optimize => Self::Optimize,
            InversionMethodName::Refine => Self::Refine,
        }
    }
}

fields! {
    /// An image to invert.
    #[examples(serde_json::json!({"image": "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQMAAAAlPW0iAAAABlBMVEWgeGBAQFCld2cdAAAAL0lEQVR42mP8z8DEwMDEwMDwR57pzwemHz+YPvyBiECRAAsTBwcTiwDjfwYmBgYAGQIJNsCUkm4AAAAASUVORK5CYII=", "space": "w+", "steps": 10}))]
    pub(crate) struct InvertInput {
        /// The model. Default: the service's default model.
        model: Option<Name>,
        /// The image: a PNG, JPEG, WebP, GIF or BMP file, at most 20 MiB and 25 million pixels (JPEG: 100 million).
        image: Required<UploadedImage>,
        framing: Group<FramingInput>,
        /// How the latent code is found. Default: the best method that the model has.
        method: Option<InversionMethodName>,
        /// The code's space. w+ follows the image more closely, w is easier to edit. Default: the encoder's space, or else w.
        space: Option<Space>,
        /// The largest number of optimization steps. Default: 100.
        steps: Option<Steps> = 10,
        /// Ends the optimization when this many steps have lowered the loss by less than 10 % in all. With as many as `steps`, it never
        /// ends early. Default: 10 for `refine`, 20 for `optimize`.
        patience: Option<Steps>,
        /// The number of codes from which `optimize` starts side by side: the mean code, and the codes of the seeds 0, 1, … Default: 1.
        starts: Option<Integer<1, 8>>,
        /// The time after which no further step is begun, in seconds, at most a day. Default: no limit.
        seconds: Option<Positive<86_400>>,
        output: Unrecorded<ImageOptions>,
    }
}

form!(InvertForm of InvertInput: "An image to invert, as a file; the other fields are those of the URL.");

impl HasImage for InvertInput {
    fn set_image(&mut self, file: UploadedImage) {
        self.image = Required(file);
    }

    fn take_image(&mut self) -> Option<UploadedImage> {
        Some(std::mem::take(&mut self.image.0))
    }
}

impl InvertInput {
    /// Whether the request says how to invert, so that a code in the image's metadata is not taken.
    pub(crate) fn asks_for_inversion(&self) -> bool {
        self.framing.given().is_some()
            || self.method.is_some()
            || self.space.is_some()
            || self.steps.is_some()
            || self.patience.is_some()
            || self.starts.is_some()
            || self.seconds.is_some()
    }

    /// The editor's request.
    pub(crate) fn request(
        &self,
        image_digest: [u8; 32],
        framing: Option<Framing>,
        format: Format,
    ) -> Result<InvertRequest, Problem> {
        if self.starts.is_some() && self.method != Some(InversionMethodName::Optimize) {
            let reason =
                "found it without method optimize; the other methods start from the encoder's result";
            return Err(Problem::field("starts", reason));
        }
        Ok(InvertRequest {
            image_digest,
            framing,
            options: self.options(),
            with_scores: format == Format::Json,
        })
    }

    fn options(&self) -> InversionOptions {
        let default = InversionOptions::default();
        InversionOptions {
            method: self.method.map(Into::into),
            space: self.space.map(Into::into),
            steps: self.steps.map_or(default.steps, Integer::usize),
            patience: self.patience.map(Integer::usize),
            starts: self.starts.map_or(default.starts, Integer::usize),
            time_limit: self.seconds.map(|seconds| Duration::from_secs_f64(seconds.0)),
        }
    }
}

//! What is asked of `/v1/invert`, in JSON, in a form and in a URL.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::output::{Compression, Format, Metadata, OutputOptions};
use crate::api::problem::Problem;
use crate::api::types::invert_text::{CropText, LandmarksText};
use crate::api::types::picture_file::{PictureFile, STEPS};
use crate::api::types::values::{Object, Real, Space, Whole};
use crate::api::upload::Pictured;
use crate::editor::{InversionMethod, InvertRequest, Model, UndecodedPicture};
use crate::imaging::{self, Framing, Landmarks};

/// Most codes that one request begins at.
const MOST_STARTS: u32 = 8;

/// Most steps of one descent.
const MOST_STEPS: u32 = 1000;

/// Longest time that makes sense.
const DAY: Duration = Duration::from_hours(24);

/// How the code is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = InversionMethod)]
pub(crate) enum InversionMethodName {
    /// One run of the encoder.
    Encoder,
    /// Down the loss, from the mean code.
    Optimize,
    /// Down the loss, from the encoder's answer.
    Refine,
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

impl From<InversionMethod> for InversionMethodName {
    fn from(method: InversionMethod) -> Self {
        match method {
            InversionMethod::Encoder => Self::Encoder,
            InversionMethod::Optimize => Self::Optimize,
            InversionMethod::Refine => Self::Refine,
        }
    }
}

/// A rectangle of pixels, from the upper left corner of the picture as it is looked at.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Crop {
    /// The first column.
    pub(crate) left: u32,
    /// The first row.
    pub(crate) top: u32,
    /// The number of columns.
    #[schema(minimum = 1)]
    pub(crate) width: u32,
    /// The number of rows.
    #[schema(minimum = 1)]
    pub(crate) height: u32,
}

/// A picture to invert.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({"image": "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAE0lEQVR42mM4saAHiBhO9PQAEQA3IgepRYH5wQAAAABJRU5ErkJggg==", "space": "w+", "steps": 50})))]
pub(crate) struct InvertBody {
    /// A PNG, JPEG, WebP, GIF or BMP file, at most 20 MiB and 25 million pixels.
    #[serde(skip_serializing)]
    #[schema(value_type = String, content_encoding = "base64", required)]
    pub(crate) image: Option<PictureFile>,
    /// The part that the model is shown; the face, if the model has a landmark graph, or else the largest square (or
    /// whatever its pictures are) in the middle, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Crop>)]
    crop: Option<Object<Crop>>,
    /// Where the face is, by 5 points (left eye, right eye, nose, left and right corner of the mouth, left as the picture
    /// is looked at) or iBUG's 68, x and y in pixels: it is turned and scaled as FFHQ's faces are. In place of `crop`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 5, max_items = 68)]
    landmarks: Option<Vec<[f64; 2]>>,
    /// The model; the default one if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    /// How the code is found; the best way that the model has if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<InversionMethodName>,
    /// The code's space; the encoder's, or else w, if left out. w+ follows the picture more closely, w edits more cleanly.
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<Space>,
    /// Steps down the loss; 100 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    steps: Option<u32>,
    /// Ends the descent when so many steps have not lowered the loss by 1 %.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    patience: Option<u32>,
    /// How many codes `optimize` begins at, side by side: the mean code, and those of the seeds 0, 1, …; 1 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 8)]
    starts: Option<u32>,
    /// Time after which no further step is taken, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0)]
    seconds: Option<f64>,
    /// The kind of answer; `Accept` decides if left out.
    #[serde(skip_serializing)]
    pub(crate) format: Option<Format>,
    /// What a PNG says of itself.
    #[serde(skip_serializing)]
    metadata: Option<Metadata>,
    /// How small a PNG is made.
    #[serde(skip_serializing)]
    compression: Option<Compression>,
    /// How much of the picture a JPEG or WebP keeps; 90 if left out.
    #[serde(skip_serializing)]
    #[schema(minimum = 1, maximum = 100)]
    quality: Option<u8>,
}

/// How a picture is inverted, where the body is the picture itself.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InvertQuery {
    /// The part that the model is shown, as left,top,width,height; the face, if the model has a landmark graph, or else the
    /// middle, if left out.
    #[param(value_type = Option<String>)]
    crop: Option<CropText>,
    /// Where the face is, by 5 points (left eye, right eye, nose, left and right corner of the mouth) or iBUG's 68, as
    /// x,y;x,y;… in pixels.
    #[param(value_type = Option<String>, example = "92,118;164,117;128,150;104,184;152,183")]
    landmarks: Option<LandmarksText>,
    /// The model; the default one if left out.
    model: Option<String>,
    /// How the code is found; the best way that the model has if left out.
    method: Option<InversionMethodName>,
    /// The code's space; the encoder's, or else w, if left out.
    space: Option<Space>,
    /// Steps down the loss; 100 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    steps: Option<Whole>,
    /// Ends the descent when so many steps have not lowered the loss by 1 %.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    patience: Option<Whole>,
    /// How many codes `optimize` begins at, side by side: the mean code, and those of the seeds 0, 1, …; 1 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 8)]
    starts: Option<Whole>,
    /// Time after which no further step is taken, in seconds.
    #[param(value_type = Option<f64>)]
    seconds: Option<Real>,
    /// The kind of answer; `Accept` decides if left out.
    format: Option<Format>,
    /// What a PNG says of itself.
    metadata: Option<Metadata>,
    /// How small a PNG is made.
    compression: Option<Compression>,
    /// How much of the picture a JPEG or WebP keeps; 90 if left out.
    #[param(minimum = 1, maximum = 100)]
    quality: Option<u8>,
}

impl Pictured for InvertBody {
    type Query = InvertQuery;

    fn asked(query: InvertQuery) -> Result<Self, Problem> {
        Ok(query.into())
    }

    fn image(&mut self) -> &mut Option<PictureFile> {
        &mut self.image
    }
}

impl From<InvertQuery> for InvertBody {
    fn from(query: InvertQuery) -> Self {
        Self {
            image: None,
            crop: query.crop.map(|crop| Object(crop.0)),
            landmarks: query.landmarks.map(|landmarks| landmarks.0),
            model: query.model,
            method: query.method,
            space: query.space,
            steps: query.steps.map(|steps| steps.0),
            patience: query.patience.map(|patience| patience.0),
            starts: query.starts.map(|starts| starts.0),
            seconds: query.seconds.map(|seconds| seconds.0),
            format: query.format,
            metadata: query.metadata,
            compression: query.compression,
            quality: query.quality,
        }
    }
}

impl InvertBody {
    /// The part of the picture that is asked for.
    pub(crate) fn framing(&self, model: &Model) -> Result<Option<Framing>, Problem> {
        match (&self.crop, &self.landmarks) {
            (None, None) => Ok(None),
            (Some(Object(crop)), None) => Ok(Some(Framing::Crop(imaging::Crop {
                left: crop.left,
                top: crop.top,
                width: crop.width,
                height: crop.height,
            }))),
            (None, Some(points)) => {
                let landmarks = Landmarks::new(points);
                let landmarks = landmarks.map_err(|error| Problem::field("landmarks", error.to_string()))?;
                Ok(Some(Framing::Face(landmarks, model.alignment())))
            }
            (Some(_), Some(_)) => {
                let reason = "found a crop beside it, expected one of the two";
                Err(Problem::field("landmarks", reason))
            }
        }
    }

    pub(crate) fn wishes(&self) -> OutputOptions {
        OutputOptions {
            format: self.format,
            layout: None,
            metadata: self.metadata,
            compression: self.compression,
            quality: self.quality,
        }
    }

    pub(crate) fn request(
        &self,
        picture: UndecodedPicture,
        framing: Option<Framing>,
        format: Format,
    ) -> Result<InvertRequest, Problem> {
        let within = |field, found: Option<u32>, most| match found {
            Some(found) if !(1..=most).contains(&found) => {
                let reason = format!("found {found}, expected 1 to {most}");
                Err(Problem::field(field, reason))
            }
            found => Ok(found.map(|found| found as usize)),
        };
        let starts = within("starts", self.starts, MOST_STARTS)?;
        if starts.is_some() && self.method != Some(InversionMethodName::Optimize) {
            let reason = "is for method optimize; the others begin at the encoder's answer";
            return Err(Problem::field("starts", reason));
        }
        let budget = self.seconds.map(|seconds| {
            let time = Some(seconds).filter(|&seconds| seconds > 0.0);
            let time = time.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            let reason = || format!("found {seconds}, expected a number of seconds above 0");
            time.filter(|time| *time < DAY)
                .ok_or_else(|| Problem::field("seconds", reason()))
        });
        Ok(InvertRequest {
            picture,
            framing,
            method: self.method.map(Into::into),
            space: self.space.map(Into::into),
            steps: within("steps", self.steps, MOST_STEPS)?.unwrap_or(STEPS as usize),
            patience: within("patience", self.patience, MOST_STEPS)?,
            starts: starts.unwrap_or(1),
            time_limit: budget.transpose()?,
            with_scores: format == Format::Json,
        })
    }
}

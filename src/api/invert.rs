//! `/v1/invert`: from a picture to its code.

use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use tokio::sync::mpsc::UnboundedSender;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::answer::{Answer, FaceBody, Recipe, bodies, encoding, picture};
use super::document::{BodyProblems, FaceProblems, JpegFile, PictureForm, PngFile, WebpFile};
use super::picture_file::{PictureFile, STEPS};
use super::presentation::{Compression, Format, Metadata, Presentation, Wishes};
use super::problem::Problem;
use super::upload::{self, Pictured};
use super::viewer::Viewer;
use super::wire::{Object, Real, Space, Whole};
use crate::editor::{Descended, InvertRequest, Inverted, Method, Model, Progress};
use crate::imaging::{self, Framing, Landmarks, Picture};

/// Most codes that one request begins at.
const MOST_STARTS: u32 = 8;

/// Most steps of one descent.
const MOST_STEPS: u32 = 1000;

/// Longest time that makes sense.
const DAY: Duration = Duration::from_hours(24);

/// How the code is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum MethodName {
    /// One run of the encoder.
    Encoder,
    /// Down the loss, from the mean code.
    Optimize,
    /// Down the loss, from the encoder's answer.
    Refine,
}

impl From<MethodName> for Method {
    fn from(name: MethodName) -> Self {
        match name {
            MethodName::Encoder => Self::Encoder,
            MethodName::Optimize => Self::Optimize,
            MethodName::Refine => Self::Refine,
        }
    }
}

impl From<Method> for MethodName {
    fn from(method: Method) -> Self {
        match method {
            Method::Encoder => Self::Encoder,
            Method::Optimize => Self::Optimize,
            Method::Refine => Self::Refine,
        }
    }
}

/// A rectangle of pixels, from the upper left corner of the picture as it is looked at.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Crop {
    left: u32,
    top: u32,
    #[schema(minimum = 1)]
    width: u32,
    #[schema(minimum = 1)]
    height: u32,
}

/// A picture to invert.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({"image": "iVBORw0KGgo…", "space": "w+", "steps": 50})))]
pub(super) struct InvertBody {
    /// A PNG, JPEG, WebP, GIF or BMP file, at most 20 MiB and 25 million pixels.
    #[serde(skip_serializing)]
    #[schema(value_type = String, content_encoding = "base64", required)]
    image: Option<PictureFile>,
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
    model: Option<String>,
    /// How the code is found; the best way that the model has if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<MethodName>,
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
    format: Option<Format>,
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
pub(super) struct InvertQuery {
    /// The part that the model is shown, as left,top,width,height; the face, if the model has a landmark graph, or else the
    /// middle, if left out.
    #[param(value_type = Option<String>, example = "10,20,300,300")]
    crop: Option<CropText>,
    /// Where the face is, by 5 points (left eye, right eye, nose, left and right corner of the mouth) or iBUG's 68, as
    /// x,y;x,y;… in pixels.
    #[param(value_type = Option<String>, example = "92,118;164,117;128,150;104,184;152,183")]
    landmarks: Option<LandmarksText>,
    /// The model; the default one if left out.
    model: Option<String>,
    /// How the code is found; the best way that the model has if left out.
    #[param(inline)]
    method: Option<MethodName>,
    /// The code's space; the encoder's, or else w, if left out.
    #[param(inline)]
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
    #[param(inline)]
    format: Option<Format>,
    /// What a PNG says of itself.
    #[param(inline)]
    metadata: Option<Metadata>,
    /// How small a PNG is made.
    #[param(inline)]
    compression: Option<Compression>,
    /// How much of the picture a JPEG or WebP keeps; 90 if left out.
    #[param(minimum = 1, maximum = 100)]
    quality: Option<u8>,
}

/// A crop in a URL.
#[derive(Debug)]
struct CropText(Crop);

impl<'de> Deserialize<'de> for CropText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let numbers: Option<Vec<u32>> = text.split(',').map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[left, top, width, height]) => Ok(Self(Crop {
                left,
                top,
                width,
                height,
            })),
            _ => Err(D::Error::custom(format!(
                "found {text:?}, expected left,top,width,height in pixels"
            ))),
        }
    }
}

/// Landmarks in a URL.
#[derive(Debug)]
struct LandmarksText(Vec<[f64; 2]>);

impl<'de> Deserialize<'de> for LandmarksText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let point = |point: &str| {
            let (x, y) = point.split_once(',')?;
            Some([x.trim().parse().ok()?, y.trim().parse().ok()?])
        };
        let points: Option<_> = text.split(';').map(point).collect();
        let wrong = || D::Error::custom(format!("found {text:?}, expected x,y;x,y;… in pixels"));
        points.map(Self).ok_or_else(wrong)
    }
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

/// A picture's code, and how well it draws the picture.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvertAnswer {
    /// The model.
    model: String,
    /// SHA-256 of the model's files.
    digest: String,
    /// How the code was found.
    method: MethodName,
    /// The code, and the reconstruction that it draws.
    face: FaceBody,
    /// The PNG of the picture as the model was shown it.
    #[schema(content_encoding = "base64", content_media_type = "image/png")]
    target: String,
    /// Mean square error of the reconstruction, black being 0 and white 1.
    mse: f64,
    /// Peak signal-to-noise ratio of the reconstruction, in dB.
    psnr: f64,
    /// Structural similarity of reconstruction and picture, −1 to 1.
    ssim: f64,
    /// How the descent went, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    descent: Option<DescentBody>,
}

/// A way down the loss.
#[derive(Debug, Serialize, ToSchema)]
struct DescentBody {
    /// The loss of the code returned, the least that was met.
    loss: f32,
    /// The loss at the start.
    loss_at_start: f32,
    /// The perceptual part of the loss before it is weighed, where the model's gradient graph tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    perceptual: Option<f32>,
    /// Steps taken.
    steps: usize,
    /// Whether more steps would hardly help: there was no way further down, patience ran out, or all steps were taken and
    /// the last tenth of them lowered the loss by less than 1 %.
    converged: bool,
}

impl From<Descended> for DescentBody {
    fn from(descended: Descended) -> Self {
        let Descended {
            loss,
            loss_at_start,
            perceptual,
            steps,
            converged,
        } = descended;
        Self {
            loss,
            loss_at_start,
            perceptual,
            steps,
            converged,
        }
    }
}

/// Find the code of a picture
///
/// The body is the picture itself, with the options in the URL; or a form with the picture as `file` and the options beside
/// it; or JSON. The answer is the reconstruction, whose PNG carries
/// the code, or JSON. Edit it by sending the code to `/v1/edit` as `latent`.
///
/// With `Accept: text/event-stream` the way there can be watched: an event `progress` for each step, with the loss and, up
/// to ten times, a small JPEG of what is drawn and how near it is; then `done` with the JSON answer, or `problem` with the
/// document of what went wrong. Work for a client that goes away ends.
#[utoipa::path(
    post, path = "/v1/invert", tag = "faces", operation_id = "invert",
    params(InvertQuery),
    request_body(content((InvertBody = "application/json"), (PngFile = "image/png"), (JpegFile = "image/jpeg"), (WebpFile = "image/webp"), (PictureForm = "multipart/form-data"))),
    responses(
        (status = 200, description = "The reconstruction", content((PngFile = "image/png"), (JpegFile = "image/jpeg"), (WebpFile = "image/webp"), (InvertAnswer = "application/json"), (String = "text/event-stream"))),
        FaceProblems, BodyProblems,
    )
)]
pub(super) async fn post(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let viewer = Viewer::of(&request, api.limits.timeout)?;
    let mut body: InvertBody = upload::read(request).await?;
    let Some(viewer) = viewer else {
        let presentation = Presentation::of(body.wishes(), &headers)?;
        return Ok(invert(api, presentation, body, None).await?.once());
    };
    body.format = Some(Format::Json);
    let presentation = Presentation::of(body.wishes(), &headers)?;
    let work = |sender| async move { invert(api, presentation, body, Some(&sender)).await };
    viewer.watch(work).await
}

async fn invert(
    api: Api,
    presentation: Presentation,
    mut body: InvertBody,
    watcher: Option<&UnboundedSender<Progress>>,
) -> Result<Answer, Problem> {
    let missing = || Problem::field("image", "missing, expected a picture file in base64");
    let file = body.image.take().ok_or_else(missing)?;
    let model = api.models.get(body.model.as_deref())?;
    body.model = Some(model.name().to_owned());
    let framing = body.framing(&model)?;
    let request = body.request(file.picture(&api).await?, framing, presentation.format)?;
    let inverted = model.invert(request, watcher).await?;
    let timings = inverted.timings;
    let recipe = Recipe::new(presentation, &model, "/v1/invert", &body);
    let started = Instant::now();
    let answer = match presentation.format {
        format @ (Format::Png | Format::Jpeg | Format::Webp) => {
            let file = picture(vec![inverted.face], presentation, recipe).await?;
            Answer::picture(format, file, &model)
        }
        Format::Json => Answer::json(
            &answer_body(&model, inverted, presentation, recipe).await?,
            &model,
        ),
    };
    let encoding = started.elapsed();
    api.metrics.encoded(encoding);
    Ok(answer.with_timings(&timings, encoding))
}

async fn answer_body(
    model: &Model,
    inverted: Inverted,
    presentation: Presentation,
    recipe: Option<Recipe>,
) -> Result<InvertAnswer, Problem> {
    let similarity = inverted.similarity.expect("an answer in JSON asks for it");
    let target = encoding(move || presentation.encode(&inverted.target, None)).await?;
    let mut faces = bodies(vec![inverted.face], presentation, recipe).await?;
    Ok(InvertAnswer {
        model: model.name().to_owned(),
        digest: model.digest().to_owned(),
        method: inverted.method.into(),
        face: faces.remove(0),
        target: STANDARD.encode(target),
        mse: similarity.mse,
        psnr: similarity.psnr,
        ssim: similarity.ssim,
        descent: inverted.descended.map(Into::into),
    })
}

impl InvertBody {
    /// The part of the picture that is asked for.
    fn framing(&self, model: &Model) -> Result<Option<Framing>, Problem> {
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

    fn wishes(&self) -> Wishes {
        Wishes {
            format: self.format,
            layout: None,
            metadata: self.metadata,
            compression: self.compression,
            quality: self.quality,
        }
    }

    fn request(
        &self,
        picture: Picture,
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
        if starts.is_some() && self.method != Some(MethodName::Optimize) {
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
            budget: budget.transpose()?,
            with_scores: format == Format::Json,
        })
    }
}

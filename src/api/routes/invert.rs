//! `/v1/invert`: from a picture to its code.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use tokio::sync::mpsc::UnboundedSender;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::inversion_events::InversionEvents;
use crate::api::openapi::files::{ImageFile, InvertForm};
use crate::api::openapi::problems::{BodyProblems, FaceProblems};
use crate::api::openapi::responses::{FaceAnswer, Fresh};
use crate::api::output::{Format, Output};
use crate::api::problem::Problem;
use crate::api::response::{Answer, FaceBody, Recipe, bodies, encoding, picture};
use crate::api::types::invert_body::{InversionMethodName, InvertBody, InvertQuery};
use crate::api::upload;
use crate::editor::{self, InversionProgress, Inverted, Model, OptimizationResult};

/// A picture's code, and how well it draws the picture.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvertAnswer {
    /// The model.
    model: String,
    /// SHA-256 of the model's files.
    digest: String,
    /// How the code was found.
    method: InversionMethodName,
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

impl FaceAnswer for InvertAnswer {
    const DESCRIPTION: &'static str = "The reconstruction of the image.";
    const EVENTS: bool = true;
    const HEADERS: &'static [(&'static str, &'static str)] = &[];
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

impl From<OptimizationResult> for DescentBody {
    fn from(descended: OptimizationResult) -> Self {
        let OptimizationResult {
            loss,
            initial_loss,
            perceptual_loss,
            steps,
            converged,
        } = descended;
        Self {
            loss,
            loss_at_start: initial_loss,
            perceptual: perceptual_loss,
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
    post, path = "/v1/invert", tag = "faces", operation_id = "invert_image",
    params(InvertQuery),
    request_body(content((InvertBody = "application/json"), (inline(ImageFile) = "image/png"), (inline(ImageFile) = "image/jpeg"), (inline(ImageFile) = "image/webp"), (InvertForm = "multipart/form-data"))),
    responses(
        Fresh<InvertAnswer>, FaceProblems, BodyProblems,
    )
)]
pub(crate) async fn post(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let viewer = InversionEvents::of(&request, api.limits.timeout)?;
    let mut body: InvertBody = upload::read(request).await?;
    let Some(viewer) = viewer else {
        let presentation = Output::of(body.wishes(), &headers)?;
        return Ok(invert(api, presentation, body, None).await?.once());
    };
    body.format = Some(Format::Json);
    let presentation = Output::of(body.wishes(), &headers)?;
    let work = |sender| async move { invert(api, presentation, body, Some(&sender)).await };
    viewer.watch(work).await
}

async fn invert(
    api: Api,
    presentation: Output,
    mut body: InvertBody,
    watcher: Option<&UnboundedSender<InversionProgress>>,
) -> Result<Answer, Problem> {
    let missing = || Problem::field("image", "missing, expected a picture file in base64");
    let file = body.image.take().ok_or_else(missing)?;
    let model = api.models.get(body.model.as_deref())?;
    body.model = Some(model.name().to_owned());
    let framing = body.framing(&model)?;
    let request = body.request(file.undecoded(&api).await?, framing, presentation.format)?;
    let inverted = editor::invert(&model, request, watcher).await?;
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
    presentation: Output,
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
        descent: inverted.optimization.map(Into::into),
    })
}

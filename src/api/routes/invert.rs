//! `/v1/invert`: finds the latent code of an image.

use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::mpsc::UnboundedSender;

use crate::api::buffered_response::BufferedResponse;
use crate::api::decode::describe::OptionsBesideImage;
use crate::api::encoding::Encoding;
use crate::api::image_metadata::RequestRecord;
use crate::api::inversion_events::InversionEvents;
use crate::api::openapi::files::ImageFile;
use crate::api::openapi::problems::{BodyProblems, FaceProblems};
use crate::api::openapi::responses::Fresh;
use crate::api::output::Output;
use crate::api::problem::Problem;
use crate::api::responses::invert::{FoundBy, InvertResponse};
use crate::api::state::Api;
use crate::api::types::invert::{InvertForm, InvertInput};
use crate::api::types::output_options::Format;
use crate::api::types::text::{Text, named};
use crate::api::types::uploaded_image::CarriedCode;
use crate::api::upload;
use crate::editor::{self, InversionProgress, Model};
use crate::imaging::FileMetadata;

/// Invert an image
///
/// Finds the latent code of an image. The body is one of three: the image itself, with the options in the URL; a form with
/// the image as `file` and the options as further fields; or JSON. The response is the reconstruction, or JSON. The file of
/// the reconstruction carries the code. To edit the face, send the code to `/v1/edit` as `latent`.
///
/// If the image is a file of this service that carries a code of this model, the response has that code, and the method `metadata`. Any option about
/// the inversion, such as `method`, inverts it all the same.
///
/// With `Accept: text/event-stream` the response is a stream of events. A `progress` event for each step has an
/// `InversionProgress`; about ten of them have a small reconstruction. The last event is `end` with an `InvertResponse`, or with a
/// `ProblemDocument`, which has a `type`. If the client closes the connection, the inversion ends.
#[utoipa::path(
    post, path = "/v1/invert", tag = "faces", operation_id = "invert_image",
    params(OptionsBesideImage<InvertInput>),
    request_body(content((InvertInput = "application/json"), (inline(ImageFile) = "image/png"), (inline(ImageFile) = "image/jpeg"), (inline(ImageFile) = "image/webp"), (InvertForm = "multipart/form-data"))),
    responses(
        Fresh<InvertResponse>, FaceProblems, BodyProblems,
    )
)]
pub(crate) async fn post(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    // A client in the same process has left it there.
    let progress = request
        .extensions()
        .get::<UnboundedSender<InversionProgress>>()
        .cloned();
    let events = InversionEvents::accepted(&request, api.limits.timeout)?;
    let mut input: InvertInput = upload::read(request, &api).await?;
    let Some(events) = events else {
        let output = Output::of_one_face(&input.output, &headers)?;
        return Ok(invert(api, output, input, progress.as_ref()).await?.uncached());
    };
    input.output.format = Some(Format::Json);
    let output = Output::of_one_face(&input.output, &headers)?;
    let work = |sender| async move { invert(api, output, input, Some(&sender)).await };
    events.report(work).await
}

/// Inverts the image of `input`, and encodes the response. Sends its steps to `progress`.
pub(crate) async fn invert(
    api: Api,
    output: Output,
    mut input: InvertInput,
    progress: Option<&UnboundedSender<InversionProgress>>,
) -> Result<BufferedResponse, Problem> {
    api.memory.check_room()?;
    let file = std::mem::take(&mut input.image.0);
    let model = api.model(named(input.model.as_ref()))?;
    input.model = Some(Text(model.name().to_owned()));
    let framing = input.framing.framing(&model)?;
    let carried = file.carried(model.generator_digest());
    let carried = carried.filter(|_| !input.asks_for_inversion());
    let is_photograph = carried.as_ref().is_none_or(|carried| carried.of_photograph);
    let inverted = if let Some(CarriedCode {
        latent, truncation, ..
    }) = carried
    {
        let with_scores = output.format == Format::Json;
        let image = file.undecoded(&api).await?;
        editor::reconstruct(&model, latent.code()?, truncation, image, with_scores).await?
    } else {
        let request = input.request(file.digest().await?, framing, output.format)?;
        let image = file.undecoded(&api);
        editor::invert(&model, &api.inversions, request, image, progress).await?
    };
    let warnings: Vec<String> = inverted.warnings.iter().map(ToString::to_string).collect();
    let listed = warnings.clone();
    let encoding = Encoding {
        metadata: api
            .metadata(&model, RequestRecord::new("/v1/invert", &input))
            .of_photograph(is_photograph),
        model,
        faces: vec![inverted.face],
        output,
        cache_key: None,
        timings: inverted.timings,
        metrics: &api.metrics,
    };
    let document = move |mut faces: Vec<_>, model: &Model| {
        let similarity = inverted.similarity.expect("requests for JSON ask for it");
        Ok(InvertResponse {
            model: model.name().to_owned(),
            digest: model.digest().to_owned(),
            method: inverted.method.map_or(FoundBy::Metadata, FoundBy::from),
            face: faces.remove(0),
            target: STANDARD.encode(output.encode(&inverted.target, &FileMetadata::default())?),
            mse: similarity.mse,
            psnr: similarity.psnr,
            ssim: similarity.ssim,
            optimization: inverted.optimization.map(Into::into),
            warnings: listed,
        })
    };
    let response = encoding.encode(document).await?;
    let response = response.named("inverted").with_warnings(&warnings);
    Ok(response.held_in(&api.memory))
}

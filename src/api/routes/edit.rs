//! `/v1/edit` and `/v1/conditional-edit`: edits a face.

use std::mem::take;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;

use crate::api::buffered_response::Reuse;
use crate::api::decode::describe::OptionsBesideImage;
use crate::api::encoding::Encoding;
use crate::api::frame_stream::FrameStream;
use crate::api::image_metadata::RequestRecord;
use crate::api::many_faces;
use crate::api::openapi::files::ImageFile;
use crate::api::openapi::problems::{BodyProblems, FaceProblems};
use crate::api::openapi::responses::{Cacheable, Fresh};
use crate::api::output::Output;
use crate::api::problem::Problem;
use crate::api::request_body::Query;
use crate::api::responses::edit::EditResponse;
use crate::api::route_response::RouteResponse;
use crate::api::state::Api;
use crate::api::types::edit::{ConditionalEditForm, ConditionalEditInput, EditForm, EditInput, FaceEdits};
use crate::api::types::face::{OneOrMany, check_many};
use crate::api::types::latent::Latent;
use crate::api::types::output_options::{Format, NumbersFormat};
use crate::api::types::text::{Text, named};
use crate::api::types::uploaded_image::{HasImage, TakenImage};
use crate::api::{response_cache, upload};
use crate::editor::{self, FaceSource, Model};

/// Edit a face, by URL
///
/// Moves the latent code along the normals of the attributes' boundaries, or with `along=gradient` along the gradient of a score. With a `seed`, the response is the same until the
/// model changes: caches may keep it and revalidate it by its `ETag`. If the URL names the digest of the model too (`model=phantom@…`),
/// they may keep it for ever. Without an edit, the response is the face itself.
#[utoipa::path(
    get, path = "/v1/edit", tag = "faces", operation_id = "edit_face_by_url",
    params(EditInput),
    responses(
        Cacheable<EditResponse>, FaceProblems,
    )
)]
pub(crate) async fn get_plain(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(input): Query<EditInput>,
) -> Result<Response, Problem> {
    get(&api, PLAIN, &headers, input).await
}

/// Edit a face
///
/// The body is one of three: JSON; a form with an image of the face as `file` and the options as further fields; or the
/// image itself, with the options in the URL as for GET.
#[utoipa::path(
    post, path = "/v1/edit", tag = "faces", operation_id = "edit_face",
    params(OptionsBesideImage<EditInput>),
    request_body(content((EditInput = "application/json"), (inline(ImageFile) = "image/png"), (inline(ImageFile) = "image/jpeg"), (inline(ImageFile) = "image/webp"), (EditForm = "multipart/form-data"))),
    responses(
        Fresh<EditResponse>, FaceProblems, BodyProblems,
    )
)]
pub(crate) async fn post_plain(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    post::<EditInput>(&api, PLAIN, request).await
}

/// Edit a face with conditions, by URL
///
/// Moves the latent code along the part of a boundary's normal that is orthogonal to the normals of all conditions, so
/// that these attributes stay. All else is as in `/v1/edit`, also an edit without conditions.
#[utoipa::path(
    get, path = "/v1/conditional-edit", tag = "faces", operation_id = "edit_face_conditionally_by_url",
    params(ConditionalEditInput),
    responses(
        Cacheable<EditResponse>, FaceProblems,
    )
)]
pub(crate) async fn get_conditional(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(input): Query<ConditionalEditInput>,
) -> Result<Response, Problem> {
    get(&api, CONDITIONAL, &headers, input.into()).await
}

/// Edit a face with conditions
///
/// The body is one of three: JSON; a form with an image of the face as `file` and the options as further fields; or the
/// image itself, with the options in the URL as for GET.
#[utoipa::path(
    post, path = "/v1/conditional-edit", tag = "faces", operation_id = "edit_face_conditionally",
    params(OptionsBesideImage<ConditionalEditInput>),
    request_body(content((ConditionalEditInput = "application/json"), (inline(ImageFile) = "image/png"), (inline(ImageFile) = "image/jpeg"), (inline(ImageFile) = "image/webp"), (ConditionalEditForm = "multipart/form-data"))),
    responses(
        Fresh<EditResponse>, FaceProblems, BodyProblems,
    )
)]
pub(crate) async fn post_conditional(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    post::<ConditionalEditInput>(&api, CONDITIONAL, request).await
}

const PLAIN: &str = "/v1/edit";
const CONDITIONAL: &str = "/v1/conditional-edit";

async fn get(
    api: &Api,
    path: &'static str,
    headers: &HeaderMap,
    input: EditInput,
) -> Result<Response, Problem> {
    let has_seed = input.common.face.code.is_seeded();
    let reuse = Reuse::of(input.common.model.as_ref(), has_seed, Reuse::WhileUnchanged);
    Ok(edit(api, path, headers, input).await?.reused(reuse, headers))
}

async fn post<T: HasImage + Into<EditInput> + Send + 'static>(
    api: &Api,
    path: &'static str,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let input: T = upload::read(request, api).await?;
    Ok(edit(api, path, &headers, input.into()).await?.uncached())
}

/// What the client wants to know about the faces.
enum Wanted {
    Pictures(Output),
    Numbers(NumbersFormat),
}

async fn edit(
    api: &Api,
    path: &'static str,
    headers: &HeaderMap,
    mut input: EditInput,
) -> Result<RouteResponse, Problem> {
    let wanted = match input.output.numbers()? {
        None => Wanted::Pictures(Output::of(&input.output, headers)?),
        Some(format) => Wanted::Numbers(format),
    };
    let model = api.model(named(input.common.model.as_ref()))?;
    input.common.model = Some(Text(model.name().to_owned()));
    let cacheable = input.common.face.code.is_seeded();
    let mut of_image = None;
    let FaceEdits { face, truncation, .. } = &mut input.common.0;
    let taken = face.take_image(truncation, &model)?;
    let is_photograph = taken.as_ref().is_some_and(TakenImage::is_photograph);
    if let Some(TakenImage::Unknown(image)) = taken {
        // The inversion may take minutes, so everything else is checked before it.
        editor::check_edit(
            &model,
            &input.request(api, Format::Json)?,
            editor::inverted_space(&model)?,
        )
        .await?;
        if let Wanted::Numbers(_) = wanted {
            input.many(check_many)?;
        }
        let found = image.invert(api, &model).await?;
        of_image = found.warning();
        input.common.face.code.latent = Some(Latent::file(&found.code));
    }
    input.common.face.code.complete()?;
    let output = match wanted {
        Wanted::Pictures(output) => output,
        Wanted::Numbers(format) => {
            return many_faces::respond(api, model, input.many(check_many)?, format).await;
        }
    };
    if let OneOrMany::Many(_) = input.common.face.code.faces()? {
        return edit_many(api, path, &model, &input, output).await;
    }
    let request = input.request(api, output.format)?;
    let record = RequestRecord::new(path, &input);
    if output.is_streamed() {
        let metadata = api.metadata(&model, record).of_photograph(is_photograph);
        let stream = FrameStream::new(api, headers, &model, output, metadata, request.images())?;
        let stream = stream.with_seeds(request.source.seed());
        let work = |sender| async move { editor::edit_to(&model, &request, Some(sender)).await.map(drop) };
        return Ok(RouteResponse::Streamed(stream.respond(work).await?));
    }
    let key = cacheable.then(|| response_cache::key(&model, &record, &output));
    let cache_key = key.clone();
    let make = async {
        let mut edited = editor::edit(&model, &request).await?;
        edited.warnings.splice(0..0, of_image);
        let warnings: Vec<String> = edited.warnings.iter().map(ToString::to_string).collect();
        let (seed, before) = (edited.seed, edited.before.take());
        let encoding = Encoding {
            model: Arc::clone(&model),
            faces: before.into_iter().chain(take(&mut edited.faces)).collect(),
            output,
            metadata: api.metadata(&model, record).of_photograph(is_photograph),
            cache_key,
            timings: edited.timings,
            metrics: &api.metrics,
        };
        let response = encoding.encode(|faces, model| Ok(EditResponse::new(model, edited, faces)));
        let response = response.await?.with_seeds(seed).named("edited");
        Ok(response.with_warnings(&warnings))
    };
    Ok(RouteResponse::Buffered(api.cache.get_or_make(key, make).await?))
}

/// Edits several faces, with their pictures.
async fn edit_many(
    api: &Api,
    path: &'static str,
    model: &Arc<Model>,
    input: &EditInput,
    output: Output,
) -> Result<RouteResponse, Problem> {
    if output.is_streamed() {
        let reason = "found stream for edits of several faces, expected grid, strip, animation or zip";
        return Err(Problem::field("layout", reason));
    }
    let request = input.many(|field, count| api.check_count(field, count))?;
    let cacheable = input.common.face.code.is_seeded();
    let record = RequestRecord::new(path, input);
    let key = cacheable.then(|| response_cache::key(model, &record, &output));
    let cache_key = key.clone();
    let make = async {
        let mut edited = editor::render_faces(model, &request, output.format == Format::Json).await?;
        let warnings: Vec<String> = edited.warnings.iter().map(ToString::to_string).collect();
        let seeds: Vec<u32> = request.sources.iter().filter_map(FaceSource::seed).collect();
        let encoding = Encoding {
            model: Arc::clone(model),
            faces: take(&mut edited.faces),
            output,
            metadata: api.metadata(model, record),
            cache_key,
            timings: edited.timings,
            metrics: &api.metrics,
        };
        let positions = request.positions();
        let response =
            encoding.encode(|faces, model| Ok(EditResponse::of_many(model, edited, positions, faces)));
        let response = response.await?.with_seeds(seeds).named("edited");
        Ok(response.with_warnings(&warnings))
    };
    Ok(RouteResponse::Buffered(api.cache.get_or_make(key, make).await?))
}

//! `/v1/interpolate`: makes the faces between two or more faces.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;

use crate::api::buffered_response::Reuse;
use crate::api::encoding::Encoding;
use crate::api::frame_stream::FrameStream;
use crate::api::image_metadata::RequestRecord;
use crate::api::openapi::problems::{BodyProblems, FaceProblems};
use crate::api::openapi::responses::{Cacheable, Fresh};
use crate::api::output::Output;
use crate::api::problem::Problem;
use crate::api::request_body::{Query, read_json};
use crate::api::responses::interpolate::InterpolateResponse;
use crate::api::route_response::RouteResponse;
use crate::api::state::Api;
use crate::api::types::faces;
use crate::api::types::interpolate::InterpolateInput;
use crate::api::types::output_options::Layout;
use crate::api::types::text::{Text, named};
use crate::api::{response_cache, upload};
use crate::editor;

/// Move between faces, by URL
///
/// Makes the faces between two or more faces, as an animation by default. In w, w+ and s the latent code moves along straight lines, in z
/// along arcs. Each face of the request has a frame that shows it as `/v1/sample` does. With `seeds`, the response is the same until the
/// model changes: caches may keep it and revalidate it by its `ETag`.
#[utoipa::path(
    get, path = "/v1/interpolate", tag = "faces", operation_id = "interpolate_faces_by_url",
    params(InterpolateInput),
    responses(
        Cacheable<InterpolateResponse>, FaceProblems,
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(input): Query<InterpolateInput>,
) -> Result<Response, Problem> {
    let reuse = Reuse::of(input.model.as_ref(), input.seeds.is_some(), Reuse::WhileUnchanged);
    Ok(interpolate(&api, &headers, input).await?.reused(reuse, &headers))
}

/// Move between faces
///
/// Makes the faces between two or more faces, as an animation by default. A face is a seed, a latent code or an image; an image that does
/// not carry its code is inverted first.
#[utoipa::path(
    post, path = "/v1/interpolate", tag = "faces", operation_id = "interpolate_faces",
    request_body = InterpolateInput,
    responses(
        Fresh<InterpolateResponse>, FaceProblems, BodyProblems,
    )
)]
pub(crate) async fn post(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let (input, _memory) = read_json(request, &api, upload::LARGEST_BODY).await?;
    Ok(interpolate(&api, &headers, input).await?.uncached())
}

const PATH: &str = "/v1/interpolate";

async fn interpolate(
    api: &Api,
    headers: &HeaderMap,
    mut input: InterpolateInput,
) -> Result<RouteResponse, Problem> {
    let output = Output::of_several(&input.output, Layout::Animation, headers)?;
    let model = api.model(named(input.model.as_ref()))?;
    input.model = Some(Text(model.name().to_owned()));
    input.complete(api)?;
    let completed = faces::complete(&mut input, api, &model).await?;
    let warnings: Vec<String> = completed.warnings.iter().map(ToString::to_string).collect();
    let (request, cacheable) = (input.request(output.format)?, input.is_seeded());
    let record = RequestRecord::new(PATH, &input);
    if output.is_streamed() {
        let metadata = api
            .metadata(&model, record)
            .of_photograph(completed.is_photograph);
        let stream = FrameStream::new(api, headers, &model, output, metadata, request.frames)?;
        let work = |sender| async move {
            let made = editor::interpolate(&model, &request, Some(sender)).await;
            made.map(drop)
        };
        return Ok(RouteResponse::Streamed(stream.respond(work).await?));
    }
    let key = cacheable.then(|| response_cache::key(&model, &record, &output));
    let cache_key = key.clone();
    let make = async {
        let made = editor::interpolate(&model, &request, None).await?;
        let encoding = Encoding {
            model: Arc::clone(&model),
            faces: made.faces,
            output,
            metadata: api
                .metadata(&model, record)
                .of_photograph(completed.is_photograph),
            cache_key,
            timings: made.timings,
            metrics: &api.metrics,
        };
        let (positions, listed) = (made.positions, warnings.clone());
        let document = |faces, model: &_| Ok(InterpolateResponse::new(model, faces, positions, listed));
        Ok(encoding
            .encode(document)
            .await?
            .named("interpolated")
            .with_warnings(&warnings))
    };
    Ok(RouteResponse::Buffered(api.cache.get_or_make(key, make).await?))
}

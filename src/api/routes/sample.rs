//! `/v1/sample`: synthesizes faces from seeds or from latent codes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::api::buffered_response::Reuse;
use crate::api::encoding::Encoding;
use crate::api::frame_stream::FrameStream;
use crate::api::image_metadata::RequestRecord;
use crate::api::many_faces;
use crate::api::openapi::problems::{BodyProblems, FaceProblems};
use crate::api::openapi::responses::{Cacheable, Fresh};
use crate::api::output::Output;
use crate::api::problem::Problem;
use crate::api::request_body::{Body, Query};
use crate::api::response_cache;
use crate::api::responses::sample::SampleResponse;
use crate::api::route_response::RouteResponse;
use crate::api::state::Api;
use crate::api::types::sample::SampleInput;
use crate::api::types::text::{Text, named};
use crate::editor::{self, FaceSource, Sampled};

/// Sample faces, by URL
///
/// With a `seed`, the response is the same until the model changes: caches may keep an image for a minute, and then revalidate it by
/// its `ETag`. If the URL names the digest of the model too (`model=phantom@…`), they may keep the response for ever.
#[utoipa::path(
    get, path = "/v1/sample", tag = "faces", operation_id = "sample_faces_by_url",
    params(SampleInput),
    responses(
        Cacheable<SampleResponse>, FaceProblems,
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(input): Query<SampleInput>,
) -> Result<Response, Problem> {
    let has_seed = input.code.is_seeded();
    let reuse = Reuse::of(input.model.as_ref(), has_seed, Reuse::ForAMinute);
    Ok(sample(&api, &headers, input).await?.reused(reuse, &headers))
}

/// Sample faces
#[utoipa::path(
    post, path = "/v1/sample", tag = "faces", operation_id = "sample_faces",
    request_body = SampleInput,
    responses(
        Fresh<SampleResponse>, FaceProblems, BodyProblems,
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    headers: HeaderMap,
    Body(input): Body<SampleInput>,
) -> Result<Response, Problem> {
    Ok(sample(&api, &headers, input).await?.uncached())
}

const PATH: &str = "/v1/sample";

async fn sample(api: &Api, headers: &HeaderMap, mut input: SampleInput) -> Result<RouteResponse, Problem> {
    let numbers = input.output.numbers()?;
    let model = api.model(named(input.model.as_ref()))?;
    let cacheable = input.code.is_seeded();
    input.model = Some(Text(model.name().to_owned()));
    input.code.complete()?;
    if let Some(format) = numbers {
        return many_faces::respond(api, model, input.many()?, format).await;
    }
    let output = Output::of(&input.output, headers)?;
    let request = input.request(api, output.format)?;
    let record = RequestRecord::new(PATH, &input);
    if output.is_streamed() {
        let metadata = api.metadata(&model, record);
        let stream = FrameStream::new(api, headers, &model, output, metadata, request.sources.len())?;
        let stream = stream.with_seeds(request.sources.iter().filter_map(FaceSource::seed));
        let work = |sender| async move { editor::sample_to(&model, &request, Some(sender)).await.map(drop) };
        return Ok(RouteResponse::Streamed(stream.respond(work).await?));
    }
    let key = cacheable.then(|| response_cache::key(&model, &record, &output));
    let cache_key = key.clone();
    let make = async {
        let Sampled { faces, timings } = editor::sample(&model, &request).await?;
        let seeds: Vec<u32> = faces.iter().filter_map(|face| face.seed).collect();
        let encoding = Encoding {
            model: Arc::clone(&model),
            faces,
            output,
            metadata: api.metadata(&model, record),
            cache_key,
            timings,
            metrics: &api.metrics,
        };
        let response = encoding.encode(|faces, model| Ok(SampleResponse::new(model, faces)));
        Ok(response.await?.with_seeds(seeds))
    };
    Ok(RouteResponse::Buffered(api.cache.get_or_make(key, make).await?))
}

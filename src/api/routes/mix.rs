//! `/v1/mix`: style mixing, each of some faces with some layers of each of others.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;

use crate::api::buffered_response::BufferedResponse;
use crate::api::buffered_response::Reuse;
use crate::api::encoding::Encoding;
use crate::api::image_metadata::RequestRecord;
use crate::api::openapi::problems::{BodyProblems, FaceProblems};
use crate::api::openapi::responses::{Cacheable, Fresh};
use crate::api::output::Output;
use crate::api::problem::Problem;
use crate::api::request_body::{Query, read_json};
use crate::api::responses::mix::MixResponse;
use crate::api::state::Api;
use crate::api::types::faces;
use crate::api::types::mix::MixInput;
use crate::api::types::text::{Text, named};
use crate::api::{response_cache, upload};
use crate::editor::{self, Face, Mixed};

/// Mix the styles of faces, by URL
///
/// Each face of `rows` gets the `layers` of each face of `columns`. The response is a table, with the faces of the columns in its first
/// row and those of the rows in its first column. With seeds, the response is the same until the model changes: caches may keep it and
/// revalidate it by its `ETag`.
#[utoipa::path(
    get, path = "/v1/mix", tag = "faces", operation_id = "mix_faces_by_url",
    params(MixInput),
    responses(
        Cacheable<MixResponse>, FaceProblems,
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(input): Query<MixInput>,
) -> Result<Response, Problem> {
    let reuse = Reuse::of(input.model.as_ref(), input.is_seeded(), Reuse::WhileUnchanged);
    Ok(mix(&api, &headers, input).await?.reused(reuse, &headers))
}

/// Mix the styles of faces
///
/// Each face of `rows` gets the `layers` of each face of `columns`. A face is a seed, a latent code or an image; an image that does not
/// carry its code is inverted first.
#[utoipa::path(
    post, path = "/v1/mix", tag = "faces", operation_id = "mix_faces",
    request_body = MixInput,
    responses(
        Fresh<MixResponse>, FaceProblems, BodyProblems,
    )
)]
pub(crate) async fn post(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let (input, _memory) = read_json(request, &api, upload::LARGEST_BODY).await?;
    Ok(mix(&api, &headers, input).await?.uncached())
}

const PATH: &str = "/v1/mix";

async fn mix(api: &Api, headers: &HeaderMap, mut input: MixInput) -> Result<BufferedResponse, Problem> {
    let columns = input.columns.0.0.len();
    let output = Output::of_table(&input.output, columns, headers)?;
    let model = api.model(named(input.model.as_ref()))?;
    input.model = Some(Text(model.name().to_owned()));
    input.check_count(api)?;
    let completed = faces::complete(&mut input, api, &model).await?;
    let warnings: Vec<String> = completed.warnings.iter().map(ToString::to_string).collect();
    let (request, cacheable) = (input.request(output.format)?, input.is_seeded());
    let record = RequestRecord::new(PATH, &input);
    let key = cacheable.then(|| response_cache::key(&model, &record, &output));
    let cache_key = key.clone();
    let make = async {
        let mixed = editor::mix(&model, &request).await?;
        let encoding = Encoding {
            model: Arc::clone(&model),
            timings: mixed.timings,
            faces: in_order_of_the_table(mixed),
            output,
            metadata: api
                .metadata(&model, record)
                .of_photograph(completed.is_photograph),
            cache_key,
            metrics: &api.metrics,
        };
        let listed = warnings.clone();
        let document = move |faces, model: &_| Ok(MixResponse::new(model, faces, columns, listed));
        Ok(encoding
            .encode(document)
            .await?
            .named("mixed")
            .with_warnings(&warnings))
    };
    api.cache.get_or_make(key, make).await
}

/// The faces of a table: the heads of its columns, then each row after its head.
fn in_order_of_the_table(mixed: Mixed) -> Vec<Face> {
    let columns = mixed.columns.len();
    let mut faces = mixed.columns;
    let mut cells = mixed.cells.into_iter();
    for row in mixed.rows {
        faces.push(row);
        faces.extend(cells.by_ref().take(columns));
    }
    faces
}

//! `/v1/score`: the scores of a face, and its distances from the boundaries.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;

use crate::api::buffered_response::{BufferedResponse, Reuse};
use crate::api::decode::describe::OptionsBesideImage;
use crate::api::image_metadata::RequestRecord;
use crate::api::many_faces;
use crate::api::openapi::files::ImageFile;
use crate::api::openapi::problems::{BodyProblems, ScoreProblems};
use crate::api::openapi::responses::{Cacheable, Fresh};
use crate::api::problem::Problem;
use crate::api::request_body::Query;
use crate::api::responses::score::ScoreResponse;
use crate::api::route_response::RouteResponse;
use crate::api::state::Api;
use crate::api::types::latent::Latent;
use crate::api::types::output_options::Format;
use crate::api::types::score::{ScoreForm, ScoreInput};
use crate::api::types::text::{Text, named};
use crate::api::types::uploaded_image::TakenImage;
use crate::api::{response_cache, upload};
use crate::editor::{self, EditorError};

/// Score a face, by URL
///
/// Returns the score of each attribute that a classifier of the model scores, and the distance from each boundary.
#[utoipa::path(
    get, path = "/v1/score", tag = "faces", operation_id = "score_face_by_url",
    params(ScoreInput),
    responses(Cacheable<ScoreResponse>, ScoreProblems)
)]
pub(crate) async fn get(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(input): Query<ScoreInput>,
) -> Result<Response, Problem> {
    let has_seed = input.face.code.is_seeded();
    let reuse = Reuse::of(input.model.as_ref(), has_seed, Reuse::WhileUnchanged);
    Ok(score(&api, input).await?.reused(reuse, &headers))
}

/// Score a face
///
/// The body is one of three: JSON; a form with an image of the face as `file` and the options as further fields; or the
/// image itself, with the options in the URL as for GET.
#[utoipa::path(
    post, path = "/v1/score", tag = "faces", operation_id = "score_face",
    params(OptionsBesideImage<ScoreInput>),
    request_body(content((ScoreInput = "application/json"), (inline(ImageFile) = "image/png"), (inline(ImageFile) = "image/jpeg"), (inline(ImageFile) = "image/webp"), (ScoreForm = "multipart/form-data"))),
    responses(Fresh<ScoreResponse>, ScoreProblems, BodyProblems)
)]
pub(crate) async fn post(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let input = upload::read(request, &api).await?;
    Ok(score(&api, input).await?.uncached())
}

async fn score(api: &Api, mut input: ScoreInput) -> Result<RouteResponse, Problem> {
    let model = api.model(named(input.model.as_ref()))?;
    let cacheable = input.face.code.is_seeded();
    input.model = Some(Text(model.name().to_owned()));
    let mut warnings = Vec::new();
    let ScoreInput { face, truncation, .. } = &mut input;
    if let Some(TakenImage::Unknown(image)) = face.take_image(truncation, &model)? {
        // The inversion may take minutes, so everything else is checked before it.
        editor::check_score(&model, &input.request()?, editor::inverted_space(&model)?)?;
        let found = image.invert(api, &model).await?;
        warnings.extend(found.warning().map(|warning| warning.to_string()));
        input.face.code.latent = Some(Latent::file(&found.code));
    }
    if let Some((many, format)) = input.many()? {
        if model.outputs().is_empty() {
            let model = model.name().to_owned();
            return Err(EditorError::NoClassifier { model }.into());
        }
        return many_faces::respond(api, model, many, format).await;
    }
    let request = input.request()?;
    let key = cacheable
        .then(|| response_cache::key(&model, &RequestRecord::new("/v1/score", &input), &Format::Json));
    let make = async {
        let scored = editor::score(&model, &request).await?;
        let (seed, timings) = (scored.seed, scored.timings);
        let response = ScoreResponse::new(&model, scored, warnings.clone());
        let response = BufferedResponse::json(&response, &model);
        let response = response
            .with_seeds(seed)
            .with_warnings(&warnings)
            .with_timings(&timings, Duration::ZERO);
        Ok(if cacheable { response.with_etag() } else { response })
    };
    Ok(RouteResponse::Buffered(api.cache.get_or_make(key, make).await?))
}

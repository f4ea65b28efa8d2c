//! `/v1/score`: the scores of a face, and its distances from the boundaries.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::answer::Answer;
use crate::api::answers::score::ScoreAnswer;
use crate::api::image_metadata::RequestRecord;
use crate::api::openapi::files::ImageFile;
use crate::api::openapi::forms::ScoreForm;
use crate::api::openapi::problems::{BodyProblems, ScoreProblems};
use crate::api::openapi::responses::{Cacheable, Fresh};
use crate::api::output::Format;
use crate::api::problem::Problem;
use crate::api::request_body::Query;
use crate::api::response_cache;
use crate::api::state::Api;
use crate::api::types::picture_file::{NamedFace, PictureFile};
use crate::api::types::values::{LatentBody, Object, Real, Space, Whole, face_source};
use crate::api::upload::{self, Pictured};
use crate::editor::{self, ScoreRequest, TruncationChoice};

/// What to score. Without `seed`, `latent` and `image`, a seed is drawn and given back.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({"seed": 7})))]
pub(crate) struct ScoreBody {
    /// The model; the default one if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// The face that `numpy.random.RandomState(seed).randn(1, z_dim)` means to this model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, maximum = 4_294_967_295u64)]
    seed: Option<u32>,
    /// A code to score instead of a seed's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LatentBody>)]
    latent: Option<Object<LatentBody>>,
    /// A picture of the face instead: a PNG, JPEG, WebP, GIF or BMP file, at most 20 MiB and 25 million pixels. A PNG that this
    /// model made carries its code; any other picture is inverted first, as `/v1/invert` does it.
    #[serde(skip_serializing)]
    #[schema(value_type = Option<String>, content_encoding = "base64")]
    image: Option<PictureFile>,
    /// The space of the code and the distances in the answer; a seed's code goes to the model's default space if left
    /// out.
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<Space>,
    /// Truncation where z is mapped to w: 1 is none, 0 the mean face; the model's own if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -2, maximum = 2)]
    psi: Option<f64>,
    /// How many of the first layers are truncated; the model's own number, or all, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    truncation_layers: Option<usize>,
}

/// What to score, in a URL.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScoreQuery {
    /// The model; the default one if left out.
    model: Option<String>,
    /// The face that `numpy.random.RandomState(seed).randn(1, z_dim)` means to this model; one is drawn, and given
    /// back, if left out.
    #[param(value_type = Option<u64>, maximum = 4_294_967_295u64, example = 7)]
    seed: Option<Whole>,
    /// The space of the code and the distances in the answer.
    space: Option<Space>,
    /// Truncation: 1 is none, 0 the mean face; the model's own if left out.
    #[param(value_type = Option<f64>, minimum = -2, maximum = 2)]
    psi: Option<Real>,
    /// How many of the first layers are truncated.
    #[param(value_type = Option<u32>, minimum = 1)]
    truncation_layers: Option<Whole>,
}

impl From<ScoreQuery> for ScoreBody {
    fn from(query: ScoreQuery) -> Self {
        Self {
            model: query.model,
            seed: query.seed.map(|seed| seed.0),
            latent: None,
            image: None,
            space: query.space,
            psi: query.psi.map(|psi| psi.0),
            truncation_layers: query.truncation_layers.map(|layers| layers.0 as usize),
        }
    }
}

impl Pictured for ScoreBody {
    type Query = ScoreQuery;

    fn asked(query: ScoreQuery) -> Result<Self, Problem> {
        Ok(query.into())
    }

    fn image(&mut self) -> &mut Option<PictureFile> {
        &mut self.image
    }
}

impl ScoreBody {
    fn face(&mut self) -> NamedFace<'_> {
        NamedFace {
            image: &mut self.image,
            seed: self.seed,
            latent: &mut self.latent,
            psi: &mut self.psi,
            truncation_layers: &mut self.truncation_layers,
        }
    }
}

/// Score a face, by URL
///
/// Returns the score of each attribute that a classifier of the model scores, and the distance from each boundary.
#[utoipa::path(
    get, path = "/v1/score", tag = "faces", operation_id = "score_face_by_url",
    params(ScoreQuery),
    responses(Cacheable<ScoreAnswer>, ScoreProblems)
)]
pub(crate) async fn get(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(query): Query<ScoreQuery>,
) -> Result<Response, Problem> {
    let seeded = query.seed.is_some();
    let answer = score(&api, query.into()).await?;
    Ok(if seeded {
        answer.revalidated(&headers)
    } else {
        answer.uncached()
    })
}

/// Score a face
///
/// The body is one of three: JSON; a form with an image of the face as `file` and the options as further fields; or the
/// image itself, with the options in the URL as for GET.
#[utoipa::path(
    post, path = "/v1/score", tag = "faces", operation_id = "score_face",
    request_body(content((ScoreBody = "application/json"), (inline(ImageFile) = "image/png"), (inline(ImageFile) = "image/jpeg"), (inline(ImageFile) = "image/webp"), (ScoreForm = "multipart/form-data"))),
    responses(Fresh<ScoreAnswer>, ScoreProblems, BodyProblems)
)]
pub(crate) async fn post(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let body = upload::read(request).await?;
    Ok(score(&api, body).await?.uncached())
}

async fn score(api: &Api, mut body: ScoreBody) -> Result<Answer, Problem> {
    let model = api.models.get(body.model.as_deref())?;
    let cacheable = body.seed.is_some();
    body.model = Some(model.name().to_owned());
    body.face().take_code(api, &model).await?;
    let request = ScoreRequest {
        source: face_source(body.seed, body.latent.as_ref())?,
        space: body.space.map(Into::into),
        truncation: TruncationChoice {
            psi: body.psi,
            layers: body.truncation_layers,
        },
    };
    let key = cacheable
        .then(|| response_cache::key(&model, &RequestRecord::new("/v1/score", &body), &Format::Json));
    let make = async {
        let scored = editor::score(&model, &request).await?;
        let (seed, timings) = (scored.seed, scored.timings);
        let answer = Answer::json(&ScoreAnswer::new(&model, scored), &model);
        let answer = answer.with_seeds(seed).with_timings(&timings, Duration::ZERO);
        Ok(if cacheable { answer.with_etag() } else { answer })
    };
    api.cache.get_or_make(key, make).await
}

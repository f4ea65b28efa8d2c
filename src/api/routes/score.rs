//! `/v1/score`: what the classifiers say of a face, and how far it lies from the boundaries.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::openapi::files::{ImageFile, ScoreForm};
use crate::api::openapi::problems::{BodyProblems, ScoreProblems};
use crate::api::openapi::responses::{Cacheable, FaceAnswer, Fresh, SEED};
use crate::api::problem::Problem;
use crate::api::request_body::Query;
use crate::api::response::Answer;
use crate::api::routes::models::ScoreName;
use crate::api::types::picture_file::{NamedFace, PictureFile};
use crate::api::types::values::{LatentBody, Object, Real, Space, Whole, face_source};
use crate::api::upload::{self, Pictured};
use crate::api::{Api, response_cache};
use crate::catalog::OutputEntry;
use crate::editor::{self, Model, ScoreRequest, Scored, TruncationChoice};

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

/// A face's scores.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScoreAnswer {
    /// The model.
    model: String,
    /// SHA-256 of the model's files and boundaries.
    digest: String,
    /// The seed that the face was sampled with, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, maximum = 4_294_967_295u64)]
    seed: Option<u32>,
    /// The face's code; send it back as `latent` for the same face.
    latent: LatentBody,
    /// Each classifier output, and what it means.
    scores: Vec<ScoreItem>,
    /// Signed distance from each attribute's boundary, in the code's space: n·code + b.
    distances: BTreeMap<String, f64>,
}

impl FaceAnswer for ScoreAnswer {
    const DESCRIPTION: &'static str = "The scores of the face, and its distance from each boundary.";
    const IMAGES: bool = false;
    const HEADERS: &'static [(&'static str, &'static str)] = &[SEED];
}

/// One classifier output.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScoreItem {
    /// The attribute.
    attribute: String,
    /// The score.
    score: f32,
    /// What the score is.
    kind: ScoreName,
    /// The score at which the attribute changes sides.
    threshold: f64,
    /// The side on which the face is: positive where its score is above the threshold.
    side: Side,
    /// What being on that side means, where the manifest says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    meaning: Option<String>,
}

/// A side of a threshold.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    Positive,
    Negative,
}

impl ScoreItem {
    fn new(output: &OutputEntry, score: f32) -> Self {
        let (side, meaning) = if f64::from(score) > output.threshold {
            (Side::Positive, &output.positive)
        } else {
            (Side::Negative, &output.negative)
        };
        Self {
            attribute: output.attribute.clone(),
            score,
            kind: output.kind.into(),
            threshold: output.threshold,
            side,
            meaning: meaning.clone(),
        }
    }
}

/// Score a face
///
/// What every classifier of the model says of the face, and the face's distance from every boundary.
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
        answer.until_changed(&headers)
    } else {
        answer.once()
    })
}

/// Score a face
///
/// The body is JSON; or a picture of the face, and the URL says the rest, as for GET; or a form with the picture as `file`,
/// and its other fields say the rest.
#[utoipa::path(
    post, path = "/v1/score", tag = "faces", operation_id = "score_face",
    request_body(content((ScoreBody = "application/json"), (inline(ImageFile) = "image/png"), (inline(ImageFile) = "image/jpeg"), (inline(ImageFile) = "image/webp"), (ScoreForm = "multipart/form-data"))),
    responses(Fresh<ScoreAnswer>, ScoreProblems, BodyProblems)
)]
pub(crate) async fn post(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let body = upload::read(request).await?;
    Ok(score(&api, body).await?.once())
}

async fn score(api: &Api, mut body: ScoreBody) -> Result<Answer, Problem> {
    let model = api.models.get(body.model.as_deref())?;
    body.model = Some(model.name().to_owned());
    body.face().take_code(api, &model).await?;
    if body.seed.is_none() {
        return make(&model, body).await;
    }
    let key = response_cache::key("/v1/score", model.digest(), &body, &());
    api.repeats.answer(key, make(&model, body)).await
}

async fn make(model: &Model, body: ScoreBody) -> Result<Answer, Problem> {
    let request = ScoreRequest {
        source: face_source(body.seed, body.latent.as_ref())?,
        space: body.space.map(Into::into),
        truncation: TruncationChoice {
            psi: body.psi,
            layers: body.truncation_layers,
        },
    };
    let scored = editor::score(model, &request).await?;
    let (seed, timings) = (scored.seed, scored.timings);
    let answer = Answer::json(&answer_body(model, scored), model);
    Ok(answer
        .with_seeds(seed)
        .with_timings(&timings, std::time::Duration::ZERO))
}

fn answer_body(model: &Model, scored: Scored) -> ScoreAnswer {
    let items = model.outputs().iter().zip(scored.scores);
    ScoreAnswer {
        model: model.name().to_owned(),
        digest: model.digest().to_owned(),
        seed: scored.seed,
        latent: LatentBody::numbers(&scored.code),
        scores: items
            .map(|(output, score)| ScoreItem::new(output, score))
            .collect(),
        distances: scored.distances,
    }
}

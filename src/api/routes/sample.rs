//! `/v1/sample`: new faces from seeds, or faces whose codes the client has.

use std::time::Instant;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::openapi::problems::{BodyProblems, FaceProblems};
use crate::api::openapi::responses::{Cacheable, FaceAnswer, Fresh, SEED};
use crate::api::output::{Compression, Format, Layout, Metadata, Output, OutputOptions};
use crate::api::problem::Problem;
use crate::api::request_body::{Body, Query};
use crate::api::response::{Answer, FaceBody, Recipe, bodies, picture};
use crate::api::types::values::{LatentBody, Object, Real, Space, Whole, face_source};
use crate::api::{Api, response_cache};
use crate::editor::{self, FaceSource, Model, SampleRequest, Sampled, TruncationChoice};

/// What to sample. Without `seed` and `latent`, a seed is drawn and given back.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({"seed": 7}), json!({"seed": 1, "count": 16, "psi": 0.7})))]
pub(crate) struct SampleBody {
    /// The model; the default one if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// The face that `numpy.random.RandomState(seed).randn(1, z_dim)` means to this model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, maximum = 4_294_967_295u64)]
    seed: Option<u32>,
    /// A code to draw instead of a seed's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LatentBody>)]
    latent: Option<Object<LatentBody>>,
    /// How many faces: of the seeds `seed`, `seed` + 1, and so on. 1 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    count: Option<u32>,
    /// The space of the codes in the answer; a seed's code goes to the model's default space if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<Space>,
    /// Truncation: w becomes `w_avg` + psi (w − `w_avg`). 1 is none, 0 the mean face; the model's own if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -2, maximum = 2)]
    psi: Option<f64>,
    /// How many of the first layers are truncated; the model's own number, or all, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    truncation_layers: Option<usize>,
    /// The kind of answer; `Accept` decides if left out.
    #[serde(skip_serializing)]
    format: Option<Format>,
    /// How several faces share a picture.
    #[serde(skip_serializing)]
    layout: Option<Layout>,
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

/// What to sample, in a URL.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SampleQuery {
    /// The model; the default one if left out.
    model: Option<String>,
    /// The face that `numpy.random.RandomState(seed).randn(1, z_dim)` means to this model; one is drawn, and given
    /// back in `Faceplane-Seed`, if left out.
    #[param(value_type = Option<u64>, maximum = 4_294_967_295u64, example = 7)]
    seed: Option<Whole>,
    /// How many faces: of the seeds `seed`, `seed` + 1, and so on. 1 if left out.
    #[param(value_type = Option<u32>, minimum = 1)]
    count: Option<Whole>,
    /// The space of the codes in a JSON answer.
    space: Option<Space>,
    /// Truncation: 1 is none, 0 the mean face; the model's own if left out.
    #[param(value_type = Option<f64>, minimum = -2, maximum = 2)]
    psi: Option<Real>,
    /// How many of the first layers are truncated.
    #[param(value_type = Option<u32>, minimum = 1)]
    truncation_layers: Option<Whole>,
    /// The kind of answer; `Accept` decides if left out.
    format: Option<Format>,
    /// How several faces share a picture.
    layout: Option<Layout>,
    /// What a PNG says of itself.
    metadata: Option<Metadata>,
    /// How small a PNG is made.
    compression: Option<Compression>,
    /// How much of the picture a JPEG or WebP keeps; 90 if left out.
    #[param(minimum = 1, maximum = 100)]
    quality: Option<u8>,
}

impl From<SampleQuery> for SampleBody {
    fn from(query: SampleQuery) -> Self {
        Self {
            model: query.model,
            seed: query.seed.map(|seed| seed.0),
            latent: None,
            count: query.count.map(|count| count.0),
            space: query.space,
            psi: query.psi.map(|psi| psi.0),
            truncation_layers: query.truncation_layers.map(|layers| layers.0 as usize),
            format: query.format,
            layout: query.layout,
            metadata: query.metadata,
            compression: query.compression,
            quality: query.quality,
        }
    }
}

impl SampleBody {
    fn wishes(&self) -> OutputOptions {
        OutputOptions {
            format: self.format,
            layout: self.layout,
            metadata: self.metadata,
            compression: self.compression,
            quality: self.quality,
        }
    }
}

/// Sampled faces.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SampleAnswer {
    /// The model.
    model: String,
    /// SHA-256 of the model's files.
    digest: String,
    /// The faces, in the order of their seeds.
    faces: Vec<FaceBody>,
}

impl FaceAnswer for SampleAnswer {
    const DESCRIPTION: &'static str = "The face; several faces share one image.";
    const HEADERS: &'static [(&'static str, &'static str)] = &[SEED];
}

/// Sample faces
///
/// With a `seed` the answer is the same until the model is another. Caches may keep a picture whose URL names the `model`; others they
/// are to ask about, for the default may change.
#[utoipa::path(
    get, path = "/v1/sample", tag = "faces", operation_id = "sample_faces_by_url",
    params(SampleQuery),
    responses(
        Cacheable<SampleAnswer>, FaceProblems,
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(query): Query<SampleQuery>,
) -> Result<Response, Problem> {
    let (seeded, named) = (query.seed.is_some(), query.model.is_some());
    let answer = sample(&api, &headers, query.into()).await?;
    Ok(if seeded && named && answer.is_picture() {
        answer.repeatable(&headers)
    } else if seeded {
        // The distances in JSON are from boundaries, which may change, and another model may become the default.
        answer.until_changed(&headers)
    } else {
        answer.once()
    })
}

/// Sample faces
#[utoipa::path(
    post, path = "/v1/sample", tag = "faces", operation_id = "sample_faces",
    request_body = SampleBody,
    responses(
        Fresh<SampleAnswer>, FaceProblems, BodyProblems,
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    headers: HeaderMap,
    Body(body): Body<SampleBody>,
) -> Result<Response, Problem> {
    Ok(sample(&api, &headers, body).await?.once())
}

const PATH: &str = "/v1/sample";

async fn sample(api: &Api, headers: &HeaderMap, mut body: SampleBody) -> Result<Answer, Problem> {
    let presentation = Output::of(body.wishes(), headers)?;
    let model = api.models.get(body.model.as_deref())?;
    body.model = Some(model.name().to_owned());
    if body.seed.is_none() {
        return make(api, &model, presentation, body).await;
    }
    let key = response_cache::key(PATH, model.digest(), &body, &presentation);
    api.repeats
        .answer(key, make(api, &model, presentation, body))
        .await
}

async fn make(
    api: &Api,
    model: &Model,
    presentation: Output,
    mut body: SampleBody,
) -> Result<Answer, Problem> {
    let count = body.count.unwrap_or(1);
    api.check_count("count", count)?;
    let source = face_source(body.seed, body.latent.as_ref())?;
    let request = SampleRequest {
        sources: consecutive(source, count)?,
        space: body.space.map(Into::into),
        truncation: TruncationChoice {
            psi: body.psi,
            layers: body.truncation_layers,
        },
        with_scores: presentation.format == Format::Json,
    };
    let Sampled { faces, timings } = editor::sample(model, &request).await?;

    body.seed = faces[0].seed;
    let seeds: Vec<u32> = faces.iter().filter_map(|face| face.seed).collect();
    let recipe = Recipe::new(presentation, model, PATH, &body);
    let started = Instant::now();
    let answer = match presentation.format {
        format @ (Format::Png | Format::Jpeg | Format::Webp) => {
            Answer::picture(format, picture(faces, presentation, recipe).await?, model)
        }
        Format::Json => {
            let faces = bodies(faces, presentation, recipe).await?;
            let (name, digest) = (model.name().to_owned(), model.digest().to_owned());
            Answer::json(
                &SampleAnswer {
                    model: name,
                    digest,
                    faces,
                },
                model,
            )
        }
    };
    let encoding = started.elapsed();
    api.metrics.encoded(encoding);
    Ok(answer.with_seeds(seeds).with_timings(&timings, encoding))
}

/// The sources of `count` faces: a seed and those after it.
fn consecutive(source: FaceSource, count: u32) -> Result<Vec<FaceSource>, Problem> {
    match source {
        FaceSource::Seed(first) => {
            let seeds = (0..count).map(|step| first.checked_add(step).map(FaceSource::Seed));
            let reason = || {
                format!(
                    "found {first} with count {count}, expected the last seed to be at most {}",
                    u32::MAX
                )
            };
            seeds
                .collect::<Option<_>>()
                .ok_or_else(|| Problem::field("seed", reason()))
        }
        FaceSource::Latent(_) if count > 1 => {
            let reason = format!("found {count} beside a latent code, which is one face; leave it out");
            Err(Problem::field("count", reason))
        }
        source @ FaceSource::Latent(_) => Ok(vec![source]),
    }
}

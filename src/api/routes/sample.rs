//! `/v1/sample`: synthesizes faces from seeds or from latent codes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::answer::Answer;
use crate::api::answers::sample::SampleAnswer;
use crate::api::encode::Encoding;
use crate::api::image_metadata::{ImageMetadata, RequestRecord};
use crate::api::openapi::problems::{BodyProblems, FaceProblems};
use crate::api::openapi::responses::{Cacheable, Fresh};
use crate::api::output::{Compression, Format, Layout, Metadata, Output, OutputOptions};
use crate::api::problem::Problem;
use crate::api::request_body::{Body, Query};
use crate::api::response_cache;
use crate::api::state::Api;
use crate::api::types::values::{LatentBody, Object, Real, Space, Whole, face_source, random_seed};
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

/// Sample faces, by URL
///
/// With a `seed`, the answer is the same until the model changes. If the URL also names the `model`, caches may keep an image
/// for a year. Otherwise they may keep the answer and revalidate it by its `ETag`, because the default model may change.
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
    Ok(if seeded && named && answer.is_image() {
        answer.immutable(&headers)
    } else if seeded {
        // The distances in JSON are from boundaries, which may change, and another model may become the default.
        answer.revalidated(&headers)
    } else {
        answer.uncached()
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
    Ok(sample(&api, &headers, body).await?.uncached())
}

const PATH: &str = "/v1/sample";

async fn sample(api: &Api, headers: &HeaderMap, mut body: SampleBody) -> Result<Answer, Problem> {
    let output = Output::of(body.wishes(), headers)?;
    let model = api.models.get(body.model.as_deref())?;
    let cacheable = body.seed.is_some();
    body.complete(&model)?;
    let request = body.request(api, output.format)?;
    let record = RequestRecord::new(PATH, &body);
    let key = cacheable.then(|| response_cache::key(&model, &record, &output));
    let make = async {
        let Sampled { faces, timings } = editor::sample(&model, &request).await?;
        let seeds: Vec<u32> = faces.iter().filter_map(|face| face.seed).collect();
        let encoding = Encoding {
            model: Arc::clone(&model),
            faces,
            output,
            metadata: ImageMetadata::new(&model, record),
            cacheable,
            timings,
            metrics: &api.metrics,
        };
        let answer = encoding.encode(|faces, model| Ok(SampleAnswer::new(model, faces)));
        Ok(answer.await?.with_seeds(seeds))
    };
    api.cache.get_or_make(key, make).await
}

impl SampleBody {
    /// Names the model, and chooses a seed if the request has neither a seed nor a code.
    fn complete(&mut self, model: &Model) -> Result<(), Problem> {
        self.model = Some(model.name().to_owned());
        if self.seed.is_none() && self.latent.is_none() {
            self.seed = Some(random_seed()?);
        }
        Ok(())
    }

    fn request(&self, api: &Api, format: Format) -> Result<SampleRequest, Problem> {
        let count = self.count.unwrap_or(1);
        api.check_count("count", count)?;
        let source = face_source(self.seed, self.latent.as_ref())?;
        Ok(SampleRequest {
            sources: consecutive(source, count)?,
            space: self.space.map(Into::into),
            truncation: TruncationChoice {
                psi: self.psi,
                layers: self.truncation_layers,
            },
            with_scores: format == Format::Json,
        })
    }
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

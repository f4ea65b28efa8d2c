//! How faces are answered: pictures and numbers, and the headers around them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::task::JoinError;
use utoipa::ToSchema;

use crate::api::output::{Format, Metadata, Output};
use crate::api::problem::Problem;
use crate::api::types::values::LatentBody;
use crate::editor::{EditorError, Face, Model};
use crate::engine::Timings;
use crate::imaging::{ImagingError, arrange, encode_png};

const MODEL: HeaderName = HeaderName::from_static("faceplane-model");
const SEED: HeaderName = HeaderName::from_static("faceplane-seed");
const TIMING: HeaderName = HeaderName::from_static("server-timing");
const WARNINGS: HeaderName = HeaderName::from_static("faceplane-warnings");

/// What makes a picture again: a PNG carries it.
#[derive(Serialize)]
pub(crate) struct Recipe {
    faceplane: &'static str,
    model: String,
    digest: String,
    /// Digest of what draws: a code means the same face to every model that has it.
    generator: String,
    path: &'static str,
    request: serde_json::Value,
}

/// A recipe with the code of the one face in its picture.
#[derive(Serialize)]
struct FaceRecipe<'a> {
    #[serde(flatten)]
    recipe: &'a Recipe,
    latent: LatentBody,
}

impl Recipe {
    /// The recipe of `request`, sent to `path`; `None` where nobody wants it.
    pub(crate) fn new(
        presentation: Output,
        model: &Model,
        path: &'static str,
        request: &impl Serialize,
    ) -> Option<Self> {
        (presentation.metadata == Metadata::Full).then(|| Self {
            faceplane: env!("CARGO_PKG_VERSION"),
            model: model.name().to_owned(),
            digest: model.digest().to_owned(),
            generator: model.generator_digest().to_owned(),
            path,
            request: serde_json::to_value(request).expect("a request that came as JSON can be JSON again"),
        })
    }

    /// The text of a picture of several faces.
    fn text(&self) -> String {
        serde_json::to_string(self).expect("a recipe holds nothing that JSON cannot")
    }

    /// The text of one face's picture, with its code.
    fn text_of(&self, face: &Face) -> String {
        let latent = LatentBody::file(&face.code);
        let recipe = FaceRecipe { recipe: self, latent };
        serde_json::to_string(&recipe).expect("a recipe holds nothing that JSON cannot")
    }
}

/// One face in a JSON answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FaceBody {
    /// The seed that it was sampled with, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, maximum = 4_294_967_295u64)]
    seed: Option<u32>,
    /// Its code; send it back as `latent` for the same face.
    latent: LatentBody,
    /// Signed distance from each attribute's boundary, in the code's space: n·code + b.
    distances: BTreeMap<String, f64>,
    /// Each classifier output, by attribute; what it means stands in `/v1/models/{model}`.
    scores: BTreeMap<String, f32>,
    /// Its PNG.
    #[schema(content_encoding = "base64", content_media_type = "image/png")]
    image: String,
}

/// One file with the picture of one face, or of several; `presentation` is of a picture.
pub(crate) async fn picture(
    faces: Vec<Face>,
    presentation: Output,
    recipe: Option<Recipe>,
) -> Result<Vec<u8>, Problem> {
    encoding(move || {
        if let [face] = &faces[..] {
            let text = recipe.map(|recipe| recipe.text_of(face));
            return presentation.encode(&face.picture, text.as_deref());
        }
        let text = recipe.map(|recipe| recipe.text());
        let pictures: Vec<_> = faces.into_iter().map(|face| face.picture).collect();
        let sheet = arrange(&pictures, presentation.layout.into())?;
        presentation.encode(&sheet, text.as_deref())
    })
    .await
}

/// Faces for a JSON answer, their PNG files encoded side by side.
pub(crate) async fn bodies(
    faces: Vec<Face>,
    presentation: Output,
    recipe: Option<Recipe>,
) -> Result<Vec<FaceBody>, Problem> {
    let recipe = Arc::new(recipe);
    let body = |face: Face| {
        let recipe = Arc::clone(&recipe);
        tokio::spawn(encoding(move || {
            let text = recipe.as_ref().as_ref().map(|recipe| recipe.text_of(&face));
            let file = encode_png(&face.picture, presentation.compression.into(), text.as_deref())?;
            Ok(FaceBody {
                seed: face.seed,
                latent: LatentBody::numbers(&face.code),
                distances: face.distances,
                scores: face.scores,
                image: STANDARD.encode(file),
            })
        }))
    };
    let under_way: Vec<_> = faces.into_iter().map(body).collect();
    let mut bodies = Vec::with_capacity(under_way.len());
    for body in under_way {
        bodies.push(body.await.map_err(|error| broken(&error))??);
    }
    Ok(bodies)
}

/// Encodes off the async threads.
pub(crate) async fn encoding<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImagingError> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| broken(&error))?.map_err(EditorError::from)?)
}

fn broken(error: &JoinError) -> Problem {
    Problem::Internal {
        reason: format!("encoding: {error}"),
    }
}

/// An answer, ready but for what the way of asking says of caches.
#[derive(Clone)]
pub(crate) struct Answer {
    kind: &'static str,
    body: Bytes,
    headers: HeaderMap,
}

impl Answer {
    /// A picture.
    pub(crate) fn picture(format: Format, body: Vec<u8>, model: &Model) -> Self {
        Self::new(format.media_type(), body, model)
    }

    /// Numbers and pictures.
    pub(crate) fn json(body: &impl Serialize, model: &Model) -> Self {
        let body = serde_json::to_vec(body).expect("an answer holds finite numbers and texts");
        Self::new(Format::Json.media_type(), body, model)
    }

    /// A normal, as NumPy's file.
    pub(crate) fn npy(body: Vec<u8>, model: &Model) -> Self {
        Self::new("application/octet-stream", body, model)
    }

    /// Whether it is a picture, and not numbers.
    pub(crate) fn is_picture(&self) -> bool {
        self.kind.starts_with("image/")
    }

    fn new(kind: &'static str, body: Vec<u8>, model: &Model) -> Self {
        let mut headers = HeaderMap::new();
        let name = HeaderValue::from_str(model.name());
        headers.insert(
            MODEL,
            name.expect("a model's name is of letters that a header takes"),
        );
        let body = body.into();
        Self { kind, body, headers }
    }

    /// Its body, where that is a text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Bytes of its body.
    pub(crate) fn len(&self) -> usize {
        self.body.len()
    }

    /// The same answer, taken from those that are kept.
    pub(crate) fn kept(mut self) -> Self {
        self.headers
            .insert(TIMING, HeaderValue::from_static("cache;desc=hit"));
        self
    }

    /// Says which seeds the faces were sampled with.
    pub(crate) fn with_seeds(mut self, seeds: impl IntoIterator<Item = u32>) -> Self {
        let seeds: Vec<String> = seeds.into_iter().map(|seed| seed.to_string()).collect();
        if !seeds.is_empty() {
            let seeds = HeaderValue::from_str(&seeds.join(", "));
            self.headers.insert(SEED, seeds.expect("digits and commas"));
        }
        self
    }

    /// Says what the client should know; texts that a header cannot hold stand in JSON answers only.
    pub(crate) fn with_warnings(mut self, warnings: &[String]) -> Self {
        for warning in warnings
            .iter()
            .filter_map(|warning| HeaderValue::from_str(warning).ok())
        {
            self.headers.append(WARNINGS, warning);
        }
        self
    }

    /// Says where the time went, in milliseconds.
    pub(crate) fn with_timings(mut self, timings: &Timings, encoding: Duration) -> Self {
        let parts = [
            ("mapping", timings.mapping),
            ("queue", timings.queue),
            ("synthesis", timings.synthesis),
            ("scoring", timings.scoring),
            ("identity", timings.identity),
            ("decoding", timings.decoding),
            ("landmarks", timings.landmarks),
            ("encoder", timings.encoder),
            ("descent", timings.descent),
            ("encoding", encoding),
        ];
        let part = |(name, time): (&str, Duration)| format!("{name};dur={:.2}", time.as_secs_f64() * 1e3);
        let text = parts.map(part).join(", ");
        self.headers
            .insert(TIMING, HeaderValue::from_str(&text).expect("names and numbers"));
        self
    }

    /// The response to a request whose answer need not be the same again.
    pub(crate) fn once(self) -> Response {
        self.respond("no-store")
    }

    /// The response to a request that always has this answer: with a strong `ETag`, and kept by caches as long as
    /// they like; 304 where the client has it already.
    pub(crate) fn repeatable(self, request: &HeaderMap) -> Response {
        self.tagged(request, "public, max-age=31536000, immutable")
    }

    /// The response to a request that has this answer until a boundary changes: with a strong `ETag`, by which caches
    /// ask each time whether it still holds; 304 where it does.
    pub(crate) fn until_changed(self, request: &HeaderMap) -> Response {
        self.tagged(request, "public, no-cache")
    }

    fn tagged(mut self, request: &HeaderMap, caching: &'static str) -> Response {
        let digest = Sha256::digest(&self.body);
        let half = u128::from_be_bytes(*digest.first_chunk().expect("a digest has 32 bytes"));
        let tag: ETag = format!("\"{half:032x}\"")
            .parse()
            .expect("quoted hexadecimal digits are a tag");
        let known = request
            .typed_get::<IfNoneMatch>()
            .is_some_and(|known| !known.precondition_passes(&tag));
        self.headers.typed_insert(tag);
        if known {
            self.body = Bytes::new();
            let mut response = self.respond(caching);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(header::CONTENT_TYPE);
            return response;
        }
        self.respond(caching)
    }

    fn respond(self, caching: &'static str) -> Response {
        let own = [
            (header::CONTENT_TYPE, self.kind),
            (header::CACHE_CONTROL, caching),
            (header::VARY, "Accept"),
        ];
        (own, self.headers, self.body).into_response()
    }
}

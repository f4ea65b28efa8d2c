//! A complete response: its bytes, its media type, and the headers that do not depend on how the client asked.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::api::held_bytes::held;
use crate::api::types::output_options::Format;
use crate::editor::Model;
use crate::engine::{ByteBudget, Timings};

const MODEL: HeaderName = HeaderName::from_static("faceplane-model");
pub(crate) const SEED: HeaderName = HeaderName::from_static("faceplane-seed");
const TIMING: HeaderName = HeaderName::from_static("server-timing");
pub(crate) const WARNINGS: HeaderName = HeaderName::from_static("faceplane-warnings");

/// A response in memory. A clone shares the bytes.
#[derive(Clone)]
pub(crate) struct BufferedResponse {
    media_type: &'static str,
    body: Bytes,
    etag: Option<ETag>,
    headers: HeaderMap,
}

impl BufferedResponse {
    /// An image.
    pub(crate) fn image(format: Format, body: Vec<u8>, model: &Model) -> Self {
        Self::new(format.media_type(), body, model)
    }

    /// A JSON document.
    pub(crate) fn json(body: &impl Serialize, model: &Model) -> Self {
        let body = serde_json::to_vec(body).expect("a response holds finite numbers and texts");
        Self::new(Format::Json.media_type(), body, model)
    }

    /// A file of arrays.
    pub(crate) fn file(body: Vec<u8>, model: &Model) -> Self {
        Self::new("application/octet-stream", body, model)
    }

    /// An archive of files.
    pub(crate) fn zip(body: Vec<u8>, model: &Model) -> Self {
        Self::new("application/zip", body, model)
    }

    /// The head of a response with a body that is made while it is sent.
    pub(crate) fn head(media_type: &'static str, model: &Model) -> Self {
        Self::new(media_type, Vec::new(), model)
    }

    fn new(media_type: &'static str, body: Vec<u8>, model: &Model) -> Self {
        Self {
            media_type,
            body: body.into(),
            etag: None,
            headers: HeaderMap::from_iter([of_model(model)]),
        }
    }

    /// Adds an `ETag`: half of the SHA-256 of the body. It takes some milliseconds for a large body, so a response that is
    /// cached keeps it.
    pub(crate) fn with_etag(mut self) -> Self {
        self.etag = Some(entity_tag(&self.body));
        self
    }

    /// The same response; its bytes hold their share of `memory` until they are sent.
    pub(crate) fn held_in(mut self, memory: &ByteBudget) -> Self {
        let reserved = memory.hold_response(self.body.len());
        self.body = held(self.body, reserved);
        self
    }

    /// Adds the name under which a browser stores the body.
    pub(crate) fn with_file_name(mut self, name: &str) -> Self {
        let (header, value) = file_name(name);
        self.headers.insert(header, value);
        self
    }

    /// Adds the seeds of the faces.
    pub(crate) fn with_seeds(mut self, seeds: impl IntoIterator<Item = u32>) -> Self {
        let seeds: Vec<String> = seeds.into_iter().map(|seed| seed.to_string()).collect();
        if !seeds.is_empty() {
            let seeds = HeaderValue::from_str(&seeds.join(", "));
            self.headers
                .insert(SEED, seeds.expect("digits and commas are allowed in headers"));
        }
        self
    }

    /// Adds a header for each warning. A warning that a header cannot hold is in JSON responses only.
    pub(crate) fn with_warnings(mut self, warnings: &[String]) -> Self {
        let values = warnings
            .iter()
            .filter_map(|warning| HeaderValue::from_str(warning).ok());
        for value in values {
            self.headers.append(WARNINGS, value);
        }
        self
    }

    /// Adds the time of each step, in milliseconds.
    pub(crate) fn with_timings(mut self, timings: &Timings, encoding: Duration) -> Self {
        let steps = [
            ("mapping", timings.mapping),
            ("queue", timings.queue),
            ("synthesis", timings.synthesis),
            ("scoring", timings.scoring),
            ("identity", timings.identity),
            ("decoding", timings.decoding),
            ("landmarks", timings.landmarks),
            ("encoder", timings.encoder),
            ("optimization", timings.optimization),
            ("encoding", encoding),
        ];
        let step = |(name, time): (&str, Duration)| format!("{name};dur={:.2}", time.as_secs_f64() * 1e3);
        let text = HeaderValue::from_str(&steps.map(step).join(", "));
        self.headers
            .insert(TIMING, text.expect("names and numbers are allowed in headers"));
        self
    }

    /// Replaces the times: the response is from the cache.
    pub(crate) fn with_cache_hit(mut self) -> Self {
        self.headers
            .insert(TIMING, HeaderValue::from_static("cache;desc=hit"));
        self
    }

    /// Whether it is an image.
    pub(crate) fn is_image(&self) -> bool {
        self.media_type.starts_with("image/")
    }

    /// The body as text, if it is JSON.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The size of the body, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.body.len()
    }

    /// The HTTP response, if an equal request may get other bytes. No cache may keep it.
    pub(crate) fn uncached(self) -> Response {
        self.respond("no-store")
    }

    /// The HTTP response with `body` instead. No cache may keep it.
    pub(crate) fn with_body(self, body: Body) -> Response {
        self.uncached().map(|_| body)
    }

    /// The HTTP response, if equal requests always get these bytes: caches may keep it for a year.
    pub(crate) fn immutable(self, request: &HeaderMap) -> Response {
        self.unless_known(request, "public, max-age=31536000, immutable")
    }

    /// The HTTP response, if equal requests get these bytes until the model changes: caches may keep it, and ask each time
    /// whether it is still valid.
    pub(crate) fn revalidated(self, request: &HeaderMap) -> Response {
        self.unless_known(request, "public, no-cache")
    }

    /// A 304 without a body if `If-None-Match` has the `ETag`.
    fn unless_known(mut self, request: &HeaderMap, caching: &'static str) -> Response {
        let known = request.typed_get::<IfNoneMatch>().is_some_and(|known| {
            let etag = self.etag.as_ref();
            etag.is_some_and(|etag| !known.precondition_passes(etag))
        });
        if let Some(etag) = &self.etag {
            self.headers.typed_insert(etag.clone());
        }
        if !known {
            return self.respond(caching);
        }
        self.body = Bytes::new();
        let mut response = self.respond(caching);
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(header::CONTENT_TYPE);
        response
    }

    fn respond(self, caching: &'static str) -> Response {
        let own = [
            (header::CONTENT_TYPE, self.media_type),
            (header::CACHE_CONTROL, caching),
            (header::VARY, "Accept"),
        ];
        (own, self.headers, self.body).into_response()
    }
}

/// The header with the name of the model.
pub(crate) fn of_model(model: &Model) -> (HeaderName, HeaderValue) {
    let name = HeaderValue::from_str(model.name());
    (
        MODEL,
        name.expect("the letters of a model's name are allowed in headers"),
    )
}

/// The header with the name under which a browser stores the body.
pub(crate) fn file_name(name: &str) -> (HeaderName, HeaderValue) {
    let value = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let value = value.expect("names of models and files are allowed in headers");
    (header::CONTENT_DISPOSITION, value)
}

/// The `ETag` of `content`: half of its SHA-256.
pub(crate) fn entity_tag(content: &[u8]) -> ETag {
    let digest = Sha256::digest(content);
    let half = u128::from_be_bytes(*digest.first_chunk().expect("a digest has 32 bytes"));
    let tag = format!("\"{half:032x}\"").parse();
    tag.expect("quoted hexadecimal digits are a tag")
}

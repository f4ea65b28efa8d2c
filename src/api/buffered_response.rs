//! A complete response: its bytes, its media type, and the headers that do not depend on how the client asked.

use std::fmt::Write as _;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::api::held_bytes::held;
use crate::api::types::output_options::Format;
use crate::api::types::text::{Name, Text};
use crate::editor::{Model, Models};
use crate::engine::{ByteBudget, Timings};

const MODEL: HeaderName = HeaderName::from_static("faceplane-model");
pub(crate) const SEED: HeaderName = HeaderName::from_static("faceplane-seed");
const TIMING: HeaderName = HeaderName::from_static("server-timing");
pub(crate) const WARNINGS: HeaderName = HeaderName::from_static("faceplane-warnings");

const ZIP: &str = "application/zip";

/// A response in memory. A clone shares the bytes.
#[derive(Clone)]
pub(crate) struct BufferedResponse {
    media_type: &'static str,
    body: Bytes,
    etag: Option<ETag>,
    headers: HeaderMap,
    /// The name under which a browser stores an image or an archive: these parts, joined by `-`.
    name_parts: Vec<String>,
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
        Self::new(ZIP, body, model)
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
            name_parts: vec![model.name().to_owned()],
        }
    }

    /// Adds an `ETag`: half of the SHA-256 of the body. It takes some milliseconds for a large body, so a response that is
    /// cached keeps it.
    pub(crate) fn with_etag(mut self) -> Self {
        let strength = if self.media_type == Format::Json.media_type() {
            Strength::Weak
        } else {
            Strength::Strong
        };
        self.etag = Some(entity_tag(&self.body, strength));
        self
    }

    /// Adds a weak `ETag` of `cause`: all that the content depends on. Programs of other versions may write other bytes.
    pub(crate) fn with_etag_of(mut self, cause: &str) -> Self {
        let cause = format!("{} {cause}", env!("CARGO_PKG_VERSION"));
        self.etag = Some(entity_tag(cause.as_bytes(), Strength::Weak));
        self
    }

    /// The same response; its bytes hold their share of `memory` until they are sent.
    pub(crate) fn held_in(mut self, memory: &ByteBudget) -> Self {
        let reserved = memory.hold_response(self.body.len());
        self.body = held(self.body, reserved);
        self
    }

    /// Adds what was done to the name under which a browser stores an image: `edited` for `portraits-seed85-edited.png`.
    pub(crate) fn named(mut self, done: &str) -> Self {
        self.name_parts.push(done.to_owned());
        self
    }

    /// Adds the name under which a browser stores the body, which it does not show.
    pub(crate) fn with_file_name(mut self, name: &str) -> Self {
        let (header, value) = file_name(name);
        self.headers.insert(header, value);
        self
    }

    /// Adds the seeds of the faces, also to the name of an image.
    pub(crate) fn with_seeds(mut self, seeds: impl IntoIterator<Item = u32>) -> Self {
        let seeds: Vec<String> = seeds.into_iter().map(|seed| seed.to_string()).collect();
        self.name_parts.extend(match &seeds[..] {
            [] => None,
            [only] => Some(format!("seed{only}")),
            [first, .., last] => Some(format!("seeds{first}-{last}")),
        });
        if !seeds.is_empty() {
            let seeds = HeaderValue::from_str(&seeds.join(", "));
            self.headers
                .insert(SEED, seeds.expect("digits and commas are allowed in headers"));
        }
        self
    }

    /// Adds the warnings: JSON strings, separated by commas.
    pub(crate) fn with_warnings(mut self, warnings: &[String]) -> Self {
        if !warnings.is_empty() {
            let quoted: Vec<String> = warnings.iter().map(|warning| quoted(warning)).collect();
            let value = HeaderValue::from_str(&quoted.join(", "));
            self.headers
                .insert(WARNINGS, value.expect("quoted texts are visible ASCII"));
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
    fn is_image(&self) -> bool {
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

    /// The HTTP response, which caches may keep as long as `reuse` allows.
    pub(crate) fn reused(self, reuse: Reuse, request: &HeaderMap) -> Response {
        match reuse {
            Reuse::Never => self.uncached(),
            Reuse::ForAMinute if self.is_image() => {
                self.unless_known(request, "public, max-age=60, must-revalidate")
            }
            Reuse::ForAMinute | Reuse::WhileUnchanged => self.revalidated(request),
            Reuse::Always => self.unless_known(request, "public, max-age=31536000, immutable"),
        }
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

    fn respond(mut self, caching: &'static str) -> Response {
        if self.is_image() || self.media_type == ZIP {
            let (_, subtype) = self.media_type.split_once('/').unwrap_or_default();
            let extension = if subtype == "jpeg" { "jpg" } else { subtype };
            let name = format!("inline; filename=\"{}.{extension}\"", self.name_parts.join("-"));
            let name = HeaderValue::from_str(&name);
            let name = name.expect("the letters of a model's name are allowed in headers");
            self.headers.insert(header::CONTENT_DISPOSITION, name);
        }
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

/// How long caches may keep the response to a GET request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reuse {
    /// Not at all: an equal request may get another face.
    Never,
    /// While it is unchanged, which they ask each time: a boundary may change at any time.
    WhileUnchanged,
    /// An image: a minute, because it changes only if the service starts with another model. JSON, which has distances from
    /// boundaries: while it is unchanged.
    ForAMinute,
    /// For ever: the URL names the digest of the model.
    Always,
}

impl Reuse {
    /// The reuse of a response about a face of `model`: `otherwise` if the request has a seed, but no digest.
    pub(crate) fn of(model: Option<&Name>, has_seed: bool, otherwise: Self) -> Self {
        match (has_seed, model) {
            (false, _) => Self::Never,
            (true, Some(Text(name))) if Models::names_digest(name) => Self::Always,
            (true, _) => otherwise,
        }
    }
}

/// Whether responses with the same `ETag` have the same bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strength {
    /// The same bytes.
    Strong,
    /// The same content: the response may be compressed.
    Weak,
}

/// The `ETag` of `content`: half of its SHA-256.
pub(crate) fn entity_tag(content: &[u8], strength: Strength) -> ETag {
    let digest = Sha256::digest(content);
    let half = u128::from_be_bytes(*digest.first_chunk().expect("a digest has 32 bytes"));
    let weak = if strength == Strength::Weak { "W/" } else { "" };
    let tag = format!("{weak}\"{half:032x}\"").parse();
    tag.expect("quoted hexadecimal digits are a tag")
}

/// `text` as a JSON string in ASCII.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            ' '..='~' => quoted.push(letter),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    write!(quoted, "\\u{unit:04x}").expect("a text in memory can be written");
                }
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_quoted_in_visible_ascii_and_read_back_as_json() {
        for text in [
            "",
            "smile, far out",
            "a \"b\" \\ c",
            "Größe 😀",
            "line\nbreak\u{7f}",
        ] {
            let quoted = quoted(text);
            assert!(HeaderValue::from_str(&quoted).is_ok(), "{quoted}");
            assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text, "{quoted}");
        }
    }
}

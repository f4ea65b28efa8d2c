//! Compressed responses: texts, for clients that accept gzip or Brotli.
//!
//! Images and files of arrays are compressed already. The events of a stream would wait in the compressor.

use axum::body::HttpBody;
use axum::http::{HeaderMap, Response, header};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::Predicate;

/// The smallest response that is compressed, in bytes. Smaller ones fit into one packet anyway.
const SMALLEST: u64 = 1024;

/// The largest response that is compressed, in bytes. Larger ones would keep an async thread for tens of milliseconds: JSON with many
/// images, which hardly get smaller, and the largest script of the documentation, which browsers keep.
const LARGEST: u64 = 512 * 1024;

/// The media types that are compressed, besides those of the type `text`.
const TEXTS: [&str; 4] = [
    "application/json",
    "application/problem+json",
    "application/openmetrics-text",
    "image/svg+xml",
];

/// Compresses responses while they are sent, at the fastest level: the async threads do it.
pub(crate) fn layer() -> CompressionLayer<impl Predicate> {
    let layer = CompressionLayer::new().quality(CompressionLevel::Fastest);
    layer.compress_when(TextOfFitSize)
}

/// Texts that are neither too small nor too large. A text that is sent while it is made has no size yet; its parts are small.
#[derive(Clone, Copy)]
struct TextOfFitSize;

impl Predicate for TextOfFitSize {
    fn should_compress<B: HttpBody>(&self, response: &Response<B>) -> bool {
        let size = response.body().size_hint().exact();
        size.is_none_or(|size| (SMALLEST..=LARGEST).contains(&size)) && is_text(response.headers())
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim_end();
    TEXTS.contains(&kind) || (kind.starts_with("text/") && kind != "text/event-stream")
}

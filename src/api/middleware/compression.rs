//! Compressed responses: texts, for clients that accept gzip or Brotli.
//!
//! Images and files of arrays are compressed already. The events of a stream would wait in the compressor.

use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate, SizeAbove};

/// The smallest response that is compressed, in bytes. Smaller ones fit into one packet anyway.
const SMALLEST: u64 = 1024;

/// The media types that are compressed, besides those of the type `text`.
const TEXTS: [&str; 4] = [
    "application/json",
    "application/problem+json",
    "application/openmetrics-text",
    "image/svg+xml",
];

/// Compresses responses while they are sent, a few kilobytes at a time, at the fastest level: the async threads do it.
pub(crate) fn layer() -> CompressionLayer<impl Predicate> {
    let layer = CompressionLayer::new().quality(CompressionLevel::Fastest);
    layer.compress_when(SizeAbove::new(SMALLEST).and(is_text))
}

fn is_text(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim_end();
    TEXTS.contains(&kind) || (kind.starts_with("text/") && kind != "text/event-stream")
}

//! The log and the metrics of requests.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tracing::field::Empty;
use tracing::{Level, Span};

use crate::api::problem_document::elided;
use crate::api::request_id::request_id;
use crate::metrics::Metrics;

/// The longest path in the log, in bytes.
const LONGEST_PATH: usize = 200;

/// The log span of a request. `authorize` adds the name of its key. Probes come every few seconds, so their level is debug.
pub(crate) fn request_span(request: &Request) -> Span {
    let id = request_id(request).unwrap_or_default();
    let (method, path) = (request.method(), request.uri().path());
    let logged = elided(path, LONGEST_PATH);
    if path.starts_with("/health/") || path == "/metrics" {
        tracing::debug_span!("request", id, %method, path = %logged, key = Empty)
    } else {
        tracing::info_span!("request", id, %method, path = %logged, key = Empty)
    }
}

/// Logs a response, at the level of its span.
pub(crate) fn log_response(response: &Response, latency: Duration, span: &Span) {
    let (status, milliseconds) = (response.status().as_u16(), latency.as_millis());
    if span
        .metadata()
        .is_some_and(|metadata| *metadata.level() == Level::DEBUG)
    {
        tracing::debug!(status, milliseconds, "answered");
    } else {
        tracing::info!(status, milliseconds, "answered");
    }
}

/// Counts a response by its route and status, and measures its time.
pub(crate) async fn count_response(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let started = Instant::now();
    let response = next.run(request).await;
    let route = route.as_deref().unwrap_or("none");
    metrics.answered(route, response.status().as_u16(), started.elapsed());
    response
}

//! The log, the trace and the metrics of requests.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::api::log_record::{LogRecord, logged_path};
use crate::api::request_id::request_id;
use crate::metrics::Metrics;
use crate::trace::{RequestHead, RequestTrace, Traceparent};

/// Begins the trace of a request, and gives the lines of its log the ids of both. Probes come every few seconds, so their level is
/// debug, and they get no span.
pub(crate) async fn identify(request: Request, next: Next) -> Response {
    let record = LogRecord::of(&request);
    let id = request_id(&request).unwrap_or_default();
    let path = logged_path(request.uri().path());
    let is_probe = path.starts_with("/health/") || path == "/metrics";
    let route = route_of(&request);
    let head = RequestHead {
        method: request.method().as_str(),
        path: &path,
        route: route.as_deref(),
        id: &id,
        parent: traceparent(request.headers()),
        state: &tracestate(request.headers()),
    };
    let trace = if is_probe {
        RequestTrace::without_span(&head)
    } else {
        RequestTrace::begin(&head)
    };
    let (method, trace_id) = (request.method(), trace.id());
    // `authorize` adds the name of the key.
    let span = if is_probe {
        tracing::debug_span!("request", request_id = id, %trace_id, %method, path, key = Empty)
    } else {
        tracing::info_span!("request", request_id = id, %trace_id, %method, path, key = Empty)
    };
    record.identify(id, path, is_probe, trace.clone());
    let work = record.scope(trace.scope(next.run(request)));
    let response = work.instrument(span.clone()).await;
    response.map(|body| Body::new(ObservedBody { body, span, trace }))
}

/// The header `traceparent`, if it is there once and valid.
fn traceparent(headers: &HeaderMap) -> Option<Traceparent> {
    let mut values = headers.get_all("traceparent").iter();
    let (first, second) = (values.next()?, values.next());
    let header = second.is_none().then_some(first)?;
    Traceparent::parse(header.to_str().ok()?)
}

/// The headers `tracestate`, which together are one list.
fn tracestate(headers: &HeaderMap) -> String {
    let values = headers.get_all("tracestate").iter();
    let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    values.join(",")
}

/// A body that is made while it is sent: the work for it is a part of the request's trace, and its lines have the ids of the request.
struct ObservedBody {
    body: Body,
    span: Span,
    trace: RequestTrace,
}

impl HttpBody for ObservedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, span, trace } = self.get_mut();
        let _entered = span.enter();
        trace.sync_scope(|| Pin::new(body).poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn route_of(request: &Request) -> Option<String> {
    let route = request.extensions().get::<MatchedPath>();
    route.map(|path| path.as_str().to_owned())
}

/// Counts a response by its route and status, and measures its time.
pub(crate) async fn count_response(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let route = route_of(&request);
    let started = Instant::now();
    let response = next.run(request).await;
    let route = route.as_deref().unwrap_or("none");
    metrics.answered(route, response.status().as_u16(), started.elapsed());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn one_valid_traceparent_counts_and_two_are_ignored() {
        assert!(traceparent(&headers("traceparent", &[VALID])).is_some());
        for ignored in [&[][..], &["00-1-2-3"], &[VALID, VALID]] {
            assert_eq!(traceparent(&headers("traceparent", ignored)), None, "{ignored:?}");
        }
    }

    #[test]
    fn several_headers_of_tracestate_are_one_list() {
        assert_eq!(
            tracestate(&headers("tracestate", &["a=1,b=2", "c=3"])),
            "a=1,b=2,c=3"
        );
        assert_eq!(tracestate(&headers("tracestate", &[])), "");
    }
}

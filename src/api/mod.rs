//! The HTTP interface: the only folder that names axum, utoipa or a status.
//!
//! [`router`] is the service. A handler makes three moves: it decodes the request, calls the editor once, and encodes the
//! response. If something fails, it returns a `Problem`.
//!
//! It knows requests, responses, media types, caching and timeouts. It never knows how a face is made, ONNX Runtime, or the
//! files of a model.
//!
//! | to find | look in |
//! | --- | --- |
//! | what handlers share: models, limits, cache, jobs | `state` |
//! | the handler of a path | `routes`: a file for each resource |
//! | the types of requests | `types` |
//! | the JSON responses | `responses` |
//! | how faces become images and JSON | `encode`, `output`, `image_metadata` |
//! | the headers and the caching of a response | `buffered_response` |
//! | the cache of responses to seeded requests | `response_cache` |
//! | which error gets which status | `problem` |
//! | the OpenAPI document | `openapi` |
//! | server-sent events of an inversion | `inversion_events` |
//! | the HTML page of a report | `report_page` |

mod buffered_response;
mod decode;
mod encode;
mod image_metadata;
mod inversion_events;
mod negotiation;
mod openapi;
mod output;
mod pace;
mod problem;
mod readiness;
mod report_page;
mod request_body;
mod request_id;
mod response_cache;
mod responses;
mod routes;
mod state;
mod timeout;
mod types;
mod upload;

use std::any::Any;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use tracing::{Level, Span};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use pace::{Allowance, Pace, SlowRequest};
pub use readiness::Readiness;
pub use state::{Api, Limits};

use crate::metrics::Metrics;
use problem::Problem;

/// The routes that the OpenAPI document describes.
fn described() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(routes::sample::get, routes::sample::post))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(routes::edit::get_plain, routes::edit::post_plain))
                .routes(routes!(
                    routes::edit::get_conditional,
                    routes::edit::post_conditional
                ))
                .routes(routes!(routes::invert::post))
                .routes(routes!(routes::score::get, routes::score::post))
                .layer(DefaultBodyLimit::max(upload::LARGEST_BODY)),
        )
        .routes(routes!(routes::models::list))
        .routes(routes!(routes::models::show))
        .routes(routes!(routes::boundaries::list))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(routes::training::post))
                .layer(DefaultBodyLimit::max(types::train::LARGEST_BODY)),
        )
        .routes(routes!(routes::report::post))
        .routes(routes!(
            routes::boundaries::show,
            routes::boundaries::put,
            routes::boundaries::delete
        ))
        .routes(routes!(routes::jobs::list))
        .routes(routes!(routes::jobs::show, routes::jobs::cancel))
        .routes(routes!(routes::report::show))
        .routes(routes!(routes::health::live))
        .routes(routes!(routes::health::ready))
        .routes(routes!(routes::metrics::show))
}

/// The service: all routes, and the middleware around them.
pub fn router(api: Api) -> Router {
    let (routes, document) = described().split_for_parts();
    for path in document.paths.paths.keys() {
        api.metrics.expect_route(path);
    }
    let document = Bytes::from(openapi::json(&document));
    let middleware = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(request_id::RandomId))
        // `problem::write_out` logs failures with their cause.
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(request_span)
                .on_response(log_response)
                .on_failure(()),
        )
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(CorsLayer::permissive())
        .layer(from_fn_with_state(api.metrics.clone(), count_response))
        .layer(from_fn(problem::write_out))
        .layer(CatchPanicLayer::custom(panic_problem))
        .layer(from_fn_with_state(api.limits.timeout, timeout::within_timeout))
        .layer(DefaultBodyLimit::max(request_body::LARGEST_BODY));
    routes
        .route("/", get(async || Redirect::to("/docs/")))
        .route("/openapi.json", get(async move || openapi::response(document)))
        .merge(openapi::page())
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware)
        .with_state(api)
}

/// The log span of a request. Probes come every few seconds, so their level is debug.
fn request_span(request: &Request) -> Span {
    let id = request_id::request_id(request).unwrap_or_default();
    let (method, path) = (request.method(), request.uri().path());
    if path.starts_with("/health/") || path == "/metrics" {
        tracing::debug_span!("request", id, %method, path)
    } else {
        tracing::info_span!("request", id, %method, path)
    }
}

/// Logs a response, at the level of its span.
fn log_response(response: &Response, latency: Duration, span: &Span) {
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
async fn count_response(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
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

fn panic_problem(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    let reason = format!("a handler panicked: {text}");
    Problem::Internal { reason }.into_response()
}

async fn no_route(request: Request) -> Problem {
    let path = request.uri().path().to_owned();
    Problem::NoRoute { path }
}

async fn wrong_method(method: Method, request: Request) -> Problem {
    let (method, path) = (method.to_string(), request.uri().path().to_owned());
    Problem::Method { method, path }
}

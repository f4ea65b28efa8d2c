//! What happens around every handler: ids, logs, metrics, access, headers for browsers, problems and timeouts.
//!
//! | to find | look in |
//! | --- | --- |
//! | the order of the layers | this file |
//! | the log, the trace and the metrics of a request | `observe` |
//! | which keys may call which operation | `authorize` |
//! | which hosts and origins may call which operation | `access` |
//! | security headers for browsers | `browser_headers` |
//! | which responses are compressed | `compression` |
//! | the prefix and the slash at the end of a path | `path` |

pub(crate) mod access;
mod authorize;
pub(crate) mod browser_headers;
mod compression;
mod observe;
mod path;

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, AllowPrivateNetwork, CorsLayer};
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};

use crate::api::base_path::BasePath;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::{negotiation, problem_document, request_id, timeout};
use access::Access;

/// How long a browser may remember that a request is allowed. Chromium's limit.
const PREFLIGHT_AGE: Duration = Duration::from_hours(2);

/// The service below its base path: what is around the choice of a route.
pub(crate) fn at_base_path(service: Router, base: BasePath) -> Router {
    let paths = from_fn_with_state(base, path::simplify);
    Router::new().fallback_service(ServiceBuilder::new().layer(paths).service(service))
}

/// Puts the layers around the routes. The first layer is the outermost.
pub(crate) fn around(routes: Router<Api>, api: &Api, access: Access) -> Router<Api> {
    let (hosts, origins) = access.into_parts();
    // In a list of headers, `*` does not stand for `Authorization`.
    let cors = CorsLayer::permissive()
        .allow_headers(AllowHeaders::mirror_request())
        .allow_private_network(AllowPrivateNetwork::yes())
        .max_age(PREFLIGHT_AGE);
    let layers = ServiceBuilder::new()
        .layer(from_fn(request_id::drop_long_id))
        .layer(SetRequestIdLayer::x_request_id(request_id::RandomId))
        .layer(from_fn(observe::identify))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(from_fn(browser_headers::add))
        .layer(compression::layer())
        .layer(cors)
        .layer(from_fn_with_state(
            api.metrics.clone(),
            observe::count_response,
        ))
        .layer(from_fn(problem_document::write_out))
        .layer(CatchPanicLayer::custom(panic_problem))
        .layer(from_fn_with_state(hosts, access::check_host))
        .layer(origins)
        .layer(from_fn_with_state(api.guard.clone(), authorize::authorize))
        .layer(from_fn(negotiation::limit_accept))
        .layer(from_fn_with_state(api.limits.timeout, timeout::within_timeout))
        // `received_body` limits bodies.
        .layer(DefaultBodyLimit::disable());
    routes.layer(layers)
}

fn panic_problem(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    let reason = format!("a handler panicked: {text}");
    Problem::Internal { reason }.into_response()
}

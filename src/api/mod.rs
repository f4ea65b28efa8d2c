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
//! | bodies: received, unpacked and decoded within the memory budget | `received_body`, `request_body`, `upload` |
//! | the JSON responses | `responses` |
//! | how faces become images and JSON | `encoding`, `output`, `image_metadata` |
//! | several image files in one | `archive` |
//! | image files that are sent as they are made | `frame_stream` |
//! | the headers and the caching of a response | `buffered_response`; or a stream: `route_response` |
//! | responses about many faces without pictures, streamed | `many_faces` |
//! | the cache of responses to seeded requests | `response_cache` |
//! | what happens around every handler | `middleware` |
//! | the line of the log that a request gets when it ends | `request_log` |
//! | the prefix of a proxy | `base_path` |
//! | who may call which operation, and how often: keys, scopes, sessions, limits | `guard` |
//! | which error gets which status | `problem`, `problem_kind` |
//! | how an error is sent | `problem_document` |
//! | how long a client is waited for | `transfer_limits` |
//! | the OpenAPI document, and the page that shows it | `openapi`, `docs_page` |
//! | the page that edits faces in a browser | `editor_page` |
//! | a file of a page | `page_file` |
//! | server-sent events: of any stream, of an inversion | `event_stream`, `inversion_events` |
//! | a running inversion; those in the background | `inversion_run`, `background_inversions` |
//! | the HTML page of a report | `report_page` |
//! | jobs of several services on one store | `shared_jobs` |
//! | the words of the API for batch work without a service | `batch_words` |
//! | the operations as data; a client in the same process | `operations`, `local_client` |

mod archive;
mod background_inversions;
mod base_path;
mod batch_words;
mod buffered_response;
mod decode;
mod docs_page;
mod editor_page;
mod encoding;
mod event_stream;
mod form_body;
mod frame_stream;
mod guard;
mod held_bytes;
mod image_metadata;
mod inversion_events;
mod inversion_run;
mod local_client;
mod log_record;
mod many_faces;
mod middleware;
mod negotiation;
mod openapi;
mod operations;
mod output;
mod page_file;
mod problem;
mod problem_document;
mod problem_kind;
mod readiness;
mod received_body;
mod report_page;
mod request_body;
mod request_id;
mod request_log;
mod response_cache;
mod responses;
mod route_response;
mod routes;
mod shared_jobs;
mod state;
mod timeout;
mod transfer_limits;
mod types;
mod upload;

use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::Method;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use base_path::{BasePath, InvalidBasePath};
pub use batch_words::BatchWords;
pub use guard::{Guard, InvalidKeys, InvalidScope, Keys, NewKey, PeerAddress, Rate, Scope, key_name};
pub use local_client::{LocalClient, LocalProblem, LocalRequest, LocalResponse};
pub use middleware::access::{Access, InvalidOrigin};
pub use operations::{ImageUse, Operation, Parameter};
pub use readiness::Readiness;
pub use report_page::files::{curves_of, json_of, page_of};
pub(crate) use report_page::plot::signed;
pub use request_log::RequestLog;
pub use shared_jobs::publisher::JobPublisher;
pub use state::{Api, Limits};
pub use transfer_limits::{Allowance, SlowRequest, TransferLimits};

use problem::Problem;

/// The routes that the OpenAPI document describes.
fn described() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(routes::sample::get, routes::sample::post))
        .routes(routes!(routes::edit::get_plain, routes::edit::post_plain))
        .routes(routes!(
            routes::edit::get_conditional,
            routes::edit::post_conditional
        ))
        .routes(routes!(routes::interpolate::get, routes::interpolate::post))
        .routes(routes!(routes::mix::get, routes::mix::post))
        .routes(routes!(routes::invert::post))
        .routes(routes!(routes::inversions::post))
        .routes(routes!(routes::inversions::show, routes::inversions::cancel))
        .routes(routes!(routes::score::get, routes::score::post))
        .routes(routes!(routes::models::list))
        .routes(routes!(
            routes::models::show,
            routes::models::put,
            routes::models::delete
        ))
        .routes(routes!(routes::boundaries::list))
        .routes(routes!(routes::training::post))
        .routes(routes!(routes::directions::post))
        .routes(routes!(routes::report::post))
        .routes(routes!(
            routes::boundaries::show,
            routes::boundaries::put,
            routes::boundaries::delete
        ))
        .routes(routes!(routes::jobs::list))
        .routes(routes!(routes::jobs::show, routes::jobs::cancel))
        .routes(routes!(routes::report::show))
        .routes(routes!(routes::samples::show))
        .routes(routes!(routes::session::post, routes::session::delete))
        .routes(routes!(routes::health::live))
        .routes(routes!(routes::health::ready))
        .routes(routes!(routes::metrics::show))
}

/// The service: all routes, and the middleware around them.
pub fn router(api: Api, access: Access) -> Router {
    let (routes, document) = described().split_for_parts();
    for path in document.paths.paths.keys() {
        api.metrics.expect_route(path);
    }
    let document = Bytes::from(openapi::json(&document, &api.base_path));
    let routes = routes
        .route("/openapi.json", get(async move || openapi::response(document)))
        .merge(editor_page::routes())
        .merge(docs_page::routes())
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method);
    let base_path = api.base_path.clone();
    let service = middleware::around(routes, &api, access).with_state(api);
    middleware::at_base_path(service, base_path)
}

/// The operations on faces, as the OpenAPI document has them.
#[must_use]
pub fn operations() -> &'static [Operation] {
    static OPERATIONS: LazyLock<Vec<Operation>> =
        LazyLock::new(|| operations::of(&described().into_openapi()));
    &OPERATIONS
}

/// The operations for a client in the same process: without the middleware, which is for networks.
#[must_use]
pub fn local_client(api: Api) -> LocalClient {
    let (routes, _) = described().split_for_parts();
    LocalClient::new(routes.layer(DefaultBodyLimit::disable()).with_state(api))
}

async fn no_route(request: Request) -> Problem {
    let path = request.uri().path().to_owned();
    Problem::NoRoute { path }
}

async fn wrong_method(method: Method, request: Request) -> Problem {
    let (method, path) = (method.to_string(), request.uri().path().to_owned());
    Problem::Method { method, path }
}

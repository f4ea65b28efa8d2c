//! The id of a request, in the log and in its response: the `X-Request-Id` of the client, or a random one.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::request_id::{MakeRequestId, RequestId};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that a client may choose, in bytes.
const LONGEST: usize = 200;

/// Removes an id that is too long, so that the request gets a random one.
pub(crate) async fn drop_long_id(mut request: Request, next: Next) -> Response {
    let id = request.headers().get(HEADER);
    if id.is_some_and(|id| id.len() > LONGEST) {
        request.headers_mut().remove(HEADER);
    }
    next.run(request).await
}

/// Gives a random id to requests without one.
#[derive(Clone, Copy)]
pub(crate) struct RandomId;

impl MakeRequestId for RandomId {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let id = format!("{:016x}", getrandom::u64().ok()?);
        HeaderValue::from_str(&id).ok().map(RequestId::new)
    }
}

/// The id of the request; `None` before `SetRequestIdLayer`.
pub(crate) fn request_id<B>(request: &axum::http::Request<B>) -> Option<String> {
    let id = request.extensions().get::<RequestId>()?;
    id.header_value().to_str().ok().map(str::to_owned)
}

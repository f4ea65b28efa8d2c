//! The id of a request, in the log and in its response: the `X-Request-Id` of the client, or a random one.

use axum::http::HeaderValue;
use tower_http::request_id::{MakeRequestId, RequestId};

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

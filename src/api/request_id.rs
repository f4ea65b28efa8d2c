//! The name of a request, in the log and in its answer: `X-Request-Id`, the client's own or a new one.

use axum::http::HeaderValue;
use tower_http::request_id::{MakeRequestId, RequestId};

/// Names requests that come without a name.
#[derive(Clone, Copy)]
pub(crate) struct RandomName;

impl MakeRequestId for RandomName {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let name = format!("{:016x}", getrandom::u64().ok()?);
        HeaderValue::from_str(&name).ok().map(RequestId::new)
    }
}

/// The request's name, once `SetRequestIdLayer` has seen it.
pub(crate) fn request_id<B>(request: &axum::http::Request<B>) -> Option<String> {
    let name = request.extensions().get::<RequestId>()?;
    name.header_value().to_str().ok().map(str::to_owned)
}

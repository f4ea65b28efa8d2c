//! Bodies, query strings and paths, as extractors that give a request's type or a problem.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header;
use axum::http::request::Parts;

use crate::api::decode::fields::Fields;
use crate::api::decode::{json, text};
use crate::api::problem::Problem;
use crate::api::transfer_limits::SlowRequest;
use crate::api::types::train;

/// The largest body of most routes, in bytes. A w+ code of 18×512 numbers takes about 200,000.
pub(crate) const LARGEST_BODY: usize = 2 * 1024 * 1024;

/// The largest body, in bytes, that is decoded on the async thread: it takes about a millisecond. Larger bodies are decoded on a
/// blocking thread.
const LARGEST_INLINE: usize = 64 * 1024;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: Fields + Send + 'static> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        read_json(request, state, LARGEST_BODY).await.map(Self)
    }
}

/// A JSON body of at most [`train::LARGEST_BODY`] bytes. The route must allow such bodies too.
pub(crate) struct LargeBody<T>(pub(crate) T);

impl<S: Send + Sync, T: Fields + Send + 'static> FromRequest<S> for LargeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        read_json(request, state, train::LARGEST_BODY).await.map(Self)
    }
}

/// Reads a JSON body. The route limits it to `limit` bytes.
pub(crate) async fn read_json<S: Send + Sync, T: Fields + Send + 'static>(
    request: Request,
    state: &S,
    limit: usize,
) -> Result<T, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.map_or("missing", |kind| kind.to_str().unwrap_or("unreadable"));
    if !is_json(kind) {
        return Err(Problem::MediaType {
            found: kind.to_owned(),
            expected: "application/json; with curl: --json '{…}'",
        });
    }
    let body = Bytes::from_request(request, state).await;
    let body = body.map_err(|rejection| unread(rejection, limit))?;
    if body.len() <= LARGEST_INLINE {
        return json::read(&body);
    }
    let read = tokio::task::spawn_blocking(move || json::read(&body));
    read.await.expect("decoding does not panic")
}

/// Whether a Content-Type is `application/json` or has the suffix `+json`.
pub(crate) fn is_json(kind: &str) -> bool {
    mediatype::MediaType::parse(kind).is_ok_and(|kind| {
        let suffix = kind.suffix.is_some_and(|suffix| suffix == "json");
        kind.ty == "application" && (kind.subty == "json" || suffix)
    })
}

/// The problem of a body that did not arrive.
pub(crate) fn unread(rejection: BytesRejection, limit: usize) -> Problem {
    match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            Problem::BodyTooLarge { limit }
        }
        other if SlowRequest::is_reason_of(&other) => Problem::SlowRequest,
        other => Problem::Undecodable {
            reason: other.body_text(),
        },
    }
}

/// The name in a path that has one, such as a model or a job.
pub(crate) struct PathName(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = Path::from_request_parts(parts, state).await;
        let Path(name) = name.map_err(|rejection| Problem::Undecodable {
            reason: rejection.body_text(),
        })?;
        Ok(Self(name))
    }
}

/// A query string.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: Fields> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        text::query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

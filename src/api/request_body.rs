//! Bodies, query strings and paths, as extractors that give a request's type or a problem.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header;
use axum::http::request::Parts;

use crate::api::decode::fields::Fields;
use crate::api::decode::{json, text};
use crate::api::problem::Problem;
use crate::api::received_body::{ReceivedBody, SMALL};
use crate::api::state::Api;
use crate::api::types::train;
use crate::engine::Reservation;

/// The largest body of most routes, in bytes. A w+ code of 18×512 numbers takes about 200,000.
pub(crate) const LARGEST_BODY: usize = 2 * 1024 * 1024;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: Fields + Send + 'static> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (value, _) = read_json(request, api, LARGEST_BODY).await?;
        Ok(Self(value))
    }
}

/// A JSON body of at most [`train::LARGEST_BODY`] bytes, and the reservation of the memory of the files in it.
pub(crate) struct LargeBody<T>(pub(crate) T, pub(crate) Reservation);

impl<T: Fields + Send + 'static> FromRequest<Api> for LargeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (value, memory) = read_json(request, api, train::LARGEST_BODY).await?;
        Ok(Self(value, memory))
    }
}

/// Reads a JSON body of at most `limit` bytes. Returns the value, and the reservation of the memory of the files in it.
pub(crate) async fn read_json<T: Fields + Send + 'static>(
    request: Request,
    api: &Api,
    limit: usize,
) -> Result<(T, Reservation), Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.map_or("missing", |kind| kind.to_str().unwrap_or("unreadable"));
    if !is_json(kind) {
        return Err(Problem::MediaType {
            found: kind.to_owned(),
            expected: "application/json; with curl: --json '{…}'",
        });
    }
    let mut body = ReceivedBody::of(request, api, limit).await?;
    if body.len() > SMALL {
        body.reserve_decoded()?;
        return api.decode_large(move || decode(body)).await;
    }
    decode(body)
}

fn decode<T: Fields>(body: ReceivedBody) -> Result<(T, Reservation), Problem> {
    let (bytes, memory) = body.into_parts();
    Ok((json::read(&bytes)?, memory))
}

/// Whether a Content-Type is `application/json` or has the suffix `+json`.
pub(crate) fn is_json(kind: &str) -> bool {
    mediatype::MediaType::parse(kind).is_ok_and(|kind| {
        let suffix = kind.suffix.is_some_and(|suffix| suffix == "json");
        kind.ty == "application" && (kind.subty == "json" || suffix)
    })
}

/// The problem of a path that is not UTF-8. The routes take every other path.
pub(crate) fn undecodable_path(_: PathRejection) -> Problem {
    Problem::Undecodable {
        reason: "found bytes in the path that are not UTF-8, expected percent-encoded UTF-8 such as %C3%A9"
            .to_owned(),
    }
}

/// The name in a path that has one, such as a model or a job.
pub(crate) struct PathName(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = Path::from_request_parts(parts, state).await;
        let Path(name) = name.map_err(undecodable_path)?;
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

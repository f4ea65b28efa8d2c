//! Requests are decoded here: JSON bodies and query strings become the wire types, or a problem that names the field.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::api::problem::Problem;
use crate::api::types::values::Object;

/// Largest body that is read, in bytes. A w+ code of 18×512 numbers takes about 200,000.
pub(crate) const LARGEST_BODY: usize = 2 * 1024 * 1024;

/// Largest body with codes and their scores, in bytes: some 20,000 codes of 512 numbers.
pub(crate) const LARGEST_CODES: usize = 64 * 1024 * 1024;

/// Bytes of a body that is parsed where it has come: in about a millisecond. Larger ones are parsed off the async threads.
const LITTLE: usize = 64 * 1024;

/// Most commas of a JSON body. Codes have some thousand numbers, and a value takes many times the memory of its digit and comma.
const COMMAS: usize = 1_000_000;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        json(request, state, LARGEST_BODY).await.map(Self)
    }
}

/// A JSON body that may be as large as [`LARGEST_CODES`]; its route says so too.
pub(crate) struct LargeBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> FromRequest<S> for LargeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        json(request, state, LARGEST_CODES).await.map(Self)
    }
}

/// Reads a JSON body of at most `limit` bytes, which its route allows.
pub(crate) async fn json<S: Send + Sync, T: DeserializeOwned + Send + 'static>(
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
    if body.len() <= LITTLE {
        return parsed(&body);
    }
    let parsed = tokio::task::spawn_blocking(move || parsed(&body));
    parsed.await.expect("parsing does not panic")
}

/// The value of a JSON body.
fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let commas = body.split(|&byte| byte == b',').count() - 1;
    if commas > COMMAS {
        return Err(Problem::Undecodable {
            reason: format!(
                "the body has {commas} commas, expected at most {COMMAS}: that many values are no request"
            ),
        });
    }
    // Two steps tell what is no JSON from what is JSON of another shape.
    let json: serde_json::Value = serde_json::from_slice(body).map_err(|error| Problem::Undecodable {
        reason: format!("the body is not JSON: {error}"),
    })?;
    let Object(value) = serde_path_to_error::deserialize(json).map_err(misfit)?;
    Ok(value)
}

/// Whether a Content-Type is `application/json` or one built on it.
pub(crate) fn is_json(kind: &str) -> bool {
    mediatype::MediaType::parse(kind).is_ok_and(|kind| {
        let suffix = kind.suffix.is_some_and(|suffix| suffix == "json");
        kind.ty == "application" && (kind.subty == "json" || suffix)
    })
}

pub(crate) fn unread(rejection: BytesRejection, limit: usize) -> Problem {
    match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            Problem::BodyTooLarge { limit }
        }
        other => Problem::Undecodable {
            reason: other.body_text(),
        },
    }
}

/// The one name in a path.
pub(crate) struct Name(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = Path::from_request_parts(parts, state).await;
        let Path(name) = name.map_err(|rejection| Problem::Undecodable {
            reason: rejection.body_text(),
        })?;
        Ok(Self(name))
    }
}

/// A query string. A key may come several times where the field is a list.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// Decodes a query string.
pub(crate) fn query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let query = serde_html_form::Deserializer::from_bytes(text.as_bytes());
    serde_path_to_error::deserialize(query).map_err(misfit)
}

/// A value of another shape than its field's.
fn misfit(error: serde_path_to_error::Error<impl std::fmt::Display>) -> Problem {
    let field = error.path().to_string();
    Problem::field(field, plain(&error.into_inner().to_string()))
}

/// Serde's names of types in words.
fn plain(reason: &str) -> String {
    [
        ("expected u32", "expected a whole number from 0 to 4294967295"),
        ("expected usize", "expected a whole number from 0"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list"),
    ]
    .iter()
    .fold(reason.to_owned(), |reason, (name, words)| {
        reason.replace(name, words)
    })
}

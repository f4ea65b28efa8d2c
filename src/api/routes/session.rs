//! `/session`: sessions of browsers, which cannot send a key with every request.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::api::guard::cookie;
use crate::api::problem::Problem;
use crate::api::state::Api;

/// A response without content that sets a cookie or none.
type Answer = (StatusCode, Option<[(HeaderName, HeaderValue); 1]>, ());

/// Begin a session
///
/// For web pages of the service: sets the cookie `faceplane-session`, which stands for the key for 12 hours, also in images, links and
/// downloads. The key comes in the header `Authorization`; the cookie of another session does not do. If the service has no keys, there is
/// no cookie.
#[utoipa::path(
    post, path = "/session", tag = "session", operation_id = "begin_session",
    responses((status = 204, description = "The session has begun, or the service has no keys.",
        headers(("Set-Cookie" = String, description = "The cookie: `HttpOnly`, `SameSite=Strict`. Absent if the service has no keys."))))
)]
pub(crate) async fn post(State(api): State<Api>, headers: HeaderMap) -> Result<Answer, Problem> {
    let token = api.guard.begin_session(&headers)?;
    let cookie = token.map(|token| [(header::SET_COOKIE, cookie::begin(&token, &headers))]);
    Ok((StatusCode::NO_CONTENT, cookie, ()))
}

/// End the session
///
/// Ends the session of the cookie `faceplane-session`, and takes the cookie back.
#[utoipa::path(
    delete, path = "/session", tag = "session", operation_id = "end_session",
    responses((status = 204, description = "The session has ended, or there was none.",
        headers(("Set-Cookie" = String, description = "The cookie, without a value and without a lifetime."))))
)]
pub(crate) async fn delete(State(api): State<Api>, headers: HeaderMap) -> Answer {
    api.guard.end_session(&headers);
    (
        StatusCode::NO_CONTENT,
        Some([(header::SET_COOKIE, cookie::end())]),
        (),
    )
}

//! The timeout of a request: that of the service, or a shorter one that the client sends.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::api::problem::Problem;
use crate::engine;

/// The header with the timeout of the client in seconds, such as `2.5`.
pub(crate) const HEADER: &str = "Faceplane-Timeout";

/// Responds with a problem if the request takes longer than its timeout. The work for it is dropped.
pub(crate) async fn within_timeout(
    State(longest): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    let limit = match of_request(&request, longest) {
        Ok(limit) => limit,
        Err(problem) => return problem.into_response(),
    };
    let response = engine::within(limit, next.run(request)).await;
    response.unwrap_or_else(|| Problem::Deadline { limit }.into_response())
}

/// The timeout of a request: its header, but at most `longest`.
pub(crate) fn of_request(request: &Request, longest: Duration) -> Result<Duration, Problem> {
    of_headers(request.headers(), longest)
}

/// The timeout of a request with these `headers`.
pub(crate) fn of_headers(headers: &HeaderMap, longest: Duration) -> Result<Duration, Problem> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(longest);
    };
    let seconds = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse::<f64>().ok());
    let timeout = seconds
        .filter(|&seconds| seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    timeout.map(|timeout| timeout.min(longest)).ok_or_else(|| {
        let found = String::from_utf8_lossy(value.as_bytes());
        Problem::field(
            HEADER,
            format!("found {found:?}, expected a number of seconds above 0"),
        )
    })
}

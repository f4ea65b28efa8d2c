//! How long a request may take: what the service allows, or less where the client asks for less.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::api::problem::Problem;
use crate::engine;

/// The header that asks for less: seconds, such as `2.5`.
pub(crate) const HEADER: &str = "Faceplane-Timeout";

/// Gives up on a request that takes too long; what it waits for is dropped with it.
pub(crate) async fn within_time(State(longest): State<Duration>, request: Request, next: Next) -> Response {
    let limit = match asked(&request) {
        Ok(asked) => asked.map_or(longest, |asked| asked.min(longest)),
        Err(problem) => return problem.into_response(),
    };
    let answer = engine::within(limit, next.run(request)).await;
    answer.unwrap_or_else(|| Problem::Deadline { limit }.into_response())
}

/// The time that a request asks for.
pub(crate) fn asked(request: &Request) -> Result<Option<Duration>, Problem> {
    let Some(value) = request.headers().get(HEADER) else {
        return Ok(None);
    };
    let seconds = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse::<f64>().ok());
    let time = seconds
        .filter(|&seconds| seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.map(Some).ok_or_else(|| {
        let found = String::from_utf8_lossy(value.as_bytes());
        Problem::field(
            HEADER,
            format!("found {found:?}, expected a number of seconds above 0"),
        )
    })
}

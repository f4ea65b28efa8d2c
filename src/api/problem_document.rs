//! Problem documents (RFC 9457): how a problem is sent.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::problem::Problem;
use crate::api::problem_kind::ProblemType;
use crate::api::request_id::request_id;
use crate::editor::EditorError;

const MEDIA_TYPE: &str = "application/problem+json";

/// The longest description of a problem, in bytes. It may contain what was sent, and that may be megabytes.
const LONGEST_DETAIL: usize = 600;

/// The longest name of a field, in bytes.
const LONGEST_FIELD: usize = 100;

/// A problem (RFC 9457): what was found, what was expected, and what to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(examples(json!({
    "type": "urn:faceplane:problem:unknown-attribute",
    "title": "No boundary for this attribute",
    "status": 404,
    "detail": "model phantom has no boundary for \"beard\" in w; it has age in w, smile in w",
    "request_id": "5f0c9b3a7d1e4428"
})))]
pub(crate) struct ProblemDocument {
    /// Identifies the kind of problem. It is stable.
    r#type: String,
    /// Describes the kind of problem.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// Describes this problem: what was found, what was expected, and what to do.
    detail: String,
    /// The invalid field; absent if the problem is not about one field.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The id of the request, as in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl ProblemDocument {
    pub(crate) fn new(problem: &Problem, request_id: Option<String>) -> Self {
        let ProblemType { status, slug, title } = problem.kind();
        let detail = if slug == "internal" {
            "the log of the service has the cause, with the id of this request".to_owned()
        } else {
            problem.to_string()
        };
        let field = match problem {
            Problem::Field { field, .. } => Some(elided(field, LONGEST_FIELD).into_owned()),
            Problem::Editor(EditorError::Undecodable(_)) => Some("image".to_owned()),
            _ => None,
        };
        Self {
            r#type: format!("urn:faceplane:problem:{slug}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: elided(&detail, LONGEST_DETAIL).into_owned(),
            field,
            request_id,
        }
    }
}

/// A text with its middle left out if it is longer than `most` bytes. The end remains, because it often says what to do.
pub(crate) fn elided(text: &str, most: usize) -> Cow<'_, str> {
    const OMISSION: &str = " … ";
    if text.len() <= most {
        return text.into();
    }
    let half = (most - OMISSION.len()) / 2;
    let start = &text[..text.floor_char_boundary(half)];
    let end = &text[text.ceil_char_boundary(text.len() - half)..];
    format!("{start}{OMISSION}{end}").into()
}

/// Logs why a request is refused, and writes its document into the body. A middleware, because the document has the id of
/// the request.
pub(crate) async fn write_out(request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let response = next.run(request).await;
    let Some(problem) = response.extensions().get::<Arc<Problem>>().cloned() else {
        return response;
    };
    let status = response.status();
    // The line of the request has the cause of an internal one.
    if !problem.is_internal() {
        problem.log();
    }
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    parts
        .headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&status) {
        parts
            .headers
            .insert(header::RETRY_AFTER, problem.retry_after().into());
    }
    let body = Json(ProblemDocument::new(&problem, id))
        .into_response()
        .into_body();
    Response::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_keeps_its_start_and_its_end_and_no_letter_is_cut() {
        assert_eq!(elided("short", 5), "short");
        assert_eq!(elided("0123456789", 9), "01 … 89");
        for most in 6..40 {
            let text = "é".repeat(30);
            let short = elided(&text, most);
            assert!(short.len() <= most, "{short}");
        }
    }
}

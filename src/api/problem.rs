//! Errors as RFC 9457 documents: the only place where a status code is chosen.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::request_id::request_id;
use crate::editor::EditorError;
use crate::engine::EngineError;
use crate::imaging::{FramingError, ImagingError};
use crate::latent::LatentError;

const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request is not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the request cannot be decoded: {reason}")]
    Undecodable { reason: String },
    #[error("{field}: {reason}")]
    Field { field: String, reason: String },
    #[error("the body's Content-Type is {found}, expected {expected}")]
    MediaType { found: String, expected: &'static str },
    #[error("Accept is {found:?}, but there is {offered}; ask for one, or leave it out")]
    NotAcceptable { found: String, offered: &'static str },
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("there is nothing at {path}; /docs lists what there is")]
    NoRoute { path: String },
    #[error("{path} does not take {method}; the Allow header says what it takes")]
    Method { method: String, path: String },
    #[error("no answer within {} s; ask for fewer pictures, or try again later", limit.as_secs_f64())]
    Deadline { limit: Duration },
    #[error("the service is shutting down; ask another instance")]
    Draining,
    #[error("{reason}")]
    Internal { reason: String },
    #[error(transparent)]
    Editor(#[from] EditorError),
}

/// The stable part of a problem: same mistake, same three.
struct Kind {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
}

impl Problem {
    pub(crate) fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Field {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// Every status that the API answers with, apart from success.
    #[expect(clippy::too_many_lines, reason = "one table, a row for each kind")]
    fn kind(&self) -> Kind {
        use EditorError as Edit;
        let kind = |status, slug, title| Kind { status, slug, title };
        match self {
            Self::Undecodable { .. } => kind(
                StatusCode::BAD_REQUEST,
                "undecodable",
                "The request cannot be decoded",
            ),
            Self::NoRoute { .. } => kind(StatusCode::NOT_FOUND, "no-route", "There is nothing at this path"),
            Self::Editor(Edit::UnknownModel { .. }) => {
                kind(StatusCode::NOT_FOUND, "unknown-model", "No such model")
            }
            Self::Editor(Edit::UnknownAttribute { .. }) => kind(
                StatusCode::NOT_FOUND,
                "unknown-attribute",
                "No boundary for this attribute",
            ),
            Self::Method { .. } => kind(
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "The path does not take this method",
            ),
            Self::NotAcceptable { .. } => kind(
                StatusCode::NOT_ACCEPTABLE,
                "not-acceptable",
                "The answer cannot be given in this format",
            ),
            Self::BodyTooLarge { .. } => kind(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The body is too large",
            ),
            Self::MediaType { .. } => kind(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The body is of a type that is not taken",
            ),
            Self::Field { .. } | Self::Editor(Edit::Undecodable(_)) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "field",
                "A field cannot be taken as it is",
            ),
            Self::Editor(Edit::Imaging(ImagingError::TooLarge { .. })) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "too-large-a-picture",
                "The file format does not hold so large a picture",
            ),
            Self::Editor(Edit::NoSuchSpace { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-such-space",
                "The model has no such latent space",
            ),
            Self::Editor(Edit::CodeShape { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "code-shape",
                "The latent code does not fit the model",
            ),
            Self::Editor(Edit::Irreversible { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-way-back",
                "The latent code is past the space asked for",
            ),
            Self::Editor(Edit::NoTruncation { .. } | Edit::AlreadyMapped { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "truncation",
                "Truncation does not apply",
            ),
            Self::Editor(Edit::AttributeName { .. } | Edit::BoundaryShape { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "boundary-shape",
                "The boundary does not fit the model",
            ),
            Self::Editor(Edit::ForeignBoundary { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "foreign-boundary",
                "The boundary is of another model",
            ),
            Self::Editor(Edit::NotStored(_)) => kind(
                StatusCode::INSUFFICIENT_STORAGE,
                "not-kept",
                "The change cannot be kept",
            ),
            Self::Editor(Edit::NotScored { .. }) => {
                kind(StatusCode::NOT_FOUND, "not-scored", "No classifier scores this")
            }
            Self::Editor(Edit::UnknownJob { .. }) => {
                kind(StatusCode::NOT_FOUND, "unknown-job", "No such job")
            }
            Self::Editor(Edit::SampledWPlus | Edit::TooManySamples { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "training",
                "The boundary cannot be found this way",
            ),
            Self::Editor(Edit::TooManyJobs { .. }) => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "too-many-jobs",
                "Too many jobs wait",
            ),
            Self::Editor(Edit::NoReport { .. }) => {
                kind(StatusCode::NOT_FOUND, "no-report", "The job has no report")
            }
            Self::Editor(Edit::NothingToReport { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "nothing-to-report",
                "Nothing can be judged in this space",
            ),
            Self::Editor(Edit::NoClassifier { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-classifier",
                "The model has no classifier",
            ),
            Self::Editor(
                Edit::NoEdits | Edit::NoAmount { .. } | Edit::UnusedTrajectory | Edit::ScoreNotAlone,
            ) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "unclear-edit",
                "The edit does not say what to do",
            ),
            Self::Editor(Edit::InvalidScore { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-score",
                "No classifier gives such a score",
            ),
            Self::Editor(Edit::NoConditions) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-conditions",
                "The conditional edit names no condition",
            ),
            Self::Editor(Edit::CannotInvert { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "cannot-invert",
                "The model cannot find codes of pictures this way",
            ),
            Self::Editor(Edit::Framing(FramingError::Crop(_))) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "outside-the-picture",
                "The crop does not lie in the picture",
            ),
            Self::Editor(Edit::Framing(FramingError::Landmarks(_)) | Edit::NoFace(_)) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-face",
                "No face is marked in the picture",
            ),
            Self::Editor(Edit::OutOfRange { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "out-of-range",
                "A number is out of range",
            ),
            Self::Editor(Edit::Latent(LatentError::Spanned { .. })) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "spanned",
                "The conditions leave nothing of the edit",
            ),
            Self::Editor(Edit::Latent(_)) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "latent",
                "The latent code or the edit cannot be taken as it is",
            ),
            Self::Draining | Self::Editor(Edit::ShuttingDown) => {
                kind(StatusCode::SERVICE_UNAVAILABLE, "draining", "Shutting down")
            }
            Self::Editor(Edit::Engine(EngineError::Overloaded { .. } | EngineError::LongWait { .. })) => {
                kind(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "overloaded",
                    "Too much to do at once",
                )
            }
            Self::Deadline { .. } | Self::Editor(Edit::Engine(EngineError::Late { .. })) => {
                kind(StatusCode::GATEWAY_TIMEOUT, "deadline", "Not done in time")
            }
            Self::Editor(
                Edit::NotFinite { .. }
                | Edit::Engine(EngineError::NotFinite { .. })
                | Edit::Imaging(ImagingError::NotFinite { .. }),
            ) => kind(
                StatusCode::INTERNAL_SERVER_ERROR,
                "not-finite",
                "A network gave values that are no numbers",
            ),
            Self::Internal { .. }
            | Self::Editor(
                Edit::Engine(
                    EngineError::Library { .. }
                    | EngineError::Device { .. }
                    | EngineError::Graph { .. }
                    | EngineError::Tensor { .. }
                    | EngineError::Run { .. }
                    | EngineError::Panicked { .. }
                    | EngineError::Stopped { .. },
                )
                | Edit::Imaging(
                    ImagingError::NotRgb { .. }
                    | ImagingError::UnequalSizes { .. }
                    | ImagingError::Encoding { .. },
                ),
            ) => kind(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "The service failed",
            ),
        }
    }

    /// Tells the log, where it is our fault as an error.
    pub(crate) fn log(&self) {
        let status = self.kind().status;
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(cause = %self, "the request failed");
        } else {
            tracing::debug!(%status, reason = %self, "the request is refused");
        }
    }

    /// The document that tells of it.
    pub(crate) fn document(&self, request_id: Option<String>) -> ProblemDocument {
        let Kind { status, slug, title } = self.kind();
        let detail = if slug == "internal" {
            "the cause is in the service's log, beside this request's id".to_owned()
        } else {
            self.to_string()
        };
        let field = match self {
            Self::Field { field, .. } => Some(field.clone()),
            Self::Editor(EditorError::Undecodable(_)) => Some("image".to_owned()),
            _ => None,
        };
        ProblemDocument {
            r#type: format!("urn:faceplane:problem:{slug}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail,
            field,
            request_id,
        }
    }
}

/// What went wrong: what was found, what was expected, what to do (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({
    "type": "urn:faceplane:problem:unknown-attribute",
    "title": "No boundary for this attribute",
    "status": 404,
    "detail": "model phantom has no boundary for \"beard\" in w; it has age in w, smile in w",
    "request_id": "5f0c9b3a7d1e4428"
})))]
pub(crate) struct ProblemDocument {
    /// Names the kind of problem, and never changes.
    r#type: String,
    /// The kind of problem in words.
    title: String,
    /// The status code.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// This problem: what was found, what was expected, what to do.
    detail: String,
    /// The field at fault, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The request, as the log names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl Problem {
    /// Seconds after which to try again: what waits is expected to be done by then.
    fn retry_after(&self) -> u64 {
        let wait = match self {
            Self::Editor(EditorError::Engine(
                EngineError::Overloaded { wait, .. } | EngineError::LongWait { wait, .. },
            )) => *wait,
            _ => Duration::ZERO,
        };
        wait.as_secs().saturating_add(1)
    }
}

impl IntoResponse for Problem {
    /// The status, and the problem itself for [`write_out`].
    fn into_response(self) -> Response {
        let mut response = self.kind().status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Writes the document of a problem into its response, and logs what is our fault.
pub(crate) async fn write_out(request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() else {
        return response;
    };
    let status = response.status();
    problem.log();
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    parts
        .headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        parts
            .headers
            .insert(header::RETRY_AFTER, problem.retry_after().into());
    }
    let body = Json(problem.document(id)).into_response().into_body();
    Response::from_parts(parts, body)
}

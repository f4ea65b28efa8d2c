//! Why a request fails. Only this file and `problem_kind` choose an error status.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::guard::scope::Scope;
use crate::api::problem_kind::{ProblemType, kind};
use crate::catalog::CatalogError;
use crate::editor::{EditorError, JobError, UnprovenGenerator};
use crate::engine::{EngineError, MemoryError, StuckNetwork};

/// Why a request fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the request cannot be decoded: {reason}")]
    Undecodable { reason: String },
    #[error("{field}: {reason}")]
    Field { field: String, reason: String },
    #[error("the Content-Type of the body is {found}, expected {expected}")]
    MediaType { found: String, expected: &'static str },
    #[error("Accept is {found:?}, expected one of {offered}; change it or leave it out")]
    NotAcceptable { found: String, offered: &'static str },
    #[error("the Content-Encoding of the body is {found}, expected gzip or none")]
    ContentEncoding { found: String },
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("the body arrived too slowly; send it again over a faster connection")]
    SlowRequest,
    #[error("Accept has {found} bytes, expected at most {limit}")]
    AcceptTooLarge { found: usize, limit: usize },
    #[error(
        "a web page of another origin asks for a change; allow the origin with --allow-origin, or send the request without a browser"
    )]
    ForeignOrigin,
    #[error(
        "found no key, expected the header `Authorization: Bearer KEY`, or the cookie of a session in a page of the service"
    )]
    NoKey,
    #[error("the service does not know the key; whoever runs the service gives out keys")]
    UnknownKey,
    #[error("the session has ended; begin another one with POST /session and the key")]
    SessionEnded,
    #[error("the key has the scope {found}, expected {needed} or a larger one")]
    Scope { found: Scope, needed: Scope },
    #[error("found more requests than the limit of {limit}; send the next one after {} s", wait.as_secs_f64().ceil())]
    RateLimit { limit: String, wait: Duration },
    #[error("found the host {found:?}, expected localhost, an address, or a name that --host lists")]
    ForeignHost { found: String },
    #[error("found no route for {path}; /docs lists the routes")]
    NoRoute { path: String },
    #[error("{path} does not accept {method}; the Allow header lists the methods that it accepts")]
    Method { method: String, path: String },
    #[error(
        "found the inversion {found:?}, expected one that this service began in the last minutes; begin it again"
    )]
    UnknownInversion { found: String },
    #[error(
        "found {most} inversions running in the background, which is the most; try again later, or cancel one"
    )]
    TooManyInversions { most: usize },
    #[error("the store, which has the jobs of all services, cannot be read: {0}; try again")]
    JobsUnreadable(CatalogError),
    #[error("no response within {} s; request fewer images, or try again later", limit.as_secs_f64())]
    Deadline { limit: Duration },
    #[error("the service is shutting down; send the request to another instance")]
    Draining,
    #[error(transparent)]
    Stuck(StuckNetwork),
    #[error(transparent)]
    NoImage(UnprovenGenerator),
    #[error("{reason}")]
    Internal { reason: String },
    #[error(transparent)]
    Editor(#[from] EditorError),
}

impl From<JobError> for Problem {
    fn from(error: JobError) -> Self {
        Self::Editor(error.into())
    }
}

impl From<MemoryError> for Problem {
    fn from(error: MemoryError) -> Self {
        Self::Editor(error.into())
    }
}

impl Problem {
    pub(crate) fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Field {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// The same problem; a field is the one inside `path`.
    pub(crate) fn inside(self, path: &str) -> Self {
        match self {
            Self::Field { field, reason } => Self::field(format!("{path}.{field}"), reason),
            other => other,
        }
    }

    /// The status, the last part of the `type`, and the title: one row for each kind of problem.
    pub(crate) fn kind(&self) -> ProblemType {
        match self {
            Self::Undecodable { .. } => kind(
                StatusCode::BAD_REQUEST,
                "undecodable",
                "The request cannot be decoded",
            ),
            Self::NoRoute { .. } => kind(StatusCode::NOT_FOUND, "no-route", "No such route"),
            Self::Method { .. } => kind(
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "The route does not accept this method",
            ),
            Self::ForeignOrigin => kind(
                StatusCode::FORBIDDEN,
                "foreign-origin",
                "Web pages of this origin may not change anything",
            ),
            Self::NoKey => kind(StatusCode::UNAUTHORIZED, "no-key", "The request has no key"),
            Self::UnknownKey => kind(
                StatusCode::UNAUTHORIZED,
                "unknown-key",
                "The service does not know the key",
            ),
            Self::SessionEnded => kind(StatusCode::UNAUTHORIZED, "session-ended", "The session has ended"),
            Self::Scope { .. } => kind(
                StatusCode::FORBIDDEN,
                "scope",
                "The scope of the key is too small",
            ),
            Self::RateLimit { .. } => kind(StatusCode::TOO_MANY_REQUESTS, "rate-limit", "Too many requests"),
            Self::ForeignHost { .. } => kind(
                StatusCode::MISDIRECTED_REQUEST,
                "foreign-host",
                "The service does not have this host name",
            ),
            Self::AcceptTooLarge { .. } => kind(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "header-too-large",
                "A header is too large",
            ),
            Self::SlowRequest => kind(
                StatusCode::REQUEST_TIMEOUT,
                "slow-request",
                "The body arrived too slowly",
            ),
            Self::NotAcceptable { .. } => kind(
                StatusCode::NOT_ACCEPTABLE,
                "not-acceptable",
                "No acceptable format for the response",
            ),
            Self::BodyTooLarge { .. } => kind(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The body is too large",
            ),
            Self::ContentEncoding { .. } => kind(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content-encoding",
                "The Content-Encoding of the body is not supported",
            ),
            Self::MediaType { .. } => kind(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The Content-Type of the body is not supported",
            ),
            Self::UnknownInversion { .. } => {
                kind(StatusCode::NOT_FOUND, "unknown-inversion", "No such inversion")
            }
            Self::TooManyInversions { .. } => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "too-many-inversions",
                "Too many inversions are running",
            ),
            Self::JobsUnreadable(_) => ProblemType::STORE_UNAVAILABLE,
            Self::NoImage(_) => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "no-image",
                "A generator makes no image",
            ),
            Self::Stuck(_) => kind(StatusCode::SERVICE_UNAVAILABLE, "stuck", "A network is stuck"),
            Self::Field { .. } => ProblemType::FIELD,
            Self::Draining => ProblemType::DRAINING,
            Self::Deadline { .. } => ProblemType::DEADLINE,
            Self::Internal { .. } => ProblemType::INTERNAL,
            Self::Editor(error) => ProblemType::of(error),
        }
    }

    /// Whether the service is at fault. Only the log then has the cause.
    pub(crate) fn is_internal(&self) -> bool {
        self.kind().status == StatusCode::INTERNAL_SERVER_ERROR
    }

    /// Logs the problem: as an error if the service is at fault, and otherwise at the level debug.
    pub(crate) fn log(&self) {
        let status = self.kind().status;
        if self.is_internal() {
            tracing::error!(cause = %self, "request failed");
        } else {
            tracing::debug!(%status, reason = %self, "request refused");
        }
    }

    /// Seconds after which to try again: by then, the waiting requests should be done, or another one is within the limit.
    pub(crate) fn retry_after(&self) -> u64 {
        let wait = match self {
            Self::RateLimit { wait, .. }
            | Self::Editor(EditorError::Engine(
                EngineError::Overloaded { wait, .. } | EngineError::LongWait { wait, .. },
            )) => *wait,
            _ => Duration::ZERO,
        };
        wait.as_secs().saturating_add(1)
    }

    /// The header `WWW-Authenticate` (RFC 6750), if a key or another key would help.
    fn challenge(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::NoKey => "Bearer realm=\"faceplane\"".to_owned(),
            Self::UnknownKey | Self::SessionEnded => {
                "Bearer realm=\"faceplane\", error=\"invalid_token\"".to_owned()
            }
            Self::Scope { needed, .. } => {
                format!("Bearer realm=\"faceplane\", error=\"insufficient_scope\", scope=\"{needed}\"")
            }
            _ => return None,
        };
        Some(HeaderValue::from_str(&text).expect("names of scopes are allowed in headers"))
    }
}

impl IntoResponse for Problem {
    /// A response with the status, and with the problem as an extension for `problem_document::write_out`.
    fn into_response(self) -> Response {
        let mut response = self.kind().status.into_response();
        if let Some(challenge) = self.challenge() {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

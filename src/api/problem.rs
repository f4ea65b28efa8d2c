//! Why a request fails. This is the only file that chooses an error status.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::editor::EditorError;
use crate::engine::{EngineError, MemoryError, StuckNetwork};
use crate::imaging::{FramingError, ImagingError};
use crate::latent::LatentError;

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
    #[error("found the host {found:?}, expected localhost, an address, or a name that --host lists")]
    ForeignHost { found: String },
    #[error("found no route for {path}; /docs lists the routes")]
    NoRoute { path: String },
    #[error("{path} does not accept {method}; the Allow header lists the methods that it accepts")]
    Method { method: String, path: String },
    #[error("no response within {} s; request fewer images, or try again later", limit.as_secs_f64())]
    Deadline { limit: Duration },
    #[error("the service is shutting down; send the request to another instance")]
    Draining,
    #[error(transparent)]
    Stuck(StuckNetwork),
    #[error("{reason}")]
    Internal { reason: String },
    #[error(transparent)]
    Editor(#[from] EditorError),
}

impl From<MemoryError> for Problem {
    fn from(error: MemoryError) -> Self {
        Self::Editor(error.into())
    }
}

/// The parts of a problem that are the same for each occurrence.
pub(crate) struct ProblemType {
    pub(crate) status: StatusCode,
    pub(crate) slug: &'static str,
    pub(crate) title: &'static str,
}

impl Problem {
    pub(crate) fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Field {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// The status, the last part of the `type`, and the title: one row for each kind of problem.
    #[expect(clippy::too_many_lines, reason = "a table with one row for each kind")]
    pub(crate) fn kind(&self) -> ProblemType {
        use EditorError as Edit;
        let kind = |status, slug, title| ProblemType { status, slug, title };
        match self {
            Self::Undecodable { .. } => kind(
                StatusCode::BAD_REQUEST,
                "undecodable",
                "The request cannot be decoded",
            ),
            Self::NoRoute { .. } => kind(StatusCode::NOT_FOUND, "no-route", "No such route"),
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
                "The route does not accept this method",
            ),
            Self::ForeignOrigin => kind(
                StatusCode::FORBIDDEN,
                "foreign-origin",
                "Web pages of this origin may not change anything",
            ),
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
            Self::Editor(Edit::Memory(MemoryError::NeverFits { .. })) => kind(
                StatusCode::PAYLOAD_TOO_LARGE,
                "memory-limit",
                "The request needs more memory than the service may use",
            ),
            Self::ContentEncoding { .. } => kind(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content-encoding",
                "The Content-Encoding of the body is not supported",
            ),
            Self::Editor(Edit::Memory(MemoryError::Full { .. })) => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "memory",
                "The service is short of memory",
            ),
            Self::MediaType { .. } => kind(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The Content-Type of the body is not supported",
            ),
            Self::Field { .. } | Self::Editor(Edit::Undecodable(_)) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "field",
                "A field has an invalid value",
            ),
            Self::Editor(Edit::Imaging(ImagingError::TooLarge { .. })) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "image-too-large",
                "The image is too large for its file format",
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
                "space-order",
                "The latent code cannot be mapped to this space",
            ),
            Self::Editor(Edit::NoTruncation { .. } | Edit::AlreadyMapped { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "truncation",
                "Truncation does not apply",
            ),
            Self::Editor(
                Edit::NoClasses { .. }
                | Edit::NoLabel { .. }
                | Edit::Latent(LatentError::ClassOutOfRange { .. } | LatentError::LabelLength { .. }),
            ) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "label",
                "The label does not fit the model",
            ),
            Self::Editor(Edit::SimilarAttribute { .. }) => kind(
                StatusCode::CONFLICT,
                "similar-attribute",
                "Another attribute has this name in another case",
            ),
            Self::Editor(Edit::TooManyBoundaries { .. } | Edit::BoundaryMemory { .. }) => kind(
                StatusCode::INSUFFICIENT_STORAGE,
                "too-many-boundaries",
                "There is no room for another boundary",
            ),
            Self::Editor(Edit::Latent(LatentError::AttributeName { .. })) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "attribute-name",
                "No attribute can have this name",
            ),
            Self::Editor(Edit::BoundaryShape { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "boundary-shape",
                "The boundary does not fit the model",
            ),
            Self::Editor(Edit::ForeignBoundary { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "foreign-boundary",
                "The boundary belongs to another model",
            ),
            Self::Editor(Edit::NotStored(_)) => kind(
                StatusCode::INSUFFICIENT_STORAGE,
                "not-stored",
                "The change cannot be stored",
            ),
            Self::Editor(Edit::NotScored { .. }) => kind(
                StatusCode::NOT_FOUND,
                "not-scored",
                "No classifier scores this attribute",
            ),
            Self::Editor(Edit::UnknownJob { .. }) => {
                kind(StatusCode::NOT_FOUND, "unknown-job", "No such job")
            }
            Self::Editor(Edit::NoDirections(_)) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "directions",
                "The model has no such directions",
            ),
            Self::Editor(Edit::SampledWPlus | Edit::TooManySamples { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "training",
                "The boundary cannot be trained this way",
            ),
            Self::Editor(Edit::TooManyJobs { .. }) => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "too-many-jobs",
                "Too many jobs are waiting",
            ),
            Self::Editor(Edit::NoReport { .. }) => {
                kind(StatusCode::NOT_FOUND, "no-report", "The job has no report")
            }
            Self::Editor(Edit::NothingToReport { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "nothing-to-report",
                "No boundary of this space can be judged",
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
                "The edit is incomplete or ambiguous",
            ),
            Self::Editor(Edit::InvalidScore { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "score-out-of-range",
                "The score is out of the range of its classifier",
            ),
            Self::Editor(Edit::NoConditions) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-conditions",
                "The conditional edit names no condition",
            ),
            Self::Editor(Edit::CannotInvert { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "cannot-invert",
                "The model cannot invert images with this method",
            ),
            Self::Editor(Edit::Framing(FramingError::Crop { .. })) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "crop-outside-image",
                "The crop is not inside the image",
            ),
            Self::Editor(Edit::ImageTooSmall { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "image-too-small",
                "The image has too few pixels to invert",
            ),
            Self::Editor(Edit::Framing(FramingError::Landmarks { .. }) | Edit::NoFace(_)) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-face",
                "No face was found in the image",
            ),
            Self::Editor(Edit::OutOfRange { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "out-of-range",
                "A number is out of range",
            ),
            Self::Editor(Edit::Latent(LatentError::DependentPrimal { .. })) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-direction-left",
                "The conditions leave no direction for the edit",
            ),
            Self::Editor(Edit::Latent(_)) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "latent",
                "The latent code or the edit is invalid",
            ),
            Self::Draining | Self::Editor(Edit::ShuttingDown) => {
                kind(StatusCode::SERVICE_UNAVAILABLE, "draining", "Shutting down")
            }
            Self::Editor(Edit::Engine(EngineError::Overloaded { .. } | EngineError::LongWait { .. })) => {
                kind(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "overloaded",
                    "The service is overloaded",
                )
            }
            Self::Stuck(_) => kind(StatusCode::SERVICE_UNAVAILABLE, "stuck", "A network is stuck"),
            Self::Editor(Edit::Engine(EngineError::Terminated { .. })) => kind(
                StatusCode::GATEWAY_TIMEOUT,
                "run-terminated",
                "A network took too long",
            ),
            Self::Deadline { .. }
            | Self::Editor(Edit::TooLate | Edit::Engine(EngineError::DeadlinePassed { .. })) => {
                kind(StatusCode::GATEWAY_TIMEOUT, "deadline", "The timeout has passed")
            }
            Self::Editor(
                Edit::NotFinite { .. }
                | Edit::Engine(EngineError::NotFinite { .. })
                | Edit::Imaging(ImagingError::NotFinite { .. }),
            ) => kind(
                StatusCode::INTERNAL_SERVER_ERROR,
                "not-finite",
                "A network returned values that are not finite",
            ),
            Self::Internal { .. }
            | Self::Editor(
                Edit::Engine(
                    EngineError::Library { .. }
                    | EngineError::Device { .. }
                    | EngineError::Gradient { .. }
                    | EngineError::Graph { .. }
                    | EngineError::Tensor { .. }
                    | EngineError::Run { .. }
                    | EngineError::BrokenFace { .. }
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

    /// Logs the problem: as an error if the service is at fault, and otherwise at the level debug.
    pub(crate) fn log(&self) {
        let status = self.kind().status;
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(cause = %self, "request failed");
        } else {
            tracing::debug!(%status, reason = %self, "request refused");
        }
    }

    /// Seconds after which to try again: by then, the waiting requests should be done.
    pub(crate) fn retry_after(&self) -> u64 {
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
    /// A response with the status, and with the problem as an extension for `problem_document::write_out`.
    fn into_response(self) -> Response {
        let mut response = self.kind().status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

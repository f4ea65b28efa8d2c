//! The status and the type of an error of an operation. Only this file and `problem` choose an error status.

use axum::http::StatusCode;

use crate::catalog::CatalogError;
use crate::editor::{BlendError, EditorError, JobError, ModelChangeError, OriginalError, StyleError};
use crate::engine::{EngineError, MemoryError};
use crate::imaging::{FramingError, ImagingError};
use crate::latent::LatentError;

/// The parts of a problem that are the same for each occurrence.
pub(crate) struct ProblemType {
    pub(crate) status: StatusCode,
    pub(crate) slug: &'static str,
    pub(crate) title: &'static str,
}

/// A row of the tables.
pub(crate) const fn kind(status: StatusCode, slug: &'static str, title: &'static str) -> ProblemType {
    ProblemType { status, slug, title }
}

impl ProblemType {
    pub(crate) const FIELD: Self = kind(
        StatusCode::UNPROCESSABLE_ENTITY,
        "field",
        "A field has an invalid value",
    );
    pub(crate) const DRAINING: Self = kind(StatusCode::SERVICE_UNAVAILABLE, "draining", "Shutting down");
    pub(crate) const DEADLINE: Self = kind(StatusCode::GATEWAY_TIMEOUT, "deadline", "The timeout has passed");
    pub(crate) const STORE_UNAVAILABLE: Self = kind(
        StatusCode::SERVICE_UNAVAILABLE,
        "store-unavailable",
        "The store does not answer",
    );
    pub(crate) const INTERNAL: Self = kind(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "The service failed",
    );

    /// The type of an operation's error: one row for each kind.
    #[expect(clippy::too_many_lines, reason = "a table with one row for each kind")]
    pub(crate) fn of(error: &EditorError) -> Self {
        use EditorError as Edit;
        match error {
            Edit::UnknownModel { .. } => kind(StatusCode::NOT_FOUND, "unknown-model", "No such model"),
            Edit::OtherDigest { .. } => kind(
                StatusCode::NOT_FOUND,
                "other-digest",
                "The model has another digest",
            ),
            Edit::ModelChange(ModelChangeError::NoFolder { .. }) => kind(
                StatusCode::NOT_FOUND,
                "no-model-folder",
                "No model folder has this model",
            ),
            Edit::ModelChange(ModelChangeError::Load { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "model-folder",
                "The model folder has a mistake",
            ),
            Edit::ModelChange(ModelChangeError::NotDownloaded { .. }) => kind(
                StatusCode::INSUFFICIENT_STORAGE,
                "not-downloaded",
                "The model cannot be downloaded from the store",
            ),
            Edit::ModelChange(ModelChangeError::Default { .. }) => kind(
                StatusCode::CONFLICT,
                "default-model",
                "The default model cannot be dropped",
            ),
            Edit::UnknownAttribute { .. } => kind(
                StatusCode::NOT_FOUND,
                "unknown-attribute",
                "No boundary for this attribute",
            ),
            Edit::Original(OriginalError::Missing { .. }) => kind(
                StatusCode::NOT_FOUND,
                "no-original",
                "No such boundary came with the model",
            ),
            Edit::Original(OriginalError::Undeletable { .. }) => kind(
                StatusCode::CONFLICT,
                "original-boundary",
                "The boundary came with the model",
            ),
            Edit::Memory(MemoryError::NeverFits { .. }) => kind(
                StatusCode::PAYLOAD_TOO_LARGE,
                "memory-limit",
                "The request needs more memory than the service may use",
            ),
            Edit::Memory(MemoryError::Full { .. }) => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "memory",
                "The service is short of memory",
            ),
            Edit::Undecodable(_)
            | Edit::Blend(BlendError::TooFewFaces { .. } | BlendError::TooFewFrames { .. }) => Self::FIELD,
            Edit::Imaging(ImagingError::TooLarge { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "image-too-large",
                "The image is too large for its file format",
            ),
            Edit::NoSuchSpace { .. } | Edit::Styles(StyleError::None { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-such-space",
                "The model has no such latent space",
            ),
            Edit::CodeShape { .. } => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "code-shape",
                "The latent code does not fit the model",
            ),
            Edit::Irreversible { .. } => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "space-order",
                "The latent code cannot be mapped to this space",
            ),
            Edit::NoTruncation { .. } | Edit::AlreadyMapped { .. } => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "truncation",
                "Truncation does not apply",
            ),
            Edit::NoClasses { .. }
            | Edit::NoLabel { .. }
            | Edit::Latent(LatentError::ClassOutOfRange { .. } | LatentError::LabelLength { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "label",
                "The label does not fit the model",
            ),
            Edit::SimilarAttribute { .. } => kind(
                StatusCode::CONFLICT,
                "similar-attribute",
                "Another attribute has this name in another case",
            ),
            Edit::TooManyBoundaries { .. } | Edit::BoundaryMemory { .. } => kind(
                StatusCode::INSUFFICIENT_STORAGE,
                "too-many-boundaries",
                "There is no room for another boundary",
            ),
            Edit::Latent(LatentError::AttributeName { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "attribute-name",
                "No attribute can have this name",
            ),
            Edit::BoundaryShape { .. } => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "boundary-shape",
                "The boundary does not fit the model",
            ),
            Edit::ForeignBoundary { .. } => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "foreign-boundary",
                "The boundary belongs to another model",
            ),
            Edit::ModelChange(ModelChangeError::Store(_))
            | Edit::NotStored(
                CatalogError::StoreUnavailable { .. }
                | CatalogError::StoreLocked { .. }
                | CatalogError::StoreChanged { .. },
            ) => Self::STORE_UNAVAILABLE,
            Edit::NotStored(_) => kind(
                StatusCode::INSUFFICIENT_STORAGE,
                "not-stored",
                "The change cannot be stored",
            ),
            Edit::NotScored { .. } => kind(
                StatusCode::NOT_FOUND,
                "not-scored",
                "No classifier scores this attribute",
            ),
            Edit::Job(JobError::Unknown { .. }) => kind(StatusCode::NOT_FOUND, "unknown-job", "No such job"),
            Edit::NoDirections(_) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "directions",
                "The model has no such directions",
            ),
            Edit::SampledWPlus
            | Edit::TooManySamples { .. }
            | Edit::Styles(StyleError::NotCompared | StyleError::TooFewImages { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "training",
                "The boundary cannot be trained this way",
            ),
            Edit::Job(JobError::TooMany { .. }) => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "too-many-jobs",
                "Too many jobs are waiting",
            ),
            Edit::Job(JobError::NoSamples { .. }) => {
                kind(StatusCode::NOT_FOUND, "no-samples", "The job has no samples")
            }
            Edit::Job(JobError::SamplesPending { .. }) => kind(
                StatusCode::CONFLICT,
                "samples-pending",
                "The job is still sampling",
            ),
            Edit::Job(JobError::SamplesDropped { .. }) => kind(
                StatusCode::GONE,
                "samples-dropped",
                "The samples of the job were dropped",
            ),
            Edit::Job(JobError::NoReport { .. }) => {
                kind(StatusCode::NOT_FOUND, "no-report", "The job has no report")
            }
            Edit::Report(_) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "nothing-to-report",
                "No boundary of this space can be judged",
            ),
            Edit::NoClassifier { .. } => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-classifier",
                "The model has no classifier",
            ),
            Edit::NoAmount { .. }
            | Edit::UnusedTrajectory
            | Edit::ScoreNotAlone
            | Edit::UnfitForGradient { .. } => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "unclear-edit",
                "The edit is incomplete or ambiguous",
            ),
            Edit::InvalidScore { .. } => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "score-out-of-range",
                "The score is out of the range of its classifier",
            ),
            Edit::Engine(EngineError::ScoreGradient { .. } | EngineError::NothingToDifferentiate { .. }) => {
                kind(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "no-gradient",
                    "The model's scores have no gradients",
                )
            }
            Edit::CannotInvert { .. } => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "cannot-invert",
                "The model cannot invert images with this method",
            ),
            Edit::Framing(FramingError::Crop { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "crop-outside-image",
                "The crop is not inside the image",
            ),
            Edit::ImageTooSmall { .. } => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "image-too-small",
                "The image has too few pixels to invert",
            ),
            Edit::Framing(FramingError::Landmarks { .. }) | Edit::NoFace(_) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-face",
                "No face was found in the image",
            ),
            Edit::OutOfRange { .. } => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "out-of-range",
                "A number is out of range",
            ),
            Edit::Latent(LatentError::DependentPrimal { .. }) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-direction-left",
                "The conditions leave no direction for the edit",
            ),
            Edit::Blend(BlendError::LabelsDiffer) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "label",
                "The labels of the faces differ",
            ),
            Edit::Latent(_) => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "latent",
                "The latent code or the edit is invalid",
            ),
            Edit::Job(JobError::ShuttingDown) => Self::DRAINING,
            Edit::Engine(EngineError::Overloaded { .. } | EngineError::LongWait { .. }) => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "The service is overloaded",
            ),
            Edit::Engine(EngineError::Terminated { .. }) => kind(
                StatusCode::GATEWAY_TIMEOUT,
                "run-terminated",
                "A network took too long",
            ),
            Edit::TooLate | Edit::Engine(EngineError::DeadlinePassed { .. }) => Self::DEADLINE,
            Edit::NotFinite { .. }
            | Edit::Engine(EngineError::NotFinite { .. })
            | Edit::Imaging(ImagingError::NotFinite { .. }) => kind(
                StatusCode::INTERNAL_SERVER_ERROR,
                "not-finite",
                "A network returned values that are not finite",
            ),
            Edit::Engine(
                EngineError::Library { .. }
                | EngineError::Device { .. }
                | EngineError::Gradient { .. }
                | EngineError::Styles { .. }
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
                | ImagingError::Encoding { .. }
                | ImagingError::Signing { .. },
            ) => Self::INTERNAL,
        }
    }
}

//! `/openapi.json` and `/docs`: the API's description, made from the code, and a page to try it on.

use axum::Json;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, OpenApi as Document, RefOr};
use utoipa::{IntoResponses, OpenApi, PartialSchema, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::api::problem::ProblemDocument;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "faceplane",
        description = "InterFaceGAN as a service: sample faces, move them along an attribute's boundary in latent space, hold \
                       other attributes while doing so.\n\nAnswers are PNG unless `Accept` or `format` asks for JPEG, WebP or JSON. Errors \
                       are `application/problem+json` (RFC 9457). Every answer carries `X-Request-Id`. A request that cannot wait \
                       as long as the service would says so in `Faceplane-Timeout`, in seconds."
    ),
    tags(
        (name = "faces", description = "Sample, edit, conditionally edit and score"),
        (name = "models", description = "What is loaded"),
        (name = "boundaries", description = "The planes of a model"),
        (name = "health", description = "For orchestrators")
    ),
    components(schemas(ProblemDocument))
)]
struct Head;

/// The document without its paths.
pub(crate) fn head() -> Document {
    Head::openapi()
}

/// The route of the document itself.
pub(crate) fn json(document: &Document) -> Json<serde_json::Value> {
    Json(serde_json::to_value(document).expect("a document is JSON"))
}

/// The page at `/docs`; all that it loads comes from this program.
pub(crate) fn page() -> SwaggerUi {
    let config = Config::from("/openapi.json")
        .validator_url("none")
        .try_it_out_enabled(true)
        .display_request_duration(true);
    SwaggerUi::new("/docs").config(config)
}

/// A form with a picture, as the document describes it.
pub(crate) struct PictureForm;

impl ToSchema for PictureForm {}

impl PartialSchema for PictureForm {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let file = text()
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .description(Some("The picture."));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some(
                "A form with a picture; its other fields are those of the URL, by the same names.",
            ))
            .property("file", file)
            .required("file")
            .additional_properties(Some(text()))
            .property_names(Some(Schema::Object(text().pattern(Some("^[a-z_]+$")).build())))
            .into()
    }
}

/// A PNG file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary, content_media_type = "image/png")]
#[expect(dead_code, reason = "it stands for bytes in the document")]
pub(crate) struct PngFile(Vec<u8>);

/// A JPEG file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary, content_media_type = "image/jpeg")]
#[expect(dead_code, reason = "it stands for bytes in the document")]
pub(crate) struct JpegFile(Vec<u8>);

/// A WebP file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary, content_media_type = "image/webp")]
#[expect(dead_code, reason = "it stands for bytes in the document")]
pub(crate) struct WebpFile(Vec<u8>);

/// What every operation on faces may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the variants are read by the derive")]
pub(crate) enum FaceProblems {
    /// No such model, or the model has no boundary for an attribute in the space of the edit; the detail says which there are
    #[response(status = 404, content_type = "application/problem+json")]
    Unknown(ProblemDocument),
    /// `Accept` names neither PNG, JPEG, WebP nor JSON
    #[response(status = 406, content_type = "application/problem+json")]
    NotAcceptable(ProblemDocument),
    /// A field has a wrong type, shape, space or value, or contradicts another
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(ProblemDocument),
    /// The service failed; its log has the cause
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(ProblemDocument),
    /// Too much to do at once, or shutting down; try again after `Retry-After` seconds
    #[response(status = 503, content_type = "application/problem+json")]
    Overloaded(ProblemDocument),
    /// Not done in time
    #[response(status = 504, content_type = "application/problem+json")]
    Deadline(ProblemDocument),
}

/// What scoring may answer besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the variants are read by the derive")]
pub(crate) enum ScoreProblems {
    /// No such model; the detail says which there are
    #[response(status = 404, content_type = "application/problem+json")]
    Unknown(ProblemDocument),
    /// A field has a wrong type, shape, space or value, or the model has no classifier
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(ProblemDocument),
    /// The service failed; its log has the cause
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(ProblemDocument),
    /// Too much to do at once, or shutting down; try again after `Retry-After` seconds
    #[response(status = 503, content_type = "application/problem+json")]
    Overloaded(ProblemDocument),
    /// Not done in time
    #[response(status = 504, content_type = "application/problem+json")]
    Deadline(ProblemDocument),
}

/// What operations with a body may answer besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the variants are read by the derive")]
pub(crate) enum BodyProblems {
    /// The body is not JSON, or does not arrive whole
    #[response(status = 400, content_type = "application/problem+json")]
    Undecodable(ProblemDocument),
    /// The body is too large
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemDocument),
    /// The body's Content-Type is not JSON
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(ProblemDocument),
}

/// What a model's page may answer besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the variants are read by the derive")]
pub(crate) enum ModelProblems {
    /// The name in the path cannot be decoded
    #[response(status = 400, content_type = "application/problem+json")]
    Undecodable(ProblemDocument),
    /// No such model; the detail says which there are
    #[response(status = 404, content_type = "application/problem+json")]
    Unknown(ProblemDocument),
}

/// What a boundary's page may answer besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the variants are read by the derive")]
pub(crate) enum BoundaryProblems {
    /// A name in the path cannot be decoded
    #[response(status = 400, content_type = "application/problem+json")]
    Undecodable(ProblemDocument),
    /// No such model, or no such boundary; the detail says which there are
    #[response(status = 404, content_type = "application/problem+json")]
    Unknown(ProblemDocument),
    /// `Accept` names nothing that there is
    #[response(status = 406, content_type = "application/problem+json")]
    NotAcceptable(ProblemDocument),
    /// A value that cannot be taken, or a boundary of another model, space or shape
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(ProblemDocument),
}

/// What a change may answer besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the variants are read by the derive")]
pub(crate) enum KeptProblems {
    /// The change cannot be kept on disk, and was not made
    #[response(status = 507, content_type = "application/problem+json")]
    NotKept(ProblemDocument),
}

/// What beginning a job may answer besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the variants are read by the derive")]
pub(crate) enum TrainProblems {
    /// No such model, or no classifier of it scores an attribute; the detail says which there are
    #[response(status = 404, content_type = "application/problem+json")]
    Unknown(ProblemDocument),
    /// A field has a wrong type, shape, space or value, or contradicts another
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(ProblemDocument),
    /// Too many jobs wait, or shutting down
    #[response(status = 503, content_type = "application/problem+json")]
    Overloaded(ProblemDocument),
}

/// What a job's page may answer besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the variants are read by the derive")]
pub(crate) enum JobProblems {
    /// The id in the path cannot be decoded
    #[response(status = 400, content_type = "application/problem+json")]
    Undecodable(ProblemDocument),
    /// No such job
    #[response(status = 404, content_type = "application/problem+json")]
    Unknown(ProblemDocument),
}

/// What readiness may answer besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the variants are read by the derive")]
pub(crate) enum ReadyProblems {
    /// Shutting down
    #[response(status = 503, content_type = "application/problem+json")]
    Draining(ProblemDocument),
}

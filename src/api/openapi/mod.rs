//! The OpenAPI document of the service, generated from the code.
//!
//! Knows how the document describes media types, headers, problems and optional fields. Never knows what a single
//! operation does: each handler in [`routes`](crate::api::routes) describes its own.
//!
//! | to find | look in |
//! | --- | --- |
//! | title, tags and schemas that no operation names | this file |
//! | responses of operations on faces, with their headers | [`responses`] |
//! | responses with an error status | [`problems`] |
//! | image files | [`files`] |
//! | numbers of codes and normals | [`numbers`] |
//! | rules that hold for all operations and all schemas | [`conventions`] |

mod conventions;
pub(crate) mod files;
pub(crate) mod numbers;
pub(crate) mod problems;
pub(crate) mod responses;

use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::json;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use crate::api::base_path::BasePath;
use crate::api::problem_document::ProblemDocument;
use crate::api::responses::edit::EditResponse;
use crate::api::responses::interpolate::InterpolateResponse;
use crate::api::responses::invert::{InversionProgress, InvertResponse};
use crate::api::responses::mix::MixResponse;
use crate::api::responses::sample::SampleResponse;
use crate::api::responses::score::ScoreResponse;
use crate::api::types::boundary::{BoundaryFormat, BoundaryVersionName};
use crate::api::types::invert::InversionMethodName;
use crate::api::types::output_options::{Compression, Format, Layout, Metadata};
use crate::api::types::space::Space;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "faceplane",
        description = "InterFaceGAN as a service: sample faces, and edit them along the boundaries of attributes in latent \
                       space, with other attributes held.\n\nOperations on faces respond with a PNG unless `Accept` or `format` \
                       asks for JPEG, WebP or JSON; `format` wins over `Accept`. Errors are `application/problem+json` (RFC 9457). \
                       Optional fields are left out, not null."
    ),
    tags(
        (name = "faces", description = "Sample, edit, conditionally edit, interpolate, mix, invert and score faces"),
        (name = "models", description = "The loaded models"),
        (name = "boundaries", description = "The boundaries of a model: read, replace, delete and train them"),
        (name = "inversions", description = "Inversions in the background"),
        (name = "jobs", description = "Trainings and reports, which run in the background"),
        (name = "session", description = "Sessions of browsers, where the service has keys"),
        (name = "health", description = "Probes and metrics")
    ),
    components(schemas(
        ProblemDocument, SampleResponse, EditResponse, InterpolateResponse, MixResponse, InvertResponse, InversionProgress, ScoreResponse, Space, Format, Layout, Metadata, Compression,
        InversionMethodName, BoundaryFormat, BoundaryVersionName
    ))
)]
struct Head;

/// The document without its paths.
pub(crate) fn head() -> Document {
    Head::openapi()
}

/// The document as JSON: what the operations say, completed by the [`conventions`]. Its paths are below `base_path`.
pub(crate) fn json(document: &Document, base_path: &BasePath) -> String {
    let mut document = serde_json::to_value(document).expect("a document is JSON");
    conventions::apply(&mut document);
    if let Some(prefix) = base_path.prefix() {
        document["servers"] = json!([{ "url": prefix }]);
    }
    serde_json::to_string(&document).expect("a JSON value is JSON")
}

/// The response to a request for the document.
pub(crate) fn response(json: Bytes) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], json)
}

//! `/v1/models/{model}/boundaries`: lists, returns, sets and deletes the boundaries of a model.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest as _, Path, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use headers::HeaderMapExt as _;
use headers_accept::Accept;
use mediatype::MediaType;
use mediatype::names::{APPLICATION, JSON, OCTET_STREAM};

use crate::api::buffered_response::BufferedResponse;
use crate::api::decode::text;
use crate::api::decode::value::Value as _;
use crate::api::form_body::{FormFile, is_form, read_form};
use crate::api::openapi::problems::{
    AdditionProblems, BodyProblems, BoundaryFormatProblems, BoundaryProblems, DeletionProblems,
    ModelProblems, PageProblems,
};
use crate::api::problem::Problem;
use crate::api::received_body::ReceivedBody;
use crate::api::request_body::{Body, LARGEST_BODY, PathName, Query, is_json, undecodable_path};
use crate::api::responses::boundary::{BoundaryChange, BoundaryList, BoundarySummary, Storage};
use crate::api::routes::page::page;
use crate::api::state::Api;
use crate::api::types::boundary::{
    BoundaryDocument, BoundaryFormat, BoundaryOptions, NpyFile, NpyOptions, boundary,
};
use crate::api::types::numbers::MOST_NUMBERS;
use crate::api::types::page::BoundaryPage;
use crate::api::types::space::Space;
use crate::catalog::{ArrayError, NpyArray, read_array};
use crate::editor::{BoundaryVersion, Model, spread};
use crate::latent::{Boundary, LatentSpace, Provenance};

/// The file of a form.
const FILE: FormFile = FormFile {
    limit: LARGEST_BODY,
    expected: "one .npy, .npz or .pt file; with curl: -F file=@smile.npy",
};

type BoundaryPath = Result<Path<(String, String, String)>, PathRejection>;

/// The model, attribute and space in a path.
fn boundary_path(path: BoundaryPath) -> Result<(String, String, LatentSpace), Problem> {
    let Path((model, attribute, space)) = path.map_err(undecodable_path)?;
    let space = Space::from_text(&space).map_err(|reason| Problem::field("space", reason))?;
    Ok((model, attribute, space.into()))
}

/// List a model's boundaries
///
/// In pages, in the order of attributes and spaces. `origin` says which came with the model, and which replace one that did;
/// `version=original` lists all that came with the model.
#[utoipa::path(
    get, path = "/v1/models/{model}/boundaries", tag = "boundaries", operation_id = "list_boundaries",
    params(("model" = String, Path, description = "The name of the model.", example = "phantom"), BoundaryPage),
    responses(
        (status = 200, description = "A page of the list.", body = BoundaryList, headers(("Link" = String, description = "The URL of the next page, with `rel=\"next\"`; absent on the last page."))),
        ModelProblems, PageProblems,
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    PathName(name): PathName,
    Query(options): Query<BoundaryPage>,
) -> Result<Response, Problem> {
    let model = api.model(Some(&name))?;
    let limit = options.limit();
    let list = BoundaryList::new(&model, options).await;
    Ok(page(&list, limit, list.next.as_deref()))
}

/// Get a boundary
///
/// Returns the boundary as JSON with its metadata, or its normal as a `.npy` file (`format=npy`, or
/// `Accept: application/octet-stream`). With `version=original`, it returns the one that came with the model, even if another one
/// replaces it.
#[utoipa::path(
    get, path = "/v1/models/{model}/boundaries/{attribute}/{space}", tag = "boundaries", operation_id = "get_boundary",
    params(
        ("model" = String, Path, description = "The name of the model.", example = "phantom"),
        ("attribute" = String, Path, description = "The attribute.", example = "smile"),
        ("space" = Space, Path, description = "The space.", example = "w"),
        BoundaryOptions,
    ),
    responses(
        (
            status = 200, description = "The boundary.",
            content((BoundaryDocument = "application/json"), (inline(NpyFile) = "application/octet-stream")),
            headers(
                ("ETag" = String, description = "Identifies the boundary. Send it as `If-None-Match` to learn whether it changed."),
                ("Faceplane-Model" = String, description = "The name of the model."),
            )
        ),
        (status = 304, description = "The boundary is still the one that `If-None-Match` names."),
        BoundaryProblems, BoundaryFormatProblems,
    )
)]
pub(crate) async fn show(
    State(api): State<Api>,
    path: BoundaryPath,
    headers: HeaderMap,
    Query(options): Query<BoundaryOptions>,
) -> Result<Response, Problem> {
    let (name, attribute, space) = boundary_path(path)?;
    let model = api.model(Some(&name))?;
    let version = options.version.map_or_else(BoundaryVersion::default, Into::into);
    let boundary = model.boundaries().get_version(version, &attribute, space)?;
    let response = match choose(options.format, &headers)? {
        BoundaryFormat::Json => {
            let spread = spread(&model, boundary).await;
            BufferedResponse::json(&BoundaryDocument::of(boundary, spread), &model)
        }
        BoundaryFormat::Npy => BufferedResponse::file(NpyArray::of_normal(boundary).write_f8(), &model),
    };
    Ok(response.with_etag().revalidated(&headers))
}

/// Set a boundary
///
/// Replaces the boundary of this attribute and space, or adds one. The next edit uses it. One that came with the model is kept, and
/// DELETE brings it back. The body is the JSON that GET
/// returns, or a file with the normal: `.npy` or `.npz` of NumPy, or `.pt` of PyTorch, of which nothing is executed. A file may come with any
/// `Content-Type` except JSON, as curl and Python's requests send it without one or with that of a form, or as the part `file` of a
/// multipart form.
#[utoipa::path(
    put, path = "/v1/models/{model}/boundaries/{attribute}/{space}", tag = "boundaries", operation_id = "put_boundary",
    params(
        ("model" = String, Path, description = "The name of the model.", example = "phantom"),
        ("attribute" = String, Path, description = "The attribute.", example = "smile"),
        ("space" = Space, Path, description = "The space.", example = "w"),
        NpyOptions,
    ),
    request_body(content((BoundaryDocument = "application/json"), (inline(NpyFile) = "application/octet-stream"))),
    responses((status = 200, description = "The boundary as it is now.", body = BoundaryChange), BoundaryProblems, BodyProblems, AdditionProblems)
)]
pub(crate) async fn put(
    State(api): State<Api>,
    path: BoundaryPath,
    request: Request,
) -> Result<Json<BoundaryChange>, Problem> {
    let (name, attribute, space) = boundary_path(path)?;
    let model = api.model(Some(&name))?;
    let boundary = read(request, &api, model, attribute.clone(), space).await?;
    let model = api.models.put_boundary(&name, boundary.into()).await?;
    Ok(change(&api, &model, &attribute, space).await)
}

/// Decodes a boundary from a file or from JSON.
async fn read(
    request: Request,
    api: &Api,
    model: Arc<Model>,
    attribute: String,
    space: LatentSpace,
) -> Result<Boundary, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).cloned();
    let kind = kind
        .as_ref()
        .map_or("missing", |kind| kind.to_str().unwrap_or("unreadable"));
    let query = request.uri().query().unwrap_or_default().to_owned();
    if !is_json(kind) {
        let (bytes, parts) = if is_form(kind) {
            read_form(request, api, FILE).await?
        } else {
            let bytes = ReceivedBody::of(request, api, LARGEST_BODY).await?.into_bytes();
            (bytes, Vec::new())
        };
        let options: NpyOptions = text::url_and_form(&query, parts)?;
        let intercept = options.intercept.map_or(0.0, |intercept| intercept.0);
        // curl and requests name no type or that of a form, unless they are told. A file is known by its first bytes.
        let other = (!is_octets(kind) && !is_form(kind)).then(|| kind.to_owned());
        let decode = move || {
            let array = read_array(&bytes, MOST_NUMBERS).map_err(|error| match (error, other) {
                (ArrayError::Foreign { .. }, Some(found)) => Problem::MediaType {
                    found,
                    expected: "application/json, or a .npy, .npz or .pt file of any type",
                },
                (error, _) => Problem::field("body", error.to_string()),
            })?;
            boundary(&model, &attribute, space, array, intercept, Provenance::default())
        };
        return api.decode_large(decode).await;
    }
    let options: NpyOptions = text::query(&query)?;
    if options.intercept.is_some() {
        let reason = "found it beside a JSON body, expected it in the body";
        return Err(Problem::field("intercept", reason));
    }
    let Body(body) = Body::<BoundaryDocument>::from_request(request, api).await?;
    body.boundary(&model, &attribute, space)
}

/// Whether a Content-Type is `application/octet-stream`.
fn is_octets(kind: &str) -> bool {
    MediaType::parse(kind).is_ok_and(|kind| kind.ty == APPLICATION && kind.subty == OCTET_STREAM)
}

/// Delete a boundary
///
/// If the boundary replaces one that came with the model, that one is back, and the response says so. A boundary that came with the
/// model cannot be deleted.
#[utoipa::path(
    delete, path = "/v1/models/{model}/boundaries/{attribute}/{space}", tag = "boundaries", operation_id = "delete_boundary",
    params(
        ("model" = String, Path, description = "The name of the model.", example = "phantom"),
        ("attribute" = String, Path, description = "The attribute.", example = "smile"),
        ("space" = Space, Path, description = "The space.", example = "w"),
    ),
    responses((status = 200, description = "The boundary is deleted.", body = BoundaryChange), BoundaryProblems, DeletionProblems)
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    path: BoundaryPath,
) -> Result<Json<BoundaryChange>, Problem> {
    let (name, attribute, space) = boundary_path(path)?;
    let model = api.models.delete_boundary(&name, &attribute, space).await?;
    let mut response = change(&api, &model, &attribute, space).await;
    response.restored = response.boundary.is_some();
    Ok(response)
}

/// The response to a change of a boundary of `model`.
async fn change(api: &Api, model: &Model, attribute: &str, space: LatentSpace) -> Json<BoundaryChange> {
    let boundaries = model.boundaries();
    let boundary = match boundaries.find(attribute, space) {
        Some(boundary) => {
            let spread = spread(model, boundary).await;
            Some(BoundarySummary::with_spread(boundary, boundaries, spread))
        }
        None => None,
    };
    Json(BoundaryChange {
        model: model.name().to_owned(),
        digest: model.digest().to_owned(),
        storage: Storage::of(&api.models),
        boundary,
        restored: false,
    })
}

/// The format of the request, or else the one that `Accept` prefers.
fn choose(requested: Option<BoundaryFormat>, headers: &HeaderMap) -> Result<BoundaryFormat, Problem> {
    static OFFERED: &[MediaType<'static>] = &[
        MediaType::new(APPLICATION, JSON),
        MediaType::new(APPLICATION, OCTET_STREAM),
    ];
    let found = headers.get(header::ACCEPT);
    let (None, Some(found)) = (requested, found) else {
        return Ok(requested.unwrap_or(BoundaryFormat::Json));
    };
    let accept = headers.typed_get::<Accept>();
    match accept.as_ref().and_then(|accept| accept.negotiate(OFFERED)) {
        Some(chosen) if chosen.subty == JSON => Ok(BoundaryFormat::Json),
        Some(_) => Ok(BoundaryFormat::Npy),
        None => Err(Problem::NotAcceptable {
            found: String::from_utf8_lossy(found.as_bytes()).into_owned(),
            offered: "application/json and application/octet-stream",
        }),
    }
}

//! `POST /v1/models/{model}/report` and `GET /v1/jobs/{job}/report`: boundaries judged, as a job, as JSON and as a page.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::negotiation::{HTML_PAGE, JSON_ONLY, prefers};
use crate::api::openapi::problems::{BodyProblems, JobProblems, StartProblems};
use crate::api::problem::Problem;
use crate::api::report_page::page::page;
use crate::api::request_body::{Body, Name};
use crate::api::response::encoding;
use crate::api::routes::jobs::{JobBody, begun};
use crate::api::types::values::{Space, rows};
use crate::editor::{BoundaryReport, IdentityReport, Report, ReportRequest};
use crate::imaging::{ImagingError, Quality, encode_jpeg};

/// Faces to sample, where a request names no number, and the least and the most.
const SAMPLES: usize = 2000;
const LEAST_SAMPLES: usize = 50;
const MOST_SAMPLES: usize = 100_000;

/// Faces to edit, where a request names no number, and the most.
const FACES: usize = 50;
const MOST_FACES: usize = 1000;

/// What to report on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({"space": "w", "samples": 2000, "faces": 50, "seed": 1})))]
pub(crate) struct ReportWish {
    /// The boundaries' space, z or w; the model's default space if left out.
    space: Option<Space>,
    /// How many faces are sampled and scored; 2,000 if left out.
    #[schema(minimum = 50, maximum = 100_000)]
    samples: Option<usize>,
    /// How many of them are edited; 50 if left out.
    #[schema(minimum = 1, maximum = 1000)]
    faces: Option<usize>,
    /// The seed of the samples; 0 if left out. Other than the boundaries' own, so that they are judged by faces that they were
    /// not found with.
    #[schema(value_type = Option<u64>, maximum = 4_294_967_295u64)]
    seed: Option<u32>,
}

/// How good a model's boundaries are. Rows and columns of all tables are the attributes, in their order here.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReportBody {
    /// The model.
    model: String,
    /// The model's digest.
    digest: String,
    /// The boundaries' space.
    space: Space,
    /// When the report was made.
    #[schema(format = DateTime)]
    date: String,
    /// Faces that were sampled.
    samples: usize,
    /// Faces that were edited.
    faces: usize,
    /// The seed of the samples.
    seed: u32,
    /// The planes.
    attributes: Vec<PlaneBody>,
    /// Cosines between the planes' normals.
    cosines: Vec<Vec<f64>>,
    /// Correlations between the samples' scores.
    correlations: Vec<Vec<f64>>,
    /// Distances from the plane that faces were brought to.
    distances: Vec<f64>,
    /// For each attribute that is edited and each of the distances, the mean score of each attribute.
    curves: Vec<Vec<Vec<f64>>>,
    /// How far faces were moved for the changes.
    by: f64,
    /// For each attribute that is edited, the mean change of each attribute's score, in its standard deviations.
    plain: Vec<Vec<f64>>,
    /// The same with all other attributes held; null where nothing of the edit is left then.
    conditional: Vec<Option<Vec<f64>>>,
    /// Whose faces they remain; absent where the model brings no identity graph.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<IdentityBody>,
    /// For each attribute, JPEGs in base64 of the first face moved from −by to by, the others held.
    strips: Vec<Vec<String>>,
}

/// How alike persons stay when they are edited: mean similarities to the faces before, −1 to 1.
#[derive(Serialize, ToSchema)]
struct IdentityBody {
    /// For each attribute that is edited, at each of the distances.
    curves: Vec<Vec<f64>>,
    /// For each attribute, after the plain edit.
    plain: Vec<f64>,
    /// The same with all other attributes held; null where nothing of the edit is left then.
    conditional: Vec<Option<f64>>,
}

impl From<&IdentityReport> for IdentityBody {
    fn from(identity: &IdentityReport) -> Self {
        Self {
            curves: rows(&identity.curves),
            plain: identity.plain.clone(),
            conditional: identity.conditional.clone(),
        }
    }
}

/// How well a plane parts samples that it was not found with.
#[derive(Serialize, ToSchema)]
struct PlaneBody {
    /// The attribute.
    attribute: String,
    /// The score at which it changes sides.
    threshold: f64,
    /// The standard deviation of its scores.
    deviation: f64,
    /// How many samples the highest and the lowest 2 % of the scores are, each.
    chosen: usize,
    /// The share of those on the right side of the plane.
    ends: f64,
    /// The share of all samples on the side that the threshold puts them.
    all: f64,
}

impl From<&BoundaryReport> for PlaneBody {
    fn from(plane: &BoundaryReport) -> Self {
        Self {
            attribute: plane.attribute.clone(),
            threshold: plane.threshold,
            deviation: plane.standard_deviation,
            chosen: plane.samples_per_end,
            ends: plane.accuracy_at_ends,
            all: plane.accuracy,
        }
    }
}

impl ReportBody {
    fn of(report: &Report, strips: Vec<Vec<String>>) -> Self {
        let curves = report.curves.outer_iter();
        Self {
            model: report.model.clone(),
            digest: report.digest.clone(),
            space: report.request.space.into(),
            date: report.date.clone(),
            samples: report.request.samples,
            faces: report.request.faces.min(report.request.samples),
            seed: report.request.seed,
            attributes: report.boundaries.iter().map(Into::into).collect(),
            cosines: rows(&report.cosines),
            correlations: rows(&report.correlations),
            distances: report.positions.clone(),
            curves: curves.map(|curve| rows(&curve.to_owned())).collect(),
            by: report.by,
            plain: rows(&report.plain),
            conditional: report.conditional.clone(),
            identity: report.identity.as_ref().map(Into::into),
            strips,
        }
    }
}

/// Report on boundaries
///
/// Behind everybody's requests, faces are sampled and scored, and some of them are edited: how well the planes part them (the
/// paper's Table 1), how planes and scores lean on one another (Tables 2 and 3), how scores change with the distance from a
/// plane, and what an edit does to every attribute, plain and with the others held. The answer names the job; when it is
/// done, `/v1/jobs/{job}/report` has the report.
#[utoipa::path(
    post, path = "/v1/models/{model}/report", tag = "boundaries", operation_id = "start_report",
    params(("model" = String, Path, description = "The model's name", example = "phantom")),
    request_body = ReportWish,
    responses(
        (status = 202, description = "The job was started.", body = JobBody, headers(("Location" = String, description = "The path of the job."))),
        StartProblems, BodyProblems,
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    Name(name): Name,
    Body(wish): Body<ReportWish>,
) -> Result<Response, Problem> {
    let model = api.models.get(Some(&name))?;
    let within = |field, found: usize, least, most| {
        let fits = (least..=most).contains(&found);
        let reason = || format!("found {found}, expected {least} to {most}");
        fits.then_some(found)
            .ok_or_else(|| Problem::field(field, reason()))
    };
    let samples = within(
        "samples",
        wish.samples.unwrap_or(SAMPLES),
        LEAST_SAMPLES,
        MOST_SAMPLES,
    )?;
    let request = ReportRequest {
        space: wish.space.map_or_else(|| model.default_space(), Into::into),
        samples,
        faces: within(
            "faces",
            wish.faces.unwrap_or(FACES.min(samples)),
            1,
            MOST_FACES.min(samples),
        )?,
        seed: wish.seed.unwrap_or(0),
    };
    let job = api.jobs.report(&api.models, model, request)?;
    Ok(begun(&api, &job))
}

/// A report
///
/// As JSON, or with `Accept: text/html` as a page that stands alone, pictures and plots included.
#[utoipa::path(
    get, path = "/v1/jobs/{job}/report", tag = "jobs", operation_id = "get_report",
    params(("job" = String, Path, description = "The job's id", example = "1")),
    responses(
        (status = 200, description = "The report.", content((ReportBody = "application/json"), (String = "text/html"))),
        JobProblems,
    )
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Name(id): Name,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let report = api.jobs.get(&id)?.report()?;
    let own = [(header::CACHE_CONTROL, "no-store"), (header::VARY, "Accept")];
    let drawn = Arc::clone(&report);
    let strips: Vec<Vec<String>> =
        encoding(move || drawn.strips.iter().map(|strip| files(strip)).collect()).await?;
    if prefers(&headers, &HTML_PAGE, &JSON_ONLY) {
        return Ok((own, Html(page(&report, &strips))).into_response());
    }
    Ok((own, Json(ReportBody::of(&report, strips))).into_response())
}

/// Pictures as JPEGs in base64.
fn files(strip: &[crate::imaging::Picture]) -> Result<Vec<String>, ImagingError> {
    let file = |picture| Ok(STANDARD.encode(encode_jpeg(picture, Quality::default())?));
    strip.iter().map(file).collect()
}

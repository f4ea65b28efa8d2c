//! `POST /v1/models/{model}/report` and `GET /v1/jobs/{job}/report`: starts a report on boundaries, and returns it.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};

use crate::api::encoding::off_thread;
use crate::api::middleware::browser_headers::STATIC_PAGE;
use crate::api::negotiation::{HTML_PAGE, JSON_ONLY, prefers};
use crate::api::openapi::problems::{BodyProblems, JobProblems, StartProblems};
use crate::api::problem::Problem;
use crate::api::report_page::files::{json_of, page_of};
use crate::api::request_body::{Body, PathName};
use crate::api::responses;
use crate::api::routes::jobs::started;
use crate::api::state::Api;
use crate::api::types::report::ReportInput;
use crate::catalog::ReportFormat;
use crate::editor::default_report_space;

/// Report on boundaries
///
/// Starts a job that samples, scores and edits faces in the background. The report shows how well the boundaries separate
/// the faces (Table 1 of the paper), how scores and normals are correlated (Tables 2 and 3), how scores change with the
/// distance from a boundary, and what an edit does to each attribute, with and without conditions. When the job is done,
/// `/v1/jobs/{job}/report` has the report.
#[utoipa::path(
    post, path = "/v1/models/{model}/report", tag = "boundaries", operation_id = "start_report",
    params(("model" = String, Path, description = "The name of the model.", example = "phantom")),
    request_body = ReportInput,
    responses(
        (status = 202, description = "The job was started.", body = responses::job::Job, headers(("Location" = String, description = "The path of the job."))),
        StartProblems, BodyProblems,
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    PathName(name): PathName,
    Body(input): Body<ReportInput>,
) -> Result<Response, Problem> {
    let model = api.model(Some(&name))?;
    let request = input.request(default_report_space(&model))?;
    let job = api.jobs.report(&api.models, model, request)?;
    Ok(started(&api, &job).await)
}

/// Get a report
///
/// Returns the report as JSON, or, with `Accept: text/html`, as a page. The page needs no other files.
#[utoipa::path(
    get, path = "/v1/jobs/{job}/report", tag = "jobs", operation_id = "get_report",
    params(("job" = String, Path, description = "The id of the job.", example = "1")),
    responses(
        (status = 200, description = "The report.", content((responses::report::Report = "application/json"), (String = "text/html"))),
        JobProblems,
    )
)]
pub(crate) async fn show(
    State(api): State<Api>,
    PathName(id): PathName,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let is_page = prefers(&headers, &HTML_PAGE, &JSON_ONLY);
    let body = match (api.jobs.get(&id), &api.shared_jobs) {
        (Err(_), Some(shared)) if is_page => shared.report(&id, ReportFormat::Html).await?,
        (Err(_), Some(shared)) => shared.report(&id, ReportFormat::Json).await?,
        (job, _) => {
            let report = job?.report()?;
            // A report has up to some megabytes of images.
            let encode = move || {
                if is_page {
                    page_of(&report)
                } else {
                    json_of(&report)
                }
            };
            off_thread(encode).await?
        }
    };
    let caching = [(header::CACHE_CONTROL, "no-store"), (header::VARY, "Accept")];
    Ok(if is_page {
        let policy = [(header::CONTENT_SECURITY_POLICY, STATIC_PAGE)];
        (caching, policy, Html(body)).into_response()
    } else {
        let kind = [(header::CONTENT_TYPE, "application/json")];
        (caching, kind, body).into_response()
    })
}

//! `/v1/jobs`: the trainings and reports that wait, run, or have ended.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::watch;

use crate::api::negotiation::{EVENTS, JSON_ONLY, prefers};
use crate::api::openapi::problems::JobProblems;
use crate::api::problem::Problem;
use crate::api::request_body::PathName;
use crate::api::responses;
use crate::api::responses::boundary::Storage;
use crate::api::responses::job::JobList;
use crate::api::state::Api;
use crate::editor::{Job, JobProgress};

/// The shortest time between two events of a stream.
const EVENT_INTERVAL: Duration = Duration::from_millis(250);

/// The headers of responses that change while a job runs.
const HEADERS: [(header::HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-store"), (header::VARY, "Accept")];

/// The JSON response for a job as it is now.
fn response(api: &Api, job: &Job) -> Json<responses::job::Job> {
    Json(responses::job::Job::new(
        job,
        job.progress(),
        Storage::of(&api.models),
    ))
}

/// The response to a request that started a job.
pub(crate) fn started(api: &Api, job: &Job) -> Response {
    let location = format!("/v1/jobs/{}", job.id());
    let body = response(api, job);
    (StatusCode::ACCEPTED, [(header::LOCATION, location)], body).into_response()
}

/// List the jobs
#[utoipa::path(
    get, path = "/v1/jobs", tag = "jobs", operation_id = "list_jobs",
    responses((status = 200, description = "The jobs.", body = JobList))
)]
pub(crate) async fn list(State(api): State<Api>) -> Json<JobList> {
    let jobs = api.jobs.list();
    let jobs = jobs.iter().map(|job| response(&api, job).0);
    Json(JobList { jobs: jobs.collect() })
}

/// Get a job
///
/// Its progress as JSON. With `Accept: text/event-stream`, the response is a stream of `progress` events with the same
/// JSON: one for each change, at most four per second, until the job has ended.
#[utoipa::path(
    get, path = "/v1/jobs/{job}", tag = "jobs", operation_id = "get_job",
    params(("job" = String, Path, description = "The id of the job.", example = "1")),
    responses(
        (
            status = 200, description = "The job.",
            content((responses::job::Job = "application/json"), (String = "text/event-stream"))
        ),
        JobProblems,
    )
)]
pub(crate) async fn show(
    State(api): State<Api>,
    PathName(id): PathName,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let job = api.jobs.get(&id)?;
    if prefers(&headers, &EVENTS, &JSON_ONLY) {
        let events = stream::unfold(JobEvents::new(api, job), JobEvents::next);
        return Ok((HEADERS, Sse::new(events).keep_alive(KeepAlive::default())).into_response());
    }
    Ok((HEADERS, response(&api, &job)).into_response())
}

/// Cancel a job
///
/// The response comes when the job has ended. A job that has already ended does not change.
#[utoipa::path(
    delete, path = "/v1/jobs/{job}", tag = "jobs", operation_id = "cancel_job",
    params(("job" = String, Path, description = "The id of the job.", example = "1")),
    responses((status = 200, description = "The job after its end.", body = responses::job::Job), JobProblems)
)]
pub(crate) async fn cancel(
    State(api): State<Api>,
    PathName(id): PathName,
) -> Result<Json<responses::job::Job>, Problem> {
    let job = api.jobs.get(&id)?;
    job.cancel();
    job.wait().await;
    Ok(response(&api, &job))
}

/// A stream of the events of a job.
struct JobEvents {
    api: Api,
    job: Arc<Job>,
    progress: watch::Receiver<JobProgress>,
    has_begun: bool,
    has_ended: bool,
}

impl JobEvents {
    fn new(api: Api, job: Arc<Job>) -> Self {
        Self {
            progress: job.subscribe(),
            api,
            job,
            has_begun: false,
            has_ended: false,
        }
    }

    /// Waits for the next event; `None` after the event with the end of the job.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if self.has_ended {
            return None;
        }
        if self.has_begun {
            tokio::time::sleep(EVENT_INTERVAL).await;
            // This cannot fail: the job owns the sender.
            let _ = self.progress.changed().await;
        }
        self.has_begun = true;
        let progress = self.progress.borrow_and_update().clone();
        self.has_ended = progress.status.has_ended();
        let body = responses::job::Job::new(&self.job, progress, Storage::of(&self.api.models));
        let event = Event::default().event("progress").json_data(body);
        Some((Ok(event.expect("a job is JSON of one line")), self))
    }
}

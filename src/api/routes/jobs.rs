//! `/v1/jobs`: trainings and reports under way and those that have ended.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::negotiation::{EVENTS, JSON_ONLY, prefers};
use crate::api::openapi::problems::JobProblems;
use crate::api::problem::Problem;
use crate::api::request_body::Name;
use crate::api::routes::boundaries::Lasting;
use crate::api::routes::models::BoundaryBody;
use crate::api::types::values::Space;
use crate::editor::{Job, JobProgress, JobStatus};

/// Time between two events of one stream.
const PAUSE: Duration = Duration::from_millis(250);

/// The jobs, the newest last.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobList {
    /// Those under way, and the last ones that have ended.
    jobs: Vec<JobBody>,
}

/// A job.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobBody {
    /// What requests call it.
    #[schema(example = "1")]
    id: String,
    /// The model that gets the boundaries, or is reported on.
    #[schema(example = "phantom")]
    model: String,
    /// The boundaries' attributes.
    attributes: Vec<String>,
    /// The boundaries' space.
    space: Space,
    /// What it does.
    stage: StageName,
    /// How many codes there are; of a report, how many pictures it draws.
    samples: usize,
    /// How many of them it has sampled and scored.
    samples_done: usize,
    /// Codes scored in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    samples_per_second: Option<f64>,
    /// Until all are scored, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_left: Option<f64>,
    /// The attribute whose plane is being found.
    #[serde(skip_serializing_if = "Option::is_none")]
    fitting: Option<String>,
    /// The share of that which is done, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    fitted: Option<f64>,
    /// Where the report is, once it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/v1/jobs/1/report")]
    report: Option<String>,
    /// The boundaries found so far; the model has them.
    boundaries: Vec<BoundaryBody>,
    /// How long those last.
    kept: Lasting,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// What a job does.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StageName {
    /// Others are before it.
    Waiting,
    /// Codes are drawn and scored.
    Sampling,
    /// Planes are found.
    Fitting,
    /// All boundaries are found, and the model has them; or the report is there.
    Done,
    /// It ended with an error.
    Failed,
    /// It was told to end.
    Cancelled,
}

impl From<JobStatus> for StageName {
    fn from(stage: JobStatus) -> Self {
        match stage {
            JobStatus::Queued => Self::Waiting,
            JobStatus::Sampling => Self::Sampling,
            JobStatus::Fitting => Self::Fitting,
            JobStatus::Done => Self::Done,
            JobStatus::Failed => Self::Failed,
            JobStatus::Cancelled => Self::Cancelled,
        }
    }
}

impl JobBody {
    pub(crate) fn of(api: &Api, job: &Job, state: JobProgress) -> Self {
        let left = job.samples().saturating_sub(state.samples_done);
        #[expect(clippy::cast_precision_loss, reason = "a time to show")]
        let seconds_left = state.samples_per_second.map(|rate| left as f64 / rate);
        let sampling = state.status == JobStatus::Sampling;
        let (fitting, fitted) = state.fitting.map(|fit| (fit.attribute, fit.share)).unzip();
        Self {
            id: job.id().to_owned(),
            model: job.model().to_owned(),
            attributes: job.attributes().to_vec(),
            space: job.space().into(),
            stage: state.status.into(),
            samples: job.samples(),
            samples_done: state.samples_done,
            samples_per_second: state.samples_per_second,
            seconds_left: seconds_left.filter(|_| sampling),
            fitting,
            fitted,
            report: state
                .report
                .is_some()
                .then(|| format!("/v1/jobs/{}/report", job.id())),
            boundaries: state.boundaries.iter().map(Into::into).collect(),
            kept: Lasting::of(api),
            failure: state.failure,
        }
    }
}

/// The answer to a request that began a job.
pub(crate) fn begun(api: &Api, job: &Job) -> Response {
    let place = format!("/v1/jobs/{}", job.id());
    let body = Json(JobBody::of(api, job, job.progress()));
    (StatusCode::ACCEPTED, [(header::LOCATION, place)], body).into_response()
}

/// List the jobs
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", operation_id = "list_jobs", responses((status = 200, description = "The jobs.", body = JobList)))]
pub(crate) async fn list(State(api): State<Api>) -> Json<JobList> {
    let jobs = api.jobs.list();
    Json(JobList {
        jobs: jobs
            .iter()
            .map(|job| JobBody::of(&api, job, job.progress()))
            .collect(),
    })
}

/// Follow a job
///
/// How far it is now; with `Accept: text/event-stream`, an event `progress` with the same JSON whenever that changes, up
/// to four a second, until the job has ended.
#[utoipa::path(
    get, path = "/v1/jobs/{job}", tag = "jobs", operation_id = "get_job",
    params(("job" = String, Path, description = "The job's id", example = "1")),
    responses(
        (status = 200, description = "The job.", content((JobBody = "application/json"), (String = "text/event-stream"))),
        JobProblems,
    )
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Name(id): Name,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let job = api.jobs.get(&id)?;
    if prefers(&headers, &EVENTS, &JSON_ONLY) {
        return Ok(events(api, job).into_response());
    }
    let state = job.progress();
    let own = [(header::CACHE_CONTROL, "no-store"), (header::VARY, "Accept")];
    Ok((own, Json(JobBody::of(&api, &job, state))).into_response())
}

/// Cancel a job
///
/// One that has ended stays as it is. The answer comes when the job has ended.
#[utoipa::path(
    delete, path = "/v1/jobs/{job}", tag = "jobs", operation_id = "cancel_job",
    params(("job" = String, Path, description = "The job's id", example = "1")),
    responses((status = 200, description = "The job after its end.", body = JobBody), JobProblems)
)]
pub(crate) async fn cancel(State(api): State<Api>, Name(id): Name) -> Result<Json<JobBody>, Problem> {
    let job = api.jobs.get(&id)?;
    job.cancel();
    job.wait().await;
    Ok(Json(JobBody::of(&api, &job, job.progress())))
}

/// Where a stream of events is.
struct Follower {
    api: Api,
    job: Arc<Job>,
    seen: watch::Receiver<JobProgress>,
    begun: bool,
    ended: bool,
}

impl Follower {
    /// The next event, when there is something to say; none after the one that says that the job has ended.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if self.ended {
            return None;
        }
        if self.begun {
            tokio::time::sleep(PAUSE).await;
            // The sender lives as long as the job does.
            let _ = self.seen.changed().await;
        }
        self.begun = true;
        let state = self.seen.borrow_and_update().clone();
        self.ended = state.status.has_ended();
        let body = JobBody::of(&self.api, &self.job, state);
        let event = Event::default().event("progress").json_data(body);
        Some((Ok(event.expect("a job is JSON of one line")), self))
    }
}

fn events(api: Api, job: Arc<Job>) -> impl IntoResponse {
    let follower = Follower {
        seen: job.subscribe(),
        api,
        job,
        begun: false,
        ended: false,
    };
    let own = [(header::CACHE_CONTROL, "no-store"), (header::VARY, "Accept")];
    let events = stream::unfold(follower, Follower::next);
    (own, Sse::new(events).keep_alive(KeepAlive::default()))
}

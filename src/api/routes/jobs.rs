//! `/v1/jobs`: the jobs that wait, run, or have ended.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::Value;
use tokio::sync::watch;

use crate::api::event_stream::{self, Events};
use crate::api::negotiation::{EVENTS, JSON_ONLY, prefers};
use crate::api::openapi::problems::{JobListProblems, JobProblems};
use crate::api::problem::Problem;
use crate::api::request_body::{PathName, Query};
use crate::api::responses;
use crate::api::responses::job::JobList;
use crate::api::routes::page::page;
use crate::api::shared_jobs::document::JobDocument;
use crate::api::shared_jobs::events::SharedJobEvents;
use crate::api::shared_jobs::publisher::JobPublisher;
use crate::api::state::Api;
use crate::api::types::page::{JobPage, JobPosition};
use crate::editor::{EditorError, Job, JobProgress};
use crate::engine::{change_permit, time_left};

/// The shortest time between two events of a stream.
const EVENT_INTERVAL: Duration = Duration::from_millis(250);

/// The headers of responses that change while a job runs.
const HEADERS: [(header::HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-store"), (header::VARY, "Accept")];

/// The JSON response for a job as it is now.
fn response(api: &Api, job: &Job) -> Json<responses::job::Job> {
    Json(responses::job::Job::new(api, job, job.progress()))
}

/// The response to a request that started a job.
pub(crate) async fn started(api: &Api, job: &Arc<Job>) -> Response {
    if let Some(publisher) = JobPublisher::new(api) {
        publisher.begin(job).await;
    }
    let location = api.base_path.link(&format!("/v1/jobs/{}", job.id()));
    let body = response(api, job);
    (StatusCode::ACCEPTED, [(header::LOCATION, location)], body).into_response()
}

/// List the jobs
///
/// In pages, the newest first. If services share a store, these are the jobs of all of them.
#[utoipa::path(
    get, path = "/v1/jobs", tag = "jobs", operation_id = "list_jobs",
    params(JobPage),
    responses(
        (status = 200, description = "A page of the list.", body = JobList, headers(("Link" = String, description = "The URL of the next page, with `rel=\"next\"`; absent on the last page."))),
        JobListProblems,
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Query(options): Query<JobPage>,
) -> Result<Response, Problem> {
    let limit = options.limit();
    let (after, now) = (options.after.map(|JobPosition(id)| id), SystemTime::now());
    let of_others = match &api.shared_jobs {
        Some(shared) => shared.list().await?,
        None => BTreeMap::new(),
    };
    let is_listed = |number: &u64| after.is_none_or(|after| *number < after);
    let of_others = of_others.into_iter().filter(|(number, _)| is_listed(number));
    let shown = |(number, job): (u64, JobDocument)| (number, api.shown(&number.to_string(), &job, now));
    let mut jobs: BTreeMap<u64, Value> = of_others.map(shown).collect();
    for job in api.jobs.before(after) {
        let json = serde_json::to_value(response(&api, &job).0).expect("a job is JSON");
        jobs.insert(job.number(), json);
    }
    let next = (jobs.len() > limit).then(|| jobs.keys().rev().nth(limit - 1).map(u64::to_string));
    let body = JobList {
        next: next.flatten(),
        jobs: jobs.into_values().rev().take(limit).collect(),
    };
    Ok(page(&body, limit, body.next.as_deref()))
}

/// Get a job
///
/// Returns the progress of the job as JSON. With `Accept: text/event-stream`, the response is a stream of events with the same JSON: a
/// `progress` event for each change, at most four per second, and the event `end` when the job has ended. An `EventSource` that connects
/// again after that (`Last-Event-ID: end`) gets 204, and stops.
///
/// If services share a store, each of them shows the jobs of all, those of others some seconds later.
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
    let (job, of_another) = match api.jobs.get(&id) {
        Ok(job) => (Ok(job), None),
        unknown => (unknown, api.shared_job(&id).await?),
    };
    if prefers(&headers, &EVENTS, &JSON_ONLY) {
        if event_stream::has_end(&headers) {
            return Ok(event_stream::nothing_more());
        }
        return Ok(match of_another {
            Some(job) => {
                let events = SharedJobEvents::new(api, id, job);
                event_stream::response(stream::unfold(events, SharedJobEvents::next))
            }
            None => event_stream::response(stream::unfold(JobEvents::new(api, job?), JobEvents::next)),
        });
    }
    Ok(match of_another {
        Some(job) => (HEADERS, Json(api.shown(&id, &job, SystemTime::now()))).into_response(),
        None => (HEADERS, response(&api, &*job?)).into_response(),
    })
}

/// Cancel a job
///
/// The response comes when the job has ended, or with 202 when the timeout passes before. A job that has already ended does not change.
///
/// The job may run on another service with the same store, which sees within five seconds that it is to be cancelled.
#[utoipa::path(
    delete, path = "/v1/jobs/{job}", tag = "jobs", operation_id = "cancel_job",
    params(("job" = String, Path, description = "The id of the job.", example = "1")),
    responses(
        (status = 200, description = "The job after its end.", body = responses::job::Job),
        (status = 202, description = "The job is cancelled, and has not ended within the timeout.", body = responses::job::Job),
        JobProblems,
    )
)]
pub(crate) async fn cancel(State(api): State<Api>, PathName(id): PathName) -> Result<Response, Problem> {
    let begin = || change_permit().begin().then_some(()).ok_or(EditorError::TooLate);
    let (has_ended, body) = match (api.jobs.get(&id), &api.shared_jobs) {
        (Err(_), Some(shared)) => {
            begin()?;
            let (job, now) = (shared.cancel(&id).await?, SystemTime::now());
            (
                job.has_ended(now),
                Json(api.shown(&id, &job, now)).into_response(),
            )
        }
        (job, _) => {
            let job = job?;
            begin()?;
            job.cancel();
            let left = time_left().unwrap_or(Duration::MAX);
            let ended = tokio::time::timeout(left, job.wait()).await;
            (ended.is_ok(), response(&api, &job).into_response())
        }
    };
    let status = if has_ended {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok((status, body).into_response())
}

/// A stream of the events of a job.
struct JobEvents {
    api: Api,
    job: Arc<Job>,
    progress: watch::Receiver<JobProgress>,
    events: Events,
    has_begun: bool,
    has_ended: bool,
}

impl JobEvents {
    fn new(api: Api, job: Arc<Job>) -> Self {
        Self {
            progress: job.subscribe(),
            api,
            job,
            events: Events::default(),
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
        let body = responses::job::Job::new(&self.api, &self.job, progress);
        let event = if self.has_ended {
            event_stream::end(&serde_json::to_string(&body).expect("a job is JSON"))
        } else {
            self.events.progress(&body)
        };
        Some((Ok(event), self))
    }
}

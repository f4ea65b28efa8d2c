//! The events of a job of another service.

use std::convert::Infallible;
use std::time::SystemTime;

use axum::response::sse::Event;
use serde_json::Value;
use tokio::time::sleep;

use crate::api::event_stream::{self, Events};
use crate::api::shared_jobs::document::JobDocument;
use crate::api::shared_jobs::shared_jobs::LOOK_INTERVAL;
use crate::api::state::Api;

/// A stream of the events of a job of another service. While the store does not answer, there is none.
pub(crate) struct SharedJobEvents {
    api: Api,
    id: String,
    events: Events,
    /// The JSON of the last event.
    last: Option<Value>,
    /// The document for the next event.
    next: Option<JobDocument>,
    has_ended: bool,
}

impl SharedJobEvents {
    /// The stream of the job `id`, which is `job` now.
    pub(crate) fn new(api: Api, id: String, job: JobDocument) -> Self {
        Self {
            api,
            id,
            events: Events::default(),
            last: None,
            next: Some(job),
            has_ended: false,
        }
    }

    /// Waits for the next event; `None` after the event with the end of the job, or if the job was removed.
    pub(crate) async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if self.has_ended {
            return None;
        }
        loop {
            let job = if let Some(job) = self.next.take() {
                job
            } else {
                sleep(LOOK_INTERVAL).await;
                match self.api.shared_job(&self.id).await {
                    Ok(found) => found?,
                    Err(_) => continue,
                }
            };
            let now = SystemTime::now();
            self.has_ended = job.has_ended(now);
            let body = self.api.shown(&self.id, &job, now);
            if self.has_ended {
                return Some((Ok(event_stream::end(&body.to_string())), self));
            }
            if self.last.as_ref() != Some(&body) {
                let event = self.events.progress(&body);
                self.last = Some(body);
                return Some((Ok(event), self));
            }
        }
    }
}

//! The progress of an inversion as server-sent events: one for each step, and the response or the problem at the end.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use axum::response::sse::Event;
use futures_util::stream;
use tokio::sync::mpsc::UnboundedSender;

use crate::api::buffered_response::BufferedResponse;
use crate::api::event_stream::{self, Events};
use crate::api::inversion_run::{InversionEvent, InversionRun};
use crate::api::negotiation::{EVENTS, prefers};
use crate::api::output::OFFERED;
use crate::api::problem::Problem;
use crate::api::problem_document::ProblemDocument;
use crate::api::request_id::request_id;
use crate::api::timeout;
use crate::editor::InversionProgress;

/// The events for a client that accepts them.
pub(crate) struct InversionEvents {
    request_id: Option<String>,
    /// The timeout of the inversion. The timeout of the request ends with its headers, which are sent before the events.
    timeout: Duration,
}

impl InversionEvents {
    /// The events for `request`, if its client prefers them to other responses. `longest` is the timeout of the service.
    pub(crate) fn accepted(request: &Request, longest: Duration) -> Result<Option<Self>, Problem> {
        if !prefers(request.headers(), &EVENTS, &OFFERED) {
            return Ok(None);
        }
        Ok(Some(Self {
            request_id: request_id(request),
            timeout: timeout::of_request(request, longest)?,
        }))
    }

    /// Starts an inversion, and responds with its events. A problem before the first event is an ordinary error response. If the client
    /// closes the connection, the stream is dropped, and the inversion ends.
    pub(crate) async fn report<F>(
        self,
        inversion: impl FnOnce(UnboundedSender<InversionProgress>) -> F,
    ) -> Result<Response, Problem>
    where
        F: Future<Output = Result<BufferedResponse, Problem>> + Send + 'static,
    {
        let mut run = InversionRun::start(self.timeout, inversion);
        let first = match run.next().await {
            Some(InversionEvent::Failed(problem)) => return Err(problem),
            other => other,
        };
        let events = EventSource {
            first,
            run,
            request_id: self.request_id,
            events: Events::default(),
        };
        Ok(event_stream::response(stream::unfold(events, EventSource::next)))
    }
}

/// A running inversion, as a source of events.
struct EventSource {
    first: Option<InversionEvent>,
    run: InversionRun,
    request_id: Option<String>,
    events: Events,
}

impl EventSource {
    /// Waits for the next event; `None` after the last.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        let event = match self.first.take() {
            Some(event) => event,
            None => self.run.next().await?,
        };
        let event = match event {
            InversionEvent::Progress(progress) => self.events.progress(&progress),
            InversionEvent::Done(response) => event_stream::end(&response.text()),
            InversionEvent::Failed(problem) => {
                problem.log();
                let document = ProblemDocument::new(&problem, self.request_id.clone());
                event_stream::end(&serde_json::to_string(&document).expect("a problem is JSON"))
            }
        };
        Some((Ok(event), self))
    }
}

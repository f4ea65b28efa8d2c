//! The progress of an inversion as server-sent events: one for each step, and the response or the problem at the end.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use axum::response::sse::Event;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::api::buffered_response::BufferedResponse;
use crate::api::encoding::off_thread;
use crate::api::event_stream::{self, Events};
use crate::api::image_metadata::PHOTOGRAPH;
use crate::api::negotiation::{EVENTS, prefers};
use crate::api::output::OFFERED;
use crate::api::problem::Problem;
use crate::api::problem_document::ProblemDocument;
use crate::api::request_id::request_id;
use crate::api::responses;
use crate::api::timeout;
use crate::editor::InversionProgress;
use crate::engine;
use crate::imaging::{FileMetadata, Image, ImagingError, Quality, encode_jpeg, shrunk};

/// The longest side of the reconstructions in events, in pixels.
const PREVIEW_SIDE: usize = 256;

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

    /// Starts an inversion, and responds with its events. A problem before the first event is an ordinary error response.
    pub(crate) async fn report<F>(
        self,
        inversion: impl FnOnce(UnboundedSender<InversionProgress>) -> F,
    ) -> Result<Response, Problem>
    where
        F: Future<Output = Result<BufferedResponse, Problem>> + Send + 'static,
    {
        let (sender, mut progress) = unbounded_channel();
        let (inversion, limit) = (inversion(sender), self.timeout);
        // The stream owns the task, and is dropped if the client closes the connection. The inversion then ends.
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let done = engine::within(limit, inversion).await;
            done.unwrap_or(Err(Problem::Deadline { limit }))
        });
        let first = match progress.recv().await {
            Some(progress) => Next::Progress(progress),
            None => Next::Done(Box::new(result(&mut tasks).await?)),
        };
        let events = RunningInversion {
            first: Some(first),
            progress,
            tasks,
            request_id: self.request_id,
            events: Events::default(),
        };
        Ok(event_stream::response(stream::unfold(
            events,
            RunningInversion::next,
        )))
    }
}

/// The content of an event.
enum Next {
    Progress(InversionProgress),
    Done(Box<BufferedResponse>),
    Failed(Problem),
}

/// A running inversion, as a source of events.
struct RunningInversion {
    first: Option<Next>,
    progress: UnboundedReceiver<InversionProgress>,
    /// The inversion; empty after its end.
    tasks: JoinSet<Result<BufferedResponse, Problem>>,
    request_id: Option<String>,
    events: Events,
}

impl RunningInversion {
    /// Waits for the next event; `None` after the last.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        let next = match self.first.take() {
            Some(next) => next,
            None => match self.progress.recv().await {
                Some(progress) => Next::Progress(progress),
                None if self.tasks.is_empty() => return None,
                None => match result(&mut self.tasks).await {
                    Ok(response) => Next::Done(Box::new(response)),
                    Err(problem) => Next::Failed(problem),
                },
            },
        };
        let event = match next {
            Next::Progress(progress) => match encode(progress).await {
                Ok(progress) => self.events.progress(&progress),
                Err(problem) => self.fail(&problem),
            },
            Next::Done(response) => event_stream::end(&response.text()),
            Next::Failed(problem) => self.fail(&problem),
        };
        Some((Ok(event), self))
    }

    /// The last event of an inversion that failed.
    fn fail(&mut self, problem: &Problem) -> Event {
        self.tasks = JoinSet::new();
        self.progress.close();
        problem.log();
        let document = ProblemDocument::new(problem, self.request_id.clone());
        event_stream::end(&serde_json::to_string(&document).expect("a problem is JSON"))
    }
}

/// Waits for the result of the inversion.
async fn result(tasks: &mut JoinSet<Result<BufferedResponse, Problem>>) -> Result<BufferedResponse, Problem> {
    let ended = tasks.join_next().await;
    let ended = ended.unwrap_or_else(|| Ok(Err(Problem::Draining)));
    ended.unwrap_or_else(|error| {
        Err(Problem::Internal {
            reason: format!("an inversion: {error}"),
        })
    })
}

/// The data of a `progress` event.
async fn encode(progress: InversionProgress) -> Result<responses::invert::InversionProgress, Problem> {
    let (image, similarity) = progress.preview.unzip();
    let image = match image {
        Some(image) => Some(STANDARD.encode(off_thread(move || encode_preview(image)).await?)),
        None => None,
    };
    Ok(responses::invert::InversionProgress {
        step: progress.step,
        steps: progress.total_steps,
        loss: progress.loss,
        mse: similarity.map(|similarity| similarity.mse),
        psnr: similarity.map(|similarity| similarity.psnr),
        ssim: similarity.map(|similarity| similarity.ssim),
        image,
    })
}

/// A small JPEG of an image.
fn encode_preview(image: Image) -> Result<Vec<u8>, ImagingError> {
    let mark = FileMetadata::mark(PHOTOGRAPH.term());
    encode_jpeg(&shrunk(image, PREVIEW_SIDE), Quality::default(), &mark)
}

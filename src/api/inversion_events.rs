//! Who watches an inversion: an event for each step, and the answer at the end.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::Request;
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::api::negotiation::{EVENTS, prefers};
use crate::api::output::OFFERED;
use crate::api::problem::Problem;
use crate::api::request_id::request_id;
use crate::api::response::{Answer, encoding};
use crate::api::timeout;
use crate::editor::InversionProgress;
use crate::engine;
use crate::imaging::{ImagingError, Picture, Quality, encode_jpeg, shrunk};

/// Longest side of the pictures on the way, in pixels.
const SIDE: usize = 256;

/// A client that takes a stream of events.
pub(crate) struct InversionEvents {
    request_id: Option<String>,
    /// How long the work may take.
    limit: Duration,
}

impl InversionEvents {
    /// The client of a request, if that asks for a stream of events; `longest` is what any request may take.
    pub(crate) fn of(request: &Request, longest: Duration) -> Result<Option<Self>, Problem> {
        if !prefers(request.headers(), &EVENTS, &OFFERED) {
            return Ok(None);
        }
        Ok(Some(Self {
            request_id: request_id(request),
            limit: timeout::of_request(request, longest)?,
        }))
    }

    /// Begins the work, and answers with its events. What goes wrong before the first of them is an answer like any other.
    pub(crate) async fn watch<F>(
        self,
        work: impl FnOnce(UnboundedSender<InversionProgress>) -> F,
    ) -> Result<Response, Problem>
    where
        F: Future<Output = Result<Answer, Problem>> + Send + 'static,
    {
        let (sender, mut progress) = unbounded_channel();
        let (work, limit) = (work(sender), self.limit);
        // The work ends with the stream, which is dropped when its client has gone.
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let done = engine::within(limit, work).await;
            done.unwrap_or(Err(Problem::Deadline { limit }))
        });
        let first = match progress.recv().await {
            Some(progress) => Next::Progress(progress),
            None => Next::Done(Box::new(ended(&mut tasks).await?)),
        };
        let watched = Watched {
            first: Some(first),
            progress,
            tasks,
            request_id: self.request_id,
        };
        let own = [(header::CACHE_CONTROL, "no-store"), (header::VARY, "Accept")];
        let events = stream::unfold(watched, Watched::event);
        Ok((own, Sse::new(events).keep_alive(KeepAlive::default())).into_response())
    }
}

/// What there is to say next.
enum Next {
    Progress(InversionProgress),
    Done(Box<Answer>),
    Failed(Problem),
}

/// Work that is watched.
struct Watched {
    first: Option<Next>,
    progress: UnboundedReceiver<InversionProgress>,
    tasks: JoinSet<Result<Answer, Problem>>,
    request_id: Option<String>,
}

impl Watched {
    /// The next event, when there is one; none after the end.
    async fn event(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        let next = match self.first.take() {
            Some(next) => next,
            None => match self.progress.recv().await {
                Some(progress) => Next::Progress(progress),
                None if self.tasks.is_empty() => return None,
                None => match ended(&mut self.tasks).await {
                    Ok(answer) => Next::Done(Box::new(answer)),
                    Err(problem) => Next::Failed(problem),
                },
            },
        };
        let event = match next {
            Next::Progress(progress) => match StepBody::of(progress).await {
                Ok(step) => Event::default().event("progress").json_data(step),
                Err(problem) => self.failed(&problem),
            },
            Next::Done(answer) => Ok(Event::default().event("done").data(answer.text())),
            Next::Failed(problem) => self.failed(&problem),
        };
        Some((Ok(event.expect("events are JSON of one line")), self))
    }

    /// The last event of work that failed.
    fn failed(&mut self, problem: &Problem) -> Result<Event, axum::Error> {
        self.tasks = JoinSet::new();
        self.progress.close();
        problem.log();
        let document = problem.document(self.request_id.clone());
        Event::default().event("problem").json_data(document)
    }
}

/// What the work came to.
async fn ended(tasks: &mut JoinSet<Result<Answer, Problem>>) -> Result<Answer, Problem> {
    let ended = tasks.join_next().await;
    let ended = ended.unwrap_or_else(|| Ok(Err(Problem::Draining)));
    ended.unwrap_or_else(|error| {
        Err(Problem::Internal {
            reason: format!("an inversion: {error}"),
        })
    })
}

/// How far an inversion is.
#[derive(Serialize)]
struct StepBody {
    #[serde(rename = "step")]
    taken: usize,
    of: usize,
    loss: f32,
    #[serde(flatten)]
    shown: Option<Shown>,
}

/// What is drawn so far.
#[derive(Serialize)]
struct Shown {
    mse: f64,
    psnr: f64,
    ssim: f64,
    /// A JPEG in base64.
    image: String,
}

impl StepBody {
    async fn of(progress: InversionProgress) -> Result<Self, Problem> {
        let shown = match progress.preview {
            Some((picture, similarity)) => Some(Shown {
                mse: similarity.mse,
                psnr: similarity.psnr,
                ssim: similarity.ssim,
                image: STANDARD.encode(encoding(move || small(picture)).await?),
            }),
            None => None,
        };
        Ok(Self {
            taken: progress.step,
            of: progress.total_steps,
            loss: progress.loss,
            shown,
        })
    }
}

/// A small file of a picture.
fn small(picture: Picture) -> Result<Vec<u8>, ImagingError> {
    encode_jpeg(&shrunk(picture, SIDE), Quality::default())
}

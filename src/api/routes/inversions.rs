//! `/v1/inversions`: inversions that go on after their request.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::watch;

use crate::api::background_inversions::{BackgroundInversion, InversionState};
use crate::api::decode::describe::OptionsBesideImage;
use crate::api::event_stream::{self, Events};
use crate::api::held_bytes::held;
use crate::api::inversion_run::InversionRun;
use crate::api::negotiation::{EVENTS, JSON_ONLY, prefers};
use crate::api::openapi::files::ImageFile;
use crate::api::openapi::problems::{BodyProblems, InversionProblems, InversionStartProblems};
use crate::api::output::Output;
use crate::api::problem::Problem;
use crate::api::request_body::PathName;
use crate::api::request_id::request_id;
use crate::api::responses::inversion::Inversion;
use crate::api::routes::invert::invert;
use crate::api::state::Api;
use crate::api::types::invert::{InvertForm, InvertInput};
use crate::api::types::output_options::Format;
use crate::api::{timeout, upload};

/// Invert an image in the background
///
/// Starts what `/v1/invert` does, and responds at once with the path of the inversion, for clients that cannot wait for a response, and for an
/// `EventSource`, which only sends GET. The body and the options are those of `/v1/invert`; the result is JSON, whatever `format` says. The
/// time limit is that of a request.
///
/// The inversion is in the memory of this service. It is kept for ten minutes after its end, unless later ones need its place. Its id is
/// random, and whoever knows it sees the image.
#[utoipa::path(
    post, path = "/v1/inversions", tag = "inversions", operation_id = "start_inversion",
    params(OptionsBesideImage<InvertInput>),
    request_body(content((InvertInput = "application/json"), (inline(ImageFile) = "image/png"), (inline(ImageFile) = "image/jpeg"), (inline(ImageFile) = "image/webp"), (InvertForm = "multipart/form-data"))),
    responses(
        (status = 202, description = "The inversion was started.", body = Inversion, headers(("Location" = String, description = "The path of the inversion."))),
        InversionStartProblems, BodyProblems,
    )
)]
pub(crate) async fn post(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let limit = timeout::of_request(&request, api.limits.timeout)?;
    let id = request_id(&request);
    let mut input: InvertInput = upload::read(request, &api).await?;
    input.output.format = Some(Format::Json);
    let output = Output::of_one_face(&input.output, &headers)?;
    let caller = api.clone();
    let start = || {
        InversionRun::start(limit, |sender| async move {
            invert(caller, output, input, Some(&sender)).await
        })
    };
    let inversion = api.background_inversions.start(id, start)?;
    let location = api.base_path.link(&format!("/v1/inversions/{}", inversion.id()));
    let body = response(&api, &inversion, &inversion.state());
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], body).into_response())
}

/// Get an inversion
///
/// Returns the latest step of the inversion, or its result, as JSON. With `Accept: text/event-stream`, the response is a stream of the events
/// that `/v1/invert` describes: a `progress` event for each step that comes from now on, and the event `end` with an `InvertResponse`, or with a
/// `ProblemDocument`, which has a `type`; if the inversion was cancelled, with an `Inversion`. An `EventSource` that connects again after that
/// (`Last-Event-ID: end`) gets 204, and stops.
#[utoipa::path(
    get, path = "/v1/inversions/{inversion}", tag = "inversions", operation_id = "get_inversion",
    params(("inversion" = String, Path, description = "The id of the inversion.", example = "0f4e1f0c4a5d4b0d9a3d6ef0c1b2a394")),
    responses(
        (
            status = 200, description = "The inversion.",
            content((Inversion = "application/json"), (String = "text/event-stream"))
        ),
        InversionProblems,
    )
)]
pub(crate) async fn show(
    State(api): State<Api>,
    PathName(id): PathName,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let inversion = api.background_inversions.get(&id)?;
    if !prefers(&headers, &EVENTS, &JSON_ONLY) {
        return Ok(response(&api, &inversion, &inversion.state()));
    }
    if event_stream::has_end(&headers) {
        return Ok(event_stream::nothing_more());
    }
    let events = stream::unfold(StateEvents::new(inversion), StateEvents::next);
    Ok(event_stream::response(events))
}

/// Cancel an inversion
///
/// An inversion that has already ended does not change.
#[utoipa::path(
    delete, path = "/v1/inversions/{inversion}", tag = "inversions", operation_id = "cancel_inversion",
    params(("inversion" = String, Path, description = "The id of the inversion.", example = "0f4e1f0c4a5d4b0d9a3d6ef0c1b2a394")),
    responses(
        (status = 200, description = "The inversion after its end.", body = Inversion),
        InversionProblems,
    )
)]
pub(crate) async fn cancel(State(api): State<Api>, PathName(id): PathName) -> Result<Response, Problem> {
    let inversion = api.background_inversions.get(&id)?;
    let state = inversion.cancel().await;
    Ok(response(&api, &inversion, &state))
}

/// The JSON response for an inversion in `state`.
fn response(api: &Api, inversion: &BackgroundInversion, state: &InversionState) -> Response {
    let body = Inversion::new(inversion.id(), state);
    let body = serde_json::to_vec(&body).expect("an inversion holds finite numbers and texts");
    let reserved = api.memory.hold_response(body.len());
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Accept"),
    ];
    (headers, held(body, reserved)).into_response()
}

/// The events of an inversion.
struct StateEvents {
    inversion: Arc<BackgroundInversion>,
    states: watch::Receiver<InversionState>,
    events: Events,
    has_ended: bool,
}

impl StateEvents {
    fn new(inversion: Arc<BackgroundInversion>) -> Self {
        let mut states = inversion.subscribe();
        // The state of now comes first.
        states.mark_changed();
        Self {
            inversion,
            states,
            events: Events::default(),
            has_ended: false,
        }
    }

    /// Waits for the next event; `None` after the last.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        while !self.has_ended {
            // This cannot fail: the inversion owns the sender.
            let _ = self.states.changed().await;
            let state = self.states.borrow_and_update().clone();
            self.has_ended = state.has_ended();
            let event = match &state {
                InversionState::Running(None) => continue,
                InversionState::Running(Some(progress)) => self.events.progress(&**progress),
                InversionState::Done(response) => event_stream::end(&response.text()),
                InversionState::Failed(problem) => event_stream::end(&json(&**problem)),
                InversionState::Cancelled => {
                    event_stream::end(&json(&Inversion::new(self.inversion.id(), &state)))
                }
            };
            return Some((Ok(event), self));
        }
        None
    }
}

fn json(data: &impl serde::Serialize) -> String {
    serde_json::to_string(data).expect("it is JSON")
}

//! Server-sent events that an `EventSource` can follow to their end.
//!
//! An `EventSource` connects again whenever a stream ends, and then sends the id of the last event that it got. The last event has
//! an id of its own, so the service knows who has got everything, and answers 204, which ends the `EventSource`.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use serde::Serialize;

/// The name and the id of the last event of every stream.
const END: &str = "end";

/// How long an `EventSource` waits before it connects again.
const RETRY: Duration = Duration::from_secs(1);

/// Makes the events of one stream, and numbers them.
#[derive(Default)]
pub(crate) struct Events {
    made: u64,
}

impl Events {
    /// An event with the progress until now.
    pub(crate) fn progress(&mut self, data: &impl Serialize) -> Event {
        self.made += 1;
        let event = Event::default().event("progress").id(self.made.to_string());
        let event = if self.made == 1 { event.retry(RETRY) } else { event };
        event.json_data(data).expect("progress is JSON of one line")
    }
}

/// The last event of a stream: its data is `json`, of one line.
pub(crate) fn end(json: &str) -> Event {
    Event::default().event(END).id(END).data(json)
}

/// Whether the client of a request has got the last event.
pub(crate) fn has_end(request: &HeaderMap) -> bool {
    let last = request.get("last-event-id");
    last.is_some_and(|last| last.as_bytes() == END.as_bytes())
}

/// The response to a client that has got the last event: it does not connect again.
pub(crate) fn nothing_more() -> Response {
    (StatusCode::NO_CONTENT, headers()).into_response()
}

/// The response with the events of `stream`.
pub(crate) fn response(stream: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    (headers(), Sse::new(stream).keep_alive(KeepAlive::default())).into_response()
}

fn headers() -> [(header::HeaderName, &'static str); 2] {
    [(header::CACHE_CONTROL, "no-store"), (header::VARY, "Accept")]
}

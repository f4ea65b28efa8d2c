//! What spans say about a request and the work for it.

use std::time::{Duration, Instant};

use crate::trace::traceparent::Traceparent;

/// What is known of a request when it arrives.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, without the query.
    pub path: &'a str,
    /// The route, such as `/v1/models/{model}`; `None` if no route has the path.
    pub route: Option<&'a str>,
    /// The id that the client sees in `X-Request-Id`.
    pub id: &'a str,
    /// The header `traceparent`, if it is valid.
    pub parent: Option<Traceparent>,
    /// The header `tracestate`, or nothing.
    pub state: &'a str,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub struct RequestEnd<'a> {
    /// The status of the response; `None` if there is none.
    pub status: Option<u16>,
    /// The kind of the error, if the service or the connection is at fault.
    pub error: Option<&'a str>,
    /// Bytes of the response's body.
    pub bytes: u64,
    /// The name of the model, if it is known.
    pub model: Option<&'a str>,
}

/// A part of the work for a request, when it is done.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// What was done.
    pub name: &'static str,
    /// The network that did it.
    pub network: Option<&'a str>,
    /// When it began.
    pub started: Instant,
    /// How long it took.
    pub duration: Duration,
    /// Images or latent codes in it.
    pub units: usize,
    /// Why it failed.
    pub error: Option<&'a dyn std::error::Error>,
}

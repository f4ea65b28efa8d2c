//! Traces of requests: their ids, by W3C Trace Context, and their spans, if the program is built with the feature `otlp`.
//!
//! It knows the trace that the current task belongs to, and where spans are sent. It never knows HTTP routes or networks.
//!
//! | to find | look in |
//! | --- | --- |
//! | the header `traceparent` | `traceparent` |
//! | the trace of a request, and of the current task | `request_trace` |
//! | what is known of a request and of a step | `facts` |
//! | what a span says, by OpenTelemetry's semantic conventions | `otlp/span` |
//! | where spans are sent | `otlp/exporter` |
//! | the program without the feature `otlp` | `no_otlp` |

mod facts;
#[cfg(not(feature = "otlp"))]
mod no_otlp;
#[cfg(feature = "otlp")]
mod otlp;
mod request_trace;
mod traceparent;

#[cfg(not(feature = "otlp"))]
use no_otlp as otlp;

pub use facts::{RequestEnd, RequestHead, Step};
pub use otlp::{RequestSpan, TraceExporter, TraceExporterError};
pub use request_trace::{RequestTrace, carried, current_span};
pub use traceparent::{TraceId, Traceparent};

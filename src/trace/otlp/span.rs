//! The spans of a request, with the names of OpenTelemetry's semantic conventions for HTTP.

use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags,
    TraceId as OtelTraceId, TraceState, Tracer as _,
};
use opentelemetry::{Context, KeyValue};

use super::exporter::tracer;
use crate::trace::facts::{RequestEnd, RequestHead, Step};
use crate::trace::traceparent::{TraceId, Traceparent};

/// The methods that the conventions know. Others would make the names of spans endless.
const METHODS: [&str; 9] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];

/// The span of a request. A clone is the same span.
#[derive(Clone, Debug)]
pub struct RequestSpan(Context);

impl RequestSpan {
    /// Begins the span; `None` if no spans are exported.
    pub(crate) fn begin(head: &RequestHead<'_>) -> Option<Self> {
        let tracer = tracer()?;
        let parent = head.parent.map_or_else(Context::new, |parent| {
            Context::new().with_remote_span_context(context_of(&parent, head.state))
        });
        let is_known = METHODS.contains(&head.method);
        let method = if is_known { head.method } else { "_OTHER" };
        let mut attributes = vec![
            KeyValue::new("http.request.method", method.to_owned()),
            KeyValue::new("url.path", head.path.to_owned()),
            KeyValue::new("url.scheme", "http"),
            KeyValue::new("faceplane.request.id", head.id.to_owned()),
        ];
        if !is_known {
            attributes.push(KeyValue::new(
                "http.request.method_original",
                head.method.to_owned(),
            ));
        }
        let mut name = if is_known { head.method } else { "HTTP" }.to_owned();
        if let Some(route) = head.route {
            name = format!("{name} {route}");
            attributes.push(KeyValue::new("http.route", route.to_owned()));
        }
        let builder = SpanBuilder::from_name(name)
            .with_kind(SpanKind::Server)
            .with_attributes(attributes);
        let span = tracer.build_with_context(builder, &parent);
        Some(Self(parent.with_span(span)))
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        let id = self.0.span().span_context().trace_id();
        TraceId::new(id.to_bytes()).unwrap_or_else(TraceId::random)
    }

    /// Adds a part of the work, as a span of its own.
    pub fn add(&self, step: &Step<'_>) {
        let Some(tracer) = tracer() else {
            return;
        };
        let units = i64::try_from(step.units).unwrap_or(i64::MAX);
        let mut attributes = vec![KeyValue::new("faceplane.units", units)];
        if let Some(network) = step.network {
            attributes.push(KeyValue::new("faceplane.network", network.to_owned()));
        }
        let builder = SpanBuilder::from_name(step.name)
            .with_kind(SpanKind::Internal)
            .with_start_time(time_of(step.started))
            .with_attributes(attributes);
        let mut span = tracer.build_with_context(builder, &self.0);
        if let Some(error) = step.error {
            span.set_status(Status::error(error.to_string()));
        }
        span.end_with_timestamp(time_of(step.started) + step.duration);
    }

    /// Ends the span.
    pub(crate) fn end(&self, end: &RequestEnd<'_>) {
        let span = self.0.span();
        if let Some(status) = end.status {
            span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        }
        if let Some(error) = end.error {
            span.set_attribute(KeyValue::new("error.type", error.to_owned()));
            span.set_status(Status::error(""));
        }
        if let Some(model) = end.model {
            span.set_attribute(KeyValue::new("faceplane.model", model.to_owned()));
        }
        let bytes = i64::try_from(end.bytes).unwrap_or(i64::MAX);
        span.set_attribute(KeyValue::new("http.response.body.size", bytes));
        span.end();
    }
}

/// The span of the client.
fn context_of(parent: &Traceparent, state: &str) -> SpanContext {
    let flags = if parent.is_sampled {
        TraceFlags::SAMPLED
    } else {
        TraceFlags::default()
    };
    SpanContext::new(
        OtelTraceId::from_bytes(parent.trace.bytes()),
        SpanId::from_bytes(parent.span),
        flags,
        true,
        // A list that is not valid is left out; the trace stays.
        state.parse::<TraceState>().unwrap_or_default(),
    )
}

/// The time of day at `instant`.
fn time_of(instant: Instant) -> SystemTime {
    let (now, today) = (Instant::now(), SystemTime::now());
    match now.checked_duration_since(instant) {
        Some(past) => today - past,
        None => {
            today
                + instant
                    .saturating_duration_since(now)
                    .min(Duration::from_hours(1))
        }
    }
}

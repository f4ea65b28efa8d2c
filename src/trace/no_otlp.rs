//! The program without the feature `otlp`: no span exists, and the setting that asks for them is an error.

use std::convert::Infallible;
use std::future::Ready;
use std::time::Duration;

use crate::trace::facts::{RequestEnd, RequestHead, Step};
use crate::trace::traceparent::TraceId;

/// A span of a request. This program has none.
#[derive(Clone, Debug)]
pub struct RequestSpan(Infallible);

impl RequestSpan {
    pub(super) fn begin(_: &RequestHead<'_>) -> Option<Self> {
        None
    }

    pub(super) fn trace_id(&self) -> TraceId {
        match self.0 {}
    }

    /// Adds a part of the work.
    pub fn add(&self, _: &Step<'_>) {
        match self.0 {}
    }

    pub(super) fn end(&self, _: &RequestEnd<'_>) {
        match self.0 {}
    }
}

/// Sends spans to a collector. This program has none.
#[derive(Debug)]
pub struct TraceExporter(Infallible);

/// Why spans cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum TraceExporterError {
    /// The program has no exporter.
    #[error(
        "found {endpoint:?}, but this program is built without traces; build it with `cargo build --release --features otlp`, or leave \
         the setting out"
    )]
    NotBuiltIn {
        /// The setting.
        endpoint: String,
    },
}

impl TraceExporter {
    /// Refuses an `endpoint`. The variables of OpenTelemetry are for every program of a machine, so they only cause a warning.
    ///
    /// # Errors
    /// [`TraceExporterError::NotBuiltIn`] if there is an `endpoint`.
    pub fn start(endpoint: Option<&str>) -> Result<Option<Self>, TraceExporterError> {
        if let Some(endpoint) = endpoint {
            let endpoint = endpoint.to_owned();
            return Err(TraceExporterError::NotBuiltIn { endpoint });
        }
        if std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_some() {
            tracing::warn!(
                "OTEL_EXPORTER_OTLP_ENDPOINT has no effect: this program is built without the feature otlp"
            );
        }
        Ok(None)
    }

    /// Sends what was not sent yet.
    pub fn shut_down(self, _: Duration) -> Ready<()> {
        match self.0 {}
    }
}

//! Spans in OpenTelemetry's protocol OTLP, over HTTP.

mod exporter;
mod span;

pub use exporter::{TraceExporter, TraceExporterError};
pub use span::RequestSpan;

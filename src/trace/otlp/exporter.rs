//! Where spans are sent. Requests only put them into a queue: a thread of the SDK sends them, and what finds no room is dropped.

use std::sync::OnceLock;
use std::time::Duration;

use axum::http::{Request, Response, Uri};
use futures_util::future::BoxFuture;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;

/// Longest time of a request to the collector.
const LONGEST_EXPORT: Duration = Duration::from_secs(10);

/// The tracer of this process, once its exporter has started.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// The tracer; `None` if no spans are exported.
pub(super) fn tracer() -> Option<&'static SdkTracer> {
    TRACER.get()
}

/// Why spans cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum TraceExporterError {
    /// The address of the collector is wrong.
    #[error("found {endpoint:?}, expected an address without TLS, such as http://localhost:4318")]
    Endpoint {
        /// The address.
        endpoint: String,
    },
    /// A variable of OpenTelemetry is wrong.
    #[error("the exporter of traces cannot be set up")]
    Exporter(#[from] ExporterBuildError),
}

/// Sends spans to a collector.
#[derive(Debug)]
pub struct TraceExporter(SdkTracerProvider);

impl TraceExporter {
    /// Starts to send spans to the collector at `endpoint`, or at the address in OpenTelemetry's variables. `None` if neither names
    /// one. Only one exporter of a process gets the spans.
    ///
    /// # Errors
    /// [`TraceExporterError`] if a setting is wrong. A collector that does not answer is no error: the log says so later.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(endpoint: Option<&str>) -> Result<Option<Self>, TraceExporterError> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let below = |base: String| format!("{}/v1/traces", base.trim_end_matches('/'));
        let endpoint = endpoint
            .map(|base| below(base.to_owned()))
            .or_else(|| variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
            .or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT").map(below));
        let Some(endpoint) = endpoint else {
            return Ok(None);
        };
        let address = endpoint.parse::<Uri>().ok();
        if !address.is_some_and(|address| address.scheme_str() == Some("http") && address.host().is_some()) {
            return Err(TraceExporterError::Endpoint { endpoint });
        }
        let client = RuntimeClient {
            client: HyperClient::with_default_connector(LONGEST_EXPORT, None),
            runtime: Handle::current(),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&endpoint)
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource())
            .build();
        let _ = TRACER.set(provider.tracer("faceplane"));
        tracing::info!(endpoint, "traces are sent");
        Ok(Some(Self(provider)))
    }

    /// Sends what was not sent yet, for at most `limit`.
    pub async fn shut_down(self, limit: Duration) {
        // The SDK waits on this thread until its own has sent the spans.
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(limit)).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// What the spans are of. `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win.
fn resource() -> Resource {
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_attribute(version);
    let is_named = |variable, of: fn(&str) -> bool| std::env::var(variable).is_ok_and(|value| of(&value));
    let is_named = is_named("OTEL_SERVICE_NAME", |name| !name.is_empty())
        || is_named("OTEL_RESOURCE_ATTRIBUTES", |list| list.contains("service.name="));
    let resource = if is_named {
        resource
    } else {
        resource.with_service_name("faceplane")
    };
    resource.build()
}

/// A client on the threads of a runtime. The thread of the SDK that calls it has none.
#[derive(Debug)]
struct RuntimeClient {
    client: HyperClient,
    runtime: Handle,
}

impl HttpClient for RuntimeClient {
    fn send_bytes<'client, 'sent>(
        &'client self,
        request: Request<Bytes>,
    ) -> BoxFuture<'sent, Result<Response<Bytes>, HttpError>>
    where
        'client: 'sent,
        Self: 'sent,
    {
        let client = self.client.clone();
        let sent = self
            .runtime
            .spawn(async move { client.send_bytes(request).await });
        Box::pin(async move { sent.await? })
    }
}

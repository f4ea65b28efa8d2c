//! `/metrics`: the metrics for Prometheus.

use axum::extract::State;
use axum::http::{HeaderName, header};

use crate::api::state::Api;

/// Get the metrics, as OpenMetrics text
#[utoipa::path(
    get, path = "/metrics", tag = "health", operation_id = "get_metrics",
    responses((status = 200, description = "All metrics.", body = String, content_type = "application/openmetrics-text"))
)]
pub(crate) async fn show(State(api): State<Api>) -> ([(HeaderName, &'static str); 1], String) {
    api.metrics.set_ready(api.readiness.check_ready().is_ok());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], api.metrics.text())
}

//! `/health/live` and `/health/ready`: the probes of an orchestrator.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::openapi::problems::{LiveProblems, ReadyProblems};
use crate::api::problem::Problem;
use crate::api::state::Api;

/// The health of the service.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({"status": "ready"})))]
pub(crate) struct Health {
    /// `live` or `ready`.
    status: &'static str,
}

/// Check liveness
///
/// Responds with 200 as long as the program runs, and with 503 if only a restart helps: a network has been stuck for a minute.
#[utoipa::path(get, path = "/health/live", tag = "health", operation_id = "check_liveness", responses((status = 200, description = "The program runs.", body = Health), LiveProblems))]
pub(crate) async fn live(State(api): State<Api>) -> Result<Json<Health>, Problem> {
    api.readiness.check_live()?;
    Ok(Json(Health { status: "live" }))
}

/// Check readiness
///
/// Responds with 200 once the models are loaded, and with 503 while a network is stuck, a generator makes no image, or the
/// service shuts down. A generator that makes no image for requests is asked for one every ten seconds.
#[utoipa::path(get, path = "/health/ready", tag = "health", operation_id = "check_readiness", responses((status = 200, description = "The models are loaded and make images, and the service takes requests.", body = Health), ReadyProblems))]
pub(crate) async fn ready(State(api): State<Api>) -> Result<Json<Health>, Problem> {
    api.readiness.check_ready()?;
    Ok(Json(Health { status: "ready" }))
}

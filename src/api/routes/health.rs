//! `/health/live` and `/health/ready`: what an orchestrator asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::openapi::problems::ReadyProblems;
use crate::api::problem::Problem;

/// Whether requests should still be sent here. Cheap to clone; all clones agree.
#[derive(Clone, Default)]
pub struct Readiness {
    draining: Arc<AtomicBool>,
}

impl Readiness {
    /// From now on the service says that it is not ready.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    fn is_ready(&self) -> bool {
        !self.draining.load(Ordering::Relaxed)
    }
}

/// How the service is.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({"status": "ready"})))]
pub(crate) struct Health {
    /// `live` or `ready`.
    status: &'static str,
}

/// Is the program running?
#[utoipa::path(get, path = "/health/live", tag = "health", operation_id = "check_liveness", responses((status = 200, description = "The program runs.", body = Health)))]
pub(crate) async fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

/// Are the models loaded, and is the service not shutting down?
#[utoipa::path(get, path = "/health/ready", tag = "health", operation_id = "check_readiness", responses((status = 200, description = "The models are loaded, and the service takes requests.", body = Health), ReadyProblems))]
pub(crate) async fn ready(State(api): State<Api>) -> Result<Json<Health>, Problem> {
    if api.readiness.is_ready() {
        Ok(Json(Health { status: "ready" }))
    } else {
        Err(Problem::Draining)
    }
}

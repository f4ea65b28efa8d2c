//! `/health/live` and `/health/ready`: what an orchestrator asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::document::ReadyProblems;
use super::problem::Problem;

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
pub(super) struct Health {
    /// `live` or `ready`.
    status: &'static str,
}

/// Is the program running?
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200, body = Health)))]
pub(super) async fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

/// Are the models loaded, and is the service not shutting down?
#[utoipa::path(get, path = "/health/ready", tag = "health", responses((status = 200, body = Health), ReadyProblems))]
pub(super) async fn ready(State(api): State<Api>) -> Result<Json<Health>, Problem> {
    if api.readiness.is_ready() {
        Ok(Json(Health { status: "ready" }))
    } else {
        Err(Problem::Draining)
    }
}

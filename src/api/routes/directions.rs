//! `POST /v1/models/{model}/directions`: finds directions without labels, as a job.

use axum::extract::State;
use axum::response::Response;

use crate::api::openapi::problems::{AdditionProblems, BodyProblems, StartProblems};
use crate::api::problem::Problem;
use crate::api::request_body::{Body, PathName};
use crate::api::responses;
use crate::api::routes::jobs::started;
use crate::api::state::Api;
use crate::api::types::directions::DirectionsInput;

/// Find directions without labels
///
/// Starts a job that finds directions in the weights of the generator (`sefa`) or in sampled w codes (`pca`), the strongest first. When
/// the job is done, the model has each as a boundary: `sefa-1` or `pca-1` and so on, in w, or in z if the generator has no mapping.
/// A report then shows what each does to every score.
#[utoipa::path(
    post, path = "/v1/models/{model}/directions", tag = "boundaries", operation_id = "find_directions",
    params(("model" = String, Path, description = "The name of the model.", example = "phantom")),
    request_body = DirectionsInput,
    responses(
        (status = 202, description = "The job was started.", body = responses::job::Job, headers(("Location" = String, description = "The path of the job."))),
        AdditionProblems, StartProblems, BodyProblems,
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    PathName(name): PathName,
    Body(input): Body<DirectionsInput>,
) -> Result<Response, Problem> {
    let model = api.model(Some(&name))?;
    let job = api.jobs.directions(&api.models, model, input.request())?;
    Ok(started(&api, &job).await)
}

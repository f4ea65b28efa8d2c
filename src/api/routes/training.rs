//! `POST /v1/models/{model}/boundaries`: trains boundaries, as a job.

use axum::extract::State;
use axum::response::Response;

use crate::api::openapi::problems::{AdditionProblems, BodyProblems, SamplesProblems, StartProblems};
use crate::api::problem::Problem;
use crate::api::request_body::{LargeBody, PathName};
use crate::api::responses;
use crate::api::routes::jobs::started;
use crate::api::state::Api;
use crate::api::types::train::TrainInput;

/// Train boundaries
///
/// Starts a job that samples and scores faces in the background, and fits the boundary of each attribute to their codes and scores;
/// `method` says how. With `codes` and `scores`, it fits the boundary to them; with `samples_from`, to the samples of an earlier job.
/// When the job is done, the model has the boundaries.
#[utoipa::path(
    post, path = "/v1/models/{model}/boundaries", tag = "boundaries", operation_id = "train_boundaries",
    params(("model" = String, Path, description = "The name of the model.", example = "phantom")),
    request_body = TrainInput,
    responses(
        (status = 202, description = "The job was started.", body = responses::job::Job, headers(("Location" = String, description = "The path of the job."))),
        AdditionProblems, StartProblems, SamplesProblems, BodyProblems,
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    PathName(name): PathName,
    LargeBody(input, memory): LargeBody<TrainInput>,
) -> Result<Response, Problem> {
    let model = api.model(Some(&name))?;
    let space = model.default_space();
    let kept = match input.samples_from() {
        Some(id) => {
            let kept = api.samples_of(&id).await?;
            if kept.model() != model.name() {
                let reason = format!(
                    "found a job of model {}, expected one of {}",
                    kept.model(),
                    model.name()
                );
                return Err(Problem::field("samples_from", reason));
            }
            if !kept.are_of(&model) {
                let reason = "found a job of the model before it was replaced, expected one of the model as it is; train with new samples";
                return Err(Problem::field("samples_from", reason));
            }
            Some(kept)
        }
        None => None,
    };
    // Codes and scores may be tens of megabytes.
    let read = move || {
        let request = input.request(space, kept)?;
        drop(memory);
        Ok(request)
    };
    let request = api.decode_large(read).await?;
    let job = api.jobs.train(&api.models, model, request)?;
    Ok(started(&api, &job).await)
}

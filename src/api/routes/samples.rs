//! `GET /v1/jobs/{job}/samples`: the codes and scores of a training, to download.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::api::buffered_response::BufferedResponse;
use crate::api::encoding::off_thread;
use crate::api::openapi::problems::{JobProblems, MemoryProblems, SamplesProblems};
use crate::api::problem::Problem;
use crate::api::request_body::PathName;
use crate::api::state::Api;
use crate::api::types::boundary::NpzFile;
use crate::engine::MemoryUse;

/// Get the samples of a training
///
/// Returns the codes that a training sampled, and their scores, as a NumPy `.npz` file: `codes` of shape (samples, dim), `scores` of
/// shape (samples, attributes), `attributes`, the `thresholds` of the classifiers, `seed` and `space`. A training can use them again
/// (`samples_from`). They are there from the end of the sampling until later jobs need the memory.
#[utoipa::path(
    get, path = "/v1/jobs/{job}/samples", tag = "jobs", operation_id = "get_samples",
    params(("job" = String, Path, description = "The id of the job.", example = "2")),
    responses(
        (
            status = 200, description = "The codes and scores.", body = inline(NpzFile), content_type = "application/octet-stream",
            headers(
                ("ETag" = String, description = "Identifies the file. Send it as `If-None-Match` to learn whether it changed."),
                ("Content-Disposition" = String, description = "A name for the file."),
                ("Faceplane-Model" = String, description = "The name of the model."),
            )
        ),
        (status = 304, description = "The file is still the one that `If-None-Match` names."),
        MemoryProblems, SamplesProblems, JobProblems,
    )
)]
pub(crate) async fn show(
    State(api): State<Api>,
    PathName(id): PathName,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let samples = api.samples_of(&id).await?;
    let model = api.model(Some(samples.model()))?;
    // The file may have hundreds of megabytes.
    let reserved = api.memory.reserve(MemoryUse::Image, samples.scored().bytes())?;
    let response = off_thread(move || {
        let file = BufferedResponse::file(samples.scored().write(), &model);
        let name = format!("{}-job-{id}.npz", model.name());
        Ok(file.with_file_name(&name).with_etag())
    });
    let response = response.await?.held_in(&api.memory);
    drop(reserved);
    Ok(response.revalidated(&headers))
}

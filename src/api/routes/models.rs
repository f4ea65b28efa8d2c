//! `/v1/models`: the loaded models.

use axum::Json;
use axum::extract::State;

use crate::api::openapi::problems::ModelProblems;
use crate::api::problem::Problem;
use crate::api::request_body::PathName;
use crate::api::responses;
use crate::api::responses::model::{ModelList, ModelSummary};
use crate::api::state::Api;

/// List the models
#[utoipa::path(
    get, path = "/v1/models", tag = "models", operation_id = "list_models",
    responses((status = 200, description = "The models.", body = ModelList))
)]
pub(crate) async fn list(State(api): State<Api>) -> Json<ModelList> {
    let models = api.models.iter();
    Json(ModelList {
        default: api.models.default_model().name().to_owned(),
        models: models.map(|model| ModelSummary::from(&*model)).collect(),
    })
}

/// Describe a model
///
/// Its spaces and sizes, its attributes, its boundaries with their accuracy, and the cosines between their normals.
#[utoipa::path(
    get, path = "/v1/models/{model}", tag = "models", operation_id = "get_model",
    params(("model" = String, Path, description = "The name of the model.", example = "phantom")),
    responses((status = 200, description = "The model.", body = responses::model::Model), ModelProblems)
)]
pub(crate) async fn show(
    State(api): State<Api>,
    PathName(name): PathName,
) -> Result<Json<responses::model::Model>, Problem> {
    let model = api.models.get(Some(&name))?;
    Ok(Json((&*model).into()))
}

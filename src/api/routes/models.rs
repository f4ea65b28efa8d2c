//! `/v1/models`: the loaded models.

use axum::Json;
use axum::extract::State;

use crate::api::openapi::problems::{ModelProblems, PageProblems};
use crate::api::problem::Problem;
use crate::api::request_body::{PathName, Query};
use crate::api::responses;
use crate::api::responses::model::{ModelList, ModelSummary};
use crate::api::state::Api;
use crate::api::types::list::List;
use crate::api::types::model::ModelOptions;
use crate::api::types::text::Text;
use crate::editor::spreads;

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
/// Returns its spaces and sizes, the attributes that it scores, its boundaries with the distances of its samples from them, and the
/// cosines between those that `cosines` names. `/v1/models/{model}/boundaries` says more of each boundary.
#[utoipa::path(
    get, path = "/v1/models/{model}", tag = "models", operation_id = "get_model",
    params(("model" = String, Path, description = "The name of the model.", example = "phantom"), ModelOptions),
    responses((status = 200, description = "The model.", body = responses::model::Model), ModelProblems, PageProblems)
)]
pub(crate) async fn show(
    State(api): State<Api>,
    PathName(name): PathName,
    Query(options): Query<ModelOptions>,
) -> Result<Json<responses::model::Model>, Problem> {
    let model = api.model(Some(&name))?;
    let attributes = options
        .cosines
        .map(|List(names)| names.into_iter().map(|Text(name)| name).collect::<Vec<_>>());
    let boundaries: Vec<_> = model
        .boundaries()
        .iter()
        .cloned()
        .map(|one| (one, None))
        .collect();
    let spreads = spreads(&model, boundaries).await;
    let describe = move || responses::model::Model::new(&model, attributes.as_deref(), spreads);
    let described = tokio::task::spawn_blocking(describe).await;
    Ok(Json(described.expect("describing a model does not panic")?))
}

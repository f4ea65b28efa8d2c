//! `/v1/models`: the loaded models.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::api::openapi::problems::{DropProblems, LoadProblems, ModelProblems, PageProblems};
use crate::api::problem::Problem;
use crate::api::request_body::{PathName, Query};
use crate::api::responses;
use crate::api::responses::model::{ModelList, ModelSummary};
use crate::api::state::Api;
use crate::api::types::list::List;
use crate::api::types::model::ModelOptions;
use crate::api::types::text::Text;
use crate::editor::{EditorError, LoadedModel, Model, spreads};

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
    Ok(Json(describe(model, attributes).await?))
}

/// Load a model, or load it again
///
/// Loads the model folder whose manifest has this name, among the folders that the service was started with (`--model`), the models of
/// the store, and the bundled model. The request has no body. Requests that have begun finish with the model that was loaded before. If the folder has what
/// is loaded, nothing changes. If it has a mistake, the model that was loaded before goes on.
///
/// Boundaries that were changed or added stay, as far as they fit the model.
#[utoipa::path(
    put, path = "/v1/models/{model}", tag = "models", operation_id = "load_model",
    params(("model" = String, Path, description = "The name of the model.", example = "phantom")),
    responses(
        (status = 200, description = "The model as it is now: replaced, or unchanged.", body = responses::model::Model),
        (status = 201, description = "The model, which was not loaded before.", body = responses::model::Model, headers(("Location" = String, description = "The path of the model."))),
        LoadProblems,
    )
)]
pub(crate) async fn put(State(api): State<Api>, PathName(name): PathName) -> Result<Response, Problem> {
    let of_store = match &api.stored_models {
        Some(stored) => stored.put(&name).await?,
        None => None,
    };
    let LoadedModel { model, is_new } = if let Some(of_store) = of_store {
        of_store
    } else {
        let loader = api.loader_of(&name).map_err(EditorError::from)?;
        loader.put(&name).await?
    };
    let location = api.base_path.link(&format!("/v1/models/{}", model.name()));
    let body = Json(describe(model, None).await?);
    if is_new {
        return Ok((StatusCode::CREATED, [(header::LOCATION, location)], body).into_response());
    }
    Ok(body.into_response())
}

/// Drop a model
///
/// Requests to this service do not find it any more; those that have begun finish with it. It stays dropped until it is loaded again with
/// PUT, the service gets SIGHUP or is started again, or a new version is published in the store. The default model cannot be dropped.
#[utoipa::path(
    delete, path = "/v1/models/{model}", tag = "models", operation_id = "drop_model",
    params(("model" = String, Path, description = "The name of the model.", example = "portraits")),
    responses((status = 204, description = "The model was dropped."), ModelProblems, DropProblems)
)]
pub(crate) async fn delete(State(api): State<Api>, PathName(name): PathName) -> Result<StatusCode, Problem> {
    let loader = api.loader_of(&name).map_err(EditorError::from)?;
    loader.delete(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The description of a model, with the cosines between the boundaries of these attributes.
async fn describe(
    model: Arc<Model>,
    cosines: Option<Vec<String>>,
) -> Result<responses::model::Model, Problem> {
    let boundaries = model.boundaries().iter().cloned();
    let boundaries = boundaries.map(|one| (one, None)).collect();
    let spreads = spreads(&model, boundaries).await;
    let describe = move || responses::model::Model::new(&model, cosines.as_deref(), spreads);
    let described = tokio::task::spawn_blocking(describe).await;
    Ok(described.expect("describing a model does not panic")?)
}

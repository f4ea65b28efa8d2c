//! `/v1/models`: what is loaded, and everything that is known of it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::openapi::problems::ModelProblems;
use crate::api::problem::Problem;
use crate::api::request_body::Name;
use crate::api::types::values::{Space, rows};
use crate::catalog::{OutputEntry, ScoreKind};
use crate::editor::Model;
use crate::latent::{self, Accuracy, Boundary, LatentSpace};

/// The models that are loaded.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelList {
    /// The model of requests that name none.
    #[schema(example = "phantom")]
    default: String,
    /// All models.
    models: Vec<ModelSummary>,
}

/// A model in a few words.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelSummary {
    /// What requests call it.
    #[schema(example = "phantom")]
    name: String,
    /// What its manifest says of it.
    description: String,
    /// SHA-256 of its files.
    digest: String,
    /// Width of its pictures, in pixels.
    #[schema(example = 256)]
    width: usize,
    /// Height of its pictures, in pixels.
    #[schema(example = 256)]
    height: usize,
    /// The attributes that can be edited, in some space.
    #[schema(example = json!(["age", "eyeglasses", "gender", "pose", "smile"]))]
    attributes: Vec<String>,
}

/// A model.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelBody {
    /// What requests call it.
    #[schema(example = "phantom")]
    name: String,
    /// What its manifest says of it.
    description: String,
    /// SPDX expression of its licence.
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<String>,
    /// SHA-256 of its files.
    digest: String,
    /// Width of its pictures, in pixels.
    width: usize,
    /// Height of its pictures, in pixels.
    height: usize,
    /// The latent spaces that its codes may be in.
    spaces: Vec<SpaceBody>,
    /// The space of edits that name none.
    default_space: Space,
    /// The truncation of requests that name none; absent where the model cannot truncate.
    #[serde(skip_serializing_if = "Option::is_none")]
    truncation: Option<TruncationBody>,
    /// What its classifiers score.
    attributes: Vec<AttributeBody>,
    /// Its boundaries.
    boundaries: Vec<BoundaryBody>,
    /// For each space, the cosines between the normals of its boundaries.
    cosines: BTreeMap<String, CosineTable>,
}

/// A latent space of a model.
#[derive(Serialize, ToSchema)]
pub(crate) struct SpaceBody {
    /// The space.
    name: Space,
    /// Shape of a code: [dim], or [layers, dim] in w+.
    shape: Vec<usize>,
}

/// Where truncation is applied unless a request says otherwise.
#[derive(Serialize, ToSchema)]
pub(crate) struct TruncationBody {
    /// 1 is none, 0 the mean face.
    psi: f64,
    /// How many of the first layers; all where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<usize>,
}

/// One output of a classifier.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttributeBody {
    /// The attribute.
    name: String,
    /// What its score is.
    kind: ScoreName,
    /// The score at which the attribute changes sides.
    threshold: f64,
    /// What a higher score means.
    #[serde(skip_serializing_if = "Option::is_none")]
    positive: Option<String>,
    /// What a lower score means.
    #[serde(skip_serializing_if = "Option::is_none")]
    negative: Option<String>,
}

/// What a score is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ScoreName {
    /// A log-odds.
    Logit,
    /// A probability 0 to 1.
    Probability,
    /// A quantity of its own, such as an angle or years.
    Value,
}

impl From<ScoreKind> for ScoreName {
    fn from(kind: ScoreKind) -> Self {
        match kind {
            ScoreKind::Logit => Self::Logit,
            ScoreKind::Probability => Self::Probability,
            ScoreKind::Value => Self::Value,
        }
    }
}

/// A boundary, and how it was found; what is not known is absent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BoundaryBody {
    /// The attribute.
    attribute: String,
    /// The space.
    space: Space,
    /// b in n·code + b.
    intercept: f64,
    /// Scored samples that the extremes were chosen from.
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<u64>,
    /// Extremes chosen on each side.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen: Option<u64>,
    /// Seed of the samples and of the split.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// The classifier that scored them.
    #[serde(skip_serializing_if = "Option::is_none")]
    classifier: Option<String>,
    /// SHA-256 of the classifier's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    classifier_digest: Option<String>,
    /// SHA-256 of the generator that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// What found the plane.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// When it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    /// Share of codes that lie on the right side of the plane.
    accuracy: AccuracyBody,
}

/// Share of codes that lie on the right side of the plane, 0 to 1.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AccuracyBody {
    /// Of the extremes that the plane was fitted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) train: Option<f64>,
    /// Of the extremes that were held out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held_out: Option<f64>,
    /// Of all the codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) all: Option<f64>,
}

/// Cosines between normals.
#[derive(Serialize, ToSchema)]
pub(crate) struct CosineTable {
    /// The attributes, in the order of rows and columns.
    attributes: Vec<String>,
    /// One row for each attribute; the diagonal is 1.
    matrix: Vec<Vec<f64>>,
}

/// List the models
#[utoipa::path(get, path = "/v1/models", tag = "models", operation_id = "list_models", responses((status = 200, description = "The models.", body = ModelList)))]
pub(crate) async fn list(State(api): State<Api>) -> Json<ModelList> {
    Json(ModelList {
        default: api.models.default_model().name().to_owned(),
        models: api.models.iter().map(|model| summary(&model)).collect(),
    })
}

/// Describe a model
///
/// Spaces and sizes, attributes, boundaries with their accuracies, and the cosines between them.
#[utoipa::path(
    get, path = "/v1/models/{model}", tag = "models", operation_id = "get_model",
    params(("model" = String, Path, description = "The model's name", example = "phantom")),
    responses((status = 200, description = "The model.", body = ModelBody), ModelProblems)
)]
pub(crate) async fn show(State(api): State<Api>, Name(name): Name) -> Result<Json<ModelBody>, Problem> {
    Ok(Json(body(&*api.models.get(Some(&name))?)))
}

fn summary(model: &Model) -> ModelSummary {
    let mut attributes: Vec<String> = model
        .boundaries()
        .iter()
        .map(|boundary| boundary.attribute().to_owned())
        .collect();
    attributes.sort();
    attributes.dedup();
    ModelSummary {
        name: model.name().to_owned(),
        description: model.description().to_owned(),
        digest: model.digest().to_owned(),
        width: model.shape().width,
        height: model.shape().height,
        attributes,
    }
}

fn body(model: &Model) -> ModelBody {
    let shape = model.shape();
    let space = |(space, (rows, dim)): (LatentSpace, (usize, usize))| SpaceBody {
        name: space.into(),
        shape: if space == LatentSpace::WPlus {
            vec![rows, dim]
        } else {
            vec![dim]
        },
    };
    ModelBody {
        name: model.name().to_owned(),
        description: model.description().to_owned(),
        license: model.license().map(str::to_owned),
        digest: model.digest().to_owned(),
        width: shape.width,
        height: shape.height,
        spaces: shape.spaces().into_iter().map(space).collect(),
        default_space: model.default_space().into(),
        truncation: model.default_truncation().map(|truncation| TruncationBody {
            psi: truncation.psi(),
            layers: truncation.layers(),
        }),
        attributes: model.outputs().iter().map(attribute).collect(),
        boundaries: model.boundaries().iter().map(|found| (&**found).into()).collect(),
        cosines: shape
            .spaces()
            .into_iter()
            .filter_map(|(space, _)| Some((space.to_string(), cosines(model, space)?)))
            .collect(),
    }
}

fn attribute(output: &OutputEntry) -> AttributeBody {
    AttributeBody {
        name: output.attribute.clone(),
        kind: output.kind.into(),
        threshold: output.threshold,
        positive: output.positive.clone(),
        negative: output.negative.clone(),
    }
}

impl From<&Boundary> for BoundaryBody {
    fn from(boundary: &Boundary) -> Self {
        let known = boundary.provenance().clone();
        Self {
            attribute: boundary.attribute().to_owned(),
            space: boundary.space().into(),
            intercept: boundary.intercept(),
            samples: known.samples,
            chosen: known.chosen,
            seed: known.seed,
            classifier: known.classifier,
            classifier_digest: known.classifier_digest,
            model: known.model,
            method: known.method,
            date: known.date,
            accuracy: known.accuracy.into(),
        }
    }
}

impl From<Accuracy> for AccuracyBody {
    fn from(accuracy: Accuracy) -> Self {
        Self {
            train: accuracy.train,
            held_out: accuracy.held_out,
            all: accuracy.all,
        }
    }
}

/// The cosines between the boundaries of one space; `None` where it has none.
fn cosines(model: &Model, space: LatentSpace) -> Option<CosineTable> {
    let found: Vec<&Boundary> = model
        .boundaries()
        .iter()
        .map(|boundary| &**boundary)
        .filter(|boundary| boundary.space() == space)
        .collect();
    let matrix = latent::cosines(&found).expect("boundaries of one space and model have one shape");
    (!found.is_empty()).then(|| CosineTable {
        attributes: found
            .iter()
            .map(|boundary| boundary.attribute().to_owned())
            .collect(),
        matrix: rows(&matrix),
    })
}

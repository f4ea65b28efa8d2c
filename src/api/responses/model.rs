//! Models in JSON responses.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::responses::boundary::{BoundarySummary, summaries};
use crate::api::types::numbers::rows;
use crate::api::types::space::Space;
use crate::catalog::{self, OutputEntry};
use crate::editor;
use crate::latent::{self, Boundary, LatentSpace};

/// The loaded models.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelList {
    /// The name of the default model.
    #[schema(example = "phantom")]
    pub(crate) default: String,
    /// The models.
    pub(crate) models: Vec<ModelSummary>,
}

/// What is most often needed of a model.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelSummary {
    /// The name of the model.
    #[schema(example = "phantom")]
    name: String,
    /// The description in the model's manifest.
    description: String,
    /// SHA-256 of the model's files and boundaries.
    digest: String,
    /// The width of its images, in pixels.
    #[schema(example = 256)]
    width: usize,
    /// The height of its images, in pixels.
    #[schema(example = 256)]
    height: usize,
    /// The attributes that have a boundary in some space.
    #[schema(example = json!(["age", "eyeglasses", "gender", "pose", "smile"]))]
    attributes: Vec<String>,
}

impl From<&editor::Model> for ModelSummary {
    fn from(model: &editor::Model) -> Self {
        let boundaries = model.boundaries().iter();
        let mut attributes: Vec<String> = boundaries
            .map(|boundary| boundary.attribute().to_owned())
            .collect();
        attributes.sort();
        attributes.dedup();
        Self {
            name: model.name().to_owned(),
            description: model.description().to_owned(),
            digest: model.digest().to_owned(),
            width: model.shape().width,
            height: model.shape().height,
            attributes,
        }
    }
}

/// A model.
#[derive(Serialize, ToSchema)]
pub(crate) struct Model {
    /// The name of the model.
    #[schema(example = "phantom")]
    name: String,
    /// The description in the model's manifest.
    description: String,
    /// The SPDX expression of its licence; absent if the manifest has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<String>,
    /// SHA-256 of the model's files and boundaries.
    digest: String,
    /// The width of its images, in pixels.
    width: usize,
    /// The height of its images, in pixels.
    height: usize,
    /// The latent spaces of its codes.
    spaces: Vec<ModelSpace>,
    /// The space of requests that name none.
    default_space: Space,
    /// The truncation of requests that name none; absent if the model cannot truncate.
    #[serde(skip_serializing_if = "Option::is_none")]
    truncation: Option<ModelTruncation>,
    /// The attributes that its classifiers score.
    attributes: Vec<ModelAttribute>,
    /// Its boundaries.
    boundaries: Vec<BoundarySummary>,
    /// For each space, the cosines between the normals of its boundaries.
    cosines: BTreeMap<String, CosineTable>,
}

impl From<&editor::Model> for Model {
    fn from(model: &editor::Model) -> Self {
        let shape = model.shape();
        let spaces = shape.spaces();
        Self {
            name: model.name().to_owned(),
            description: model.description().to_owned(),
            license: model.license().map(str::to_owned),
            digest: model.digest().to_owned(),
            width: shape.width,
            height: shape.height,
            default_space: model.default_space().into(),
            truncation: model.default_truncation().map(|truncation| ModelTruncation {
                psi: truncation.psi(),
                layers: truncation.layers(),
            }),
            attributes: model.outputs().iter().map(Into::into).collect(),
            boundaries: summaries(model),
            cosines: spaces
                .iter()
                .filter_map(|&(space, _)| Some((space.to_string(), CosineTable::new(model, space)?)))
                .collect(),
            spaces: spaces.into_iter().map(ModelSpace::new).collect(),
        }
    }
}

/// A latent space of a model.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelSpace {
    /// The space.
    name: Space,
    /// The shape of a code: [dim], or [layers, dim] in w+.
    shape: Vec<usize>,
}

impl ModelSpace {
    fn new((space, (layers, dim)): (LatentSpace, (usize, usize))) -> Self {
        let shape = match space {
            LatentSpace::WPlus => vec![layers, dim],
            LatentSpace::Z | LatentSpace::W => vec![dim],
        };
        let name = space.into();
        Self { name, shape }
    }
}

/// The default truncation of a model.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelTruncation {
    /// 1 is no truncation, 0 the mean face.
    psi: f64,
    /// The number of layers that are truncated, counted from the first; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<usize>,
}

/// An attribute that a classifier scores.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelAttribute {
    /// The attribute.
    name: String,
    /// The kind of score.
    kind: ScoreKind,
    /// The score at the attribute's boundary.
    threshold: f64,
    /// The meaning of a higher score; absent if the manifest does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    positive: Option<String>,
    /// The meaning of a lower score; absent if the manifest does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    negative: Option<String>,
}

impl From<&OutputEntry> for ModelAttribute {
    fn from(output: &OutputEntry) -> Self {
        Self {
            name: output.attribute.clone(),
            kind: output.kind.into(),
            threshold: output.threshold,
            positive: output.positive.clone(),
            negative: output.negative.clone(),
        }
    }
}

/// The kind of a score.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ScoreKind {
    /// The logarithm of the odds.
    Logit,
    /// A probability, 0 to 1.
    Probability,
    /// A quantity such as an angle, or an age in years.
    Value,
}

impl From<catalog::OutputKind> for ScoreKind {
    fn from(kind: catalog::OutputKind) -> Self {
        match kind {
            catalog::OutputKind::Logit => Self::Logit,
            catalog::OutputKind::Probability => Self::Probability,
            catalog::OutputKind::Value => Self::Value,
        }
    }
}

/// The cosines between the normals of a space.
#[derive(Serialize, ToSchema)]
pub(crate) struct CosineTable {
    /// The attributes, in the order of rows and columns.
    attributes: Vec<String>,
    /// A row for each attribute. The diagonal is 1.
    matrix: Vec<Vec<f64>>,
}

impl CosineTable {
    /// The cosines of a space; `None` if it has no boundary.
    fn new(model: &editor::Model, space: LatentSpace) -> Option<Self> {
        let boundaries = model.boundaries().iter().map(|boundary| &**boundary);
        let boundaries: Vec<&Boundary> = boundaries.filter(|boundary| boundary.space() == space).collect();
        let matrix = latent::cosines(&boundaries).expect("boundaries of one space and model have one shape");
        (!boundaries.is_empty()).then(|| Self {
            attributes: boundaries
                .iter()
                .map(|boundary| boundary.attribute().to_owned())
                .collect(),
            matrix: rows(&matrix),
        })
    }
}

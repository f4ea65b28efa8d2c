//! Models in JSON responses.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::types::boundary::SampleDistances;
use crate::api::types::numbers::rows;
use crate::api::types::space::Space;
use crate::catalog::{self, OutputEntry};
use crate::editor::{self, EditorError};
use crate::latent::{self, Boundary, LatentSpace, Spread};

/// The loaded models.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelList {
    /// The name of the default model.
    #[schema(example = "phantom")]
    pub(crate) default: String,
    /// The models.
    pub(crate) models: Vec<ModelSummary>,
}

/// The main properties of a model.
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
        // They come in the order of attributes.
        let mut attributes: Vec<String> = boundaries
            .map(|boundary| boundary.attribute().to_owned())
            .collect();
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
    /// How many classes it has; absent if its generator is not class-conditional. `label` in a request chooses one.
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<usize>,
    /// The truncation of requests that name none; absent if the model cannot truncate.
    #[serde(skip_serializing_if = "Option::is_none")]
    truncation: Option<ModelTruncation>,
    /// The attributes that its classifiers score.
    attributes: Vec<ModelAttribute>,
    /// Its boundaries, in the order of attributes and spaces.
    boundaries: Vec<ModelBoundary>,
    /// For each space, the cosines between the normals of the boundaries that the request names; absent if it names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    cosines: Option<BTreeMap<String, CosineTable>>,
}

impl Model {
    /// The description of `model`, with the cosines between the boundaries of the attributes `cosines`. `spreads` are those of the
    /// samples, for each boundary.
    ///
    /// # Errors
    /// [`EditorError::UnknownAttribute`] for the first of these without a boundary in any space.
    pub(crate) fn new(
        model: &editor::Model,
        cosines: Option<&[String]>,
        spreads: Vec<Option<Spread>>,
    ) -> Result<Self, EditorError> {
        let shape = model.shape();
        let spaces = shape.spaces();
        let tables = |attributes| {
            let table = |&(space, _): &(LatentSpace, _)| {
                Some((space.to_string(), CosineTable::new(model, attributes, space)?))
            };
            spaces.iter().filter_map(table).collect()
        };
        for attribute in cosines.unwrap_or_default() {
            let has_boundary =
                |&(space, _): &(LatentSpace, _)| model.boundaries().find(attribute, space).is_some();
            if !spaces.iter().any(has_boundary) {
                model.boundaries().get(attribute, model.default_space())?;
            }
        }
        Ok(Self {
            name: model.name().to_owned(),
            description: model.description().to_owned(),
            license: model.license().map(str::to_owned),
            digest: model.digest().to_owned(),
            width: shape.width,
            height: shape.height,
            default_space: model.default_space().into(),
            classes: Some(model.engine().classes()).filter(|&classes| classes > 0),
            truncation: model.default_truncation().map(|truncation| ModelTruncation {
                psi: truncation.psi(),
                layers: truncation.layers(),
            }),
            attributes: model.outputs().iter().map(Into::into).collect(),
            boundaries: model
                .boundaries()
                .iter()
                .zip(spreads)
                .map(|(boundary, spread)| ModelBoundary {
                    attribute: boundary.attribute().to_owned(),
                    space: boundary.space().into(),
                    distances: spread.map(Into::into),
                })
                .collect(),
            cosines: cosines.map(tables),
            spaces: spaces
                .iter()
                .map(|&(space, shape)| ModelSpace::new(model, space, shape))
                .collect(),
        })
    }
}

/// A latent space of a model.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelSpace {
    /// The space.
    name: Space,
    /// The shape of a code: [dim], or [layers, dim] in w+.
    shape: Vec<usize>,
    /// How many boundaries the model has in it.
    boundaries: usize,
}

impl ModelSpace {
    fn new(model: &editor::Model, space: LatentSpace, (layers, dim): (usize, usize)) -> Self {
        let shape = match space {
            LatentSpace::WPlus => vec![layers, dim],
            LatentSpace::Z | LatentSpace::W | LatentSpace::S => vec![dim],
        };
        let boundaries = model.boundaries().iter();
        Self {
            name: space.into(),
            shape,
            boundaries: boundaries.filter(|boundary| boundary.space() == space).count(),
        }
    }
}

/// A boundary of a model.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelBoundary {
    /// The attribute.
    attribute: String,
    /// The space.
    space: Space,
    /// Where the model's samples are; absent if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    distances: Option<SampleDistances>,
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
    /// The cosines between those of `attributes` that have a boundary in `space`; `None` if none has.
    fn new(model: &editor::Model, attributes: &[String], space: LatentSpace) -> Option<Self> {
        let found = attributes
            .iter()
            .filter_map(|attribute| model.boundaries().find(attribute, space));
        let boundaries: Vec<&Boundary> = found.map(|boundary| &**boundary).collect();
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

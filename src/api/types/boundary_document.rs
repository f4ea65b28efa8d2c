//! A boundary on the wire: a JSON document or a `.npy` file.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::answers::boundary::BoundaryAccuracy;
use crate::api::openapi::numbers::numbers_or_rows;
use crate::api::problem::Problem;
use crate::api::types::values::{Object, Space};
use crate::catalog::NpyArray;
use crate::editor::{EditorError, Model};
use crate::latent::{Accuracy, Boundary, LatentSpace, Provenance};

/// The normal of the example: 64 numbers, as for the bundled model.
fn example_normal() -> Vec<f64> {
    let mut normal = vec![0.0; 64];
    (normal[0], normal[1]) = (0.6, 0.8);
    normal
}

/// A boundary with everything that is known of it: GET returns it, and PUT accepts it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"normal": example_normal(), "intercept": -0.2})))]
pub(crate) struct BoundaryDocument {
    /// The attribute, as in the path; may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attribute: Option<String>,
    /// The space, as in the path; may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    space: Option<Space>,
    /// The normal, pointing to where the attribute's score is higher: a list of numbers in z and w, a list of such lists
    /// in w+, one a layer. It need not be of length 1.
    #[schema(schema_with = numbers_or_rows)]
    normal: Normal,
    /// b in n·code + b, for the normal as it stands here; 0 if left out.
    #[serde(default)]
    intercept: f64,
    /// Scored samples that the extremes were chosen from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    samples: Option<u64>,
    /// Extremes chosen on each side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chosen: Option<u64>,
    /// Seed of the samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// The classifier that scored them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classifier: Option<String>,
    /// SHA-256 of the classifier's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classifier_digest: Option<String>,
    /// SHA-256 of the generator. A boundary of another one is refused; one that names none is taken to be of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// What found the plane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// When it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    /// How well it separates.
    #[serde(default)]
    #[schema(value_type = BoundaryAccuracy)]
    accuracy: Object<BoundaryAccuracy>,
}

/// A normal's numbers, flat or in rows.
#[derive(Debug, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a list of numbers, or in w+ a list of such lists, one a layer"
)]
enum Normal {
    Flat(Vec<f64>),
    Rows(Vec<Vec<f64>>),
}

impl Normal {
    fn of(boundary: &Boundary) -> Self {
        let rows: Vec<Vec<f64>> = boundary.normal().outer_iter().map(|row| row.to_vec()).collect();
        if boundary.space() == LatentSpace::WPlus {
            Self::Rows(rows)
        } else {
            Self::Flat(rows.concat())
        }
    }

    fn array(self) -> Result<NpyArray, Problem> {
        match self {
            Self::Flat(values) => Ok(NpyArray {
                shape: vec![values.len()],
                values,
            }),
            Self::Rows(rows) => {
                let dim = rows.first().map_or(0, Vec::len);
                if rows.iter().any(|row| row.len() != dim) {
                    return Err(Problem::field(
                        "normal",
                        "found rows of several lengths, expected one",
                    ));
                }
                Ok(NpyArray {
                    shape: vec![rows.len(), dim],
                    values: rows.concat(),
                })
            }
        }
    }
}

/// What is known of a boundary.
pub(crate) fn document(boundary: &Boundary) -> BoundaryDocument {
    let known = boundary.provenance().clone();
    BoundaryDocument {
        attribute: Some(boundary.attribute().to_owned()),
        space: Some(boundary.space().into()),
        normal: Normal::of(boundary),
        intercept: boundary.intercept(),
        samples: known.samples,
        chosen: known.chosen,
        seed: known.seed,
        classifier: known.classifier,
        classifier_digest: known.classifier_digest,
        model: known.model,
        method: known.method,
        date: known.date,
        accuracy: Object(known.accuracy.into()),
    }
}

impl BoundaryDocument {
    /// The boundary that a body is, brought to the path of `attribute` and `space`.
    pub(crate) fn boundary(
        self,
        model: &Model,
        attribute: &str,
        space: LatentSpace,
    ) -> Result<Boundary, Problem> {
        if let Some(found) = self.attribute.filter(|found| found != attribute) {
            let reason = format!("found {found:?}, expected {attribute:?} as in the path");
            return Err(Problem::field("attribute", reason));
        }
        if let Some(found) = self.space.map(LatentSpace::from).filter(|&found| found != space) {
            let reason = format!("found {found}, expected {space} as in the path");
            return Err(Problem::field("space", reason));
        }
        let known = Provenance {
            samples: self.samples,
            chosen: self.chosen,
            seed: self.seed,
            classifier: self.classifier,
            classifier_digest: self.classifier_digest,
            model: self.model,
            method: self.method,
            date: self.date,
            accuracy: Accuracy {
                train: self.accuracy.0.train,
                held_out: self.accuracy.0.held_out,
                all: self.accuracy.0.all,
            },
        };
        made(
            model,
            attribute,
            space,
            self.normal.array()?,
            self.intercept,
            known,
        )
    }
}

/// A boundary of `model`, unless it is known to be another's.
pub(crate) fn made(
    model: &Model,
    attribute: &str,
    space: LatentSpace,
    array: NpyArray,
    intercept: f64,
    known: Provenance,
) -> Result<Boundary, Problem> {
    let shape = space.rows_and_columns(&array.shape).ok_or_else(|| {
        let expected = match space {
            LatentSpace::WPlus => "(layers, dim)",
            LatentSpace::Z | LatentSpace::W => "(dim) or (1, dim)",
        };
        let reason = format!(
            "found the shape {:?}, expected {expected} for a boundary in {space}",
            array.shape
        );
        Problem::field("normal", reason)
    })?;
    let normal =
        Array2::from_shape_vec(shape, array.values).expect("an array holds as many values as its shape says");
    let known = Provenance {
        model: known.model.or_else(|| Some(model.generator_digest().to_owned())),
        ..known
    };
    Ok(Boundary::new(attribute, space, normal, intercept, known).map_err(EditorError::from)?)
}

/// A NumPy `.npy` file: floating-point numbers of shape (dim) or (1, dim); in w+ (layers, dim) or (1, layers, dim).
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
#[expect(dead_code, reason = "it stands for bytes in the document")]
pub(crate) struct NpyFile(Vec<u8>);

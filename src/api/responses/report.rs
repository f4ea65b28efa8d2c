//! The JSON report on a model's boundaries.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::responses::methods::{IdentityBy, InvertedFaces, MethodReport};
use crate::api::types::numbers::rows;
use crate::api::types::space::Space;
use crate::editor;

/// The quality of a model's boundaries. The rows and columns of all tables are the attributes, in the order of
/// `boundaries`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Report {
    /// The name of the model.
    model: String,
    /// SHA-256 of the model's files and boundaries.
    digest: String,
    /// The space of the boundaries.
    space: Space,
    /// The date of the report.
    #[schema(format = DateTime)]
    date: String,
    /// The number of faces that were sampled.
    samples: usize,
    /// The number of faces that were edited.
    faces: usize,
    /// The seed of the samples.
    seed: u32,
    /// How well each boundary separates the samples.
    boundaries: Vec<BoundaryReport>,
    /// The cosines between the normals of the boundaries.
    cosines: Vec<Vec<f64>>,
    /// The correlations between the scores of the samples.
    correlations: Vec<Vec<f64>>,
    /// The signed distances to which faces were moved for the curves.
    distances: Vec<f64>,
    /// The mean score of each attribute, for each edited attribute and each distance.
    curves: Vec<Vec<Vec<f64>>>,
    /// The amount by which faces were moved for the changes.
    by: f64,
    /// The mean change of each attribute's score, in standard deviations of that score, for each edited attribute.
    plain: Vec<Vec<f64>>,
    /// The same for the edit with all other attributes as conditions; null if these leave nothing of the edit.
    conditional: Vec<Option<Vec<f64>>>,
    /// How similar the persons stay; absent if the model has no identity graph.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<IdentityReport>,
    /// For each attribute, the first face moved from −by to by with the other attributes as conditions: JPEGs in base64.
    strips: Vec<Vec<String>>,
    /// The attributes that the classifiers score.
    scored: Vec<String>,
    /// The boundaries that no classifier scores, such as `sefa-1`, at most 64.
    directions: Vec<DirectionReport>,
    /// The changes of the target, in standard deviations of its score, at which the methods are compared.
    levels: Vec<f64>,
    /// What each method of editing does, at equal change of the target; empty if the request has no `compare`. The faces are samples
    /// of the next seed, each moved to the other side of the attribute's threshold.
    methods: Vec<MethodReport>,
    /// What says how similar persons stay in `methods`: the model's identity graph or its encoder. Absent if it has neither, or the
    /// request has no `compare`.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_by: Option<IdentityBy>,
    /// Faces that were inverted without an edit, to compare with `undone` of each method. Absent if the request has no `compare`, or if
    /// the model has no encoder for the codes that its synthesis takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    inverted_faces: Option<InvertedFaces>,
}

/// What a move along a boundary that no classifier scores does to every score.
#[derive(Serialize, ToSchema)]
struct DirectionReport {
    /// The name of the boundary.
    attribute: String,
    /// The mean change of each of the `scored` attributes after a move by `by`, in standard deviations of that score.
    changes: Vec<f64>,
    /// The first face moved from −by to by: JPEGs in base64.
    strip: Vec<String>,
}

/// The strips of a report, as JPEGs in base64.
pub(crate) struct EncodedStrips {
    /// Those of the attributes.
    pub(crate) attributes: Vec<Vec<String>>,
    /// Those of the directions.
    pub(crate) directions: Vec<Vec<String>>,
}

/// Whether edited faces are still the same person: the mean similarity to the face before the edit, −1 to 1.
#[derive(Serialize, ToSchema)]
struct IdentityReport {
    /// For each edited attribute and each distance.
    curves: Vec<Vec<f64>>,
    /// For each edited attribute, after the plain edit.
    plain: Vec<f64>,
    /// The same for the edit with all other attributes as conditions; null if these leave nothing of the edit.
    conditional: Vec<Option<f64>>,
}

impl From<&editor::IdentityReport> for IdentityReport {
    fn from(identity: &editor::IdentityReport) -> Self {
        Self {
            curves: rows(&identity.curves),
            plain: identity.plain.clone(),
            conditional: identity.conditional.clone(),
        }
    }
}

/// How well a boundary separates samples that it was not fitted to.
#[derive(Serialize, ToSchema)]
struct BoundaryReport {
    /// The attribute.
    attribute: String,
    /// The score at the attribute's boundary.
    threshold: f64,
    /// The standard deviation of the attribute's scores.
    standard_deviation: f64,
    /// The number of samples with the highest scores, 2 % of all, and of those with the lowest scores.
    samples_per_end: usize,
    /// The share of these samples on the correct side of the boundary.
    accuracy_at_ends: f64,
    /// The share of all samples on the side of the boundary that agrees with the threshold.
    accuracy: f64,
}

impl From<&editor::BoundaryReport> for BoundaryReport {
    fn from(report: &editor::BoundaryReport) -> Self {
        Self {
            attribute: report.attribute.clone(),
            threshold: report.threshold,
            standard_deviation: report.standard_deviation,
            samples_per_end: report.samples_per_end,
            accuracy_at_ends: report.accuracy_at_ends,
            accuracy: report.accuracy,
        }
    }
}

impl Report {
    /// `report`, with its strips as JPEGs in base64.
    pub(crate) fn new(report: &editor::Report, strips: EncodedStrips) -> Self {
        let curves = report.curves.outer_iter();
        let directions = report.directions.iter().zip(strips.directions);
        Self {
            model: report.model.clone(),
            digest: report.digest.clone(),
            space: report.request.space.into(),
            date: report.date.clone(),
            samples: report.request.samples,
            faces: report.request.faces.min(report.request.samples),
            seed: report.request.seed,
            boundaries: report.boundaries.iter().map(Into::into).collect(),
            cosines: rows(&report.cosines),
            correlations: rows(&report.correlations),
            distances: report.positions.clone(),
            curves: curves.map(|curve| rows(&curve.to_owned())).collect(),
            by: report.by,
            plain: rows(&report.plain),
            conditional: report.conditional.clone(),
            identity: report.identity.as_ref().map(Into::into),
            strips: strips.attributes,
            scored: report.scored.clone(),
            directions: directions
                .map(|(direction, strip)| DirectionReport {
                    attribute: direction.attribute.clone(),
                    changes: direction.changes.clone(),
                    strip,
                })
                .collect(),
            levels: editor::LEVELS.to_vec(),
            methods: report.methods.iter().map(Into::into).collect(),
            identity_by: report.identity_by.map(Into::into),
            inverted_faces: report.inverted_faces.map(Into::into),
        }
    }
}

//! The contents of a report.

use ndarray::{Array2, Array3};

use crate::catalog::DigitalSourceType;
use crate::editor::judging::image_outputs::IdentityMeasure;
use crate::editor::judging::methods::effect::MethodReport;
use crate::editor::judging::methods::manipulation_inversion::InvertedFaces;
use crate::imaging::Image;
use crate::latent::LatentSpace;

/// What to report on.
#[derive(Clone, Copy, Debug)]
pub struct ReportRequest {
    /// The space of the boundaries: z or w.
    pub space: LatentSpace,
    /// How many faces are sampled and scored.
    pub samples: usize,
    /// How many of them are edited; at most all.
    pub faces: usize,
    /// How many faces every method of editing moves; 0 to compare no methods.
    pub compared: usize,
    /// The seed of the samples.
    pub seed: u32,
}

/// A report. The boundaries' order is the order of all rows, columns and axes of attributes.
#[derive(Clone, Debug)]
pub struct Report {
    /// The model's name.
    pub model: String,
    /// The model's digest.
    pub digest: String,
    /// What kind of media the model's images are.
    pub digital_source_type: DigitalSourceType,
    /// The request.
    pub request: ReportRequest,
    /// When it was made, in RFC 3339.
    pub date: String,
    /// One entry for each attribute that has both a boundary and a classifier.
    pub boundaries: Vec<BoundaryReport>,
    /// Cosines between the boundaries' normals.
    pub cosines: Array2<f64>,
    /// Pearson's correlations between the samples' scores.
    pub correlations: Array2<f64>,
    /// The signed distances that faces were moved to for the curves.
    pub positions: Vec<f64>,
    /// Mean scores `[edited, position, scored]` of the faces at these distances.
    pub curves: Array3<f64>,
    /// How far faces were moved for the changes, in units of distance.
    pub by: f64,
    /// Mean changes `[edited, scored]` of the scores after a plain edit, in standard deviations over the samples.
    pub plain: Array2<f64>,
    /// The same with all other attributes as conditions; `None` if these leave nothing of the edit.
    pub conditional: Vec<Option<Vec<f64>>>,
    /// How similar persons stay, if the model has an identity graph.
    pub identity: Option<IdentityReport>,
    /// For each attribute, images of the first face moved from −`by` to `by`, with all other attributes held if that is
    /// possible.
    pub strips: Vec<Vec<Image>>,
    /// The attributes that the model's classifiers score, the columns of [`DirectionReport::changes`].
    pub scored: Vec<String>,
    /// The boundaries that no classifier scores, such as `sefa-1`.
    pub directions: Vec<DirectionReport>,
    /// What says how similar persons stay in `methods`, if there are any and the model has a graph for it.
    pub identity_by: Option<IdentityMeasure>,
    /// What each method of editing does, at equal change of the target; empty if the methods are not compared.
    pub methods: Vec<MethodReport>,
    /// How close inversions of faces come without an edit, if methods are compared and edits can be undone.
    pub inverted_faces: Option<InvertedFaces>,
}

/// What a move along a boundary that no classifier scores does to every score.
#[derive(Clone, Debug)]
pub struct DirectionReport {
    /// The name of the boundary.
    pub attribute: String,
    /// Mean changes of the scores after a plain edit, in standard deviations over the samples.
    pub changes: Vec<f64>,
    /// Images of the first face moved from −`by` to `by`.
    pub strip: Vec<Image>,
}

/// How well a boundary separates new samples.
#[derive(Clone, Debug)]
pub struct BoundaryReport {
    /// The attribute.
    pub attribute: String,
    /// The score above which a face has the attribute.
    pub threshold: f64,
    /// The standard deviation of the samples' scores.
    pub standard_deviation: f64,
    /// How many samples have the highest scores, and how many the lowest.
    pub samples_per_end: usize,
    /// The share of these samples that is on the correct side.
    pub accuracy_at_ends: f64,
    /// The share of all samples that is on the side that the threshold says.
    pub accuracy: f64,
}

/// How similar persons stay when their faces are edited: mean similarities to the faces before, from −1 to 1, one for each
/// edited attribute.
#[derive(Clone, Debug)]
pub struct IdentityReport {
    /// At each distance from the boundary, `[edited, position]`.
    pub curves: Array2<f64>,
    /// After the plain edit.
    pub plain: Vec<f64>,
    /// After the edit with all other attributes held; `None` if there is no such edit.
    pub conditional: Vec<Option<f64>>,
}

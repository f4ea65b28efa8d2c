//! Why an operation on a face fails. Each message says what was found, what was expected, and what exists.

use crate::catalog::CatalogError;
use crate::editor::InversionMethod;
use crate::engine::EngineError;
use crate::imaging::{DecodeError, FramingError, ImagingError, LandmarksError};
use crate::latent::{LatentError, LatentSpace};

/// An operation on a face failed.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// No such model.
    #[error("no model is called {found:?}; there is {}", listed(known))]
    UnknownModel {
        /// The name asked for.
        found: String,
        /// The models that are loaded.
        known: Vec<String>,
    },
    /// The model has no boundary for the attribute in the space of the edit.
    #[error(
        "model {model} has no boundary for {found:?} in {space}; it has {}",
        boundaries(known)
    )]
    UnknownAttribute {
        /// The model.
        model: String,
        /// The attribute asked for.
        found: String,
        /// The space of the edit.
        space: LatentSpace,
        /// The boundaries that it has.
        known: Vec<(String, LatentSpace)>,
    },
    /// The model's generator has no such space.
    #[error("model {model} has no {found} codes; it has {}", listed(known))]
    NoSuchSpace {
        /// The model.
        model: String,
        /// The space asked for.
        found: LatentSpace,
        /// The spaces that it has.
        known: Vec<LatentSpace>,
    },
    /// A code's shape does not fit the model.
    #[error(
        "a {space} code of model {model} has shape [{}, {}] (a single row may be given flat), found [{}, {}]",
        expected.0, expected.1, found.0, found.1
    )]
    CodeShape {
        /// The model.
        model: String,
        /// The code's space.
        space: LatentSpace,
        /// Rows and columns found.
        found: (usize, usize),
        /// Rows and columns that would fit.
        expected: (usize, usize),
    },
    /// A code that has passed one network cannot be taken back through it.
    #[error(
        "a {found} code cannot be turned into {wanted}; ask for {found}, or give a code from earlier on: z → w → w+"
    )]
    NoWayBack {
        /// The code's space.
        found: LatentSpace,
        /// The space asked for.
        wanted: LatentSpace,
    },
    /// Truncation was asked of a model that cannot.
    #[error(
        "model {model} cannot truncate: its manifest names no mean code (truncation.w_avg); leave psi out"
    )]
    NoTruncation {
        /// The model.
        model: String,
    },
    /// Truncation was asked for a code that is past mapping.
    #[error(
        "truncation happens when z is mapped to w, and a {found} code is synthesized as it is; leave psi out"
    )]
    TruncatedLater {
        /// The code's space.
        found: LatentSpace,
    },
    /// The model lacks a graph that inversion needs.
    #[error(
        "model {model} cannot invert pictures{}: its manifest names no graph for it; add {lacking} (onnx/README.md says how)",
        asked.map(|method| format!(" by {method}")).unwrap_or_default()
    )]
    CannotInvert {
        /// The model.
        model: String,
        /// The method asked for.
        asked: Option<InversionMethod>,
        /// What its manifest would have to name.
        lacking: &'static str,
    },
    /// A crop or landmarks do not fit their picture.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// A file cannot be taken as a picture.
    #[error("image: {0}")]
    Undecodable(#[from] DecodeError),
    /// The model's landmark graph did not find a face.
    #[error(
        "the model's landmark graph finds no face: {0}; say by `landmarks` where it is, or by `crop` which part to take"
    )]
    NoFace(LandmarksError),
    /// A report was asked for where nothing can be judged.
    #[error(
        "model {model} has no boundary in {space} of an attribute that its classifiers score, so there is nothing to report on"
    )]
    NothingToReport {
        /// The model.
        model: String,
        /// The space asked for.
        space: LatentSpace,
    },
    /// A report was asked of a job that has none.
    #[error("job {id} has no report: it {why}")]
    NoReport {
        /// The job.
        id: String,
        /// What it does instead.
        why: &'static str,
    },
    /// Scores were asked of a model that has no classifier.
    #[error("model {model} has no classifier: its manifest names none, so nothing scores its faces")]
    NoClassifier {
        /// The model.
        model: String,
    },
    /// A boundary's attribute has no usable name.
    #[error(
        "found the attribute {found:?}, expected a name of 1 to 64 characters, without blanks around it or line breaks"
    )]
    AttributeName {
        /// The name found.
        found: String,
    },
    /// A boundary was found for another generator.
    #[error(
        "the boundary is of a generator of digest {found}, but that of {model} has {expected}: its codes mean other faces"
    )]
    ForeignBoundary {
        /// The model.
        model: String,
        /// The digest that the boundary records.
        found: String,
        /// The digest of this model's generator.
        expected: String,
    },
    /// A boundary's shape does not fit the model.
    #[error(
        "a {space} boundary of model {model} has shape [{}, {}], found [{}, {}]",
        expected.0, expected.1, found.0, found.1
    )]
    BoundaryShape {
        /// The model.
        model: String,
        /// The boundary's space.
        space: LatentSpace,
        /// Rows and columns found.
        found: (usize, usize),
        /// Rows and columns that would fit.
        expected: (usize, usize),
    },
    /// No classifier scores an attribute.
    #[error(
        "no classifier of model {model} scores {found:?}; they score {}",
        listed(known)
    )]
    NotScored {
        /// The model.
        model: String,
        /// The attribute asked for.
        found: String,
        /// The attributes that are scored.
        known: Vec<String>,
    },
    /// A boundary in w+ was asked for from sampled codes.
    #[error(
        "sampled w+ codes are w codes, repeated; train in w, whose boundaries move w+ codes too, or give w+ codes with          their scores"
    )]
    TrainedInW,
    /// Codes would take too much memory.
    #[error("found {found} samples, expected at most {most}: their codes are kept in memory")]
    TooManySamples {
        /// Samples asked for.
        found: usize,
        /// The most that there may be.
        most: usize,
    },
    /// No such job.
    #[error("no job is called {found:?}; /v1/jobs lists those that there are")]
    UnknownJob {
        /// The id asked for.
        found: String,
    },
    /// Too many jobs wait.
    #[error(
        "{most} jobs are under way or wait, and there is room for no more; try again later, or cancel one"
    )]
    TooManyJobs {
        /// The most that there may be.
        most: usize,
    },
    /// The service is ending, and begins nothing that takes long.
    #[error("the service is shutting down; ask another instance")]
    Closing,
    /// A change could not be kept, and was not made.
    #[error("the change cannot be kept, and was not made: {0}")]
    NotKept(#[from] CatalogError),
    /// An edit names no attribute.
    #[error(
        "no edits: name at least one attribute and how far to move, such as {{\"attribute\": \"smile\", \"by\": 2}}"
    )]
    NoEdits,
    /// The conditional edit names no condition.
    #[error("no conditions: name at least one attribute to hold, or use the plain edit")]
    NoConditions,
    /// An edit says neither how far nor that it follows a trajectory.
    #[error(
        "the edit of {attribute:?} does not say how far: give \"by\" or \"to\", or a trajectory for it to follow"
    )]
    NoAmount {
        /// The attribute.
        attribute: String,
    },
    /// A trajectory is given, and every edit has an amount of its own.
    #[error(
        "a trajectory is given, but every edit has an amount of its own; leave out the amount of the one to follow it"
    )]
    NothingFollows,
    /// A score is aimed for beside other moves.
    #[error("a score can be aimed for by one edit alone, without others beside it and without a trajectory")]
    AimsAlone,
    /// A score was asked for that the classifier cannot give.
    #[error(
        "the score of {attribute:?} is {found}, expected a probability above 0 and below 1, such as 0.9: that is what its \
         classifier says, whether as a logit or as it is"
    )]
    NoScore {
        /// The attribute.
        attribute: String,
        /// The score asked for.
        found: f64,
    },
    /// An amount or a value of a code is far outside of anything that a generator has seen.
    #[error(
        "{what} is {found}, expected a number from -{limit} to {limit}: a sampled code lies within about ±5"
    )]
    OutOfRange {
        /// What is out of range.
        what: String,
        /// The number found.
        found: f64,
        /// The largest magnitude that is taken.
        limit: f64,
    },
    /// The mathematics refuses.
    #[error(transparent)]
    Latent(#[from] LatentError),
    /// A network failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The generator's output is no picture, or none that the file format holds.
    #[error(transparent)]
    Imaging(#[from] ImagingError),
}

fn listed<T: std::fmt::Display>(names: &[T]) -> String {
    names
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn boundaries(known: &[(String, LatentSpace)]) -> String {
    if known.is_empty() {
        return "none at all".to_owned();
    }
    let named: Vec<_> = known
        .iter()
        .map(|(attribute, space)| format!("{attribute} in {space}"))
        .collect();
    named.join(", ")
}

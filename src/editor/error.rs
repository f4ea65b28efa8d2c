//! Why an operation on a face failed. Each message says what was found, what was expected, and what to do.

use crate::catalog::CatalogError;
use crate::editor::{
    BlendError, InversionMethod, JobError, ModelChangeError, OriginalError, ReportError, StyleError,
};
use crate::engine::{EngineError, MemoryError};
use crate::imaging::{DecodeError, FramingError, ImagingError, LandmarksError};
use crate::latent::{LatentError, LatentSpace};

/// An operation on a face failed.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// There is no model of this name.
    #[error("no model is called {found:?}; there is {}", listed(known))]
    UnknownModel {
        /// The requested name.
        found: String,
        /// The names of the loaded models.
        known: Vec<String>,
    },
    /// The model has another digest than the request names: its files or its boundaries have changed.
    #[error(
        "the model {model} has the digest {loaded}, found {found:?}; ask for {model}@{loaded}, or for {model}"
    )]
    OtherDigest {
        /// The model.
        model: String,
        /// The requested digest.
        found: String,
        /// The digest of the loaded model.
        loaded: String,
    },
    /// The model has no boundary for the attribute in this space.
    #[error(
        "model {model} has no boundary for {found:?} in {space}; it has {}",
        boundaries(known, *others)
    )]
    UnknownAttribute {
        /// The model.
        model: String,
        /// The requested attribute.
        found: String,
        /// The space of the edit.
        space: LatentSpace,
        /// The first of the model's boundaries.
        known: Vec<(String, LatentSpace)>,
        /// How many others it has.
        others: usize,
    },
    /// The model's generator has no such space.
    #[error("model {model} has no {found} codes; it has {}", listed(known))]
    NoSuchSpace {
        /// The model.
        model: String,
        /// The requested space.
        found: LatentSpace,
        /// The generator's spaces.
        known: Vec<LatentSpace>,
    },
    /// A code's shape does not fit the model.
    #[error(
        "found a {space} code of shape [{}, {}], expected [{}, {}] for model {model} (a single row may be given flat)",
        found.0, found.1, expected.0, expected.1
    )]
    CodeShape {
        /// The model.
        model: String,
        /// The code's space.
        space: LatentSpace,
        /// Rows and columns found.
        found: (usize, usize),
        /// Rows and columns expected.
        expected: (usize, usize),
    },
    /// A code cannot be converted to an earlier space.
    #[error(
        "found a {found} code, which cannot become a {wanted} code: conversion goes z → w → w+ → s only; ask for {found}, or \
         send a code in an earlier space"
    )]
    Irreversible {
        /// The code's space.
        found: LatentSpace,
        /// The requested space.
        wanted: LatentSpace,
    },
    /// A request asks for truncation, and the model cannot truncate.
    #[error(
        "model {model} cannot truncate, because its manifest names no mean code (truncation.w_avg); leave psi out"
    )]
    NoTruncation {
        /// The model.
        model: String,
    },
    /// A request asks for truncation of a code that is not mapped.
    #[error(
        "found psi or truncation_layers with a {found} code, which is synthesized as it is: truncation happens when z is \
         mapped to w; leave them out"
    )]
    AlreadyMapped {
        /// The code's space.
        found: LatentSpace,
    },
    /// A request has a label, and the generator is not class-conditional.
    #[error("model {model} has no classes, because its mapping takes no label; leave label out")]
    NoClasses {
        /// The model.
        model: String,
    },
    /// A z code of a class-conditional generator has no label.
    #[error(
        "found a z code without a label, and model {model} maps z with one; add label, a class from 0 to {} or {classes} numbers",
        classes - 1
    )]
    NoLabel {
        /// The model.
        model: String,
        /// Its number of classes.
        classes: usize,
    },
    /// The model lacks a graph that inversion needs.
    #[error(
        "model {model} cannot invert images{}, because its manifest has no entry for it; add {missing} (onnx/README.md \
         says how)",
        asked.map(|method| format!(" by {method}")).unwrap_or_default()
    )]
    CannotInvert {
        /// The model.
        model: String,
        /// The requested method.
        asked: Option<InversionMethod>,
        /// What the manifest would have to name.
        missing: &'static str,
    },
    /// A crop or landmarks do not fit the image.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// The part of an image to invert has too few pixels.
    #[error(
        "found {}×{} pixels to invert, expected at least {}×{}; send a larger image or a larger part of it",
        found[0], found[1], least[0], least[1]
    )]
    ImageTooSmall {
        /// The width and the height of the part.
        found: [usize; 2],
        /// The least width and height.
        least: [usize; 2],
    },
    /// A file cannot be decoded as an image.
    #[error("image: {0}")]
    Undecodable(DecodeError),
    /// The model's landmark graph found no face.
    #[error(
        "the model's landmark graph found no face: {0}; give the face's position as `landmarks`, or the part to use as `crop`"
    )]
    NoFace(LandmarksError),
    /// A report is not possible.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The model has no classifier.
    #[error(
        "model {model} cannot score faces, because its manifest names no classifier; add one under [[classifiers]] in its \
         manifest.toml, as onnx/README.md says"
    )]
    NoClassifier {
        /// The model.
        model: String,
    },
    /// An attribute's name differs from another one by case only.
    #[error(
        "found the attribute {found:?}, but model {model} has {known:?}; expected names that differ by more than case, because not \
         all file systems tell them apart: write {known:?}, or choose another name"
    )]
    SimilarAttribute {
        /// The model.
        model: String,
        /// The name found.
        found: String,
        /// The name of the model's attribute.
        known: String,
    },
    /// The model has as many boundaries as it may have.
    #[error(
        "model {model} has {found} boundaries and would get {new} more; expected at most {most} (--max-boundaries): delete others \
         first"
    )]
    TooManyBoundaries {
        /// The model.
        model: String,
        /// Boundaries that it has.
        found: usize,
        /// Boundaries that it would get.
        new: usize,
        /// Most boundaries of a model.
        most: usize,
    },
    /// The boundaries of all models would take too much memory.
    #[error(
        "the boundaries of all models would take {found} bytes, expected at most {most} (--boundary-memory); delete some"
    )]
    BoundaryMemory {
        /// Memory with the new boundary, in bytes.
        found: usize,
        /// Most memory, in bytes.
        most: usize,
    },
    /// A boundary was trained for another generator.
    #[error(
        "found a boundary of the generator with digest {found}, expected {expected}, the generator of model {model}: their \
         codes mean different faces"
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
        "found a {space} boundary of shape [{}, {}], expected [{}, {}] for model {model}",
        found.0, found.1, expected.0, expected.1
    )]
    BoundaryShape {
        /// The model.
        model: String,
        /// The boundary's space.
        space: LatentSpace,
        /// Rows and columns found.
        found: (usize, usize),
        /// Rows and columns expected.
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
        /// The requested attribute.
        found: String,
        /// The attributes that are scored.
        known: Vec<String>,
    },
    /// A request asks to sample codes in w+.
    #[error(
        "found the space w+ for sampled codes, expected z or w: a sampled w+ code is a repeated w code; train in w, as w \
         boundaries also move w+ codes, or send w+ codes with their scores"
    )]
    SampledWPlus,
    /// The model has no styles, or a ranking of its style channels is impossible.
    #[error(transparent)]
    Styles(#[from] StyleError),
    /// Faces cannot be blended.
    #[error(transparent)]
    Blend(#[from] BlendError),
    /// Directions cannot be found by this method.
    #[error("{0}")]
    NoDirections(String),
    /// The codes would take too much memory.
    #[error(
        "found {found} samples, expected at most {most}, because their codes are kept in memory; use fewer, or start the service with a larger --memory"
    )]
    TooManySamples {
        /// Requested samples.
        found: usize,
        /// Most samples.
        most: usize,
    },
    /// The request's timeout passed before a change began, so the change is not made.
    #[error("the request's timeout passed before the change began; nothing has changed")]
    TooLate,
    /// A change could not be stored. It was not made here. A store that does not answer may make it nevertheless.
    #[error("the change could not be stored and was not made here: {error}{advice}", error = .0, advice = .0.advice_on_change())]
    NotStored(CatalogError),
    /// An edit has no amount, and the request has no trajectory.
    #[error("the edit of {attribute:?} has no amount; give \"by\", \"to\" or \"to_score\", or a trajectory")]
    NoAmount {
        /// The attribute.
        attribute: String,
    },
    /// A request has a trajectory, and every edit has its own amount.
    #[error("found a trajectory that no edit follows; leave out the amount of the edit that is to follow it")]
    UnusedTrajectory,
    /// A target score stands beside other edits or a trajectory.
    #[error("found \"to_score\" beside another edit or a trajectory, expected it in a single edit alone")]
    ScoreNotAlone,
    /// An edit cannot follow a gradient.
    #[error("found {found} with along=gradient, expected {expected}")]
    UnfitForGradient {
        /// What the request has.
        found: &'static str,
        /// What it may have.
        expected: &'static str,
    },
    /// The classifier cannot give the target score.
    #[error(
        "found the target score {found} for {attribute:?}, expected a probability above 0 and below 1, such as 0.9, because \
         its classifier gives logits or probabilities"
    )]
    InvalidScore {
        /// The attribute.
        attribute: String,
        /// The target score.
        found: f64,
    },
    /// An amount or a value of a code is far outside of what any generator has learned.
    #[error(
        "{what} is {found}, expected a number from -{limit} to {limit}: values of sampled codes lie within about ±5"
    )]
    OutOfRange {
        /// What is out of range.
        what: String,
        /// The number found.
        found: f64,
        /// The largest magnitude allowed.
        limit: f64,
    },
    /// A step inside the service computed a code with a value that is not finite.
    #[error("{step} gave a code that is not finite: {reason}")]
    NotFinite {
        /// The step.
        step: &'static str,
        /// Which value it was.
        reason: LatentError,
    },
    /// No boundary came with the model, or one that did is to be deleted.
    #[error(transparent)]
    Original(#[from] OriginalError),
    /// A model cannot be loaded, reloaded or dropped.
    #[error(transparent)]
    ModelChange(#[from] ModelChangeError),
    /// There is no such job, it lacks what is asked for, or none can be queued.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The latent code, the boundary or the edit is invalid.
    #[error(transparent)]
    Latent(#[from] LatentError),
    /// The memory for the operation is not free.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// A network failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The generator's output is not an image, or the file format cannot hold it.
    #[error(transparent)]
    Imaging(#[from] ImagingError),
}

impl EditorError {
    /// Turns an error about a code that `step` computed into an error of the service, for the caller did not choose that
    /// code.
    pub(crate) fn computed(step: &'static str) -> impl Fn(LatentError) -> Self {
        move |error| match error {
            LatentError::NotFinite { .. } => Self::NotFinite { step, reason: error },
            other => Self::Latent(other),
        }
    }
}

// The messages of these two contain the cause, so the cause is not a `source`: a printed chain would repeat it.
impl From<CatalogError> for EditorError {
    fn from(error: CatalogError) -> Self {
        Self::NotStored(error)
    }
}

impl From<DecodeError> for EditorError {
    fn from(error: DecodeError) -> Self {
        Self::Undecodable(error)
    }
}

fn listed<T: std::fmt::Display>(names: &[T]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn boundaries(known: &[(String, LatentSpace)], others: usize) -> String {
    if known.is_empty() {
        return "none at all".to_owned();
    }
    let named: Vec<_> = known
        .iter()
        .map(|(attribute, space)| format!("{attribute} in {space}"))
        .collect();
    let others = (others > 0).then(|| format!(", and {others} others"));
    named.join(", ") + &others.unwrap_or_default()
}

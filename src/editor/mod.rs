//! The operations on faces: sample, edit, conditionally edit, score. Knows no HTTP and no `ort`.
//!
//! A request names a [`FaceSource`]; a [`Model`] turns it into a code, moves the code, and draws it. [`Models`] holds the
//! models that are loaded.

mod boundaries;
mod codes;
mod edit;
mod error;
mod face;
pub(crate) mod inversion;
pub(crate) mod jobs;
pub(crate) mod judging;
mod load;
mod model;
mod models;
mod render;
mod sample;
mod score;
pub(crate) mod score_search;
pub(crate) mod training;
mod warning;

pub use edit::{EditDirection, EditRequest, EditStep, Edited, PositionKind, Series};
pub use error::EditorError;
pub use face::{Face, FaceSource, TruncationChoice};
pub use inversion::invert::{InversionMethod, InvertRequest, Inverted, UndecodedPicture};
pub use inversion::optimization::{OptimizationResult, Progress};
pub use jobs::job::{Job, JobState, Stage};
pub use jobs::jobs::Jobs;
pub use judging::report::{BoundaryReport, Report, ReportRequest};
pub use judging::rescoring::Identity;
pub use load::LoadError;
pub use model::Model;
pub use models::Models;
pub use sample::{SampleRequest, Sampled};
pub use score::{ScoreRequest, Scored};
pub use score_search::score_search::ScoreSearchResult;
pub use training::labelled_codes::{LabelledCodes, LabelledCodesError};
pub use training::train::{TrainRequest, TrainSource};
pub use warning::Warning;

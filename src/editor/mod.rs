//! The operations on faces: sample, edit, conditionally edit, score. Knows no HTTP and no `ort`.
//!
//! A request names a [`FaceSource`]; a [`Model`] turns it into a code, moves the code, and draws it. [`Models`] holds the
//! models that are loaded.

mod aim;
mod approach;
mod boundaries;
mod codes;
mod date;
mod descend;
mod edit;
mod error;
mod face;
mod given;
mod identity;
mod invert;
mod job;
mod jobs;
mod load;
mod model;
mod models;
mod render;
mod report;
mod rescoring;
mod sample;
mod score;
mod train;
mod warning;
mod watched;

pub use aim::Aimed;
pub use descend::{Descended, Progress};
pub use edit::{EditRequest, EditStep, Edited, Follow, Series, Steering};
pub use error::EditorError;
pub use face::{Face, FaceSource, TruncationChoice};
pub use given::{GivenCodes, GivenError};
pub use invert::{InvertRequest, Inverted, Method, UndecodedPicture};
pub use job::{Job, JobState, Stage};
pub use jobs::Jobs;
pub use load::LoadError;
pub use model::Model;
pub use models::Models;
pub use report::{JudgedPlane, Report, ReportRequest};
pub use rescoring::Identity;
pub use sample::{SampleRequest, Sampled};
pub use score::{ScoreRequest, Scored};
pub use train::{TrainRequest, TrainSource};
pub use warning::Warning;

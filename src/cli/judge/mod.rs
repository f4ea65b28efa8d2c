//! `faceplane judge`: how good a model's boundaries and all methods of editing are, as tables, curves and a report.

mod command;
mod error;
mod tables;

pub use command::Judge;
pub use error::JudgeError;

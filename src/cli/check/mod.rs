//! `faceplane check`: what the networks of a model folder say of sample faces, and what looks wrong.

mod command;
mod error;
mod report;
mod sheet;

pub use command::Check;
pub use error::CheckError;

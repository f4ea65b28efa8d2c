//! `faceplane import`: makes a model folder of a checkpoint or of ONNX files, or adds to one.
//!
//! | to find | look in |
//! | --- | --- |
//! | the command's settings, and its steps | [`Import`] |
//! | what a file holds | `source` |
//! | a new folder for a generator, and the text of its manifest | `new_model`, `manifest` |
//! | a classifier, an encoder, another network or boundaries for a folder | `addition`, `existing_model` |
//! | the trial of the finished folder: its checks, four faces | `trial` |
//! | what the command says about a file, in words and as JSON | `summary` |

mod addition;
mod command;
mod error;
mod existing_model;
mod manifest;
mod new_model;
mod source;
mod summary;
mod trial;

pub use command::Import;
pub use error::ImportCommandError;

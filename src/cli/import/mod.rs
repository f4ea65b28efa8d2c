//! `faceplane import`: makes a model folder of a checkpoint, so that the service can serve it.
//!
//! | to find | look in |
//! | --- | --- |
//! | the command's settings, and its steps | [`Import`] |
//! | what a file holds | `source` |
//! | the text of the manifest | `manifest` |
//! | the trial of the finished folder: its checks, four faces | `trial` |
//! | what the command says about a file, in words and as JSON | `summary` |

mod command;
mod error;
mod manifest;
mod source;
mod summary;
mod trial;

pub use command::Import;
pub use error::ImportCommandError;

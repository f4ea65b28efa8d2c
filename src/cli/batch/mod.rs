//! `faceplane batch`: the faces of many seeds, in shards that can run on many machines.
//!
//! | to find | look in |
//! | --- | --- |
//! | the settings | `settings` |
//! | what the command does, step by step | `command` |
//! | one face on its way to the disk | `row` |
//! | what it prints at its end | `summary` |
//! | why it ends early | `error` |

mod command;
mod error;
mod row;
mod settings;
mod summary;

pub use error::BatchError;
pub use settings::Batch;

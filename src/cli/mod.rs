//! The command line: the program's commands, their settings and what each command does.
//!
//! It builds the other layers into a program. It never speaks HTTP itself and never decides how a face is edited.
//!
//! | to find | look in |
//! | --- | --- |
//! | the list of commands; completions of a shell | [`Cli`], [`Action`], [`Completions`] |
//! | the settings of `faceplane serve`, their defaults and limits | [`Config`] |
//! | how a settings file is merged with flags and environment | `settings_file` |
//! | what happens between start and shutdown | [`serve`](fn@serve) |
//! | the signals, and the end of the process | `shutdown` |
//! | checkpoints and ONNX files, made to model folders | [`Import`] |
//! | the networks of a model folder, checked on sample faces | [`Check`] |
//! | how good boundaries and methods of editing are | [`Judge`] |
//! | the faces of many seeds, on one machine or on many | [`Batch`] |
//! | boundaries without a service | [`TrainBoundary`] |
//! | directions without labels | [`Directions`] |
//! | models in a store: published, withdrawn, and where they are downloaded to | [`Publish`], [`Withdraw`], `download_folder` |
//! | keys for clients, and their file | [`Key`], `api_keys` |
//! | what `--listen` accepts | [`ListenAddress`] |
//! | faces without a service: the API's operations as commands | [`RequestCommand`] |
//! | the name of the machine | `host_name` |
//! | the health check of containers | [`check_health`] |

mod alone;
mod api_keys;
mod batch;
mod check;
mod command;
mod directions;
mod download_folder;
mod health;
mod host_name;
mod import;
mod judge;
mod key;
mod listen_address;
mod model_watch;
mod progress_line;
mod publish;
mod requests;
mod sample_files;
mod serve;
mod settings;
mod settings_file;
mod shutdown;
mod train_boundary;
mod train_boundary_error;

pub use alone::ModelJobError;
pub use batch::{Batch, BatchError};
pub use check::{Check, CheckError};
pub use command::{Action, Cli, Completions};
pub use directions::{Directions, DirectionsError};
pub use health::{HealthConfig, HealthError, check_health};
pub use import::{Import, ImportCommandError};
pub use judge::{Judge, JudgeError};
pub use key::Key;
pub use listen_address::ListenAddress;
pub use publish::{Publish, Withdraw};
pub use requests::{RequestCommand, RequestError};
pub use serve::serve;
pub use settings::Config;
pub use settings_file::ConfigError;
pub use shutdown::end_now;
pub use train_boundary::TrainBoundary;
pub use train_boundary_error::TrainBoundaryError;

//! The commands of the program and their settings.

pub(crate) mod health;
pub(crate) mod settings;
pub(crate) mod train_boundary;

pub use health::{ProbeError, ask};
pub use settings::{Action, Cli, Config, ConfigError, HealthConfig, LogFormat};
pub use train_boundary::{TrainBoundary, TrainBoundaryError};

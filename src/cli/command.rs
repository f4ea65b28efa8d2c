//! The commands of the program.

use std::ffi::OsString;
use std::io;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::{Shell, generate};

use super::settings_file::with_defaults_from;
use super::{
    Batch, Check, Config, ConfigError, Directions, HealthConfig, Import, Judge, Key, Publish, RequestCommand,
    TrainBoundary, Withdraw,
};

/// InterFaceGAN as an HTTP service: sample, edit and conditionally edit faces in a GAN's latent space.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub action: Action,
}

/// A command and its settings.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Run the service
    Serve(Box<Config>),
    /// An operation of the API without a service
    #[command(flatten)]
    Request(Box<RequestCommand>),
    /// Make the faces of many seeds: codes, scores and pictures, in shards that can run on many machines
    Batch(Box<Batch>),
    /// Make a model folder of a checkpoint, or add networks to one
    Import(Box<Import>),
    /// Show what the networks of a model folder say of sample faces, and warn of what looks wrong
    Check(Check),
    /// Train boundaries, and write them as files of a model folder
    TrainBoundary(Box<TrainBoundary>),
    /// Find directions without labels (SeFa, GANSpace), and write them as boundary files of a model folder
    Directions(Directions),
    /// Judge a model's boundaries and all methods of editing: tables, curves, a report
    Judge(Judge),
    /// Put a model folder into a store: the services on it load it, or replace the model of its name
    Publish(Publish),
    /// Remove a model from a store: the services on it drop it
    Withdraw(Withdraw),
    /// Make keys for clients of the service
    Key(Key),
    /// Check whether a running service is ready; exits with 0 if it is (for container health checks)
    Health(HealthConfig),
    /// Print a script that completes commands and flags in a shell
    Completions(Completions),
}

/// The settings of `faceplane completions`.
#[derive(Clone, Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    /// Prints the script.
    pub fn run(&self) {
        let mut command = Cli::command();
        let name = command.get_name().to_owned();
        generate(self.shell, &mut command, name, &mut io::stdout());
    }
}

impl Cli {
    /// Reads the command and its settings.
    ///
    /// `arguments` starts with the program's name. A flag overrides the environment, and the environment overrides the
    /// settings file.
    ///
    /// # Errors
    /// [`ConfigError`]. A [`clap::Error`] inside prints itself as help or as usage.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, ConfigError> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let cli = Self::try_parse_from(&arguments)?;
        let file = match &cli.action {
            Action::Serve(config) => config.config.clone(),
            Action::Request(_)
            | Action::Batch(_)
            | Action::Import(_)
            | Action::Check(_)
            | Action::TrainBoundary(_)
            | Action::Directions(_)
            | Action::Judge(_)
            | Action::Publish(_)
            | Action::Withdraw(_)
            | Action::Key(_)
            | Action::Health(_)
            | Action::Completions(_) => None,
        };
        let Some(file) = file else {
            return Ok(cli);
        };
        // The file's values replace the built-in defaults, then the arguments are parsed again.
        let command = with_defaults_from(file, Self::command())?;
        Ok(Self::from_arg_matches(&command.try_get_matches_from(arguments)?)?)
    }
}

//! Settings of the service: from a file, the environment and the command line, each winning over those before it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::catalog::parse_toml;
use crate::cli::TrainBoundary;
use crate::engine::Device;

/// InterFaceGAN as an HTTP service: sample, edit and conditionally edit faces in a GAN's latent space.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Run the service
    Serve(Box<Config>),
    /// Find boundaries as the paper does, and write them as files of a model folder
    TrainBoundary(Box<TrainBoundary>),
    /// Ask a running service whether it is ready; exits with 0 if it is, for container health checks
    Health(HealthConfig),
}

/// Where the service is.
#[derive(Clone, Debug, Args)]
pub struct HealthConfig {
    /// Address and port that the service listens on
    #[arg(
        long,
        env = "FACEPLANE_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,
}

/// Settings of the service. Every flag has an environment variable, `FACEPLANE_` and its name; a flag wins over the
/// environment, and the environment over the file.
#[derive(Clone, Debug, Args)]
pub struct Config {
    /// A TOML file with any of these settings, named as the flags are (listen = "0.0.0.0:8080")
    #[arg(long, env = "FACEPLANE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Address and port to listen on; port 0 takes a free one and says which
    #[arg(
        long,
        env = "FACEPLANE_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,

    /// A model folder to load beside the bundled model; may be given several times, or separated by commas
    #[arg(long, env = "FACEPLANE_MODEL", value_delimiter = ',', value_name = "DIR")]
    pub model: Vec<PathBuf>,

    /// The model of requests that name none [default: the bundled one]
    #[arg(long, env = "FACEPLANE_DEFAULT_MODEL", value_name = "NAME")]
    pub default_model: Option<String>,

    /// ONNX Runtime's library [default: beside the program, .onnxruntime/ here, or the system's]
    #[arg(long, env = "FACEPLANE_ONNXRUNTIME", value_name = "PATH")]
    pub onnxruntime: Option<PathBuf>,

    /// Where networks run: cpu, cuda, or cuda:N (a program built with the feature cuda)
    #[arg(long, env = "FACEPLANE_DEVICE", default_value = "cpu", value_name = "DEVICE")]
    pub device: Device,

    /// Generators of each model that work side by side, each with its own memory [default: two on a processor of several
    /// cores, or one of a single thread for each of the threads where a run at the start shows that as fast; one on a GPU]
    #[arg(long, env = "FACEPLANE_REPLICAS", value_name = "COUNT", value_parser = positive)]
    pub replicas: Option<u32>,

    /// Threads of each network [default: one for each core, or one on a GPU]
    #[arg(long, env = "FACEPLANE_THREADS", value_name = "COUNT", value_parser = positive)]
    pub threads: Option<u32>,

    /// Images of each model that may be under way or wait before requests are refused with 503
    #[arg(long, env = "FACEPLANE_QUEUE", default_value = "256", value_name = "COUNT", value_parser = positive)]
    pub queue: u32,

    /// Longest expected wait of a request, in seconds, by the time of the runs so far; refused with 503 beyond it, and beyond a few
    /// runs while more is asked for than can be drawn
    #[arg(long, env = "FACEPLANE_LONGEST_WAIT", default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub longest_wait: Duration,

    /// How long a run of the generator that is not full waits for more images, in milliseconds
    #[arg(
        long,
        env = "FACEPLANE_BATCH_WAIT",
        default_value_t = 0,
        value_name = "MILLISECONDS"
    )]
    pub batch_wait: u32,

    /// Longest time for one request, in seconds; a request may ask for less in Faceplane-Timeout
    #[arg(long, env = "FACEPLANE_TIMEOUT", default_value = "60", value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Duration,

    /// Longest time to finish open requests after SIGTERM, in seconds
    #[arg(long, env = "FACEPLANE_DRAIN", default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    pub drain: Duration,

    /// Most faces in one answer
    #[arg(long, env = "FACEPLANE_MAX_IMAGES", default_value = "64", value_name = "COUNT", value_parser = positive)]
    pub max_images: u32,

    /// Memory for answers to seeded requests, in MiB; 0 keeps none
    #[arg(long, env = "FACEPLANE_CACHE", default_value_t = 64, value_name = "MIB")]
    pub cache: u32,

    /// A folder that keeps boundaries changed through the API; without one the changes end with the service
    #[arg(long, env = "FACEPLANE_STORE", value_name = "DIR")]
    pub store: Option<PathBuf>,

    /// What the log says: error, warn, info, debug, or a filter such as faceplane=debug
    #[arg(long, env = "FACEPLANE_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,

    /// How the log is written
    #[arg(
        long,
        env = "FACEPLANE_LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why the settings cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The command line or the environment is wrong; also the answer to `--help`.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}: {reason}", file.display())]
    Toml {
        /// The file.
        file: PathBuf,
        /// What is wrong, with the line.
        reason: String,
    },
    /// The file has a key that is no setting.
    #[error("{}: there is no setting {key:?}; there is {}", file.display(), known.join(", "))]
    UnknownKey {
        /// The file.
        file: PathBuf,
        /// The key found.
        key: String,
        /// The settings.
        known: Vec<String>,
    },
    /// The file gives a setting a value that it cannot have.
    #[error("{}: {key} is {found}, expected a text, a number, or a list of texts", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The setting.
        key: String,
        /// The value found.
        found: String,
    },
}

impl Cli {
    /// Reads the settings from `arguments` (the program's name first), the environment, and the file that they name.
    ///
    /// # Errors
    /// [`ConfigError`]; a [`clap::Error`] in it prints itself as help or as usage.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, ConfigError> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let cli = Self::try_parse_from(&arguments)?;
        let file = match &cli.action {
            Action::Serve(config) => config.config.clone(),
            Action::TrainBoundary(_) | Action::Health(_) => None,
        };
        let Some(file) = file else {
            return Ok(cli);
        };
        // The file's values become the defaults, and everything is read once more over them.
        let command = with_defaults(Self::command(), file)?;
        Ok(Self::from_arg_matches(&command.try_get_matches_from(arguments)?)?)
    }
}

/// The command, with the file's values in place of the built-in defaults.
fn with_defaults(command: Command, file: PathBuf) -> Result<Command, ConfigError> {
    let text = std::fs::read_to_string(&file).map_err(|source| ConfigError::Unreadable {
        file: file.clone(),
        source,
    })?;
    let table: toml::Table = parse_toml(&text).map_err(|reason| ConfigError::Toml {
        file: file.clone(),
        reason,
    })?;
    let serve = command
        .find_subcommand("serve")
        .expect("there is a command serve");
    let known: Vec<String> = serve
        .get_arguments()
        .filter_map(|argument| argument.get_long())
        .filter(|name| *name != "config")
        .map(str::to_owned)
        .collect();
    let mut defaults = Vec::with_capacity(table.len());
    for (key, value) in table {
        if !known.contains(&key) {
            return Err(ConfigError::UnknownKey { file, key, known });
        }
        let texts = texts(&value).ok_or_else(|| ConfigError::Value {
            file: file.clone(),
            key: key.clone(),
            found: value.to_string(),
        })?;
        defaults.push((key.replace('-', "_"), texts));
    }
    Ok(command.mut_subcommand("serve", |serve| {
        defaults.into_iter().fold(serve, |serve, (id, texts)| {
            serve.mut_arg(id, |argument| argument.default_values(texts))
        })
    }))
}

/// A setting's value as the command line would have it.
fn texts(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(vec![text.clone()]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Float(number) => Some(vec![number.to_string()]),
        toml::Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

fn positive(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|&number| number > 0);
    number.ok_or_else(|| "expected a whole number from 1".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok().filter(|&number: &f64| number > 0.0);
    let time = number.and_then(|number| Duration::try_from_secs_f64(number).ok());
    time.ok_or_else(|| "expected a number of seconds above 0".to_owned())
}

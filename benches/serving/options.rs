//! What is measured, and for how long.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use faceplane::catalog::{ModelFiles, ModelFolder};
use faceplane::engine::Device;

/// Measures the service beside a bare loop over the same graphs, and beside other servers.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Options {
    /// A model folder instead of the bundled model
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// ONNX Runtime's library
    #[arg(long, env = "FACEPLANE_ONNXRUNTIME", value_name = "PATH")]
    pub(crate) onnxruntime: PathBuf,
    /// Where the program and the bare loop run networks: cpu, cuda, or cuda:N (a bench built with the feature cuda)
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub(crate) device: Device,
    /// The program, where it lies elsewhere than where it was built
    #[arg(long, env = "FACEPLANE_PROGRAM", default_value = env!("CARGO_BIN_EXE_faceplane"), hide_default_value = true, value_name = "PATH")]
    pub(crate) program: String,
    /// Threads of each network [default: one for each core]
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// How often everything is measured, in turns
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: u32,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5.0)]
    pub(crate) seconds: f64,
    /// How often each server is started to see when its first picture comes, beside a first time that does not count; 0 leaves it out
    #[arg(long, default_value_t = 5)]
    pub(crate) starts: u32,
    /// Requests under way at once, in the closed loops
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32])]
    pub(crate) concurrency: Vec<usize>,
    /// Percentages of the bare loop's images a second, in the open loops
    #[arg(long, value_delimiter = ',', default_values_t = [50, 80, 120])]
    pub(crate) load: Vec<u32>,
    /// Seconds of the overload check, with clients that hang up; 0 leaves it out
    #[arg(long, default_value_t = 0.0)]
    pub(crate) overload: f64,
    /// Also measure single images beside a request for so many; 0 leaves it out
    #[arg(long, default_value_t = 64)]
    pub(crate) beside: u32,
    /// Also measure the program with other settings: NAME=ARGUMENTS; may be given several times
    #[arg(long, value_name = "NAME=ARGUMENTS", allow_hyphen_values = true)]
    pub(crate) variant: Vec<String>,
    /// Also measure another server: NAME=PATH COMMAND, which listens on the port in the environment's PORT and answers
    /// a POST of {"seed": N} to PATH with a PNG file; may be given several times
    #[arg(long, value_name = "NAME=PATH COMMAND")]
    pub(crate) peer: Vec<String>,
    /// Also measure a server that runs already: NAME=http://HOST:PORT/PATH; may be given several times
    #[arg(long, value_name = "NAME=URL")]
    pub(crate) url: Vec<String>,
    /// Also time Pillow's encoder, with a Python that has it
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) python: Option<PathBuf>,
    /// Write all figures to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// What `cargo bench` says to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

/// A server to be measured.
#[derive(Clone, Debug)]
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) kind: Kind,
}

/// How a server comes to run.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// The program of this crate, with arguments.
    Own(Vec<String>),
    /// Another program, with arguments.
    Peer(Vec<String>),
    /// It runs at this address.
    Running(String),
}

impl Options {
    /// One measurement's length.
    pub(crate) fn span(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// The model's folder.
    pub(crate) fn folder(&self) -> ModelFolder {
        self.model.clone().map_or(ModelFolder::Bundled, ModelFolder::Disk)
    }

    /// The servers, in the order of their turns.
    pub(crate) fn contestants(&self) -> anyhow::Result<Vec<Contestant>> {
        let mut found = vec![Contestant {
            name: "faceplane".to_owned(),
            path: "/v1/sample".to_owned(),
            kind: Kind::Own(self.own_arguments("")?),
        }];
        for text in &self.variant {
            let (name, arguments) = named(text)?;
            found.push(Contestant {
                name: name.to_owned(),
                path: "/v1/sample".to_owned(),
                kind: Kind::Own(self.own_arguments(arguments)?),
            });
        }
        for text in &self.peer {
            let (name, rest) = named(text)?;
            let mut words = rest.split_whitespace().map(str::to_owned);
            found.push(Contestant {
                name: name.to_owned(),
                path: words.next().context("--peer: a path comes after the name")?,
                kind: Kind::Peer(words.collect()),
            });
        }
        for text in &self.url {
            let (name, url) = named(text)?;
            let place = url
                .strip_prefix("http://")
                .context("--url: http:// comes first")?;
            let (address, path) = place.split_once('/').context("--url: a path comes last")?;
            found.push(Contestant {
                name: name.to_owned(),
                path: format!("/{path}"),
                kind: Kind::Running(address.to_owned()),
            });
        }
        Ok(found)
    }

    /// `serve`, the model, and what comes after it. Nothing is kept, so that every picture is drawn.
    fn own_arguments(&self, more: &str) -> anyhow::Result<Vec<String>> {
        let mut arguments: Vec<String> = ["serve", "--listen", "127.0.0.1:0", "--cache", "0"]
            .map(str::to_owned)
            .to_vec();
        if let Some(folder) = &self.model {
            let name = ModelFiles::read(&self.folder())?.manifest.name;
            arguments.extend(["--model".to_owned(), folder.display().to_string()]);
            arguments.extend(["--default-model".to_owned(), name]);
        }
        if !more.contains("--device") {
            arguments.extend(["--device".to_owned(), self.device.to_string()]);
        }
        if let Some(threads) = self.threads
            && !more.contains("--threads")
        {
            arguments.extend(["--threads".to_owned(), threads.to_string()]);
        }
        arguments.extend(more.split_whitespace().map(str::to_owned));
        Ok(arguments)
    }
}

fn named(text: &str) -> anyhow::Result<(&str, &str)> {
    text.split_once('=')
        .with_context(|| format!("{text:?}: expected NAME=…"))
}

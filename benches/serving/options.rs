//! The command line: which servers are measured, how, and for how long.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use faceplane::catalog::{ModelFiles, ModelFolder};
use faceplane::engine::Device;

/// Compares the service with a bare loop over the same graphs, and with other servers.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Options {
    /// Model folder [default: the bundled model]
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// Path of ONNX Runtime's library
    #[arg(long, env = "FACEPLANE_ONNXRUNTIME", value_name = "PATH")]
    pub(crate) onnxruntime: PathBuf,
    /// Device of the service and the bare loop: cpu, cuda or cuda:N; cuda needs a build with the feature `cuda`
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub(crate) device: Device,
    /// Path of the service's program [default: the one that cargo built]
    #[arg(long, env = "FACEPLANE_PROGRAM", default_value = env!("CARGO_BIN_EXE_faceplane"), hide_default_value = true, value_name = "PATH")]
    pub(crate) program: String,
    /// Threads of each network [default: the number of cores]
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Number of rounds; each round measures every server once
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: u32,
    /// Length of each measurement in seconds
    #[arg(long, default_value_t = 5.0)]
    pub(crate) seconds: f64,
    /// Starts of each server in a round, to measure the time to its first image; one more start comes first and does not count; 0 skips this
    #[arg(long, default_value_t = 5)]
    pub(crate) starts: u32,
    /// Numbers of concurrent requests in the closed loops
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32])]
    pub(crate) concurrency: Vec<usize>,
    /// Request rates in the open loops, in percent of the bare loop's highest rate
    #[arg(long, value_delimiter = ',', default_values_t = [50, 80, 120])]
    pub(crate) load: Vec<u32>,
    /// Length of the overload test in seconds, with clients that disconnect early; 0 skips it
    #[arg(long, default_value_t = 0.0)]
    pub(crate) overload: f64,
    /// Also measure single images while another client requests this many images at once; 0 skips it
    #[arg(long, default_value_t = 64)]
    pub(crate) beside: u32,
    /// Measure `faceplane batch` of this many seeds instead of servers; 0 measures servers
    #[arg(long, default_value_t = 0, value_name = "SEEDS")]
    pub(crate) batch: u32,
    /// Also measure the service with other arguments; may be given several times
    #[arg(long, value_name = "NAME=ARGUMENTS", allow_hyphen_values = true)]
    pub(crate) variant: Vec<String>,
    /// Also measure another server, which COMMAND starts; it must listen on the port in the environment variable PORT, and
    /// respond to a POST of {"seed": N} to PATH with a PNG file; may be given several times
    #[arg(long, value_name = "NAME=PATH COMMAND")]
    pub(crate) peer: Vec<String>,
    /// Also measure a server that already runs at http://HOST:PORT/PATH; may be given several times
    #[arg(long, value_name = "NAME=URL")]
    pub(crate) url: Vec<String>,
    /// Also measure Pillow's PNG encoder, with this Python program; it must have Pillow
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) python: Option<PathBuf>,
    /// Write the figures of all rounds to this file as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// `cargo bench` passes this option to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

/// A server that is measured.
#[derive(Clone, Debug)]
pub(crate) struct ServerSettings {
    pub(crate) name: String,
    /// The path of the URL that returns an image.
    pub(crate) path: String,
    pub(crate) launch: Launch,
}

/// How a server is started.
#[derive(Clone, Debug)]
pub(crate) enum Launch {
    /// The service, with these arguments.
    Service(Vec<String>),
    /// Another program and its arguments.
    Peer(Vec<String>),
    /// It already runs at this address.
    Running(String),
}

impl Options {
    /// The length of one measurement.
    pub(crate) fn span(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// The folder of the model.
    pub(crate) fn folder(&self) -> ModelFolder {
        self.model.clone().map_or(ModelFolder::Bundled, ModelFolder::Disk)
    }

    /// The servers, in the order in which they are measured.
    pub(crate) fn servers(&self) -> anyhow::Result<Vec<ServerSettings>> {
        let mut servers = vec![ServerSettings {
            name: "faceplane".to_owned(),
            path: "/v1/sample".to_owned(),
            launch: Launch::Service(self.service_arguments("")?),
        }];
        for text in &self.variant {
            let (name, arguments) = split_name(text)?;
            servers.push(ServerSettings {
                name: name.to_owned(),
                path: "/v1/sample".to_owned(),
                launch: Launch::Service(self.service_arguments(arguments)?),
            });
        }
        for text in &self.peer {
            let (name, rest) = split_name(text)?;
            let mut words = rest.split_whitespace().map(str::to_owned);
            servers.push(ServerSettings {
                name: name.to_owned(),
                path: words
                    .next()
                    .with_context(|| format!("--peer: found {text:?}, expected NAME=PATH COMMAND"))?,
                launch: Launch::Peer(words.collect()),
            });
        }
        for text in &self.url {
            let (name, url) = split_name(text)?;
            let (address, path) = url
                .strip_prefix("http://")
                .and_then(|rest| rest.split_once('/'))
                .with_context(|| format!("--url: found {url:?}, expected http://HOST:PORT/PATH"))?;
            servers.push(ServerSettings {
                name: name.to_owned(),
                path: format!("/{path}"),
                launch: Launch::Running(address.to_owned()),
            });
        }
        Ok(servers)
    }

    /// The arguments of the service. Its cache is off, so that every image is synthesized.
    fn service_arguments(&self, more: &str) -> anyhow::Result<Vec<String>> {
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

/// Splits NAME=REST.
fn split_name(text: &str) -> anyhow::Result<(&str, &str)> {
    text.split_once('=')
        .with_context(|| format!("found {text:?}, expected NAME=…"))
}

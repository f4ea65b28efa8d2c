//! The settings of a command besides the parameters of its operation, and the model that they name.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::error::RequestError;
use crate::api::{self, Api, Limits, LocalClient, Readiness};
use crate::catalog::ModelFolder;
use crate::cli::alone::open;
use crate::cli::settings::{MAX_IMAGES, MAX_MEGAPIXELS, positive};
use crate::editor::Models;
use crate::engine::{Device, Replicas, Runtime, Watchdog};
use crate::metrics::Metrics;
use crate::telemetry::{self, LogFormat};

/// The memory for codes of images that were inverted, and for responses, in bytes.
const CACHE: usize = 64 << 20;

/// The memory of requests and responses, in bytes: nobody else sends requests, so that they may take what there is.
const MEMORY: usize = usize::MAX / 4;

/// The settings of a command that sends requests.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output and model")]
pub(super) struct RequestSettings {
    /// File for the response, whose ending chooses the format, such as face.png, face.jpg or face.json; a file that exists is replaced. A
    /// folder, or a name with / at its end, gets a file for each face or image [default: standard output, unless it is a terminal]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(super) output: Option<PathBuf>,

    /// Respond with JSON, the same as --format json
    #[arg(long)]
    pub(super) json: bool,

    /// Model folder [default: the bundled model]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    model: Option<PathBuf>,

    /// Path of ONNX Runtime's library [default: searched beside the program, in .onnxruntime/, and in the system's library path]
    #[arg(long, env = "FACEPLANE_ONNXRUNTIME", value_name = "PATH", value_hint = ValueHint::FilePath)]
    onnxruntime: Option<PathBuf>,

    /// Device of the networks: cpu, cuda, or cuda:N (cuda needs a program built with the feature cuda)
    #[arg(long, env = "FACEPLANE_DEVICE", default_value = "cpu", value_name = "DEVICE")]
    device: Device,

    /// Threads of each network [default: the number of cores; on a GPU, one]
    #[arg(long, env = "FACEPLANE_THREADS", value_name = "COUNT", value_parser = positive)]
    threads: Option<u32>,

    /// Maximum number of faces in one response; a folder gets any number of them
    #[arg(long, env = "FACEPLANE_MAX_IMAGES", default_value_t = MAX_IMAGES, value_name = "COUNT", value_parser = positive)]
    max_images: u32,

    /// Log level: error, warn, info, debug, trace, or a filter such as info,faceplane=debug
    #[arg(long, default_value = "error", value_name = "FILTER")]
    log: String,
}

impl RequestSettings {
    /// Starts the log, loads the model, and returns a client of its operations and the watchdog of its runs. At most `at_once`
    /// requests are sent at the same time.
    pub(super) fn open(&self, at_once: u32) -> Result<(LocalClient, Watchdog), RequestError> {
        let metrics = Metrics::new();
        telemetry::start(&self.log, LogFormat::Text, metrics.log_lines_lost()).map_err(|reason| {
            RequestError::Log {
                found: self.log.clone(),
                reason: reason.to_string(),
            }
        })?;
        let threads = self.threads.map(|threads| threads as usize);
        let runtime = Runtime::load(self.onnxruntime.as_deref(), self.device, threads)?;
        let folder = self.model.clone().map_or(ModelFolder::Bundled, ModelFolder::Disk);
        // One response needs no second replica, and no measurement of how many are best.
        let replicas = if at_once == 1 {
            Replicas::Count(1)
        } else {
            Replicas::Measured
        };
        let model = open(
            &folder,
            &runtime,
            self.max_images.saturating_mul(at_once),
            replicas,
        )?;
        let limits = Limits {
            max_images: self.max_images,
            timeout: Duration::MAX,
            cache_bytes: CACHE,
            image_pixels: u64::from(MAX_MEGAPIXELS) * 1_000_000,
            memory_bytes: MEMORY,
        };
        let models = Models::new(vec![model], None)?;
        let api = Api::new(models, limits, metrics, Readiness::default());
        Ok((api::local_client(api), runtime.watchdog().clone()))
    }
}

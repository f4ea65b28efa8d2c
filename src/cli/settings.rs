//! The settings of `faceplane serve`, with their defaults and limits.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;
use ipnet::IpNet;

use super::ListenAddress;
use crate::api::{BasePath, Rate};
use crate::catalog::StoreAddress;
use crate::engine::Device;
use crate::telemetry::LogFormat;

/// Faces in one response, if the settings have no other number.
pub(super) const MAX_IMAGES: u32 = 64;

/// Megapixels of the largest image of a request, if the settings have no other number.
pub(super) const MAX_MEGAPIXELS: u32 = 25;

/// The settings of `faceplane serve`.
///
/// Each is a flag, an environment variable (`--listen` is `FACEPLANE_LISTEN`) or a line in the settings file. A flag
/// overrides the environment, and the environment overrides the file.
#[derive(Clone, Debug, Args)]
pub struct Config {
    /// A TOML file with settings; its keys are the names of the flags, such as listen = "0.0.0.0:8080"
    #[arg(long, env = "FACEPLANE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Address or host name, and port, to listen on; a port alone, as :8080, is one of all addresses; port 0 chooses a free port and logs
    /// it. Addresses that other machines reach need --api-keys or --open
    #[arg(
        long,
        env = "FACEPLANE_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub listen: ListenAddress,

    /// A file with the keys of clients, a line for each: its name, its scope (use, train, admin) and the SHA-256 of the key. `faceplane
    /// key new` makes one. With it, all requests need a key but those for /health/ and the page. It is read again when it changes
    #[arg(long, env = "FACEPLANE_API_KEYS", value_name = "FILE")]
    pub api_keys: Option<PathBuf>,

    /// Without keys, listen on addresses that other machines reach: everybody there may use the service and change it
    #[arg(long, env = "FACEPLANE_OPEN", value_parser = BoolishValueParser::new())]
    pub open: bool,

    /// Answer requests for /metrics without a key
    #[arg(long, env = "FACEPLANE_OPEN_METRICS", value_parser = BoolishValueParser::new())]
    pub open_metrics: bool,

    /// Requests that each key, or each client address without keys, may send: 10/s, 600/min or 1000/h; more get 429. So many may come at once
    /// [default: no limit]
    #[arg(long, env = "FACEPLANE_RATE_LIMIT", value_name = "RATE")]
    pub rate_limit: Option<Rate>,

    /// Network of proxies, such as 10.0.0.0/8, whose header X-Forwarded-For names the client's address for --rate-limit; repeat the flag, or
    /// separate networks by commas [default: none, the address is that of the connection]
    #[arg(long, env = "FACEPLANE_TRUSTED_PROXY", value_delimiter = ',', value_name = "NETWORK", value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,

    /// A PEM file with a certificate, and those that lead to its authority: image files get Content Credentials (C2PA), signed with the
    /// key of --c2pa-key (needs a program built with the feature c2pa)
    #[arg(
        long,
        env = "FACEPLANE_C2PA_CERTIFICATE",
        value_name = "FILE",
        requires = "c2pa_key"
    )]
    pub c2pa_certificate: Option<PathBuf>,

    /// A PEM file (PKCS #8) with the private key of --c2pa-certificate, for ES256, ES384 or Ed25519
    #[arg(
        long,
        env = "FACEPLANE_C2PA_KEY",
        value_name = "FILE",
        requires = "c2pa_certificate"
    )]
    pub c2pa_key: Option<PathBuf>,

    /// Path below which a proxy offers the service, such as /faces. Links in responses begin with it; requests may have it or not
    #[arg(long, env = "FACEPLANE_BASE_PATH", default_value = "/", value_name = "PATH")]
    pub base_path: BasePath,

    /// Origin (scheme, host, and port if not the usual one) of web pages that may change boundaries and start jobs; repeat the flag,
    /// or separate origins by commas; * allows all. Pages of every origin may sample, edit and invert
    #[arg(
        long,
        env = "FACEPLANE_ALLOW_ORIGIN",
        value_delimiter = ',',
        value_name = "ORIGIN"
    )]
    pub allow_origin: Vec<String>,

    /// A host name of the service, besides its addresses and localhost; repeat the flag, or separate names by commas; * allows all.
    /// Requests to other names get 421 [default: when listening on loopback, none; otherwise all]
    #[arg(long, env = "FACEPLANE_HOST", value_delimiter = ',', value_name = "NAME", value_parser = host_name)]
    pub host: Vec<String>,

    /// A model folder to load in addition to the bundled model, or a folder of model folders; repeat the flag, or separate folders by
    /// commas. What changes in them is loaded while the service runs
    #[arg(long, env = "FACEPLANE_MODEL", value_delimiter = ',', value_name = "DIR")]
    pub model: Vec<PathBuf>,

    /// The model for requests without a model name [default: the bundled model]
    #[arg(long, env = "FACEPLANE_DEFAULT_MODEL", value_name = "NAME")]
    pub default_model: Option<String>,

    /// Path of ONNX Runtime's library [default: searched beside the program, in .onnxruntime/, and in the system's library path]
    #[arg(long, env = "FACEPLANE_ONNXRUNTIME", value_name = "PATH")]
    pub onnxruntime: Option<PathBuf>,

    /// Device of the networks: cpu, cuda, or cuda:N (cuda needs a program built with the feature cuda)
    #[arg(long, env = "FACEPLANE_DEVICE", default_value = "cpu", value_name = "DEVICE")]
    pub device: Device,

    /// Replicas of each model's generator: copies that run in parallel, each with all threads, opened at the start [default: one
    /// on a GPU, with --threads 1, and for a graph of 16 MiB or more; otherwise a measurement at the start chooses one replica
    /// with all threads or one single-threaded replica for each thread. On the CPU, one replica with several threads gets a
    /// second one if it takes only one image in a run. Replicas after the first open when images wait]
    #[arg(long, env = "FACEPLANE_REPLICAS", value_name = "COUNT", value_parser = positive)]
    pub replicas: Option<u32>,

    /// Threads of each network [default: the number of cores; on a GPU, one]
    #[arg(long, env = "FACEPLANE_THREADS", value_name = "COUNT", value_parser = positive)]
    pub threads: Option<u32>,

    /// Images of each model that are in a run or wait for one; a request that would exceed this number gets 503
    #[arg(long, env = "FACEPLANE_QUEUE", default_value = "256", value_name = "COUNT", value_parser = positive)]
    pub queue: u32,

    /// Longest expected wait of a request in the queue, in seconds; a request that would wait longer gets 503. Under sustained
    /// overload, only a few images may wait
    #[arg(long, env = "FACEPLANE_LONGEST_WAIT", default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub longest_wait: Duration,

    /// Time that a batch which is not full waits for further images, in milliseconds
    #[arg(
        long,
        env = "FACEPLANE_BATCH_WAIT",
        default_value_t = 0,
        value_name = "MILLISECONDS"
    )]
    pub batch_wait: u32,

    /// Timeout of a request, in seconds; a request can ask for less with the header Faceplane-Timeout
    #[arg(long, env = "FACEPLANE_TIMEOUT", default_value = "60", value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Duration,

    /// Longest time from SIGTERM or SIGINT to the end of the process, in seconds; open requests may end until 2 s (or a fifth) before it
    #[arg(long, env = "FACEPLANE_DRAIN", default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    pub drain: Duration,

    /// Maximum number of faces in one response
    #[arg(long, env = "FACEPLANE_MAX_IMAGES", default_value_t = MAX_IMAGES, value_name = "COUNT", value_parser = positive)]
    pub max_images: u32,

    /// Memory of the caches of responses and of inverted images, in MiB; 0 turns them off
    #[arg(long, env = "FACEPLANE_CACHE", default_value_t = 64, value_name = "MIB")]
    pub cache: u32,

    /// Memory of everything under way, in MiB: request bodies, images while they are decoded, the codes of jobs, and responses until they
    /// are sent. Bodies and jobs each take at most half of it; beyond it, requests get 503
    #[arg(long, env = "FACEPLANE_MEMORY", default_value = "256", value_name = "MIB", value_parser = positive)]
    pub memory: u32,

    /// Largest image of a request, in megapixels; a JPEG file may have four times as many, and is then decoded at half its size
    #[arg(long, env = "FACEPLANE_MAX_MEGAPIXELS", default_value_t = MAX_MEGAPIXELS, value_name = "COUNT", value_parser = positive)]
    pub max_megapixels: u32,

    /// A folder that stores boundaries changed through the API, or a bucket: `s3://BUCKET/PATH`, `gs://BUCKET/PATH`, `az://CONTAINER/PATH` (needs a
    /// program built with the feature object-store). Several services can share it. Without it, changes are lost when the service stops
    #[arg(long, env = "FACEPLANE_STORE", value_name = "DIR|URL")]
    pub store: Option<StoreAddress>,

    /// A folder for the models of the store, which are downloaded to it; no other process may use it [default: a temporary folder, which is
    /// removed at the end]
    #[arg(long, env = "FACEPLANE_DOWNLOADS", value_name = "DIR")]
    pub downloads: Option<PathBuf>,

    /// Maximum number of boundaries of each model that requests can add; more get 507
    #[arg(long, env = "FACEPLANE_MAX_BOUNDARIES", default_value = "1000", value_name = "COUNT", value_parser = positive)]
    pub max_boundaries: u32,

    /// Memory of the boundaries of all models that requests can fill, in MiB; more boundaries get 507
    #[arg(long, env = "FACEPLANE_BOUNDARY_MEMORY", default_value = "128", value_name = "MIB", value_parser = positive)]
    pub boundary_memory: u32,

    /// Log level: error, warn, info, debug, trace, or a filter such as info,faceplane=debug
    #[arg(long, env = "FACEPLANE_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,

    /// Log format
    #[arg(
        long,
        env = "FACEPLANE_LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,

    /// Address of an OpenTelemetry collector that gets traces of requests, by OTLP over HTTP (needs a program built with the feature otlp)
    /// [default: OpenTelemetry's environment variables; without them, no traces]
    #[arg(long, env = "FACEPLANE_OTLP_ENDPOINT", value_name = "http://HOST:4318")]
    pub otlp_endpoint: Option<String>,
}

fn host_name(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && !text.contains([':', '/', ' ']);
    let name = is_name.then(|| text.to_owned());
    name.ok_or_else(|| {
        "expected a host name without scheme, port or path, such as faces.example.org, or *".to_owned()
    })
}

/// Reads a network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    let network = text.parse().or_else(|_| address());
    network.map_err(|_| "expected an address or a network, such as 10.1.2.3 or 10.0.0.0/8".to_owned())
}

pub(super) fn positive(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|&number| number > 0);
    number.ok_or_else(|| "expected an integer of at least 1".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok().filter(|&number: &f64| number > 0.0);
    let time = number.and_then(|number| Duration::try_from_secs_f64(number).ok());
    time.ok_or_else(|| "expected a number of seconds greater than 0".to_owned())
}

//! The program: reads its settings, loads the models, serves.

use std::panic::resume_unwind;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use faceplane::api::{self, Api, Limits, Readiness};
use faceplane::catalog::{ModelFolder, Store};
use faceplane::cli::{Action, Cli, Config, ConfigError};
use faceplane::editor::{LoadError, Model, Models};
use faceplane::engine::{self, Operation, QueueLimits, Runtime};
use faceplane::metrics::Metrics;
use faceplane::server::{self, Patience};
use faceplane::{cli, telemetry, telemetry_opt_out};
use tokio::net::TcpListener;

/// Threads beside those of the cores for work that takes long: a plane that is found, a file that is written.
const SLOW_WORK: usize = 2;

/// How long a connection may be without a request: a little longer than the minute that proxies keep theirs.
const IDLE: Duration = Duration::from_secs(75);

/// How long the program's end waits for runs that nobody waits for any more.
const LAST_RUNS: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(ConfigError::Arguments(error)) => error.exit(),
        Err(error) => return failed(&error.into()),
    };
    let done = match cli.action {
        Action::Serve(config) => unreported().and_then(|()| serve(&config)),
        Action::TrainBoundary(wanted) => unreported().and_then(|()| Ok(wanted.run()?)),
        Action::Health(config) => cli::ask(config.listen).map_err(Into::into),
    };
    if !engine::wait_for_threads(LAST_RUNS) {
        tracing::warn!("a run goes on after {LAST_RUNS:?}: the program ends without it");
    }
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn unreported() -> anyhow::Result<()> {
    telemetry_opt_out::keep_reports_off()
        .context("the program cannot be started without ONNX Runtime's reports to its makers")
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("faceplane: {error:#}");
    ExitCode::FAILURE
}

fn serve(config: &Config) -> anyhow::Result<()> {
    let started = Instant::now();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Requests are little work. A thread that wakes to look for some takes a core from a network whose threads wake then, too.
        .worker_threads(cores.div_ceil(2))
        // Encoding and decoding keep a core busy each: more threads would only hold more memory.
        .max_blocking_threads(cores + SLOW_WORK)
        .build()
        .context("threads cannot be started")?;
    runtime.block_on(run(config, started))
}

async fn run(config: &Config, started: Instant) -> anyhow::Result<()> {
    telemetry::start(&config.log, config.log_format)
        .with_context(|| format!("--log {:?} cannot be understood", config.log))?;
    anyhow::ensure!(
        config.queue > config.max_images,
        "--queue is {}, expected more than --max-images ({}): the largest request must find room",
        config.queue,
        config.max_images
    );
    // From now on a signal is kept until it is waited for: one that comes while models are loaded is not lost.
    let shutdown = server::terminated().context("signals cannot be waited for")?;
    let metrics = Metrics::new();
    let models = load(config, &metrics)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another with --listen", config.listen))?;
    let readiness = Readiness::default();
    let limits = Limits {
        max_images: config.max_images,
        timeout: config.timeout,
        cache_bytes: u64::from(config.cache) << 20,
    };
    let api = Api::new(models, limits, metrics, readiness.clone());
    let jobs = api.jobs();
    let router = api::router(api);
    let address = listener.local_addr().context("the listener has no address")?;
    tracing::info!(
        milliseconds = started.elapsed().as_millis(),
        "ready on http://{address}"
    );
    let closing = jobs.clone();
    let shutdown = async move {
        shutdown.await;
        closing.shut_down();
    };
    let patience = Patience {
        idle: IDLE,
        drain: config.drain,
    };
    server::run(listener, router, readiness, patience, shutdown).await;
    jobs.wait().await;
    Ok(())
}

/// The bundled model and those in the configured folders.
fn load(config: &Config, metrics: &Metrics) -> anyhow::Result<Models> {
    let runtime = Runtime::load(
        config.onnxruntime.as_deref(),
        config.device,
        config.threads.map(|threads| threads as usize),
    )?;
    tracing::info!(library = %runtime.path().display(), device = %runtime.device(), "ONNX Runtime is loaded");
    let operation = Operation {
        replicas: config.replicas.map(|replicas| replicas as usize),
        waiting: QueueLimits {
            capacity: config.queue as usize,
            longest: config.longest_wait,
            patience: Duration::from_millis(config.batch_wait.into()),
        },
    };
    let mut folders = vec![ModelFolder::Bundled];
    folders.extend(config.model.iter().cloned().map(ModelFolder::Disk));
    let load = |folder| {
        let model = Model::load(folder, &runtime, operation, metrics)?;
        tracing::info!(model = model.name(), digest = model.digest(), "loaded");
        Ok(model)
    };
    // One thread opens a graph, so that several models take little longer than one.
    let models: Result<Vec<Model>, LoadError> = thread::scope(|scope| {
        let loading: Vec<_> = folders
            .iter()
            .map(|folder| scope.spawn(move || load(folder)))
            .collect();
        loading
            .into_iter()
            .map(|model| model.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    let models = Models::new(models?, config.default_model.as_deref())?;
    match &config.store {
        Some(folder) => Ok(models.with_store(Store::open(folder.clone())?)?),
        None => Ok(models),
    }
}

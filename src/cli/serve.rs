//! `faceplane serve`: loads the models, serves until a signal, and drains.

use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use super::Config;
use super::api_keys::KeyFile;
use super::download_folder::DownloadFolder;
use super::host_name::host_name;
use super::model_watch;
use super::shutdown::{ShutdownTimes, end_now, terminated};
use crate::api::{self, Access, Api, Guard, JobPublisher, Limits, Readiness, TransferLimits};
use crate::catalog::{CatalogError, Download, ModelDownloads, ModelFolder, ModelStore, StoreAddress};
use crate::editor::{
    BoundaryLimits, DeviceProof, Jobs, LoadError, Model, ModelLoader, ModelOpener, ModelSource, Models,
    ProofTimes, StoredModels, follow_store,
};
use crate::engine::{EngineOptions, QueueLimits, Replicas, Runtime};
use crate::imaging::ContentCredentials;
use crate::metrics::Metrics;
use crate::server::{self, ConnectionLimits};
use crate::telemetry;
use crate::trace::TraceExporter;

/// Blocking threads besides one for each core. They are for slow work: fitting a boundary, writing a file.
const SLOW_THREADS: usize = 2;

/// Idle timeout of a connection. Proxies commonly close theirs after 60 s, so ours must be longer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a client is waited for. A packet that is lost several times takes up to half a minute. The bundled model's largest
/// responses take some ten seconds at 1 MiB/s.
const TRANSFER_LIMITS: TransferLimits = TransferLimits {
    patience: Duration::from_secs(30),
    bytes_per_second: 16 * 1024,
    longest: Duration::from_mins(2),
};

/// Why the service does not start if the system refuses signals.
const NO_SIGNALS: &str = "signals cannot be waited for";

/// Runs the service until SIGTERM or SIGINT, then finishes open requests. The process ends within `--drain`.
///
/// # Errors
/// Any setting, model or address that keeps the service from starting.
pub fn serve(config: &Config) -> anyhow::Result<()> {
    let started = Instant::now();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Requests are little work, and a thread that wakes up to look for some takes a core from a network.
        .worker_threads(cores.div_ceil(2))
        // Each encoding or decoding keeps a core busy. More threads would only hold more memory.
        .max_blocking_threads(cores + SLOW_THREADS)
        .build()
        .context("the threads of the service cannot be started")?;
    let result = runtime.block_on(run(config, started));
    // Aborted requests may have left work on the blocking threads, such as the change of a boundary.
    runtime.shutdown_timeout(ShutdownTimes::new(config.drain).reserve);
    result
}

async fn run(config: &Config, started: Instant) -> anyhow::Result<()> {
    let metrics = Metrics::new();
    telemetry::start(&config.log, config.log_format, metrics.log_lines_lost())
        .with_context(|| format!("--log: found {:?}, expected a level or a filter", config.log))?;
    let traces = TraceExporter::start(config.otlp_endpoint.as_deref()).context("--otlp-endpoint")?;
    anyhow::ensure!(
        config.queue > config.max_images,
        "--queue: found {}, expected more than --max-images ({}), because the largest request must fit into the queue",
        config.queue,
        config.max_images
    );
    let guard = guard(config)?;
    let credentials = credentials(config)?;
    let mut shutdown = Box::pin(terminated().context(NO_SIGNALS)?);
    // From now on it ends nothing. One that comes while models load makes the watch look at them.
    let hangup = signal(SignalKind::hangup()).context(NO_SIGNALS)?;
    let downloads = DownloadFolder::new(config).context("--downloads")?;
    let loading = tokio::task::spawn_blocking({
        let (config, metrics, downloads) = (config.clone(), metrics.clone(), downloads.path().to_owned());
        move || load(&config, &metrics, downloads)
    });
    let (models, loader, stored) = tokio::select! {
        loaded = loading => loaded.unwrap_or_else(|error| resume_unwind(error.into_panic()))?,
        () = &mut shutdown => {
            tracing::info!("shutting down while models load");
            drop(downloads);
            end_now(0);
        }
    };
    let listener = listen(config).await?;
    tokio::spawn(follow_store(models.clone()));
    let watchdog = loader.watchdog().clone();
    model_watch::start(loader.clone(), stored.clone(), hangup);
    let proof = DeviceProof::new(models.clone(), ProofTimes::default());
    let readiness = Readiness::new(watchdog.clone()).with_proof(proof.failure());
    tokio::spawn(proof.follow());
    let address = listener.local_addr().context("the listener has no address")?;
    let mut api = Api::new(models, limits(config), metrics, readiness.clone())
        .with_loader(loader)
        .with_stored_models(stored)
        .with_guard(guard)
        .with_shared_jobs(&format!("{}:{}", host_name(), address.port()))
        .below(config.base_path.clone());
    if let Some(credentials) = credentials {
        api = api.with_credentials(credentials);
    }
    let jobs = api.jobs();
    let publisher = JobPublisher::new(&api);
    if let Some(publisher) = publisher.clone() {
        tokio::spawn(publisher.follow());
    }
    // A service on loopback is meant for this machine only, but browsers reach it for the pages of any site.
    let checks_hosts = config.listen.is_loopback() || !config.host.is_empty();
    let hosts = checks_hosts.then_some(&config.host[..]);
    let access = Access::new(&config.allow_origin, hosts).context("--allow-origin")?;
    let router = api::router(api, access);
    tracing::info!(
        milliseconds = started.elapsed().as_secs_f64() * 1e3,
        "ready on http://{address}"
    );
    let times = ShutdownTimes::new(config.drain);
    let (cancelled_jobs, closed) = (jobs.clone(), watchdog.clone());
    let shutdown = async move {
        shutdown.await;
        times.enforce(closed);
        cancelled_jobs.shut_down();
    };
    let limits = ConnectionLimits {
        idle: IDLE_TIMEOUT,
        drain: times.requests,
        transfer: TRANSFER_LIMITS,
    };
    server::run(listener, router, readiness, limits, shutdown).await;
    // Nobody waits for a run that is still under way.
    watchdog.close();
    finish(&jobs, publisher, traces, times).await;
    Ok(())
}

/// Listens on the first address of the settings that the system allows.
async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(config.listen.addresses()).await;
    listener.with_context(|| {
        format!(
            "cannot listen on {}; choose another address with --listen",
            config.listen
        )
    })
}

/// Waits for the jobs, and hands over what is left for the store and the collector of traces.
async fn finish(
    jobs: &Jobs,
    publisher: Option<JobPublisher>,
    traces: Option<TraceExporter>,
    times: ShutdownTimes,
) {
    jobs.wait().await;
    if let Some(publisher) = publisher {
        // If the store does not answer, other services see after a minute that this one has stopped.
        let _ = timeout(times.reserve / 4, publisher.write_due()).await;
    }
    if let Some(traces) = traces {
        traces.shut_down(times.reserve / 4).await;
    }
}

/// The limits of a request, and of the cache.
fn limits(config: &Config) -> Limits {
    Limits {
        max_images: config.max_images,
        timeout: config.timeout,
        cache_bytes: (config.cache as usize) << 20,
        image_pixels: u64::from(config.max_megapixels) * 1_000_000,
        memory_bytes: (config.memory as usize) << 20,
    }
}

/// Who may call which operation: those who have a key of `--api-keys`, or everybody.
fn guard(config: &Config) -> anyhow::Result<Guard> {
    let Some(path) = &config.api_keys else {
        anyhow::ensure!(
            config.listen.is_loopback() || config.open,
            "--listen: other machines reach {}, and the service has no keys; name their file with --api-keys (`faceplane key new` makes \
             a key), or allow everything to everybody with --open",
            config.listen
        );
        if !config.listen.is_loopback() {
            tracing::warn!(
                "the service has no keys: everybody who reaches it may use and change it; --api-keys sets keys"
            );
        }
        return Ok(with_limit(config, Guard::default()));
    };
    let (file, keys) = KeyFile::open(path.clone()).context("--api-keys")?;
    let mut guard = with_limit(config, Guard::with_keys(keys));
    if config.open_metrics {
        guard = guard.with_open_metrics();
    }
    tokio::spawn(file.follow(guard.clone()));
    Ok(guard)
}

/// What signs image files, if the settings name a certificate.
fn credentials(config: &Config) -> anyhow::Result<Option<ContentCredentials>> {
    let (Some(certificate), Some(key)) = (&config.c2pa_certificate, &config.c2pa_key) else {
        return Ok(None);
    };
    let read = |path: &Path| fs::read(path).with_context(|| path.display().to_string());
    let certificate = read(certificate).context("--c2pa-certificate")?;
    let key = read(key).context("--c2pa-key")?;
    let credentials = ContentCredentials::new(&certificate, &key).context("--c2pa-certificate")?;
    Ok(Some(credentials))
}

/// The guard, with the limit on the rate of requests that the settings name.
fn with_limit(config: &Config, guard: Guard) -> Guard {
    let guard = guard.with_trusted_proxies(&config.trusted_proxy);
    match config.rate_limit {
        Some(rate) => guard.with_rate_limit(rate),
        None => guard,
    }
}

/// The models, what loads them again, and those of the store, if there is one.
type Loaded = (Models, ModelLoader, Option<StoredModels>);

/// Loads ONNX Runtime and the models. The watchdog watches their runs.
fn load(config: &Config, metrics: &Metrics, downloads: PathBuf) -> anyhow::Result<Loaded> {
    let runtime = Runtime::load(
        config.onnxruntime.as_deref(),
        config.device,
        config.threads.map(|threads| threads as usize),
    )?;
    tracing::info!(library = %runtime.path().display(), device = %runtime.device(), "ONNX Runtime is loaded");
    runtime.watchdog().report_to(metrics.clone());
    let opener = ModelOpener {
        runtime,
        options: EngineOptions {
            replicas: config
                .replicas
                .map_or(Replicas::Measured, |count| Replicas::Count(count as usize)),
            queue_limits: QueueLimits {
                capacity: config.queue as usize,
                longest_wait: config.longest_wait,
                batch_wait: Duration::from_millis(config.batch_wait.into()),
            },
        },
        metrics: metrics.clone(),
    };
    load_models(config, opener, downloads)
}

/// Loads the bundled model, the models in the configured folders, and those of the store.
fn load_models(config: &Config, opener: ModelOpener, downloads: PathBuf) -> anyhow::Result<Loaded> {
    let store = config.store.as_ref().map(StoreAddress::open).transpose()?;
    let of_store = store
        .as_ref()
        .map(|store| ModelDownloads::new(ModelStore::new(store.blobs()), downloads));
    let fetched = of_store.as_ref().map_or(Ok(Vec::new()), fetch_all)?;
    let mut folders = vec![ModelFolder::Bundled];
    folders.extend(config.model.iter().flat_map(|path| ModelFolder::at(path)));
    let of_folders = folders.into_iter().map(|folder| (folder, None));
    let of_downloads = fetched.iter().map(|download| {
        let folder = ModelFolder::Disk(download.folder.clone());
        (folder, Some(&download.name))
    });
    let load = |(folder, stored): (ModelFolder, Option<&String>)| {
        let (source, model) = opener.load(folder)?;
        tracing::info!(
            model = model.name(),
            digest = model.digest(),
            of_store = stored.is_some(),
            "model loaded"
        );
        let source = match stored {
            Some(name) => source.of_store(name),
            None => source,
        };
        Ok((source, model))
    };
    // Opening a graph keeps one thread busy, so several models load in little more time than one.
    let pairs: Result<Vec<(ModelSource, Model)>, LoadError> = thread::scope(|scope| {
        let threads: Vec<_> = of_folders
            .chain(of_downloads)
            .map(|folder| scope.spawn(|| load(folder)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    let (sources, models) = pairs?.into_iter().unzip();
    let limits = BoundaryLimits {
        per_model: config.max_boundaries as usize,
        bytes: (config.boundary_memory as usize) << 20,
    };
    let mut models = Models::new(models, config.default_model.as_deref())?.with_limits(limits);
    if let Some(store) = store {
        models = models.with_store(store)?;
        models = models.with_store_metrics(opener.metrics.store());
    }
    let loader = ModelLoader::new(models.clone(), opener, config.model.clone(), sources);
    let stored = of_store.map(|of_store| StoredModels::new(loader.clone(), of_store, fetched));
    Ok((models, loader, stored))
}

/// Downloads all models of the store.
fn fetch_all(downloads: &ModelDownloads) -> Result<Vec<Download>, CatalogError> {
    let mut fetched = Vec::new();
    for name in downloads.list()?.into_keys() {
        tracing::info!(model = name, "a model of the store is downloaded and verified");
        // It may have been withdrawn meanwhile.
        fetched.extend(downloads.fetch(&name)?);
    }
    Ok(fetched)
}

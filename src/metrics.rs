//! The metrics of the service, as OpenMetrics text for Prometheus.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::metrics::caches::{CacheMetrics, INVERSIONS, RESPONSES};

mod caches;
mod memory;
mod store;

pub use memory::MemoryMetrics;
pub use store::StoreMetrics;

/// Upper bounds of the buckets of durations, in seconds: from the run of a fast network to the default timeout of a request.
const SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0,
];

/// Upper bounds of the buckets of batch sizes.
const BATCH_SIZES: [f64; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelLabel {
    model: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NetworkLabel {
    network: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DropLabels {
    model: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

fn seconds<L: Clone + Eq + std::hash::Hash>() -> Histograms<L> {
    Family::new_with_constructor(|| Histogram::new(SECONDS))
}

/// All metrics of the service. Cheap to clone; clones share their values.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histograms<RouteLabel>,
    encoding_seconds: Histogram,
    cache: CacheMetrics,
    inversion_cache: CacheMetrics,
    synthesis: BatchFamilies,
    gradient: BatchFamilies,
    mapping_seconds: Histograms<ModelLabel>,
    scoring_seconds: Histograms<ModelLabel>,
    codes_optimizing: Family<ModelLabel, Gauge>,
    ready: Gauge,
    log_lines_lost: Counter,
    runs_terminated: Family<NetworkLabel, Counter>,
    memory: MemoryMetrics,
    store: StoreMetrics,
}

impl Metrics {
    /// Creates metrics without values.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("faceplane");
        let mut metrics = Self {
            registry: Arc::default(),
            requests: Family::default(),
            request_seconds: seconds(),
            encoding_seconds: Histogram::new(SECONDS),
            cache: CacheMetrics::default(),
            inversion_cache: CacheMetrics::default(),
            synthesis: BatchFamilies::new(),
            gradient: BatchFamilies::new(),
            mapping_seconds: seconds(),
            scoring_seconds: seconds(),
            codes_optimizing: Family::default(),
            ready: Gauge::default(),
            log_lines_lost: Counter::default(),
            runs_terminated: Family::default(),
            memory: MemoryMetrics::default(),
            store: StoreMetrics::default(),
        };
        registry.register("requests", "Requests answered", metrics.requests.clone());
        registry.register(
            "request_seconds",
            "Time from the request to its response",
            metrics.request_seconds.clone(),
        );
        registry.register(
            "encoding_seconds",
            "Time to encode the images of a response",
            metrics.encoding_seconds.clone(),
        );
        metrics.cache.register(&mut registry, &RESPONSES);
        metrics.inversion_cache.register(&mut registry, &INVERSIONS);
        metrics.synthesis.register(&mut registry, &SYNTHESIS);
        metrics.gradient.register(&mut registry, &GRADIENT);
        registry.register(
            "mapping_seconds",
            "Time of a run of the mapping network, with the time in its queue",
            metrics.mapping_seconds.clone(),
        );
        registry.register(
            "scoring_seconds",
            "Time of the classifiers' runs on one batch, with the time in their queues",
            metrics.scoring_seconds.clone(),
        );
        registry.register(
            "codes_optimizing",
            "Latent codes in an optimization that is under way",
            metrics.codes_optimizing.clone(),
        );
        registry.register(
            "ready",
            "1 if the service takes requests, as /health/ready says, and 0 otherwise",
            metrics.ready.clone(),
        );
        registry.register(
            "log_lines_lost",
            "Lines of the log that were lost, because standard error was closed, full, or not read",
            metrics.log_lines_lost.clone(),
        );
        registry.register(
            "runs_terminated",
            "Runs of a network that were terminated, because they took far longer than usual",
            metrics.runs_terminated.clone(),
        );
        metrics.memory.register(&mut registry);
        metrics.store.register(&mut registry);
        metrics.registry = Arc::new(registry);
        metrics
    }

    /// The metrics of one model. They are exported from this call on.
    #[must_use]
    pub fn of_model(&self, name: &str) -> ModelMetrics {
        let model = ModelLabel {
            model: name.to_owned(),
        };
        ModelMetrics {
            synthesis: self.synthesis.of_model(&model),
            gradient: self.gradient.of_model(&model),
            mapping_seconds: self.mapping_seconds.get_or_create_owned(&model),
            scoring_seconds: self.scoring_seconds.get_or_create_owned(&model),
            codes_optimizing: self.codes_optimizing.get_or_create_owned(&model),
        }
    }

    /// Exports the metrics of a route before its first request.
    pub fn expect_route(&self, route: &str) {
        let route = route.to_owned();
        drop(
            self.request_seconds
                .get_or_create(&RouteLabel { route: route.clone() }),
        );
        drop(self.requests.get_or_create(&RequestLabels { route, status: 200 }));
    }

    /// Counts a request and its duration.
    pub fn answered(&self, route: &str, status: u16, duration: Duration) {
        let route = route.to_owned();
        let label = RouteLabel { route: route.clone() };
        self.request_seconds
            .get_or_create(&label)
            .observe(duration.as_secs_f64());
        self.requests
            .get_or_create(&RequestLabels { route, status })
            .inc();
    }

    /// The hits and the misses of the response cache.
    #[must_use]
    pub fn cache_counters(&self) -> (Counter, Counter) {
        (self.cache.hits.clone(), self.cache.misses.clone())
    }

    /// The metrics of the memory budget.
    #[must_use]
    pub fn memory(&self) -> MemoryMetrics {
        self.memory.clone()
    }

    /// The metrics of the store.
    #[must_use]
    pub fn store(&self) -> StoreMetrics {
        self.store.clone()
    }

    /// Counts an inversion, and whether its code was cached or under way.
    pub fn inversion_looked_up(&self, found: bool) {
        let CacheMetrics { hits, misses } = &self.inversion_cache;
        let counter = if found { hits } else { misses };
        counter.inc();
    }

    /// Records whether the service takes requests.
    pub fn set_ready(&self, is_ready: bool) {
        self.ready.set(is_ready.into());
    }

    /// The counter of lines that the log has lost.
    #[must_use]
    pub fn log_lines_lost(&self) -> Counter {
        self.log_lines_lost.clone()
    }

    /// Counts a run of a network that was terminated.
    pub fn run_terminated(&self, network: &str) {
        let network = network.to_owned();
        self.runs_terminated
            .get_or_create(&NetworkLabel { network })
            .inc();
    }

    /// Records the time to encode the images of a response.
    pub fn encoded(&self, duration: Duration) {
        self.encoding_seconds.observe(duration.as_secs_f64());
    }

    /// All metrics as OpenMetrics text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string cannot fail");
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// The metrics of one model.
#[derive(Clone)]
pub struct ModelMetrics {
    pub(crate) synthesis: BatchMetrics,
    pub(crate) gradient: BatchMetrics,
    pub(crate) mapping_seconds: Histogram,
    pub(crate) scoring_seconds: Histogram,
    pub(crate) codes_optimizing: Gauge,
}

/// The metrics of one batcher: its queue and its runs. A unit is an image or a latent code.
#[derive(Clone)]
pub(crate) struct BatchMetrics {
    /// Units in the queue.
    pub(crate) waiting: Gauge,
    /// Units in runs that are under way.
    pub(crate) running: Gauge,
    /// Units refused by the limiter.
    pub(crate) overloaded: Counter,
    /// Units dropped because their caller went away.
    pub(crate) abandoned: Counter,
    /// Units dropped because their deadline passed in the queue.
    pub(crate) late: Counter,
    /// Units in a run.
    pub(crate) batch_size: Histogram,
    /// Time in the queue.
    pub(crate) queue_seconds: Histogram,
    /// Time of a run.
    pub(crate) run_seconds: Histogram,
}

/// A metric's name and its help text.
type Description = (&'static str, &'static str);

/// Names and help texts of a batcher's metrics.
struct BatchDescriptions {
    waiting: Description,
    running: Description,
    dropped: Description,
    batch_size: Description,
    queue_seconds: Description,
    run_seconds: Description,
}

const SYNTHESIS: BatchDescriptions = BatchDescriptions {
    waiting: ("images_waiting", "Images in the queue of the generators"),
    running: ("images_running", "Images in synthesis runs that are under way"),
    dropped: (
        "images_dropped",
        "Images that were not synthesized: overloaded (refused), abandoned (the client went away), or late (deadline passed)",
    ),
    batch_size: ("batch_images", "Images in a synthesis run"),
    queue_seconds: ("queue_seconds", "Time of images in the queue of the generators"),
    run_seconds: ("synthesis_seconds", "Time of a synthesis run"),
};

const GRADIENT: BatchDescriptions = BatchDescriptions {
    waiting: (
        "gradient_codes_waiting",
        "Latent codes in the queue of the gradient networks",
    ),
    running: (
        "gradient_codes_running",
        "Latent codes in runs of the gradient networks that are under way",
    ),
    dropped: (
        "gradient_codes_dropped",
        "Latent codes without a gradient: overloaded (refused), abandoned (the client went away), or late (deadline passed)",
    ),
    batch_size: (
        "gradient_batch_codes",
        "Latent codes in a run of the gradient networks",
    ),
    queue_seconds: (
        "gradient_queue_seconds",
        "Time of latent codes in the queue of the gradient networks",
    ),
    run_seconds: ("gradient_seconds", "Time of a run of the gradient networks"),
};

/// A batcher's metrics of all models.
#[derive(Clone)]
struct BatchFamilies {
    waiting: Family<ModelLabel, Gauge>,
    running: Family<ModelLabel, Gauge>,
    dropped: Family<DropLabels, Counter>,
    batch_size: Histograms<ModelLabel>,
    queue_seconds: Histograms<ModelLabel>,
    run_seconds: Histograms<ModelLabel>,
}

impl BatchFamilies {
    fn new() -> Self {
        Self {
            waiting: Family::default(),
            running: Family::default(),
            dropped: Family::default(),
            batch_size: Family::new_with_constructor(|| Histogram::new(BATCH_SIZES)),
            queue_seconds: seconds(),
            run_seconds: seconds(),
        }
    }

    fn register(&self, registry: &mut Registry, descriptions: &BatchDescriptions) {
        let (name, help) = descriptions.waiting;
        registry.register(name, help, self.waiting.clone());
        let (name, help) = descriptions.running;
        registry.register(name, help, self.running.clone());
        let (name, help) = descriptions.dropped;
        registry.register(name, help, self.dropped.clone());
        let (name, help) = descriptions.batch_size;
        registry.register(name, help, self.batch_size.clone());
        let (name, help) = descriptions.queue_seconds;
        registry.register(name, help, self.queue_seconds.clone());
        let (name, help) = descriptions.run_seconds;
        registry.register(name, help, self.run_seconds.clone());
    }

    fn of_model(&self, label: &ModelLabel) -> BatchMetrics {
        let dropped = |reason| {
            let model = label.model.clone();
            self.dropped.get_or_create_owned(&DropLabels { model, reason })
        };
        BatchMetrics {
            waiting: self.waiting.get_or_create_owned(label),
            running: self.running.get_or_create_owned(label),
            overloaded: dropped("overloaded"),
            abandoned: dropped("abandoned"),
            late: dropped("late"),
            batch_size: self.batch_size.get_or_create_owned(label),
            queue_seconds: self.queue_seconds.get_or_create_owned(label),
            run_seconds: self.run_seconds.get_or_create_owned(label),
        }
    }
}

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

use crate::metrics::batches::{BatchFamilies, GRADIENT, SYNTHESIS};
use crate::metrics::caches::{CacheMetrics, INVERSIONS, RESPONSES};
use crate::metrics::families::{Histograms, ModelLabel, SECONDS, seconds};
use crate::metrics::model_loads::ModelLoads;

mod batches;
mod caches;
mod families;
mod memory;
mod model_loads;
mod store;

pub(crate) use batches::BatchMetrics;
pub use memory::MemoryMetrics;
pub(crate) use model_loads::LoadOutcome;
pub use store::StoreMetrics;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NetworkLabel {
    network: String,
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
    model_loads: ModelLoads,
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
            model_loads: ModelLoads::default(),
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
        metrics.model_loads.register(&mut registry);
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

    /// Exports the metrics of a model no longer, because it is not loaded. Requests that still use it are not counted any more.
    pub fn forget_model(&self, name: &str) {
        let model = ModelLabel {
            model: name.to_owned(),
        };
        self.synthesis.forget(&model);
        self.gradient.forget(&model);
        self.mapping_seconds.remove(&model);
        self.scoring_seconds.remove(&model);
        self.codes_optimizing.remove(&model);
    }

    /// Counts a model that was loaded, reloaded or dropped while the service runs, or could not be.
    pub(crate) fn model_loaded(&self, outcome: LoadOutcome) {
        self.model_loads.count(outcome);
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

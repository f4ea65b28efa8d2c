//! Every series that the service keeps of itself, in the form that Prometheus reads.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper ends of a duration's buckets, in seconds: from a fast network's run to a request that nearly gives up.
const SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0,
];

/// Upper ends of a batch's buckets, in images.
const IMAGES: [f64; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfModel {
    model: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfReason {
    model: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRequest {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    route: String,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

fn seconds<L: Clone + Eq + std::hash::Hash>() -> Histograms<L> {
    Family::new_with_constructor(|| Histogram::new(SECONDS))
}

/// The series. Cheap to clone; all clones count together.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<OfRequest, Counter>,
    request: Histograms<OfRoute>,
    encoding: Histogram,
    cache_hits: Counter,
    cache_misses: Counter,
    waiting: Family<OfModel, Gauge>,
    drawing: Family<OfModel, Gauge>,
    dropped: Family<OfReason, Counter>,
    batch: Histograms<OfModel>,
    queue: Histograms<OfModel>,
    mapping: Histograms<OfModel>,
    synthesis: Histograms<OfModel>,
    scoring: Histograms<OfModel>,
    descending: Family<OfModel, Gauge>,
    slope_codes: Histograms<OfModel>,
    slope: Histograms<OfModel>,
}

impl Metrics {
    /// Series that have counted nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("faceplane");
        let mut metrics = Self {
            registry: Arc::default(),
            requests: Family::default(),
            request: seconds(),
            encoding: Histogram::new(SECONDS),
            cache_hits: Counter::default(),
            cache_misses: Counter::default(),
            waiting: Family::default(),
            drawing: Family::default(),
            dropped: Family::default(),
            batch: Family::new_with_constructor(|| Histogram::new(IMAGES)),
            queue: seconds(),
            mapping: seconds(),
            synthesis: seconds(),
            scoring: seconds(),
            descending: Family::default(),
            slope_codes: Family::new_with_constructor(|| Histogram::new(IMAGES)),
            slope: seconds(),
        };
        registry.register("requests", "Requests answered", metrics.requests.clone());
        registry.register(
            "request_seconds",
            "Time from a request to its answer",
            metrics.request.clone(),
        );
        registry.register(
            "encoding_seconds",
            "Time to encode an answer's pictures",
            metrics.encoding.clone(),
        );
        registry.register(
            "cache_hits",
            "Seeded requests whose answer was kept or under way",
            metrics.cache_hits.clone(),
        );
        registry.register(
            "cache_misses",
            "Seeded requests whose answer had to be made",
            metrics.cache_misses.clone(),
        );
        registry.register(
            "images_waiting",
            "Images that wait for the generator",
            metrics.waiting.clone(),
        );
        registry.register(
            "images_drawing",
            "Images in the generators' present runs",
            metrics.drawing.clone(),
        );
        registry.register(
            "images_dropped",
            "Images that were not drawn: overloaded (no room), gone (their caller left), or late (past their deadline)",
            metrics.dropped.clone(),
        );
        registry.register(
            "batch_images",
            "Images in a run of the generator",
            metrics.batch.clone(),
        );
        registry.register(
            "queue_seconds",
            "Time that images wait for their run",
            metrics.queue.clone(),
        );
        registry.register(
            "mapping_seconds",
            "Time of a mapping run, and waiting for it",
            metrics.mapping.clone(),
        );
        registry.register(
            "synthesis_seconds",
            "Time of a synthesis run",
            metrics.synthesis.clone(),
        );
        registry.register(
            "scoring_seconds",
            "Time of the classifiers' runs on the same images, and waiting for them",
            metrics.scoring.clone(),
        );
        registry.register(
            "codes_descending",
            "Codes that are optimised at present",
            metrics.descending.clone(),
        );
        registry.register(
            "slope_codes",
            "Codes in a run of the gradient graph",
            metrics.slope_codes.clone(),
        );
        registry.register(
            "slope_seconds",
            "Time of a run of the gradient graph",
            metrics.slope.clone(),
        );
        metrics.registry = Arc::new(registry);
        metrics
    }

    /// The series of one model, there from now on.
    #[must_use]
    pub fn of_model(&self, name: &str) -> ModelMetrics {
        let model = OfModel {
            model: name.to_owned(),
        };
        let dropped = |reason| {
            let model = name.to_owned();
            self.dropped.get_or_create_owned(&OfReason { model, reason })
        };
        ModelMetrics {
            waiting: self.waiting.get_or_create_owned(&model),
            drawing: self.drawing.get_or_create_owned(&model),
            overloaded: dropped("overloaded"),
            gone: dropped("gone"),
            late: dropped("late"),
            batch: self.batch.get_or_create_owned(&model),
            queue: self.queue.get_or_create_owned(&model),
            mapping: self.mapping.get_or_create_owned(&model),
            synthesis: self.synthesis.get_or_create_owned(&model),
            scoring: self.scoring.get_or_create_owned(&model),
            descending: self.descending.get_or_create_owned(&model),
            slope_codes: self.slope_codes.get_or_create_owned(&model),
            slope: self.slope.get_or_create_owned(&model),
        }
    }

    /// Makes the series of a route present before its first request.
    pub fn expect_route(&self, route: &str) {
        let route = route.to_owned();
        drop(self.request.get_or_create(&OfRoute { route: route.clone() }));
        drop(self.requests.get_or_create(&OfRequest { route, status: 200 }));
    }

    /// Counts a request.
    pub fn answered(&self, route: &str, status: u16, taken: Duration) {
        let route = route.to_owned();
        let of_route = OfRoute { route: route.clone() };
        self.request.get_or_create(&of_route).observe(taken.as_secs_f64());
        self.requests.get_or_create(&OfRequest { route, status }).inc();
    }

    /// Counters of seeded requests whose answer was kept or under way, and of those whose answer had to be made.
    #[must_use]
    pub fn repeats(&self) -> (Counter, Counter) {
        (self.cache_hits.clone(), self.cache_misses.clone())
    }

    /// Counts the encoding of an answer's pictures.
    pub fn encoded(&self, taken: Duration) {
        self.encoding.observe(taken.as_secs_f64());
    }

    /// All series, as OpenMetrics text.
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

/// The series of one model.
#[derive(Clone)]
pub struct ModelMetrics {
    pub(crate) waiting: Gauge,
    pub(crate) drawing: Gauge,
    pub(crate) overloaded: Counter,
    pub(crate) gone: Counter,
    pub(crate) late: Counter,
    pub(crate) batch: Histogram,
    pub(crate) queue: Histogram,
    pub(crate) mapping: Histogram,
    pub(crate) synthesis: Histogram,
    pub(crate) scoring: Histogram,
    pub(crate) descending: Gauge,
    pub(crate) slope_codes: Histogram,
    pub(crate) slope: Histogram,
}

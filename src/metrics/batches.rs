//! The metrics of batchers: their queues and their runs.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::metrics::families::{Histograms, ModelLabel, seconds};

/// Upper bounds of the buckets of batch sizes.
const BATCH_SIZES: [f64; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DropLabels {
    model: String,
    reason: &'static str,
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
pub(super) struct BatchDescriptions {
    waiting: Description,
    running: Description,
    dropped: Description,
    batch_size: Description,
    queue_seconds: Description,
    run_seconds: Description,
}

pub(super) const SYNTHESIS: BatchDescriptions = BatchDescriptions {
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

pub(super) const GRADIENT: BatchDescriptions = BatchDescriptions {
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
pub(super) struct BatchFamilies {
    waiting: Family<ModelLabel, Gauge>,
    running: Family<ModelLabel, Gauge>,
    dropped: Family<DropLabels, Counter>,
    batch_size: Histograms<ModelLabel>,
    queue_seconds: Histograms<ModelLabel>,
    run_seconds: Histograms<ModelLabel>,
}

/// Why a unit was dropped.
const REASONS: [&str; 3] = ["overloaded", "abandoned", "late"];

impl BatchFamilies {
    pub(super) fn new() -> Self {
        Self {
            waiting: Family::default(),
            running: Family::default(),
            dropped: Family::default(),
            batch_size: Family::new_with_constructor(|| Histogram::new(BATCH_SIZES)),
            queue_seconds: seconds(),
            run_seconds: seconds(),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry, descriptions: &BatchDescriptions) {
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

    pub(super) fn forget(&self, label: &ModelLabel) {
        self.waiting.remove(label);
        self.running.remove(label);
        for reason in REASONS {
            let model = label.model.clone();
            self.dropped.remove(&DropLabels { model, reason });
        }
        self.batch_size.remove(label);
        self.queue_seconds.remove(label);
        self.run_seconds.remove(label);
    }

    pub(super) fn of_model(&self, label: &ModelLabel) -> BatchMetrics {
        let [overloaded, abandoned, late] = REASONS.map(|reason| {
            let model = label.model.clone();
            self.dropped.get_or_create_owned(&DropLabels { model, reason })
        });
        BatchMetrics {
            waiting: self.waiting.get_or_create_owned(label),
            running: self.running.get_or_create_owned(label),
            overloaded,
            abandoned,
            late,
            batch_size: self.batch_size.get_or_create_owned(label),
            queue_seconds: self.queue_seconds.get_or_create_owned(label),
            run_seconds: self.run_seconds.get_or_create_owned(label),
        }
    }
}

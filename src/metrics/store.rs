//! The metrics of the store that services share.

use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NoLabels {}

/// The metrics of the store. Clones share their values.
#[derive(Clone, Default)]
pub struct StoreMetrics {
    failures: Counter,
    /// A family, so that a service without a store does not export it.
    last_read: Family<NoLabels, Gauge<f64, AtomicU64>>,
}

impl StoreMetrics {
    /// Counts a change that could not be stored, or a look for changes that failed.
    pub fn failed(&self) {
        self.failures.inc();
    }

    /// Records that the service knows all changes of other services, as of now.
    pub fn was_read(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = now.map_or(0.0, |now| now.as_secs_f64());
        self.last_read.get_or_create(&NoLabels {}).set(seconds);
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "store_failures",
            "Changes that could not be stored, and looks into the store that failed",
            self.failures.clone(),
        );
        registry.register(
            "store_last_read_timestamp_seconds",
            "Time when the service last looked for changes of other services in the store, in seconds since 1970",
            self.last_read.clone(),
        );
    }
}

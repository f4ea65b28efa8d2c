//! The metrics of the memory budget.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The metrics of the memory budget.
#[derive(Clone, Default)]
pub struct MemoryMetrics {
    /// Reserved bytes.
    pub(crate) used: Gauge,
    /// Most bytes that can be reserved.
    pub(crate) limit: Gauge,
    /// Requests that were refused because memory was short.
    pub(crate) refused: Counter,
}

impl MemoryMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "memory_reserved_bytes",
            "Memory reserved for bodies, decoded images, jobs and responses",
            self.used.clone(),
        );
        registry.register(
            "memory_limit_bytes",
            "Most memory that can be reserved",
            self.limit.clone(),
        );
        registry.register(
            "memory_refused",
            "Requests refused because memory was short",
            self.refused.clone(),
        );
    }
}

//! The hits and the misses of a cache.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// The names and the descriptions of a cache's metrics: the hits, then the misses.
pub(super) type CacheTexts = [[&'static str; 2]; 2];

/// The cache of responses.
pub(super) const RESPONSES: CacheTexts = [
    [
        "cache_hits",
        "Requests with a seed whose response was cached or under way",
    ],
    [
        "cache_misses",
        "Requests with a seed whose response had to be made",
    ],
];

/// The cache of the codes of images.
pub(super) const INVERSIONS: CacheTexts = [
    [
        "inversion_cache_hits",
        "Inversions by optimization whose code was cached or under way",
    ],
    [
        "inversion_cache_misses",
        "Inversions by optimization whose code had to be searched",
    ],
];

/// The metrics of one cache.
#[derive(Clone, Default)]
pub(super) struct CacheMetrics {
    pub(super) hits: Counter,
    pub(super) misses: Counter,
}

impl CacheMetrics {
    pub(super) fn register(&self, registry: &mut Registry, texts: &CacheTexts) {
        for ([name, text], counter) in texts.iter().zip([&self.hits, &self.misses]) {
            registry.register(*name, *text, counter.clone());
        }
    }
}

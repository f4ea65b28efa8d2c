//! The cache of responses to seeded requests. Equal requests at the same time are worked on once.

use prometheus_client::metrics::counter::Counter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use crate::api::buffered_response::BufferedResponse;
use crate::api::image_metadata::RequestRecord;
use crate::api::problem::Problem;
use crate::editor::Model;
use crate::engine::ByteBudget;
use crate::metrics::Metrics;

/// The memory of an entry besides the key and the body, in bytes: an estimate of its headers and its place in the cache.
const OVERHEAD: usize = 512;

/// The size of a typical response, in bytes: a PNG of a small model. The cache sizes its tables by it.
const TYPICAL_RESPONSE: usize = 32_768;

/// Responses in memory. If the cache is full, it evicts those that are used least.
pub(crate) struct ResponseCache {
    responses: Cache<String, BufferedResponse, Weight>,
    memory: ByteBudget,
    hits: Counter,
    misses: Counter,
}

/// Weighs an entry by its memory.
#[derive(Clone)]
struct Weight;

impl Weighter<String, BufferedResponse> for Weight {
    fn weight(&self, key: &String, response: &BufferedResponse) -> u64 {
        (OVERHEAD + key.len() + response.len()) as u64
    }
}

impl ResponseCache {
    /// A cache of at most `bytes`; 0 disables it. Responses hold their bytes in `memory`, while they are cached and while they are
    /// sent.
    pub(crate) fn new(bytes: usize, memory: ByteBudget, metrics: &Metrics) -> Self {
        let responses = bytes / TYPICAL_RESPONSE;
        let (hits, misses) = metrics.cache_counters();
        // One shard: a response larger than a shard is not cached.
        let options = OptionsBuilder::new()
            .estimated_items_capacity(responses)
            .weight_capacity(bytes as u64)
            .shards(1)
            .build()
            .expect("both capacities are given");
        let (hashes, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self {
            responses: Cache::with_options(options, Weight, hashes, lifecycle),
            memory,
            hits,
            misses,
        }
    }

    /// The response for `key`: the cached one, the one that an equal request is waiting for, or the one that `make` makes.
    /// Without a key, `make` makes it.
    pub(crate) async fn get_or_make(
        &self,
        key: Option<String>,
        make: impl Future<Output = Result<BufferedResponse, Problem>>,
    ) -> Result<BufferedResponse, Problem> {
        let Some(key) = key else {
            return self.make(make).await;
        };
        match self.responses.get_value_or_guard_async(&key).await {
            Ok(response) => {
                self.hits.inc();
                Ok(response.with_cache_hit())
            }
            // If this fails or is dropped, the next of the equal requests makes the response.
            Err(guard) => {
                self.misses.inc();
                let response = self.make(make).await?;
                // The guard refuses a response whose entry was removed meanwhile, which is made again the next time.
                let _ = guard.insert(response.clone());
                Ok(response)
            }
        }
    }

    /// Makes a response if memory has room for it.
    async fn make(
        &self,
        make: impl Future<Output = Result<BufferedResponse, Problem>>,
    ) -> Result<BufferedResponse, Problem> {
        self.memory.check_room()?;
        Ok(make.await?.held_in(&self.memory))
    }
}

/// The key of a request: everything on which the bytes of its response depend.
pub(crate) fn key(model: &Model, record: &RequestRecord, output: &impl std::fmt::Debug) -> String {
    format!(
        "{} {} {output:?} {}",
        record.path(),
        model.digest(),
        record.json()
    )
}

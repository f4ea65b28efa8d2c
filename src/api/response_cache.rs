//! Requests that come again: answers to seeded requests are kept, and equal requests under way are worked on once.

use prometheus_client::metrics::counter::Counter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use serde::Serialize;

use crate::api::problem::Problem;
use crate::api::response::Answer;
use crate::metrics::Metrics;

/// Bytes of an answer and its key, beside the answer's own.
const OVERHEAD: usize = 512;

/// Answers in memory, the ones asked for least given up first.
pub(crate) struct ResponseCache {
    answers: Cache<String, Answer, Bytes>,
    hits: Counter,
    misses: Counter,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<String, Answer> for Bytes {
    fn weight(&self, key: &String, answer: &Answer) -> u64 {
        (OVERHEAD + key.len() + answer.len()) as u64
    }
}

impl ResponseCache {
    /// Room for answers of `bytes` in all; 0 keeps none.
    pub(crate) fn new(bytes: u64, metrics: &Metrics) -> Self {
        // An estimate of how many answers there will be, at the size of a small picture.
        let answers = usize::try_from(bytes / 32_768).unwrap_or(usize::MAX);
        let (hits, misses) = metrics.repeats();
        // In one piece: each of several would keep no answer larger than itself.
        let options = OptionsBuilder::new()
            .estimated_items_capacity(answers)
            .weight_capacity(bytes)
            .shards(1)
            .build()
            .expect("both capacities are given");
        let (hashes, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self {
            answers: Cache::with_options(options, Bytes, hashes, lifecycle),
            hits,
            misses,
        }
    }

    /// The answer to a request that is wholly told by `key`: the one that is kept, or the one that an equal request gets
    /// just now, or the one that `make` makes.
    pub(crate) async fn answer(
        &self,
        key: String,
        make: impl Future<Output = Result<Answer, Problem>>,
    ) -> Result<Answer, Problem> {
        match self.answers.get_value_or_guard_async(&key).await {
            Ok(answer) => {
                self.hits.inc();
                Ok(answer.kept())
            }
            // Where this fails, or its caller leaves, the next of the equal requests takes over.
            Err(place) => {
                self.misses.inc();
                let answer = make.await?;
                // An answer that is evicted meanwhile is made again another time.
                let _ = place.insert(answer.clone());
                Ok(answer)
            }
        }
    }
}

/// What tells a request and the way it is answered from every other.
pub(crate) fn key(path: &str, digest: &str, request: &impl Serialize, way: &impl std::fmt::Debug) -> String {
    let request = serde_json::to_string(request).expect("a request that came as JSON can be JSON again");
    format!("{path} {digest} {way:?} {request}")
}

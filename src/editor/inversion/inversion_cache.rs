//! The cache of the codes that inversions found. Equal inversions at the same time are worked on once.

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use crate::editor::inversion::found_code::FoundCode;
use crate::metrics::Metrics;

/// The memory of an entry besides the key and the code's values, in bytes: an estimate.
const OVERHEAD: usize = 512;

/// The size of a typical entry, in bytes: a w code of 512 values. The cache sizes its tables by it.
const TYPICAL_ENTRY: usize = 4096;

/// Codes of images in memory, without the images. If the cache is full, it evicts those that are used least.
pub struct InversionCache {
    codes: Cache<String, FoundCode, Weight>,
    metrics: Metrics,
}

/// Weighs an entry by its memory.
#[derive(Clone)]
struct Weight;

impl Weighter<String, FoundCode> for Weight {
    fn weight(&self, key: &String, found: &FoundCode) -> u64 {
        (OVERHEAD + key.len() + size_of::<f32>() * found.code.values().len()) as u64
    }
}

impl InversionCache {
    /// A cache of at most `bytes`; 0 disables it.
    #[must_use]
    pub fn new(bytes: usize, metrics: &Metrics) -> Self {
        // One shard: a code larger than a shard is not cached.
        let options = OptionsBuilder::new()
            .estimated_items_capacity(bytes / TYPICAL_ENTRY)
            .weight_capacity(bytes as u64)
            .shards(1)
            .build()
            .expect("both capacities are given");
        let (hashes, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self {
            codes: Cache::with_options(options, Weight, hashes, lifecycle),
            metrics: metrics.clone(),
        }
    }

    /// The code for `key`: the cached one, or what `search` finds, with all else that `search` returns. If it
    /// `waits`, an equal search that is under way is awaited instead. Without a key, `search` finds the code.
    ///
    /// # Errors
    /// The error of `search`.
    pub(crate) async fn get_or_find<T, E>(
        &self,
        key: Option<String>,
        waits: bool,
        search: impl Future<Output = Result<(FoundCode, T), E>>,
    ) -> Result<(FoundCode, Option<T>), E> {
        let Some(key) = key else {
            let (found, rest) = search.await?;
            return Ok((found, Some(rest)));
        };
        let guard = if waits {
            self.codes.get_value_or_guard_async(&key).await.map_err(Some)
        } else {
            self.codes.get(&key).ok_or(None)
        };
        self.metrics.inversion_looked_up(guard.is_ok());
        match guard {
            Ok(found) => Ok((found, None)),
            // If the search fails or is dropped, the next of the equal ones begins.
            Err(guard) => {
                let (found, rest) = search.await?;
                if !found.was_cut_short() {
                    match guard {
                        // The guard refuses a code whose entry was replaced meanwhile by an equal one.
                        Some(guard) => drop(guard.insert(found.clone())),
                        None => self.codes.insert(key, found.clone()),
                    }
                }
                Ok((found, Some(rest)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::editor::inversion::optimization::OptimizationResult;
    use crate::imaging::Similarity;
    use crate::latent::{LatentCode, LatentSpace};

    const PLENTY: usize = 1 << 16;

    fn found(value: f32, cut_short: bool) -> FoundCode {
        FoundCode {
            code: LatentCode::from_row(LatentSpace::W, vec![value]).unwrap(),
            optimization: Some(OptimizationResult {
                loss: 0.0,
                initial_loss: 0.0,
                perceptual_loss: None,
                steps: 1,
                converged: true,
                cut_short,
            }),
            likeness: Similarity {
                mse: 0.0,
                psnr: 100.0,
                ssim: 1.0,
            },
        }
    }

    /// The code for `key`, and whether it was searched.
    async fn get(cache: &InversionCache, key: Option<&str>, waits: bool, search: FoundCode) -> (f32, bool) {
        let search = async { Ok::<_, Infallible>((search, ())) };
        let (found, searched) = cache
            .get_or_find(key.map(str::to_owned), waits, search)
            .await
            .unwrap();
        (found.code.values()[[0, 0]], searched.is_some())
    }

    #[tokio::test]
    async fn a_code_is_found_once_for_each_key() {
        let cache = InversionCache::new(PLENTY, &Metrics::new());
        for waits in [true, false] {
            let key = if waits { "one" } else { "two" };
            assert_eq!(
                get(&cache, Some(key), waits, found(1.0, false)).await,
                (1.0, true)
            );
            for waits in [true, false] {
                assert_eq!(
                    get(&cache, Some(key), waits, found(2.0, false)).await,
                    (1.0, false)
                );
            }
        }
    }

    #[tokio::test]
    async fn neither_a_search_without_a_key_nor_one_that_a_time_limit_ended_is_kept() {
        let cache = InversionCache::new(PLENTY, &Metrics::new());
        assert_eq!(get(&cache, None, true, found(1.0, false)).await, (1.0, true));
        assert_eq!(get(&cache, None, true, found(2.0, false)).await, (2.0, true));
        for waits in [true, false] {
            assert_eq!(
                get(&cache, Some("key"), waits, found(1.0, true)).await,
                (1.0, true)
            );
        }
        assert_eq!(
            get(&cache, Some("key"), true, found(2.0, false)).await,
            (2.0, true)
        );
    }

    #[tokio::test]
    async fn a_cache_of_no_bytes_keeps_nothing() {
        let cache = InversionCache::new(0, &Metrics::new());
        for value in [1.0, 2.0] {
            assert_eq!(
                get(&cache, Some("key"), true, found(value, false)).await,
                (value, true)
            );
        }
    }

    #[tokio::test]
    async fn the_least_used_codes_leave_a_full_cache() {
        let cache = InversionCache::new(10 * OVERHEAD, &Metrics::new());
        let mut searched = 0;
        for round in 0..2 {
            for key in 0..100 {
                let (_, is_new) = get(&cache, Some(&key.to_string()), true, found(1.0, false)).await;
                searched += usize::from(round == 1 && is_new);
            }
        }
        assert!(searched >= 90, "{searched} of 100 were searched again");
    }
}

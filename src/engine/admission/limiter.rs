//! Limits the images of a model that run or wait, and the time that a request waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::engine::EngineError;
use crate::engine::admission::overload::{InFlight, OverloadDetector, Transition};
use crate::metrics::BatchMetrics;

/// Limits of a queue.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Most images of requests that may run or wait at the same time.
    pub capacity: usize,
    /// Longest expected wait of an admitted request.
    pub longest_wait: Duration,
    /// Time that a batch which is not full waits for more images.
    pub batch_wait: Duration,
}

/// An accepted request's share of the limit, until it is dropped.
pub(crate) struct Permit {
    images: OwnedSemaphorePermit,
    _in_flight: InFlight,
}

impl Permit {
    /// The images that this permit covers.
    pub(crate) fn images(&self) -> usize {
        self.images.num_permits()
    }
}

/// Accepts requests, or refuses them at once.
///
/// A request is refused if its images exceed the free capacity, or if the images ahead of it are expected to take longer than
/// the longest wait. Under sustained overload ([`OverloadDetector`]) only few images may be ahead of it.
#[derive(Clone)]
pub(crate) struct Limiter {
    network: Arc<str>,
    free: Arc<Semaphore>,
    capacity: usize,
    longest_wait: Duration,
    service_time: ServiceTime,
    overload: Arc<Mutex<OverloadDetector>>,
    metrics: BatchMetrics,
}

impl Limiter {
    /// `service_time` is kept up to date by the network's runs. `metrics` counts refused images.
    pub(crate) fn new(
        network: Arc<str>,
        capacity: usize,
        longest_wait: Duration,
        service_time: ServiceTime,
        metrics: BatchMetrics,
    ) -> Self {
        Self {
            network,
            free: Arc::new(Semaphore::new(capacity)),
            capacity,
            longest_wait,
            service_time,
            overload: Arc::default(),
            metrics,
        }
    }

    /// Accepts a request of `images`. Under overload, at most `overload_limit` images may be ahead of it.
    ///
    /// Only the images ahead count for the wait: if there are none, a request is accepted however many images it has and
    /// however slow the network is.
    pub(crate) fn acquire(&self, images: usize, overload_limit: usize) -> Result<Permit, EngineError> {
        // A poisoned lock still holds valid counts.
        let mut overload = self.overload.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = self.capacity.saturating_sub(self.free.available_permits());
        if let Some(transition) = overload.arrive(ahead > overload_limit) {
            self.log(transition, overload_limit);
        }
        let longest_wait = if overload.is_overloaded() {
            self.longest_wait.min(self.service_time.of(overload_limit))
        } else {
            self.longest_wait
        };
        let permits = self.take(images, ahead, longest_wait).inspect_err(|_| {
            overload.refuse();
            self.metrics.overloaded.inc_by(images as u64);
        })?;
        Ok(Permit {
            images: permits,
            _in_flight: overload.admit(),
        })
    }

    /// The network's name.
    pub(crate) fn network(&self) -> &str {
        &self.network
    }

    /// Most images that may run or wait at the same time.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Takes permits for `images` that have `ahead` images ahead of them.
    fn take(
        &self,
        images: usize,
        ahead: usize,
        longest_wait: Duration,
    ) -> Result<OwnedSemaphorePermit, EngineError> {
        let wait = self.service_time.of(ahead);
        if wait > longest_wait {
            return Err(EngineError::LongWait {
                network: self.network.to_string(),
                images: ahead,
                wait,
                longest: longest_wait,
            });
        }
        let count = u32::try_from(images).unwrap_or(u32::MAX);
        let permits = Arc::clone(&self.free).try_acquire_many_owned(count);
        permits.map_err(|_| EngineError::Overloaded {
            network: self.network.to_string(),
            images,
            free: self.free.available_permits(),
            capacity: self.capacity,
            wait,
        })
    }

    fn log(&self, transition: Transition, overload_limit: usize) {
        let network = &*self.network;
        match transition {
            Transition::Started => tracing::warn!(
                network,
                "overload: requests with more than {overload_limit} images ahead of them are refused until it ends"
            ),
            Transition::Ended => tracing::info!(network, "the overload has ended"),
        }
    }
}

/// The time that one image takes when all replicas work: an exponential moving average over runs, in which each run weighs
/// one eighth. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceTime(Arc<AtomicU64>);

impl ServiceTime {
    /// Adds a run of `images` on one of `replicas` that were running at the same time.
    pub(crate) fn note(&self, run: Duration, images: usize, replicas: usize) {
        let nanoseconds = u64::try_from(run.as_nanos()).unwrap_or(u64::MAX);
        let per_image = nanoseconds / (images.max(1) * replicas.max(1)) as u64;
        let update = |mean: u64| {
            Some(if mean == 0 {
                per_image
            } else {
                mean - mean / 8 + per_image / 8
            })
        };
        // The closure always returns a value.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update);
    }

    /// The expected time of `images`. Zero before the first run.
    fn of(&self, images: usize) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed).saturating_mul(images as u64))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::metrics::Metrics;

    const NO_LIMIT: usize = usize::MAX;

    fn limiter(capacity: usize, longest_wait: Duration, service_time: &ServiceTime) -> Limiter {
        Limiter::new(
            "test".into(),
            capacity,
            longest_wait,
            service_time.clone(),
            Metrics::new().of_model("test").synthesis,
        )
    }

    #[test]
    fn capacity_is_counted_in_images_and_given_back() {
        let limiter = limiter(3, Duration::MAX, &ServiceTime::default());
        let two = limiter.acquire(2, NO_LIMIT).unwrap();
        let refused = limiter.acquire(2, NO_LIMIT).map(drop).unwrap_err();
        assert!(
            matches!(
                refused,
                EngineError::Overloaded {
                    images: 2,
                    free: 1,
                    capacity: 3,
                    ..
                }
            ),
            "{refused}"
        );
        assert_eq!(limiter.metrics.overloaded.get(), 2);
        let one = limiter.acquire(1, NO_LIMIT).unwrap();
        drop((one, two));
        assert!(limiter.acquire(3, NO_LIMIT).is_ok());
    }

    #[test]
    fn a_request_is_refused_if_the_images_ahead_take_too_long() {
        let service_time = ServiceTime::default();
        let limiter = limiter(64, Duration::from_millis(50), &service_time);
        service_time.note(Duration::from_millis(40), 2, 2);
        let five = limiter.acquire(5, NO_LIMIT).expect("no image is ahead");
        let sixth = limiter.acquire(1, NO_LIMIT).expect("50 ms are ahead");
        let refused = limiter.acquire(1, NO_LIMIT).map(drop).unwrap_err();
        assert!(
            matches!(&refused, EngineError::LongWait { images: 6, wait, .. } if wait.as_millis() == 60),
            "{refused}"
        );
        drop((five, sixth));
        assert!(limiter.acquire(64, NO_LIMIT).is_ok());
    }

    #[test]
    fn under_overload_the_wait_stays_short() {
        let service_time = ServiceTime::default();
        service_time.note(Duration::from_millis(10), 1, 1);
        let limiter = limiter(256, Duration::from_secs(10), &service_time);
        let mut accepted = VecDeque::new();
        let mut refused = None;
        for request in 0..600 {
            match limiter.acquire(1, 8) {
                Ok(permit) => accepted.push_back(permit),
                Err(error) => refused = Some(error),
            }
            if request % 3 > 0 {
                accepted.pop_front();
            }
        }
        assert!(accepted.len() <= 9, "{}", accepted.len());
        assert!(
            matches!(&refused, Some(EngineError::LongWait { longest, .. }) if longest.as_millis() == 80),
            "{refused:?}"
        );
    }

    #[test]
    fn the_service_time_follows_the_runs() {
        let service_time = ServiceTime::default();
        assert_eq!(service_time.of(7), Duration::ZERO);
        for _ in 0..100 {
            service_time.note(Duration::from_millis(30), 3, 1);
        }
        assert_eq!(service_time.of(2).as_millis(), 20);
        for _ in 0..100 {
            service_time.note(Duration::from_millis(40), 1, 1);
        }
        let one = service_time.of(1).as_millis();
        assert!((39..=40).contains(&one), "{one}");
    }
}

//! Limits the memory of everything under way: bodies, decoded images, the codes of jobs, and responses.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::metrics::MemoryMetrics;

/// What memory is reserved for. Each use has a largest share of the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryUse {
    /// The body of a request that is small. It may use the part of the budget that is kept for small requests.
    SmallBody,
    /// The body of a request, and its copies while it is decoded: at most half of the budget.
    Body,
    /// An image while it is decoded.
    Image,
    /// Codes and scores of a job: at most half of the budget.
    Job,
}

/// Why memory cannot be reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// Other work holds the memory.
    #[error(
        "the service is short of memory: found {} free of {} for this use, expected {}; try again later",
        mebibytes(*free), mebibytes(*most), mebibytes(*bytes)
    )]
    Full {
        /// Bytes to reserve.
        bytes: usize,
        /// Bytes that are free for this use.
        free: usize,
        /// Most bytes of this use.
        most: usize,
    },
    /// More than this use may ever have.
    #[error(
        "found work that needs {} of memory, expected at most {}; send less, or start the service with a larger --memory",
        mebibytes(*bytes), mebibytes(*most)
    )]
    NeverFits {
        /// Bytes to reserve.
        bytes: usize,
        /// Most bytes of this use.
        most: usize,
    },
}

/// A size for a message.
fn mebibytes(bytes: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a number to show")]
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    format!("{mebibytes:.1} MiB")
}

/// Limits the bytes that are reserved at the same time. A clone shares the limit.
///
/// It is a ledger: it allocates nothing. Whoever is about to allocate reserves first, and drops the [`Reservation`] after the
/// memory. One sixteenth of the limit is kept for small bodies and for responses, so that large requests never keep small ones
/// out. If its reservation fails, a request is refused, and a job waits.
#[derive(Clone)]
pub struct ByteBudget(Arc<Ledger>);

struct Ledger {
    limit: usize,
    /// Bytes beyond the limit for responses in the cache.
    cached: usize,
    used: Mutex<Used>,
    /// Wakes the jobs that wait.
    freed: Notify,
    /// Held by the job that waits for memory, so that jobs get it in their order.
    waiting: tokio::sync::Mutex<()>,
    metrics: MemoryMetrics,
}

/// Reserved bytes, in all and by the uses that have a share of their own.
#[derive(Default)]
struct Used {
    all: usize,
    bodies: usize,
    jobs: usize,
}

impl Used {
    fn add(&mut self, of: MemoryUse, bytes: usize) {
        self.all += bytes;
        match of {
            MemoryUse::Body => self.bodies += bytes,
            MemoryUse::Job => self.jobs += bytes,
            MemoryUse::SmallBody | MemoryUse::Image => {}
        }
    }

    fn subtract(&mut self, of: MemoryUse, bytes: usize) {
        self.all -= bytes;
        match of {
            MemoryUse::Body => self.bodies -= bytes,
            MemoryUse::Job => self.jobs -= bytes,
            MemoryUse::SmallBody | MemoryUse::Image => {}
        }
    }
}

impl ByteBudget {
    /// A budget of `limit` bytes, and `cached` bytes for the cache of responses: a response holds its reservation in the cache, too.
    #[must_use]
    pub fn new(limit: usize, cached: usize, metrics: MemoryMetrics) -> Self {
        let all = limit.saturating_add(cached);
        metrics.limit.set(i64::try_from(all).unwrap_or(i64::MAX));
        Self(Arc::new(Ledger {
            limit,
            cached,
            used: Mutex::default(),
            freed: Notify::new(),
            waiting: tokio::sync::Mutex::new(()),
            metrics,
        }))
    }

    /// The most bytes that `of` may have.
    #[must_use]
    pub fn most(&self, of: MemoryUse) -> usize {
        let limit = self.0.limit;
        match of {
            MemoryUse::SmallBody => limit,
            MemoryUse::Body | MemoryUse::Job => limit / 2,
            MemoryUse::Image => limit - self.kept_for_small(),
        }
    }

    /// The bytes that only small bodies and responses may have.
    fn kept_for_small(&self) -> usize {
        self.0.limit / 16
    }

    /// Reserves `bytes`.
    ///
    /// # Errors
    /// [`MemoryError`] if they are not free. It counts as a refused request.
    pub fn reserve(&self, of: MemoryUse, bytes: usize) -> Result<Reservation, MemoryError> {
        let mut reservation = Reservation {
            budget: self.clone(),
            of,
            bytes: 0,
        };
        reservation.grow(bytes)?;
        Ok(reservation)
    }

    /// Waits until `bytes` are free, and reserves them. Callers get them in the order of their calls. While they are not free,
    /// `make_room` may drop what is not needed, and says whether it did.
    ///
    /// # Errors
    /// [`MemoryError::NeverFits`].
    pub async fn reserve_when_free(
        &self,
        of: MemoryUse,
        bytes: usize,
        make_room: impl Fn() -> bool,
    ) -> Result<Reservation, MemoryError> {
        let _in_line = self.0.waiting.lock().await;
        loop {
            // From here on, a reservation that is dropped wakes this call.
            let freed = self.0.freed.notified();
            match self.take(of, bytes) {
                Ok(()) => {
                    return Ok(Reservation {
                        budget: self.clone(),
                        of,
                        bytes,
                    });
                }
                Err(never @ MemoryError::NeverFits { .. }) => return Err(never),
                Err(MemoryError::Full { .. }) if make_room() => {}
                Err(MemoryError::Full { .. }) => freed.await,
            }
        }
    }

    /// Reserves `bytes` of a finished response, even beyond the limit: its work is done. [`check_room`](Self::check_room)
    /// refuses further work until they are free.
    #[must_use]
    pub fn hold_response(&self, bytes: usize) -> Reservation {
        let of = MemoryUse::SmallBody;
        self.change(|used| used.add(of, bytes));
        Reservation {
            budget: self.clone(),
            of,
            bytes,
        }
    }

    /// Refuses work if the budget cannot hold its response, because clients have not read earlier ones.
    ///
    /// # Errors
    /// [`MemoryError::Full`]. It counts as a refused request.
    pub fn check_room(&self) -> Result<(), MemoryError> {
        self.reserve(MemoryUse::SmallBody, 1).map(drop)
    }

    /// Counts `bytes` as used if they are free.
    fn take(&self, of: MemoryUse, bytes: usize) -> Result<(), MemoryError> {
        let most = self.most(of);
        if bytes > most {
            return Err(MemoryError::NeverFits { bytes, most });
        }
        self.change(|used| {
            let share = match of {
                MemoryUse::Body => most.saturating_sub(used.bodies),
                MemoryUse::Job => most.saturating_sub(used.jobs),
                MemoryUse::SmallBody | MemoryUse::Image => most,
            };
            let kept = match of {
                MemoryUse::SmallBody => 0,
                _ => self.kept_for_small(),
            };
            let limit = self.0.limit + self.0.cached - kept;
            let free = share.min(limit.saturating_sub(used.all));
            if bytes > free {
                return Err(MemoryError::Full { bytes, free, most });
            }
            used.add(of, bytes);
            Ok(())
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Used) -> T) -> T {
        // A poisoned lock still holds valid counts.
        let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut used);
        let all = i64::try_from(used.all).unwrap_or(i64::MAX);
        self.0.metrics.used.set(all);
        result
    }
}

/// Reserved bytes, until it is dropped.
pub struct Reservation {
    budget: ByteBudget,
    of: MemoryUse,
    bytes: usize,
}

impl Reservation {
    /// The reserved bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reserves `more` bytes.
    ///
    /// # Errors
    /// [`MemoryError`] if they are not free. It counts as a refused request; the reservation stays as it was.
    pub fn grow(&mut self, more: usize) -> Result<(), MemoryError> {
        let most = self.budget.most(self.of);
        let bytes = self.bytes.saturating_add(more);
        let taken = if bytes > most {
            Err(MemoryError::NeverFits { bytes, most })
        } else {
            self.budget.take(self.of, more)
        };
        match taken {
            Ok(()) => self.bytes = bytes,
            Err(_) => {
                self.budget.0.metrics.refused.inc();
            }
        }
        taken
    }

    /// Gives back all but `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        let freed = self.bytes.saturating_sub(bytes);
        if freed > 0 {
            self.bytes -= freed;
            self.budget.change(|used| used.subtract(self.of, freed));
            self.budget.0.freed.notify_waiters();
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    fn budget() -> ByteBudget {
        ByteBudget::new(800, 0, Metrics::new().memory())
    }

    fn full(bytes: usize, free: usize, most: usize) -> MemoryError {
        MemoryError::Full { bytes, free, most }
    }

    #[test]
    fn a_reservation_is_given_back_when_it_is_dropped() {
        let budget = budget();
        let body = budget.reserve(MemoryUse::Body, 300).unwrap();
        assert_eq!(
            budget.reserve(MemoryUse::Body, 101).map(drop),
            Err(full(101, 100, 400))
        );
        assert_eq!(budget.0.metrics.used.get(), 300);
        assert_eq!(budget.0.metrics.refused.get(), 1);
        drop(body);
        assert_eq!(budget.0.metrics.used.get(), 0);
        assert!(budget.reserve(MemoryUse::Body, 400).is_ok());
    }

    #[test]
    fn large_work_leaves_a_sixteenth_to_small_bodies() {
        let budget = budget();
        let _job = budget.reserve(MemoryUse::Job, 400).unwrap();
        let _body = budget.reserve(MemoryUse::Body, 350).unwrap();
        assert_eq!(
            budget.reserve(MemoryUse::Image, 1).map(drop),
            Err(full(1, 0, 750))
        );
        let _small = budget.reserve(MemoryUse::SmallBody, 50).unwrap();
        assert!(budget.check_room().is_err());
    }

    #[test]
    fn what_can_never_fit_is_told_apart() {
        let budget = budget();
        let mut body = budget.reserve(MemoryUse::Body, 400).unwrap();
        assert_eq!(
            body.grow(1),
            Err(MemoryError::NeverFits {
                bytes: 401,
                most: 400
            })
        );
        body.shrink_to(10);
        assert_eq!(body.bytes(), 10);
        assert_eq!(body.grow(390), Ok(()));
        assert_eq!(
            budget.reserve(MemoryUse::Image, 751).map(drop),
            Err(MemoryError::NeverFits {
                bytes: 751,
                most: 750
            })
        );
    }

    #[test]
    fn a_response_is_held_beyond_the_limit_and_stops_new_work() {
        let budget = budget();
        let response = budget.hold_response(1000);
        assert_eq!(budget.check_room(), Err(full(1, 0, 800)));
        drop(response);
        assert_eq!(budget.check_room(), Ok(()));
    }

    #[tokio::test]
    async fn jobs_wait_for_memory_in_their_order() {
        let budget = budget();
        let held = budget.reserve(MemoryUse::Job, 300).unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let wait = |name, bytes| {
            let (budget, order) = (budget.clone(), Arc::clone(&order));
            tokio::spawn(async move {
                let reservation = budget.reserve_when_free(MemoryUse::Job, bytes, || false).await;
                order.lock().unwrap().push(name);
                reservation.map(drop)
            })
        };
        let large = wait("large", 400);
        tokio::task::yield_now().await;
        let small = wait("small", 50);
        tokio::task::yield_now().await;
        assert!(order.lock().unwrap().is_empty());
        drop(held);
        assert!(large.await.unwrap().is_ok() && small.await.unwrap().is_ok());
        assert_eq!(*order.lock().unwrap(), ["large", "small"]);
        let never = budget.reserve_when_free(MemoryUse::Job, 401, || false).await;
        assert!(matches!(
            never.map(drop),
            Err(MemoryError::NeverFits { bytes: 401, .. })
        ));
    }
}

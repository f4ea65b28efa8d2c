//! Limiter for a model's images: so many may be under way or wait, and none for longer than so long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::engine::admission::overload::{InFlight, OverloadDetector, Transition};
use crate::engine::{EngineError, QueueLimits};

/// A request's place in the room, until it is dropped.
pub(crate) struct Permit {
    images: OwnedSemaphorePermit,
    _guest: InFlight,
}

impl Permit {
    /// How many images it is for.
    pub(crate) fn images(&self) -> usize {
        self.images.num_permits()
    }
}

/// The places of requests' images.
#[derive(Clone)]
pub(crate) struct Limiter {
    network: Arc<str>,
    places: Arc<Semaphore>,
    capacity: usize,
    longest: Duration,
    pace: ServiceTime,
    surge: Arc<Mutex<OverloadDetector>>,
}

impl Limiter {
    /// Empty. `pace` is what the generators keep up to date.
    pub(crate) fn new(network: Arc<str>, waiting: QueueLimits, pace: ServiceTime) -> Self {
        Self {
            network,
            places: Arc::new(Semaphore::new(waiting.capacity)),
            capacity: waiting.capacity,
            longest: waiting.longest,
            pace,
            surge: Arc::default(),
        }
    }

    /// Takes places for `images`.
    ///
    /// The wait that counts is for the images before these: however many a request asks for, and however slow the
    /// generator, it is taken where nothing is before it. In a surge no more than `calm` images may be before it.
    pub(crate) fn take(&self, images: usize, calm: usize) -> Result<Permit, EngineError> {
        // A poisoned lock holds counts still.
        let mut surge = self.surge.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.capacity.saturating_sub(self.places.available_permits());
        if let Some(turn) = surge.ask(before > calm) {
            self.tell(turn, calm);
        }
        let longest = if surge.is_on() {
            self.longest.min(self.pace.of(calm))
        } else {
            self.longest
        };
        let images = self.places_within(images, before, longest);
        let images = images.inspect_err(|_| surge.send_away())?;
        Ok(Permit {
            images,
            _guest: surge.let_in(),
        })
    }

    /// Most images that may be in progress or wait.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    fn places_within(
        &self,
        images: usize,
        before: usize,
        longest: Duration,
    ) -> Result<OwnedSemaphorePermit, EngineError> {
        let wait = self.pace.of(before);
        if wait > longest {
            return Err(EngineError::LongWait {
                network: self.network.to_string(),
                images: before,
                wait,
                longest,
            });
        }
        let wanted = u32::try_from(images).unwrap_or(u32::MAX);
        let places = Arc::clone(&self.places).try_acquire_many_owned(wanted);
        places.map_err(|_| EngineError::Overloaded {
            network: self.network.to_string(),
            images,
            free: self.places.available_permits(),
            capacity: self.capacity,
            wait,
        })
    }

    fn tell(&self, turn: Transition, calm: usize) {
        let network = &*self.network;
        match turn {
            Transition::Begun => tracing::warn!(
                network,
                "more images are asked for than can be drawn: until this ends, requests that find more than {calm} before them are refused"
            ),
            Transition::Over => tracing::info!(network, "no more images are asked for than can be drawn"),
        }
    }
}

/// How long an image takes the generators together: a mean over the last runs, in which each newer one counts an eighth.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceTime(Arc<AtomicU64>);

impl ServiceTime {
    /// Counts a run of `images` on one of `generators` that drew at once.
    pub(crate) fn note(&self, run: Duration, images: usize, generators: usize) {
        let nanoseconds = u64::try_from(run.as_nanos()).unwrap_or(u64::MAX);
        let each = nanoseconds / (images.max(1) * generators.max(1)) as u64;
        let mean = |mean: u64| {
            Some(if mean == 0 {
                each
            } else {
                mean - mean / 8 + each / 8
            })
        };
        // The closure always gives a value.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, mean);
    }

    /// The time that so many images take; zero before the first run.
    fn of(&self, images: usize) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed).saturating_mul(images as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: usize = usize::MAX;

    fn room(capacity: usize, longest: Duration, pace: &ServiceTime) -> Limiter {
        let waiting = QueueLimits {
            capacity,
            longest,
            patience: Duration::ZERO,
        };
        Limiter::new("test".into(), waiting, pace.clone())
    }

    #[test]
    fn room_is_counted_in_images_and_given_back() {
        let room = room(3, Duration::MAX, &ServiceTime::default());
        let two = room.take(2, ANY).unwrap();
        let refused = room.take(2, ANY).map(drop).unwrap_err();
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
        let one = room.take(1, ANY).unwrap();
        drop((one, two));
        assert!(room.take(3, ANY).is_ok());
    }

    #[test]
    fn a_request_is_refused_where_the_images_before_it_take_too_long() {
        let pace = ServiceTime::default();
        let room = room(64, Duration::from_millis(50), &pace);
        pace.note(Duration::from_millis(40), 2, 2);
        let five = room.take(5, ANY).expect("nothing is before it");
        let sixth = room.take(1, ANY).expect("50 ms are before it");
        let refused = room.take(1, ANY).map(drop).unwrap_err();
        assert!(
            matches!(&refused, EngineError::LongWait { images: 6, wait, .. } if wait.as_millis() == 60),
            "{refused}"
        );
        drop((five, sixth));
        assert!(room.take(64, ANY).is_ok());
    }

    #[test]
    fn in_a_surge_the_wait_stays_short() {
        let pace = ServiceTime::default();
        pace.note(Duration::from_millis(10), 1, 1);
        let room = room(256, Duration::from_secs(10), &pace);
        let mut waiting = std::collections::VecDeque::new();
        let mut refused = None;
        for request in 0..600 {
            match room.take(1, 8) {
                Ok(guest) => waiting.push_back(guest),
                Err(error) => refused = Some(error),
            }
            if request % 3 > 0 {
                waiting.pop_front();
            }
        }
        assert!(waiting.len() <= 9, "{}", waiting.len());
        assert!(
            matches!(&refused, Some(EngineError::LongWait { longest, .. }) if longest.as_millis() == 80),
            "{refused:?}"
        );
    }

    #[test]
    fn the_pace_follows_the_runs() {
        let pace = ServiceTime::default();
        assert_eq!(pace.of(7), Duration::ZERO);
        for _ in 0..100 {
            pace.note(Duration::from_millis(30), 3, 1);
        }
        assert_eq!(pace.of(2).as_millis(), 20);
        for _ in 0..100 {
            pace.note(Duration::from_millis(40), 1, 1);
        }
        assert!((39..=40).contains(&pace.of(1).as_millis()), "{:?}", pace.of(1));
    }
}

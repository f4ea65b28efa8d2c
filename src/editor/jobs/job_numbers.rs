//! The numbers of jobs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many services can give numbers in the same millisecond. Numbers then have at most 18 digits for two centuries.
const SERVICES: u64 = 100_000;

/// Gives each job a number, higher than those before it: 1, 2, 3. Services that share a store give milliseconds since 1970, followed by
/// a number of the service, so that no two jobs have the same one.
#[derive(Default)]
pub(crate) struct JobNumbers {
    last: AtomicU64,
    /// The number of the service, if it shares a store.
    service: Option<u64>,
}

impl JobNumbers {
    /// The numbers of one of several services: `service` is a random number.
    pub(crate) fn of_service(service: u64) -> Self {
        Self {
            last: AtomicU64::new(0),
            service: Some(service % SERVICES),
        }
    }

    /// The number of a job that begins at a time.
    pub(crate) fn next(&self, now: SystemTime) -> u64 {
        let next = |last: u64| {
            let Some(service) = self.service else {
                return last + 1;
            };
            let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
            let milliseconds = u64::try_from(since.as_millis()).unwrap_or(0);
            (milliseconds * SERVICES + service).max(last + SERVICES)
        };
        let last = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        next(last.unwrap_or_else(|last| last))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn numbers_rise_also_within_a_millisecond_and_end_with_the_service() {
        let (numbers, now) = (
            JobNumbers::of_service(100_007),
            UNIX_EPOCH + Duration::from_hours(500_000),
        );
        let given: Vec<_> = [
            now,
            now,
            now - Duration::from_hours(1),
            now + Duration::from_millis(9),
        ]
        .map(|now| numbers.next(now))
        .into();
        assert!(given.is_sorted_by(|before, after| before < after), "{given:?}");
        assert!(given.iter().all(|number| number % SERVICES == 7), "{given:?}");
        assert_eq!(given[0].to_string().len(), 18);
    }

    #[test]
    fn a_service_without_a_store_counts_from_one() {
        let numbers = JobNumbers::default();
        assert_eq!([(); 3].map(|()| numbers.next(SystemTime::now())), [1, 2, 3]);
    }
}

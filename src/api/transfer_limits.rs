//! How long the service waits for a client that sends a request or takes a response slowly.

use std::error::Error;
use std::time::{Duration, Instant};

/// Limits on the time that the service waits for a client. Time in which the client waits for the service does not count.
///
/// It works like a token bucket of time: waiting uses it up, and each byte fills it again.
#[derive(Clone, Copy, Debug)]
pub struct TransferLimits {
    /// The longest wait without a byte.
    pub patience: Duration,
    /// The smallest rate. A byte gives back the time that it takes at this rate.
    pub bytes_per_second: u32,
    /// The longest wait in all, for one request or one response.
    pub longest: Duration,
}

/// The client sent the body of its request too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the client sent the body too slowly")]
pub struct SlowRequest;

impl SlowRequest {
    /// Whether a body failed for this reason.
    pub(crate) fn is_reason_of(error: &(dyn Error + 'static)) -> bool {
        error.is::<Self>() || error.source().is_some_and(Self::is_reason_of)
    }
}

/// The rest of the time that [`TransferLimits`] leave to one request or one response.
#[derive(Debug)]
pub struct Allowance {
    transfer: TransferLimits,
    left: Duration,
    left_in_all: Duration,
    waiting_since: Option<Instant>,
}

impl Allowance {
    /// The full time.
    #[must_use]
    pub fn new(transfer: TransferLimits) -> Self {
        Self {
            transfer,
            left: transfer.patience,
            left_in_all: transfer.longest,
            waiting_since: None,
        }
    }

    /// Starts to wait for the client at `now`, if it did not before. Returns the end of the time that the client has.
    pub fn wait(&mut self, now: Instant) -> Instant {
        let since = *self.waiting_since.get_or_insert(now);
        since + self.left.min(self.left_in_all)
    }

    /// Ends the wait: the client has sent or taken `bytes`.
    pub fn advance(&mut self, now: Instant, bytes: usize) {
        if let Some(since) = self.waiting_since.take() {
            let waited = now.saturating_duration_since(since);
            self.left = self.left.saturating_sub(waited);
            self.left_in_all = self.left_in_all.saturating_sub(waited);
        }
        let bytes = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
        let earned = Duration::from_secs_f64(bytes / f64::from(self.transfer.bytes_per_second.max(1)));
        self.left = self.left.saturating_add(earned).min(self.transfer.patience);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSFER_LIMITS: TransferLimits = TransferLimits {
        patience: Duration::from_secs(10),
        bytes_per_second: 100,
        longest: Duration::from_mins(1),
    };

    /// The seconds after which a peer is given up that sends or takes `bytes` in one piece every `interval` seconds.
    fn given_up_after(bytes: usize, interval: u64) -> Option<u64> {
        let start = Instant::now();
        let mut allowance = Allowance::new(TRANSFER_LIMITS);
        for piece in 0..1000 {
            let (from, to) = (piece * interval, (piece + 1) * interval);
            let until = allowance.wait(start + Duration::from_secs(from));
            if until < start + Duration::from_secs(to) {
                return Some((until - start).as_secs());
            }
            allowance.advance(start + Duration::from_secs(to), bytes);
        }
        None
    }

    #[test]
    fn a_peer_that_stops_or_falls_below_the_smallest_rate_is_given_up() {
        assert_eq!(given_up_after(0, 1000), Some(10), "no byte for the patience");
        assert_eq!(given_up_after(50, 1), Some(19), "half of the smallest rate");
        assert_eq!(
            given_up_after(100, 11),
            Some(10),
            "a pause longer than the patience"
        );
    }

    #[test]
    fn a_peer_at_the_smallest_rate_is_given_up_after_the_longest_time() {
        assert_eq!(given_up_after(100, 1), Some(60));
        assert_eq!(given_up_after(1_000_000, 5), Some(60));
    }

    #[test]
    fn time_in_which_the_peer_is_not_waited_for_does_not_count() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut allowance = Allowance::new(TRANSFER_LIMITS);
        assert_eq!(allowance.wait(at(0)), at(10));
        assert_eq!(allowance.wait(at(4)), at(10), "it is still waited for");
        allowance.advance(at(4), 0);
        assert_eq!(allowance.wait(at(5000)), at(5006));
    }
}

//! Detects sustained overload.

use std::sync::Arc;

/// Departures in a window. The detector decides at the end of each window.
const WINDOW: u64 = 32;

/// Excess arrivals, summed over windows, that count as overload.
const THRESHOLD: i64 = 10;

/// Most excess arrivals that one window adds, so that a single burst is not an overload.
const MAX_PER_WINDOW: i64 = 6;

/// One excess arrival for this many departures is tolerated, so that the number of clients may grow slowly.
const TOLERANCE: i64 = 64;

/// Windows in a row without a refusal that end an overload.
const CALM_WINDOWS: u32 = 8;

/// Detects sustained overload, so that new requests are refused at once instead of queueing without end.
///
/// It compares arrivals with departures, window by window, and uses no clock. Under overload more requests arrive than leave
/// in each window, and the queue is never short. Two other patterns must not be refused: clients that send their next
/// request after a response (as many arrive as leave, however many clients there are), and a burst (it ends within a window
/// or two).
///
/// A sojourn-time rule such as `CoDel`'s is simpler, but it refuses patient clients: with 32 clients in a closed loop, each
/// of their requests waits longer than the target. `benches/README.md` has the comparison.
#[derive(Debug, Default)]
pub(crate) struct OverloadDetector {
    state: Load,
    /// Requests accepted since the start.
    accepted: u64,
    /// Each accepted request that has not left holds a clone.
    in_flight: Arc<()>,
    window: Window,
}

#[derive(Debug)]
enum Load {
    Normal {
        /// Arrivals minus departures since the queue was last short, in units of 1/[`TOLERANCE`] request.
        excess: i64,
    },
    Overloaded {
        /// Windows in a row without a refusal.
        calm_windows: u32,
    },
}

impl Default for Load {
    fn default() -> Self {
        Self::Normal { excess: 0 }
    }
}

/// Counts since the start of the window.
#[derive(Debug, Default)]
struct Window {
    /// Departures before the window.
    departures_before: u64,
    arrivals: u64,
    /// Whether an arrival found a short queue.
    short_queue: bool,
    refused: bool,
}

/// An accepted request. It leaves when the value is dropped.
pub(crate) struct InFlight {
    _in_flight: Arc<()>,
}

/// The start or the end of an overload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transition {
    Started,
    Ended,
}

impl OverloadDetector {
    pub(crate) fn is_overloaded(&self) -> bool {
        matches!(self.state, Load::Overloaded { .. })
    }

    /// Counts an arriving request. `long_queue`: many images are ahead of it.
    pub(crate) fn arrive(&mut self, long_queue: bool) -> Option<Transition> {
        let in_flight = Arc::strong_count(&self.in_flight) as u64 - 1;
        let departures = self.accepted.saturating_sub(in_flight);
        let transition = if self.is_overloaded() && in_flight == 0 {
            self.state = Load::default();
            Some(Transition::Ended)
        } else if departures >= self.window.departures_before + WINDOW {
            self.end_window(departures)
        } else {
            None
        };
        self.window.arrivals += 1;
        self.window.short_queue |= !long_queue;
        transition
    }

    /// Counts an accepted request, until the returned value is dropped.
    pub(crate) fn admit(&mut self) -> InFlight {
        self.accepted += 1;
        InFlight {
            _in_flight: Arc::clone(&self.in_flight),
        }
    }

    /// Counts a refused request.
    pub(crate) fn refuse(&mut self) {
        self.window.refused = true;
    }

    fn end_window(&mut self, departures: u64) -> Option<Transition> {
        let next = Window {
            departures_before: departures,
            ..Window::default()
        };
        let window = std::mem::replace(&mut self.window, next);
        match &mut self.state {
            Load::Normal { excess } => {
                let left = (departures - window.departures_before).cast_signed();
                let more = window.arrivals.cast_signed() * TOLERANCE - left * (TOLERANCE + 1);
                *excess = if window.short_queue {
                    0
                } else {
                    (*excess + more.min(MAX_PER_WINDOW * TOLERANCE)).max(0)
                };
                if *excess < THRESHOLD * TOLERANCE {
                    return None;
                }
                self.state = Load::Overloaded { calm_windows: 0 };
                Some(Transition::Started)
            }
            Load::Overloaded { calm_windows } => {
                *calm_windows = if window.refused { 0 } else { *calm_windows + 1 };
                if *calm_windows < CALM_WINDOWS {
                    return None;
                }
                self.state = Load::default();
                Some(Transition::Ended)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Images ahead from which the queue is long.
    const LONG_QUEUE: usize = 16;

    /// A server that completes one image at each tick.
    #[derive(Default)]
    struct Server {
        detector: OverloadDetector,
        requests: VecDeque<(usize, InFlight)>,
        /// Completed images of the first request.
        completed: usize,
        transitions: Vec<(usize, Transition)>,
        ticks: usize,
        longest_queue: usize,
    }

    impl Server {
        /// Sends a request. Returns whether it is accepted.
        fn send(&mut self, images: usize) -> bool {
            let ahead: usize = self.requests.iter().map(|(images, _)| images).sum();
            let transition = self.detector.arrive(ahead > LONG_QUEUE);
            self.transitions
                .extend(transition.map(|transition| (self.ticks, transition)));
            if self.detector.is_overloaded() && ahead > LONG_QUEUE {
                self.detector.refuse();
                return false;
            }
            let in_flight = self.detector.admit();
            self.requests.push_back((images, in_flight));
            self.longest_queue = self.longest_queue.max(ahead + images);
            true
        }

        /// Completes an image. Returns the size of the request that this ends, if it ends one.
        fn tick(&mut self) -> Option<usize> {
            self.ticks += 1;
            self.completed += 1;
            let (images, _) = self.requests.front()?;
            if self.completed < *images {
                return None;
            }
            self.completed = 0;
            self.requests.pop_front().map(|(images, _)| images)
        }
    }

    #[test]
    fn sustained_overload_is_detected_and_its_end_too() {
        for (one_more_in, detected_before, longest_queue) in [(5, 250, 45), (20, 900, 60)] {
            let mut server = Server::default();
            for tick in 0..5000 {
                server.tick();
                server.send(1);
                if tick % one_more_in == 0 {
                    server.send(1);
                }
            }
            let [(started, Transition::Started)] = server.transitions[..] else {
                panic!("{:?}", server.transitions);
            };
            assert!(started < detected_before, "{started}");
            assert!(server.longest_queue < longest_queue, "{}", server.longest_queue);
            for tick in 0..500 {
                server.tick();
                if tick % 5 > 0 {
                    server.send(1);
                }
            }
            assert!(
                matches!(server.transitions[..], [_, (5000..5500, Transition::Ended)]),
                "{:?}",
                server.transitions
            );
        }
    }

    #[test]
    fn an_overload_ends_when_the_queue_is_empty() {
        let mut server = Server::default();
        for _ in 0..300 {
            server.tick();
            server.send(1);
            server.send(1);
        }
        assert!(!server.send(1));
        while !server.requests.is_empty() {
            server.tick();
        }
        for _ in 0..32 {
            assert!(server.send(1));
        }
        assert!(
            matches!(
                server.transitions[..],
                [(_, Transition::Started), (_, Transition::Ended)]
            ),
            "{:?}",
            server.transitions
        );
    }

    #[test]
    fn clients_in_a_closed_loop_are_never_an_overload() {
        for sizes in [vec![1; 32], vec![1; 200], vec![64, 64, 64, 1, 1, 1, 1, 48, 48]] {
            let mut server = Server::default();
            for &size in &sizes {
                assert!(server.send(size));
            }
            for _ in 0..5000 {
                if let Some(ended) = server.tick() {
                    assert!(server.send(ended));
                }
            }
            assert_eq!(server.transitions, [], "{sizes:?}");
        }
    }

    #[test]
    fn bursts_are_not_an_overload() {
        let mut server = Server::default();
        for tick in 0..5000 {
            if tick % 500 == 0 {
                for _ in 0..200 {
                    assert!(server.send(1));
                }
            }
            if tick % 5 == 0 {
                assert!(server.send(1));
            }
            server.tick();
        }
        assert_eq!(server.transitions, []);
    }
}

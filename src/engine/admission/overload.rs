//! Whether more is asked for, and goes on to be, than can be drawn: then those that come are better sent away at once than all made to
//! wait longer and longer.

use std::sync::Arc;

/// Requests that leave between two looks.
const LOOK: u64 = 32;

/// So many more that come than leave, from look to look, are a surge.
const SURGE: i64 = 10;

/// No look counts for more: a burst is one look.
const MOST: i64 = 6;

/// One more for so many that leave is no growth, so that clients may become more in time.
const SLOW: i64 = 64;

/// A surge is over when nobody was sent away in so many looks.
const CALM_LOOKS: u32 = 8;

/// Counts requests that come and requests that leave.
///
/// Clients that ask again when they have been answered come as often as they leave, however many they are; a burst is over before long.
/// Neither is a surge: in one, more come than leave, look after look, and there is never little to draw.
#[derive(Debug, Default)]
pub(crate) struct OverloadDetector {
    state: State,
    /// Requests that were let in, since the start.
    let_in: u64,
    /// Each request that is in has a handle of it.
    inside: Arc<()>,
    /// Since the last look.
    seen: Seen,
}

#[derive(Debug)]
enum State {
    Off {
        /// How many more have come than left since there was little to draw, in parts of which [`SLOW`] are one.
        grown: i64,
    },
    On {
        /// Looks in a row in which nobody was sent away.
        calm_looks: u32,
    },
}

impl Default for State {
    fn default() -> Self {
        Self::Off { grown: 0 }
    }
}

#[derive(Debug, Default)]
struct Seen {
    /// Requests that had left before.
    left: u64,
    asked: u64,
    /// Whether a request found little to draw.
    little: bool,
    sent_away: bool,
}

/// A request that was let in; dropped, it has left.
pub(crate) struct InFlight {
    _inside: Arc<()>,
}

/// That a surge has begun, or is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transition {
    Begun,
    Over,
}

impl OverloadDetector {
    pub(crate) fn is_on(&self) -> bool {
        matches!(self.state, State::On { .. })
    }

    /// Counts a request that comes, and whether it finds much to draw.
    pub(crate) fn ask(&mut self, much: bool) -> Option<Transition> {
        let inside = Arc::strong_count(&self.inside) as u64 - 1;
        let left = self.let_in.saturating_sub(inside);
        let turn = if self.is_on() && inside == 0 {
            self.state = State::default();
            Some(Transition::Over)
        } else if left >= self.seen.left + LOOK {
            self.look(left)
        } else {
            None
        };
        self.seen.asked += 1;
        self.seen.little |= !much;
        turn
    }

    /// Counts a request that is let in, until it leaves.
    pub(crate) fn let_in(&mut self) -> InFlight {
        self.let_in += 1;
        InFlight {
            _inside: Arc::clone(&self.inside),
        }
    }

    /// Counts a request that is sent away.
    pub(crate) fn send_away(&mut self) {
        self.seen.sent_away = true;
    }

    fn look(&mut self, left: u64) -> Option<Transition> {
        let next = Seen {
            left,
            ..Seen::default()
        };
        let seen = std::mem::replace(&mut self.seen, next);
        match &mut self.state {
            State::Off { grown } => {
                let left = (left - seen.left).cast_signed();
                let more = seen.asked.cast_signed() * SLOW - left * (SLOW + 1);
                *grown = if seen.little {
                    0
                } else {
                    (*grown + more.min(MOST * SLOW)).max(0)
                };
                if *grown < SURGE * SLOW {
                    return None;
                }
                self.state = State::On { calm_looks: 0 };
                Some(Transition::Begun)
            }
            State::On { calm_looks } => {
                *calm_looks = if seen.sent_away { 0 } else { *calm_looks + 1 };
                if *calm_looks < CALM_LOOKS {
                    return None;
                }
                self.state = State::default();
                Some(Transition::Over)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const CALM: usize = 16;

    /// A room from which an image leaves at each tick, for as long as there is any.
    #[derive(Default)]
    struct Limiter {
        surge: OverloadDetector,
        requests: VecDeque<(usize, InFlight)>,
        turns: Vec<(usize, Transition)>,
        ticks: usize,
        most: usize,
    }

    impl Limiter {
        /// Whether the images are let in.
        fn ask(&mut self, images: usize) -> bool {
            let before: usize = self.requests.iter().map(|(images, _)| images).sum();
            let turn = self.surge.ask(before > CALM);
            self.turns.extend(turn.map(|turn| (self.ticks, turn)));
            if self.surge.is_on() && before > CALM {
                self.surge.send_away();
                return false;
            }
            let guest = self.surge.let_in();
            self.requests.push_back((images, guest));
            self.most = self.most.max(before + images);
            true
        }

        /// An image leaves; the size of the request that it ends, if it ends one.
        fn tick(&mut self, drawn: &mut usize) -> Option<usize> {
            self.ticks += 1;
            *drawn += 1;
            let (images, _) = self.requests.front()?;
            if *drawn < *images {
                return None;
            }
            *drawn = 0;
            self.requests.pop_front().map(|(images, _)| images)
        }
    }

    #[test]
    fn more_than_can_be_drawn_is_a_surge_until_it_ends() {
        for (one_more_in, latest, most) in [(5, 250, 45), (20, 900, 60)] {
            let (mut room, mut drawn) = (Limiter::default(), 0);
            for tick in 0..5000 {
                room.tick(&mut drawn);
                room.ask(1);
                if tick % one_more_in == 0 {
                    room.ask(1);
                }
            }
            let [(begun, Transition::Begun)] = room.turns[..] else {
                panic!("{:?}", room.turns);
            };
            assert!(begun < latest, "{begun}");
            assert!(room.most < most, "{}", room.most);
            for tick in 0..500 {
                room.tick(&mut drawn);
                if tick % 5 > 0 {
                    room.ask(1);
                }
            }
            assert!(
                matches!(room.turns[..], [_, (5000..5500, Transition::Over)]),
                "{:?}",
                room.turns
            );
        }
    }

    #[test]
    fn a_surge_is_over_when_nothing_is_left() {
        let (mut room, mut drawn) = (Limiter::default(), 0);
        for _ in 0..300 {
            room.tick(&mut drawn);
            room.ask(1);
            room.ask(1);
        }
        assert!(!room.ask(1));
        while !room.requests.is_empty() {
            room.tick(&mut drawn);
        }
        for _ in 0..32 {
            assert!(room.ask(1));
        }
        assert!(
            matches!(room.turns[..], [(_, Transition::Begun), (_, Transition::Over)]),
            "{:?}",
            room.turns
        );
    }

    #[test]
    fn clients_that_ask_again_when_answered_are_none_however_many() {
        for sizes in [vec![1; 32], vec![1; 200], vec![64, 64, 64, 1, 1, 1, 1, 48, 48]] {
            let (mut room, mut drawn) = (Limiter::default(), 0);
            for &size in &sizes {
                assert!(room.ask(size));
            }
            for _ in 0..5000 {
                if let Some(ended) = room.tick(&mut drawn) {
                    assert!(room.ask(ended));
                }
            }
            assert_eq!(room.turns, [], "{sizes:?}");
        }
    }

    #[test]
    fn bursts_are_none() {
        let (mut room, mut drawn) = (Limiter::default(), 0);
        for tick in 0..5000 {
            if tick % 500 == 0 {
                for _ in 0..200 {
                    assert!(room.ask(1));
                }
            }
            if tick % 5 == 0 {
                assert!(room.ask(1));
            }
            room.tick(&mut drawn);
        }
        assert_eq!(room.turns, []);
    }
}

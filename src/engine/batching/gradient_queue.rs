//! Where the steps of descents wait for a run of the gradient graph, and for one another.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ndarray::{Array3, Axis};
use tokio::sync::oneshot;

use crate::engine::{EngineError, Images, LossGradient};

/// A descent's next step.
pub(crate) struct Order {
    pub(crate) codes: Array3<f32>,
    pub(crate) targets: Images,
    pub(crate) came: Instant,
    /// When its caller gives up, if it does.
    pub(crate) deadline: Option<Instant>,
    pub(crate) reply: oneshot::Sender<Result<LossGradient, EngineError>>,
}

impl Order {
    pub(crate) fn codes(&self) -> usize {
        self.codes.len_of(Axis(0))
    }

    /// Whether nobody waits for it.
    fn is_gone(&self) -> bool {
        self.reply.is_closed() || self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }
}

/// What waits for a run.
pub(crate) struct GradientQueue {
    state: Mutex<State>,
    changed: Condvar,
    patience: Duration,
    largest: usize,
}

struct State {
    orders: VecDeque<Order>,
    /// Codes of descents under way, each of which orders one step after another.
    under_way: usize,
    open: bool,
}

impl GradientQueue {
    /// Empty. A run takes `largest` codes at most, and waits `patience` for descents that are under way.
    pub(crate) fn new(patience: Duration, largest: usize) -> Self {
        let state = State {
            orders: VecDeque::new(),
            under_way: 0,
            open: true,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            patience,
            largest,
        }
    }

    /// Most codes in one run.
    pub(crate) fn largest(&self) -> usize {
        self.largest
    }

    /// How many codes are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.lock().under_way
    }

    /// So many codes begin to go down.
    pub(crate) fn begin(&self, codes: usize) {
        self.lock().under_way += codes;
    }

    /// So many codes go down no more.
    pub(crate) fn end(&self, codes: usize) {
        self.lock().under_way -= codes;
        self.changed.notify_all();
    }

    /// Puts a step at the line's end.
    pub(crate) fn put(&self, order: Order) {
        self.lock().orders.push_back(order);
        self.changed.notify_all();
    }

    /// Lets the gradient graph end when nothing waits any more.
    pub(crate) fn close(&self) {
        self.lock().open = false;
        self.changed.notify_all();
    }

    /// Waits for orders, and takes the first and those after it that fit into a run; `None` when there will be no more.
    ///
    /// A run waits until each descent under way has ordered its step, or the first order has waited for long enough, not counting
    /// the run before, whose descents are about to order their next steps: they step together then, where otherwise the first
    /// would always be alone, and all others in the next run.
    pub(crate) fn take(&self) -> Option<Vec<Order>> {
        let free = Instant::now();
        let mut state = self.lock();
        loop {
            state.orders.retain(|order| !order.is_gone());
            let open = state.open;
            let wait = match state.orders.front() {
                None if !open => return None,
                None => None,
                Some(first) => {
                    let waiting: usize = state.orders.iter().map(Order::codes).sum();
                    let waited = first.came.max(free).elapsed();
                    if waiting >= self.largest.min(state.under_way) || waited >= self.patience || !open {
                        break;
                    }
                    Some(self.patience.saturating_sub(waited))
                }
            };
            // A poisoned lock holds whole orders still: nothing panics between two changes.
            state = match wait {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(time) => {
                    self.changed
                        .wait_timeout(state, time)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
        let (mut taken, mut room) = (Vec::new(), self.largest);
        while let Some(first) = state.orders.front().map(Order::codes)
            && (taken.is_empty() || first <= room)
        {
            room = room.saturating_sub(first);
            taken.extend(state.orders.pop_front());
        }
        Some(taken)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

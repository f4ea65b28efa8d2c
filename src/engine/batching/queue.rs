//! Where images wait: in the order they came, requests' before background work's, until a generator takes a batch of them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use ndarray::{Array3, Axis};

use crate::engine::BatchSize;
use crate::engine::batching::reply::Reply;
use crate::metrics::ModelMetrics;

/// Who waits for images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// A person.
    Request,
    /// Nobody in particular: drawn where no request's images wait.
    Background,
}

/// A caller's images, drawn together in one run.
pub(crate) struct Order {
    /// Codes `[images, rows, dim]`, no more than one run holds.
    pub(crate) codes: Array3<f32>,
    pub(crate) came: Instant,
    /// When its caller gives up, if it does.
    pub(crate) deadline: Option<Instant>,
    pub(crate) taker: Box<dyn Reply>,
}

impl Order {
    fn images(&self) -> usize {
        self.codes.len_of(Axis(0))
    }
}

/// The orders of one model, shared by its callers and its generators.
pub(crate) struct Queue {
    lanes: Mutex<Lanes>,
    /// How long a run that is not full waits for more images.
    patience: Duration,
    metrics: ModelMetrics,
}

struct Lanes {
    requests: VecDeque<Order>,
    background: VecDeque<Order>,
    /// The generators' threads that sleep. The last to fall asleep is the first to be woken: what it works with is still in
    /// the processor's caches.
    asleep: Vec<Thread>,
    /// The threads of generators that are not open, which are woken where no other is asleep.
    lazy_replicas: Vec<Thread>,
    open: bool,
}

impl Queue {
    pub(crate) fn new(patience: Duration, metrics: ModelMetrics) -> Self {
        let lanes = Lanes {
            requests: VecDeque::new(),
            background: VecDeque::new(),
            asleep: Vec::new(),
            lazy_replicas: Vec::new(),
            open: true,
        };
        Self {
            lanes: Mutex::new(lanes),
            patience,
            metrics,
        }
    }

    /// Puts an order at its lane's end.
    pub(crate) fn put(&self, lane: Lane, order: Order) {
        self.metrics.waiting.inc_by(count(order.images()));
        let mut lanes = self.lock();
        match lane {
            Lane::Request => lanes.requests.push_back(order),
            Lane::Background => lanes.background.push_back(order),
        }
        lanes.wake_one();
    }

    /// Lets the generators end when nothing waits any more.
    pub(crate) fn close(&self) {
        let mut lanes = self.lock();
        lanes.open = false;
        while lanes.wake_one() {}
    }

    /// Waits for orders, and takes the first and those after it that fit beside it into a run of the best size; `None`
    /// when the queue is closed and empty.
    pub(crate) fn take(&self, size: &BatchSize) -> Option<Vec<Order>> {
        let mut lanes = self.lock();
        let mut largest;
        loop {
            largest = size.largest();
            self.forget_the_gone(&mut lanes);
            let open = lanes.open;
            let wait = match lanes.first() {
                None if !open => return None,
                None => None,
                Some(lane) => {
                    let (images, oldest) = (images(lane), lane[0].came.elapsed());
                    if images >= largest || oldest >= self.patience || !open {
                        break;
                    }
                    Some(self.patience.saturating_sub(oldest))
                }
            };
            lanes = self.sleep(lanes, wait);
        }
        let taken = lanes.first().map_or_else(Vec::new, |lane| fill(lane, largest));
        if lanes.first().is_some() {
            lanes.wake_one();
        }
        self.metrics
            .waiting
            .dec_by(count(taken.iter().map(Order::images).sum()));
        Some(taken)
    }

    /// Waits, as one of the generators in reserve, until an order waits that every other is too busy for; `false` where the queue is closed before.
    pub(crate) fn overflows(&self) -> bool {
        let mut lanes = self.lock();
        while lanes.open {
            if lanes.asleep.is_empty() && lanes.first().is_some() {
                return true;
            }
            lanes.lazy_replicas.push(thread::current());
            drop(lanes);
            thread::park();
            lanes = self.lock();
            forget_own(&mut lanes.lazy_replicas);
        }
        false
    }

    /// Drops, and counts, the images that nobody waits for.
    fn forget_the_gone(&self, lanes: &mut Lanes) {
        let now = Instant::now();
        let wanted = |order: &Order| {
            let late = order.deadline.is_some_and(|deadline| deadline <= now);
            let gone = late || order.taker.is_gone();
            if gone {
                let counter = if late {
                    &self.metrics.late
                } else {
                    &self.metrics.gone
                };
                counter.inc_by(order.images() as u64);
                self.metrics.waiting.dec_by(count(order.images()));
            }
            !gone
        };
        lanes.requests.retain(wanted);
        lanes.background.retain(wanted);
    }

    /// Lets go of the lanes until this generator's thread is woken, or for a time.
    fn sleep<'a>(
        &'a self,
        mut lanes: MutexGuard<'a, Lanes>,
        time: Option<Duration>,
    ) -> MutexGuard<'a, Lanes> {
        lanes.asleep.push(thread::current());
        drop(lanes);
        match time {
            None => thread::park(),
            Some(time) => thread::park_timeout(time),
        }
        let mut lanes = self.lock();
        forget_own(&mut lanes.asleep);
        lanes
    }

    // A poisoned lock holds whole orders still: nothing panics between two changes of a lane.
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lanes {
    /// Wakes a generator's thread, if one is asleep.
    fn wake_one(&mut self) -> bool {
        let woken = self.asleep.pop().or_else(|| self.lazy_replicas.pop());
        woken.inspect(Thread::unpark).is_some()
    }

    /// The lane to take from, if any has an order.
    fn first(&mut self) -> Option<&mut VecDeque<Order>> {
        [&mut self.requests, &mut self.background]
            .into_iter()
            .find(|lane| !lane.is_empty())
    }
}

/// Takes this thread out of those that sleep, where nobody has woken it.
fn forget_own(sleepers: &mut Vec<Thread>) {
    let own = thread::current().id();
    sleepers.retain(|sleeper| sleeper.id() != own);
}

fn images(lane: &VecDeque<Order>) -> usize {
    lane.iter().map(Order::images).sum()
}

/// Takes the lane's first order, and whatever fits beside it in order; the rest stays as it stood.
fn fill(lane: &mut VecDeque<Order>, largest: usize) -> Vec<Order> {
    let mut taken = Vec::new();
    let mut room = largest;
    let mut place = 0;
    while place < lane.len() && room > 0 {
        if taken.is_empty() || lane[place].images() <= room {
            let order = lane.remove(place).expect("the place is in the lane");
            room = room.saturating_sub(order.images());
            taken.push(order);
        } else {
            place += 1;
        }
    }
    taken
}

/// As a gauge counts.
pub(crate) fn count(images: usize) -> i64 {
    i64::try_from(images).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::engine::batching::reply;
    use crate::metrics::Metrics;

    #[test]
    fn the_thread_that_fell_asleep_last_is_woken_first() {
        let queue = Arc::new(Queue::new(Duration::ZERO, Metrics::new().of_model("a")));
        let (say, said) = channel();
        let threads = [0, 1, 2].map(|number| {
            let (queue, say) = (Arc::clone(&queue), say.clone());
            thread::spawn(move || {
                while queue.take(&BatchSize::settled(1)).is_some() {
                    say.send(number).unwrap();
                }
            })
        });
        let all_sleep = || {
            while queue.lock().asleep.len() < 3 {
                thread::yield_now();
            }
        };
        let mut by = Vec::new();
        for _ in 0..4 {
            all_sleep();
            let (taker, _reply) = reply::making(|images| images);
            let order = Order {
                codes: Array3::zeros((1, 1, 1)),
                came: Instant::now(),
                deadline: None,
                taker: Box::new(taker),
            };
            queue.put(Lane::Request, order);
            by.push(said.recv().unwrap());
        }
        assert_eq!(by, [by[0]; 4]);
        queue.close();
        for thread in threads {
            thread.join().unwrap();
        }
    }
}

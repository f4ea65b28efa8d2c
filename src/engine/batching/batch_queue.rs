//! The queue where inputs become batches: they wait for a run, in order of arrival, and a thread takes a batch of them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::engine::batching::reply::Reply;
use crate::metrics::BatchMetrics;
use crate::trace::RequestSpan;

/// A priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Somebody waits for the result.
    Request,
    /// Work of jobs. It runs only while no request waits.
    Background,
}

/// One caller's input in the queue.
pub(crate) struct Entry<I, O> {
    pub(crate) input: I,
    /// Images or latent codes in the input.
    pub(crate) units: usize,
    pub(crate) arrived: Instant,
    /// When the caller stops waiting, if it does.
    pub(crate) deadline: Option<Instant>,
    pub(crate) reply: Box<dyn Reply<O>>,
    /// The span of the request that it is for, if spans are exported.
    pub(crate) span: Option<RequestSpan>,
}

/// How long a batch that is not full waits for more inputs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BatchWait {
    /// Until the oldest entry has waited this long. Zero runs what is there.
    Fixed(Duration),
    /// Until each active caller ([`BatchQueue::add_active`]) has submitted its next input, up to this long.
    ///
    /// The time starts when the thread becomes free: its last run has just answered these callers, so that their next
    /// inputs are about to arrive, and all of them can share the next run.
    ForActive(Duration),
}

/// Inputs in order of arrival, shared by their callers and by the threads that run them.
///
/// A thread that has nothing to do sleeps here. The thread that fell asleep last is woken first, because its data is most
/// likely still in the processor's caches: with two replicas that took turns, a run of 24 ms was 1 to 2 ms slower.
pub(crate) struct BatchQueue<I, O> {
    state: Mutex<QueueState<I, O>>,
    batch_wait: BatchWait,
    metrics: BatchMetrics,
}

struct QueueState<I, O> {
    requests: VecDeque<Entry<I, O>>,
    background: VecDeque<Entry<I, O>>,
    /// Units of callers that submit one input after another. See [`BatchQueue::add_active`].
    active: usize,
    /// Threads that sleep, in the order in which they fell asleep.
    sleeping: Vec<Thread>,
    /// Threads of replicas that are not open yet. One is woken if no open replica sleeps.
    unopened: Vec<Thread>,
    is_open: bool,
}

impl<I, O> BatchQueue<I, O> {
    pub(crate) fn new(batch_wait: BatchWait, metrics: BatchMetrics) -> Self {
        let state = QueueState {
            requests: VecDeque::new(),
            background: VecDeque::new(),
            active: 0,
            sleeping: Vec::new(),
            unopened: Vec::new(),
            is_open: true,
        };
        Self {
            state: Mutex::new(state),
            batch_wait,
            metrics,
        }
    }

    /// Appends an entry to its lane and wakes a thread.
    pub(crate) fn push(&self, lane: Lane, entry: Entry<I, O>) {
        self.metrics.waiting.inc_by(gauge(entry.units));
        let mut state = self.lock();
        match lane {
            Lane::Request => state.requests.push_back(entry),
            Lane::Background => state.background.push_back(entry),
        }
        state.wake_one();
    }

    /// Closes the queue: the threads end as soon as it is empty.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.is_open = false;
        while state.wake_one() {}
    }

    /// Adds `units` of a caller that will submit one input after another, such as the steps of an optimization. Batches wait
    /// for such callers under [`BatchWait::ForActive`].
    pub(crate) fn add_active(&self, units: usize) {
        self.lock().active += units;
    }

    /// Takes back [`add_active`](Self::add_active).
    pub(crate) fn remove_active(&self, units: usize) {
        let mut state = self.lock();
        state.active -= units;
        state.wake_one();
    }

    /// Units of callers that submit one input after another.
    pub(crate) fn active(&self) -> usize {
        self.lock().active
    }

    /// Waits for entries and takes a batch: the first entry, and further ones that fit beside it, up to `largest` units.
    /// `largest` is asked again whenever the thread wakes up. `None` if the queue is closed and empty.
    pub(crate) fn take(&self, largest: impl Fn() -> usize) -> Option<Vec<Entry<I, O>>> {
        let free_since = Instant::now();
        let mut state = self.lock();
        loop {
            self.drop_unwanted(&mut state);
            let (is_open, active, largest) = (state.is_open, state.active, largest());
            let wait = match state.first_lane() {
                None if !is_open => return None,
                None => None,
                Some(lane) => {
                    let oldest = lane[0].arrived;
                    let (full, since, limit) = match self.batch_wait {
                        BatchWait::Fixed(limit) => (largest, oldest, limit),
                        BatchWait::ForActive(limit) => (largest.min(active), oldest.max(free_since), limit),
                    };
                    let waited = since.elapsed();
                    if units(lane) >= full || waited >= limit || !is_open {
                        let batch = fill(lane, largest);
                        self.metrics
                            .waiting
                            .dec_by(gauge(batch.iter().map(|entry| entry.units).sum()));
                        if state.first_lane().is_some() {
                            state.wake_one();
                        }
                        return Some(batch);
                    }
                    Some(limit.saturating_sub(waited))
                }
            };
            state = self.sleep(state, wait);
        }
    }

    /// Waits, on the thread of a replica that is not open yet, until an entry waits while all open replicas are busy. `false`
    /// if the queue is closed before.
    pub(crate) fn wait_for_overflow(&self) -> bool {
        let mut state = self.lock();
        while state.is_open {
            if state.sleeping.is_empty() && state.first_lane().is_some() {
                return true;
            }
            state.unopened.push(thread::current());
            drop(state);
            thread::park();
            state = self.lock();
            forget_current(&mut state.unopened);
        }
        false
    }

    /// Drops and counts the entries that nobody waits for any more.
    fn drop_unwanted(&self, state: &mut QueueState<I, O>) {
        let now = Instant::now();
        let is_wanted = |entry: &Entry<I, O>| {
            let counter = if entry.deadline.is_some_and(|deadline| deadline <= now) {
                &self.metrics.late
            } else if entry.reply.is_abandoned() {
                &self.metrics.abandoned
            } else {
                return true;
            };
            counter.inc_by(entry.units as u64);
            self.metrics.waiting.dec_by(gauge(entry.units));
            false
        };
        state.requests.retain(is_wanted);
        state.background.retain(is_wanted);
    }

    /// Releases the lock until this thread is woken, or until `timeout` has passed.
    fn sleep<'a>(
        &'a self,
        mut state: MutexGuard<'a, QueueState<I, O>>,
        timeout: Option<Duration>,
    ) -> MutexGuard<'a, QueueState<I, O>> {
        state.sleeping.push(thread::current());
        drop(state);
        match timeout {
            None => thread::park(),
            Some(timeout) => thread::park_timeout(timeout),
        }
        let mut state = self.lock();
        forget_current(&mut state.sleeping);
        state
    }

    // A poisoned lock still holds complete entries: nothing panics between two changes of a lane.
    fn lock(&self) -> MutexGuard<'_, QueueState<I, O>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I, O> QueueState<I, O> {
    /// Wakes a sleeping thread. `false` if no thread sleeps.
    fn wake_one(&mut self) -> bool {
        let woken = self.sleeping.pop().or_else(|| self.unopened.pop());
        woken.inspect(Thread::unpark).is_some()
    }

    /// The lane to take from: requests first.
    fn first_lane(&mut self) -> Option<&mut VecDeque<Entry<I, O>>> {
        [&mut self.requests, &mut self.background]
            .into_iter()
            .find(|lane| !lane.is_empty())
    }
}

/// Removes this thread from a list of sleeping threads, in case it woke up by timeout.
fn forget_current(sleeping: &mut Vec<Thread>) {
    let current = thread::current().id();
    sleeping.retain(|thread| thread.id() != current);
}

fn units<I, O>(lane: &VecDeque<Entry<I, O>>) -> usize {
    lane.iter().map(|entry| entry.units).sum()
}

/// Takes the first entry, and each further one that fits, in order. The other entries keep their order.
fn fill<I, O>(lane: &mut VecDeque<Entry<I, O>>, largest: usize) -> Vec<Entry<I, O>> {
    let mut batch = Vec::new();
    let mut free = largest;
    let mut index = 0;
    while index < lane.len() && free > 0 {
        if batch.is_empty() || lane[index].units <= free {
            let entry = lane.remove(index).expect("the index is within the lane");
            free = free.saturating_sub(entry.units);
            batch.push(entry);
        } else {
            index += 1;
        }
    }
    batch
}

/// A number of units as a gauge's value.
pub(crate) fn gauge(units: usize) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
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
        let queue: Arc<BatchQueue<(), ()>> = Arc::new(BatchQueue::new(
            BatchWait::Fixed(Duration::ZERO),
            Metrics::new().of_model("a").synthesis,
        ));
        let (sender, taken_by) = channel();
        let threads = [0, 1, 2].map(|number| {
            let (queue, sender) = (Arc::clone(&queue), sender.clone());
            thread::spawn(move || {
                while queue.take(|| 1).is_some() {
                    sender.send(number).unwrap();
                }
            })
        });
        let wait_until_all_sleep = || {
            while queue.lock().sleeping.len() < 3 {
                thread::yield_now();
            }
        };
        let mut numbers = Vec::new();
        for _ in 0..4 {
            wait_until_all_sleep();
            let (reply, _receiver) = reply::converting(|()| ());
            let entry = Entry {
                input: (),
                units: 1,
                arrived: Instant::now(),
                deadline: None,
                reply: Box::new(reply),
                span: None,
            };
            queue.push(Lane::Request, entry);
            numbers.push(taken_by.recv().unwrap());
        }
        assert_eq!(numbers, [numbers[0]; 4]);
        queue.close();
        for thread in threads {
            thread.join().unwrap();
        }
    }
}

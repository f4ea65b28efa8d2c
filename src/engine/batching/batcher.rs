//! The threads that run batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use crate::engine::EngineError;
use crate::engine::admission::deadline;
use crate::engine::batching::batch_network::{BatchNetwork, Run};
use crate::engine::batching::batch_queue::{BatchQueue, BatchWait, Entry, Lane, gauge};
use crate::engine::batching::reply::{Completed, Receiver, converting};
use crate::engine::networks::panic::catch_panic;
use crate::engine::networks::thread::spawn_network_thread;
use crate::metrics::BatchMetrics;
use crate::trace::{self, Step};

/// Builds a network on the thread that will run it.
pub(crate) type Open<N> = Box<dyn FnOnce() -> Result<N, EngineError> + Send>;

/// A handle of a network's replicas, each on a thread of its own. Cheap to clone. The threads end when the last handle is
/// dropped and the queue is empty.
pub(crate) struct Batcher<N: BatchNetwork> {
    network: Arc<str>,
    queue: Arc<OpenQueue<N>>,
    /// Replicas that exist or can still be opened.
    replicas: Arc<AtomicUsize>,
    /// Runs that succeeded.
    successes: Arc<AtomicU64>,
}

type QueueOf<N> = BatchQueue<<N as BatchNetwork>::Input, <N as BatchNetwork>::Output>;

/// A queue that closes when its last handle is dropped.
struct OpenQueue<N: BatchNetwork>(Arc<QueueOf<N>>);

impl<N: BatchNetwork> Drop for OpenQueue<N> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<N: BatchNetwork> Clone for Batcher<N> {
    fn clone(&self) -> Self {
        Self {
            network: Arc::clone(&self.network),
            queue: Arc::clone(&self.queue),
            replicas: Arc::clone(&self.replicas),
            successes: Arc::clone(&self.successes),
        }
    }
}

impl<N: BatchNetwork> Batcher<N> {
    /// Starts a thread for each replica. Replicas in `opened` open at once. Those in `lazy` open when an input first waits
    /// while all open replicas are busy, so that a service with one user pays for one.
    pub(crate) fn start(
        name: &str,
        opened: Vec<Open<N>>,
        lazy: Vec<Open<N>>,
        batch_wait: BatchWait,
        metrics: &BatchMetrics,
    ) -> Self {
        let pool = ReplicaPool {
            network: name.into(),
            queue: Arc::new(BatchQueue::new(batch_wait, metrics.clone())),
            replicas: Arc::new(AtomicUsize::new(opened.len() + lazy.len())),
            running: Arc::default(),
            successes: Arc::default(),
            metrics: metrics.clone(),
        };
        for open in opened {
            let pool = pool.clone();
            spawn_network_thread(name, move || pool.open_and_work(open));
        }
        for open in lazy {
            let pool = pool.clone();
            spawn_network_thread(name, move || {
                if pool.queue.wait_for_overflow() {
                    tracing::info!(model = &*pool.network, "images wait: opening one more replica");
                    pool.open_and_work(open);
                }
            });
        }
        Self {
            network: pool.network,
            queue: Arc::new(OpenQueue(pool.queue)),
            replicas: pool.replicas,
            successes: pool.successes,
        }
    }

    /// Runs of all replicas that succeeded so far.
    pub(crate) fn successes(&self) -> u64 {
        self.successes.load(Ordering::Relaxed)
    }

    /// Replicas that exist or can still be opened.
    pub(crate) fn replicas(&self) -> usize {
        self.replicas.load(Ordering::Relaxed)
    }

    /// Puts an input into the queue. `convert` is applied to its part of the output, on the thread that ran the network.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        lane: Lane,
        input: N::Input,
        convert: impl FnOnce(N::Output) -> T + Send + 'static,
    ) -> Submitted<T> {
        let (reply, receiver) = converting(convert);
        let entry = Entry {
            units: N::units(&input),
            input,
            arrived: Instant::now(),
            deadline: deadline::current(),
            reply: Box::new(reply),
            span: trace::current_span(),
        };
        self.queue.0.push(lane, entry);
        Submitted {
            network: Arc::clone(&self.network),
            receiver,
        }
    }

    /// Registers `units` of a caller that will submit one input after another, until the guard is dropped.
    pub(crate) fn activate(&self, units: usize) -> Active<N> {
        self.queue.0.add_active(units);
        Active {
            queue: Arc::clone(&self.queue),
            units,
        }
    }
}

/// A guard of a caller that submits one input after another.
pub(crate) struct Active<N: BatchNetwork> {
    queue: Arc<OpenQueue<N>>,
    units: usize,
}

impl<N: BatchNetwork> Active<N> {
    /// Units of all such callers, this one included.
    pub(crate) fn all(&self) -> usize {
        self.queue.0.active()
    }
}

impl<N: BatchNetwork> Drop for Active<N> {
    fn drop(&mut self) {
        self.queue.0.remove_active(self.units);
    }
}

/// An input in the queue, or its run. If it is dropped, an input that still waits is dropped too.
pub(crate) struct Submitted<T> {
    network: Arc<str>,
    receiver: Receiver<T>,
}

impl<T> Submitted<T> {
    pub(crate) async fn completed(self) -> Result<Completed<T>, EngineError> {
        let dropped = |_| EngineError::dropped(&self.network);
        self.receiver.await.map_err(dropped)?
    }
}

/// What the threads of a network's replicas share.
struct ReplicaPool<N: BatchNetwork> {
    network: Arc<str>,
    queue: Arc<QueueOf<N>>,
    replicas: Arc<AtomicUsize>,
    /// Replicas in a run.
    running: Arc<AtomicUsize>,
    /// Runs that succeeded.
    successes: Arc<AtomicU64>,
    metrics: BatchMetrics,
}

impl<N: BatchNetwork> Clone for ReplicaPool<N> {
    fn clone(&self) -> Self {
        Self {
            network: Arc::clone(&self.network),
            queue: Arc::clone(&self.queue),
            replicas: Arc::clone(&self.replicas),
            running: Arc::clone(&self.running),
            successes: Arc::clone(&self.successes),
            metrics: self.metrics.clone(),
        }
    }
}

impl<N: BatchNetwork> ReplicaPool<N> {
    /// Opens a replica and runs batches until the queue is closed and empty.
    fn open_and_work(self, open: Open<N>) {
        match catch_panic(&self.network, open) {
            Ok(network) => {
                let mut replica = Replica { network, pool: self };
                while let Some(batch) = replica.pool.queue.take(|| replica.network.largest_batch()) {
                    replica.run(batch);
                }
            }
            Err(error) => {
                self.replicas.fetch_sub(1, Ordering::Relaxed);
                tracing::warn!(%error, "a replica cannot be opened; the others go on");
            }
        }
    }
}

/// One replica on its thread.
struct Replica<N: BatchNetwork> {
    network: N,
    pool: ReplicaPool<N>,
}

impl<N: BatchNetwork> Replica<N> {
    /// Runs a batch and sends each caller its part. A panic in the network is an error of this run alone.
    fn run(&mut self, batch: Vec<Entry<N::Input, N::Output>>) {
        let metrics = &self.pool.metrics;
        let units = batch.iter().map(|entry| entry.units).sum();
        metrics.running.inc_by(gauge(units));
        #[expect(clippy::cast_precision_loss, reason = "a batch is a small number")]
        metrics.batch_size.observe(units as f64);
        let running_before = 1 + self.pool.running.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let inputs: Vec<_> = batch.iter().map(|entry| &entry.input).collect();
        let output = catch_panic(&self.pool.network, || self.network.run(&inputs));
        let duration = started.elapsed();
        let running_after = self.pool.running.fetch_sub(1, Ordering::Relaxed);
        if output.is_ok() {
            self.pool.successes.fetch_add(1, Ordering::Relaxed);
            let replicas = self.pool.replicas.load(Ordering::Relaxed);
            self.network.observe(&Run {
                units,
                duration,
                running: running_before.max(running_after),
                all_running: running_before == replicas && running_after == replicas,
            });
        }
        metrics.run_seconds.observe(duration.as_secs_f64());
        metrics.running.dec_by(gauge(units));
        let mut first = 0;
        for entry in batch {
            let range = first..first + entry.units;
            first = range.end;
            let queued = started - entry.arrived;
            metrics.queue_seconds.observe(queued.as_secs_f64());
            if let Some(span) = &entry.span {
                let waited = Step {
                    name: "queue",
                    network: Some(&self.pool.network),
                    started: entry.arrived,
                    duration: queued,
                    units: entry.units,
                    error: None,
                };
                span.add(&waited);
                span.add(&Step {
                    name: "batch",
                    started,
                    duration,
                    units,
                    error: output.as_ref().err().map(|error| error as &dyn std::error::Error),
                    ..waited
                });
            }
            let result = match &output {
                Ok(output) => Ok(Completed {
                    output: N::part(output, range),
                    queued,
                    ran: duration,
                }),
                Err(error) => Err(error.clone()),
            };
            entry.reply.send(result);
        }
    }
}

//! Where requests become batches: generators on threads of their own, which take what waits, a run at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ndarray::{Array3, ArrayView3, Axis, Slice, concatenate};

use crate::engine::LazyReplica;
use crate::engine::admission::deadline;
use crate::engine::admission::limiter::ServiceTime;
use crate::engine::batching::queue::{Lane, Order, Queue, count};
use crate::engine::batching::reply::{Answer, Drawn, making};
use crate::engine::networks::panic::caught;
use crate::engine::networks::thread::on_a_thread;
use crate::engine::{BatchSize, EngineError, Generator, Images};
use crate::metrics::ModelMetrics;

/// Handle of a model's generators. Their threads end when the last handle is dropped and nothing waits.
#[derive(Clone)]
pub(crate) struct Batcher {
    network: Arc<str>,
    queue: Arc<Open>,
    /// How many there are, those in reserve among them.
    generators: Arc<AtomicUsize>,
}

/// A queue that closes when nobody can put anything into it any more.
struct Open(Arc<Queue>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Batcher {
    /// Moves each of `generators`, replicas of one, to a new thread, and each of `lazy_replicas` when it is needed. A run that is not full
    /// waits `patience` for more.
    pub(crate) fn start(
        name: &str,
        generators: Vec<Box<dyn Generator>>,
        lazy_replicas: Vec<LazyReplica>,
        patience: Duration,
        pace: &ServiceTime,
        metrics: &ModelMetrics,
    ) -> Self {
        let crew = WorkerPool {
            network: name.into(),
            queue: Arc::new(Queue::new(patience, metrics.clone())),
            generators: Arc::new(AtomicUsize::new(generators.len() + lazy_replicas.len())),
            running: Arc::default(),
            pace: pace.clone(),
            metrics: metrics.clone(),
        };
        for generator in generators {
            let crew = crew.clone();
            on_a_thread(name, move || crew.work(generator));
        }
        for reserve in lazy_replicas {
            let crew = crew.clone();
            on_a_thread(name, move || crew.work_in_need(reserve));
        }
        Self {
            network: crew.network,
            queue: Arc::new(Open(crew.queue)),
            generators: crew.generators,
        }
    }

    /// How many generators there are, those in reserve among them.
    pub(crate) fn generators(&self) -> usize {
        self.generators.load(Ordering::Relaxed)
    }

    /// Orders synthesis of codes `[images, rows, dim]`, no more than one run holds, beside other callers' images, and what
    /// `make` makes of them.
    pub(crate) fn order<T: Send + 'static>(
        &self,
        lane: Lane,
        codes: Array3<f32>,
        make: impl FnOnce(Images) -> T + Send + 'static,
    ) -> Ordered<T> {
        let (taker, answer) = making(make);
        let order = Order {
            codes,
            came: Instant::now(),
            deadline: deadline::current(),
            taker: Box::new(taker),
        };
        self.queue.0.put(lane, order);
        Ordered {
            network: Arc::clone(&self.network),
            answer,
        }
    }
}

/// Images that are waited for; dropped, they are not drawn.
pub(crate) struct Ordered<T> {
    network: Arc<str>,
    answer: Answer<T>,
}

impl<T> Ordered<T> {
    pub(crate) async fn drawn(self) -> Result<Drawn<T>, EngineError> {
        let dropped = |_| EngineError::of_dropped(&self.network);
        self.answer.await.map_err(dropped)?
    }
}

/// What a model's generators share.
#[derive(Clone)]
struct WorkerPool {
    network: Arc<str>,
    queue: Arc<Queue>,
    /// How many there are, those in reserve among them.
    generators: Arc<AtomicUsize>,
    /// How many of them are drawing.
    running: Arc<AtomicUsize>,
    pace: ServiceTime,
    metrics: ModelMetrics,
}

impl WorkerPool {
    /// Draws what waits, until nothing will any more.
    fn work(self, generator: Box<dyn Generator>) {
        let mut station = Station {
            batch_size: generator.batch_size(),
            generator,
            crew: self,
        };
        while let Some(orders) = station.crew.queue.take(&station.batch_size) {
            station.draw(orders);
        }
    }

    /// Opens a generator when images wait that no other is free for, and draws with it.
    fn work_in_need(self, reserve: LazyReplica) {
        if !self.queue.overflows() {
            return;
        }
        match caught(&self.network, reserve) {
            Ok(generator) => {
                tracing::info!(
                    model = &*self.network,
                    "images waited: one more generator is at work"
                );
                self.work(generator);
            }
            Err(error) => {
                self.generators.fetch_sub(1, Ordering::Relaxed);
                tracing::warn!(%error, "images wait, but no further generator can be opened; the others go on");
            }
        }
    }
}

/// A generator's side.
struct Station {
    generator: Box<dyn Generator>,
    batch_size: BatchSize,
    crew: WorkerPool,
}

impl Station {
    /// One run.
    fn draw(&mut self, orders: Vec<Order>) {
        let codes: Vec<_> = orders.iter().map(|order| order.codes.view()).collect();
        let batch = concatenate(Axis(0), &codes).expect("codes of one generator have one shape");
        let images = batch.len_of(Axis(0));
        self.crew.metrics.drawing.inc_by(count(images));
        #[expect(clippy::cast_precision_loss, reason = "a batch is a small number")]
        self.crew.metrics.batch.observe(images as f64);
        let all = self.crew.generators.load(Ordering::Relaxed);
        let at_first = 1 + self.crew.running.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let drawn = self.run(batch);
        let ran = started.elapsed();
        let at_last = self.crew.running.fetch_sub(1, Ordering::Relaxed);
        if drawn.is_ok() {
            // A run that has what the others leave of the machine tells nothing of the work of all.
            if at_first == all && at_last == all {
                self.batch_size.note(images, ran);
            }
            self.crew.pace.note(ran, images, at_first.max(at_last));
        }
        self.crew.metrics.synthesis.observe(ran.as_secs_f64());
        self.crew.metrics.drawing.dec_by(count(images));
        let mut first = 0;
        for order in orders {
            let next = first + order.codes.len_of(Axis(0));
            let waited = started - order.came;
            self.crew.metrics.queue.observe(waited.as_secs_f64());
            let own = drawn.clone().map(|mut images| {
                images.slice_axis_inplace(Axis(0), Slice::from(first..next));
                Drawn {
                    made: images,
                    waited,
                    ran,
                }
            });
            order.taker.take(own);
            first = next;
        }
    }

    /// Draws codes in one run, or one after the other where the graph turns out not to take so many.
    fn run(&mut self, codes: Array3<f32>) -> Result<Images, EngineError> {
        let images = codes.len_of(Axis(0));
        match self.run_once(codes.view()) {
            Err(error) if self.batch_size.give_up(images) => {
                let most = self.batch_size.largest();
                tracing::warn!(%error, "a run of {images} images failed: from now on one holds {most} at most");
                let parts: Result<Vec<_>, _> = codes
                    .axis_chunks_iter(Axis(0), most)
                    .map(|part| self.run_once(part))
                    .collect();
                let parts = parts?;
                let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
                let whole = concatenate(Axis(0), &views).expect("pictures of one generator have one size");
                Ok(whole.into_shared())
            }
            drawn => drawn,
        }
    }

    /// Runs the generator; a panic in it is an error of this run alone.
    fn run_once(&mut self, codes: ArrayView3<'_, f32>) -> Result<Images, EngineError> {
        let generator = &mut *self.generator;
        caught(&self.crew.network, || {
            Ok(generator.synthesize(codes)?.into_shared())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;
    use crate::engine::Engine;
    use crate::engine::test_support::{Ends, Frozen, Gate, codes, engine, gate, painted, spawn};

    #[tokio::test]
    async fn images_that_wait_share_a_run_and_each_caller_gets_its_own() {
        let (engine, runs, go_on) = gate(4, 64);
        let first = spawn(&engine, &[1.0]);
        tokio::task::yield_now().await;
        assert_eq!(runs.recv().unwrap(), 1, "nobody is waited for");
        let others = [
            spawn(&engine, &[2.0, 3.0]),
            spawn(&engine, &[4.0, 5.0, 6.0]),
            spawn(&engine, &[7.0]),
        ];
        tokio::task::yield_now().await;
        for _ in 0..3 {
            go_on.send(()).unwrap();
        }
        assert_eq!(first.await.unwrap().unwrap(), [1.0]);
        let mut painted = Vec::new();
        for other in others {
            painted.push(other.await.unwrap().unwrap());
        }
        assert_eq!(painted, [vec![2.0, 3.0], vec![4.0, 5.0, 6.0], vec![7.0]]);
        assert_eq!(
            runs.try_iter().collect::<Vec<_>>(),
            [3, 3],
            "what fits beside the first goes with it"
        );
    }

    #[tokio::test]
    async fn images_whose_time_is_up_are_told_from_those_of_a_generator_that_has_stopped() {
        let (engine, runs, go_on) = gate(1, 64);
        let first = spawn(&engine, &[1.0]);
        tokio::task::yield_now().await;
        assert_eq!(runs.recv().unwrap(), 1);
        let late = deadline::until(Instant::now(), async {
            let drawn = engine.admit(1).unwrap().synthesize(codes(&[2.0])).await;
            drawn.unwrap_err()
        });
        go_on.send(()).unwrap();
        let error = late.await;
        assert!(matches!(error, EngineError::Late { .. }), "{error}");
        assert_eq!(first.await.unwrap().unwrap(), [1.0]);
    }

    #[tokio::test]
    async fn a_graph_that_takes_one_image_only_is_found_out_and_nobody_sees_it() {
        let engine = engine(vec![Box::new(Frozen::new(8))], Vec::new(), 64);
        for _ in 0..3 {
            let mut admission = engine.admit(4).unwrap();
            let mut drawing = admission.draw(codes(&[1.0, 2.0, 3.0, 4.0]), |images| painted(&images));
            let mut all = Vec::new();
            while let Some(part) = drawing.next(&mut admission).await {
                all.extend(part.unwrap());
            }
            assert_eq!(all, [1.0, 2.0, 3.0, 4.0]);
        }
        assert_eq!(engine.largest_batch(), 1);
    }

    /// An engine of one generator and one in reserve: what says that it is being opened, what lets that go on, and what each draws.
    fn with_reserve(opens: bool) -> (Engine, Sender<()>, [Ends; 2]) {
        let ((first, first_ends), (second, second_ends)) = (Gate::new(1), Gate::new(1));
        let (open, opened) = channel();
        let reserve: LazyReplica = Box::new(move || {
            opened.recv().unwrap();
            if opens {
                return Ok(Box::new(second));
            }
            Err(EngineError::Graph {
                file: "synthesis.onnx".to_owned(),
                reason: "no memory is left".to_owned(),
            })
        });
        let engine = engine(vec![Box::new(first)], vec![reserve], 64);
        (engine, open, [first_ends, second_ends])
    }

    #[tokio::test]
    async fn a_generator_in_reserve_is_opened_when_images_wait_and_not_before() {
        let (engine, open, [(first, first_go_on), (second, second_go_on)]) = with_reserve(true);
        for value in [1.0, 2.0] {
            let alone = spawn(&engine, &[value]);
            tokio::task::yield_now().await;
            assert_eq!(first.recv().unwrap(), 1);
            first_go_on.send(()).unwrap();
            assert_eq!(alone.await.unwrap().unwrap(), [value]);
        }
        let one = spawn(&engine, &[3.0]);
        tokio::task::yield_now().await;
        assert_eq!(first.recv().unwrap(), 1);
        let other = spawn(&engine, &[4.0]);
        tokio::task::yield_now().await;
        open.send(()).unwrap();
        assert_eq!(second.recv().unwrap(), 1, "the first is busy still");
        second_go_on.send(()).unwrap();
        assert_eq!(other.await.unwrap().unwrap(), [4.0]);
        first_go_on.send(()).unwrap();
        assert_eq!(one.await.unwrap().unwrap(), [3.0]);
    }

    #[tokio::test]
    async fn runs_tell_how_many_images_they_should_hold_only_where_all_generators_draw() {
        let sizes = BatchSize::up_to(2);
        let gates = [0, 1].map(|_| Gate::sized(sizes.clone(), 2));
        let [(one, (one_runs, one_go_on)), (other, (other_runs, other_go_on))] = gates;
        let engine = engine(vec![Box::new(one), Box::new(other)], Vec::new(), 64);
        let alone = spawn(&engine, &[1.0]);
        tokio::task::yield_now().await;
        let began_alone = loop {
            if one_runs.try_recv().is_ok() {
                break &one_go_on;
            }
            if other_runs.try_recv().is_ok() {
                break &other_go_on;
            }
        };
        began_alone.send(()).unwrap();
        alone.await.unwrap().unwrap();
        assert_eq!(sizes.largest(), 1, "it had the machine for itself");
        let requests = [2.0, 3.0, 4.0].map(|value| spawn(&engine, &[value]));
        tokio::task::yield_now().await;
        assert_eq!((one_runs.recv().unwrap(), other_runs.recv().unwrap()), (1, 1));
        one_go_on.send(()).unwrap();
        assert_eq!(one_runs.recv().unwrap(), 1);
        one_go_on.send(()).unwrap();
        let [first, second, third] = requests;
        third.await.unwrap().unwrap();
        assert_eq!(
            sizes.largest(),
            2,
            "the other was at work from its first to its last"
        );
        other_go_on.send(()).unwrap();
        for request in [first, second] {
            request.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn a_generator_that_cannot_be_opened_is_done_without() {
        let (engine, open, [(first, go_on), (second, _)]) = with_reserve(false);
        open.send(()).unwrap();
        for _ in 0..2 {
            let both = [spawn(&engine, &[1.0]), spawn(&engine, &[2.0])];
            tokio::task::yield_now().await;
            for (request, value) in both.into_iter().zip([1.0, 2.0]) {
                assert_eq!(first.recv().unwrap(), 1);
                go_on.send(()).unwrap();
                assert_eq!(request.await.unwrap().unwrap(), [value]);
            }
        }
        assert_eq!(second.try_iter().count(), 0);
    }
}

//! Where requests become batches: generators on threads of their own, which take what waits, a run at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ndarray::{Array3, ArrayView3, Axis, Slice, concatenate};

use super::handle::Reserve;
use super::panic::caught;
use super::queue::{Lane, Order, Queue, count};
use super::room::Pace;
use super::taker::{Answer, Drawn, making};
use super::{BatchSize, EngineError, Generator, Images, deadline};
use crate::metrics::ModelMetrics;

/// Handle of a model's generators. Their threads end when the last handle is dropped and nothing waits.
#[derive(Clone)]
pub(super) struct Batcher {
    network: Arc<str>,
    queue: Arc<Open>,
    /// How many there may be.
    generators: usize,
}

/// A queue that closes when nobody can put anything into it any more.
struct Open(Arc<Queue>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Batcher {
    /// Moves each of `generators`, replicas of one, to a new thread, and each of `reserves` when it is needed. A run that is not full
    /// waits `patience` for more.
    pub(super) fn start(
        name: &str,
        generators: Vec<Box<dyn Generator>>,
        reserves: Vec<Reserve>,
        patience: Duration,
        pace: &Pace,
        metrics: &ModelMetrics,
    ) -> Self {
        let network: Arc<str> = name.into();
        let queue = Arc::new(Queue::new(patience, metrics.clone()));
        let replicas = Arc::new(AtomicUsize::new(generators.len()));
        let most = generators.len() + reserves.len();
        let station = {
            let (network, queue, replicas) =
                (Arc::clone(&network), Arc::clone(&queue), Arc::clone(&replicas));
            let (pace, metrics) = (pace.clone(), metrics.clone());
            move |generator: Box<dyn Generator>| Station {
                network: Arc::clone(&network),
                batch_size: generator.batch_size(),
                generator,
                replicas: Arc::clone(&replicas),
                pace: pace.clone(),
                queue: Arc::clone(&queue),
                metrics: metrics.clone(),
            }
        };
        for generator in generators {
            let station = station(generator);
            on_a_thread(name, move || station.work());
        }
        for reserve in reserves {
            let station = station.clone();
            let (network, queue, replicas) =
                (Arc::clone(&network), Arc::clone(&queue), Arc::clone(&replicas));
            on_a_thread(name, move || {
                if !queue.overflows() {
                    return;
                }
                match caught(&network, reserve) {
                    Ok(generator) => {
                        let replicas = 1 + replicas.fetch_add(1, Ordering::Relaxed);
                        tracing::info!(
                            model = &*network,
                            replicas,
                            "images waited: one more generator is at work"
                        );
                        station(generator).work();
                    }
                    Err(error) => {
                        tracing::warn!(%error, "images wait, but no further generator can be opened; the others go on");
                    }
                }
            });
        }
        Self {
            network,
            queue: Arc::new(Open(queue)),
            generators: most,
        }
    }

    /// How many generators there may be.
    pub(super) fn generators(&self) -> usize {
        self.generators
    }

    /// Orders synthesis of codes `[images, rows, dim]`, no more than one run holds, beside other callers' images, and what
    /// `make` makes of them.
    pub(super) fn order<T: Send + 'static>(
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
pub(super) struct Ordered<T> {
    network: Arc<str>,
    answer: Answer<T>,
}

impl<T> Ordered<T> {
    pub(super) async fn drawn(self) -> Result<Drawn<T>, EngineError> {
        self.answer.await.map_err(|_| EngineError::Stopped {
            network: self.network.to_string(),
        })?
    }
}

fn on_a_thread(name: &str, work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .name(name.chars().take(15).collect())
        .spawn(work)
        .expect("the system has a thread for each network");
}

/// A generator's side.
struct Station {
    network: Arc<str>,
    generator: Box<dyn Generator>,
    batch_size: BatchSize,
    /// How many are at work, this one counted.
    replicas: Arc<AtomicUsize>,
    pace: Pace,
    queue: Arc<Queue>,
    metrics: ModelMetrics,
}

impl Station {
    fn work(mut self) {
        while let Some(orders) = self.queue.take(&self.batch_size) {
            self.draw(orders);
        }
    }

    /// One run.
    fn draw(&mut self, orders: Vec<Order>) {
        let codes: Vec<_> = orders.iter().map(|order| order.codes.view()).collect();
        let batch = concatenate(Axis(0), &codes).expect("codes of one generator have one shape");
        let images = batch.len_of(Axis(0));
        self.metrics.drawing.inc_by(count(images));
        #[expect(clippy::cast_precision_loss, reason = "a batch is a small number")]
        self.metrics.batch.observe(images as f64);
        let started = Instant::now();
        let drawn = self.run(batch);
        let ran = started.elapsed();
        if drawn.is_ok() {
            self.batch_size.note(images, ran);
            self.pace.note(ran, images, self.replicas.load(Ordering::Relaxed));
        }
        self.metrics.synthesis.observe(ran.as_secs_f64());
        self.metrics.drawing.dec_by(count(images));
        let mut first = 0;
        for order in orders {
            let next = first + order.codes.len_of(Axis(0));
            let waited = started - order.came;
            self.metrics.queue.observe(waited.as_secs_f64());
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
        caught(&self.network, || Ok(generator.synthesize(codes)?.into_shared()))
    }
}

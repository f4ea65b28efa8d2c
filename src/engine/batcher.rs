//! Where requests become batches: a generator on a thread of its own, and the images that wait for it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use ndarray::{Array2, Array3, Axis, Slice, concatenate};
use tokio::sync::oneshot;

use super::panic::message;
use super::{EngineError, Generator, Images};
use crate::metrics::ModelMetrics;

/// Handle of a generator's thread. The thread ends when the last handle is dropped.
#[derive(Clone)]
pub(super) struct Batcher {
    network: Arc<str>,
    orders: Sender<Order>,
}

/// What callers ask for.
enum Order {
    Map(Array2<f32>, Reply<(Array2<f32>, Duration)>),
    Synthesize(Part),
}

/// A caller's images, drawn.
pub(super) struct Drawn {
    /// One piece for each run that they took, in order.
    pub(super) pieces: Vec<Images>,
    /// From the order to the first run.
    pub(super) waited: Duration,
    /// The runs.
    pub(super) ran: Duration,
}

type Reply<T> = oneshot::Sender<Result<T, EngineError>>;

/// A caller's images: codes `[images, rows, dim]` of which the first have been drawn.
struct Part {
    codes: Array3<f32>,
    drawn: Drawn,
    /// How many images `drawn` holds.
    done: usize,
    came: Instant,
    reply: Reply<Drawn>,
}

impl Part {
    fn left(&self) -> usize {
        self.codes.len_of(Axis(0)) - self.done
    }
}

impl Batcher {
    /// Moves `generator` to a new thread.
    pub(super) fn start(name: &str, generator: Box<dyn Generator>, metrics: ModelMetrics) -> Self {
        let network: Arc<str> = name.into();
        let (orders, taken) = channel();
        let station = Station {
            network: Arc::clone(&network),
            generator,
            waiting: VecDeque::new(),
            metrics,
        };
        std::thread::Builder::new()
            .name(name.chars().take(15).collect())
            .spawn(move || station.work(&taken))
            .expect("the system has a thread for each network");
        Self { network, orders }
    }

    /// Mapping of z codes `[batch, dim]`, and the time that it took.
    pub(super) async fn map(&self, z: Array2<f32>) -> Result<(Array2<f32>, Duration), EngineError> {
        let (reply, answer) = oneshot::channel();
        self.order(Order::Map(z, reply), answer).await
    }

    /// Synthesis of codes `[images, rows, dim]`, beside other callers' images.
    pub(super) async fn synthesize(&self, codes: Array3<f32>) -> Result<Drawn, EngineError> {
        let (reply, answer) = oneshot::channel();
        let part = Part {
            codes,
            drawn: Drawn {
                pieces: Vec::new(),
                waited: Duration::ZERO,
                ran: Duration::ZERO,
            },
            done: 0,
            came: Instant::now(),
            reply,
        };
        self.order(Order::Synthesize(part), answer).await
    }

    async fn order<T>(
        &self,
        order: Order,
        answer: oneshot::Receiver<Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        let stopped = || EngineError::Stopped {
            network: self.network.to_string(),
        };
        self.orders.send(order).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

/// The generator's side: images wait in the order they came, and each run takes from the front as many as it holds.
///
/// No run waits for more images than there are. A caller's images beyond one batch should come in several orders, so
/// that others' take turns with them.
struct Station {
    network: Arc<str>,
    generator: Box<dyn Generator>,
    waiting: VecDeque<Part>,
    metrics: ModelMetrics,
}

impl Station {
    fn work(mut self, orders: &Receiver<Order>) {
        loop {
            if self.waiting.is_empty() {
                match orders.recv() {
                    Ok(order) => self.take(order),
                    Err(_) => return,
                }
            }
            while let Ok(order) = orders.try_recv() {
                self.take(order);
            }
            // Nobody waits for the images of a caller that has gone.
            self.waiting.retain(|part| {
                let gone = part.reply.is_closed();
                if gone {
                    self.metrics.gone.inc_by(part.left() as u64);
                }
                !gone
            });
            self.report(0);
            if !self.waiting.is_empty() {
                self.draw();
            }
        }
    }

    /// Mapping takes next to no time and is done at once; images wait.
    fn take(&mut self, order: Order) {
        match order {
            Order::Map(z, reply) => {
                if !reply.is_closed() {
                    let largest = self.generator.shape().largest_batch;
                    let started = Instant::now();
                    let mapped = self.run(|generator| {
                        let runs = z
                            .axis_chunks_iter(Axis(0), largest)
                            .map(|part| generator.map(part));
                        let parts: Vec<_> = runs.collect::<Result<_, _>>()?;
                        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
                        Ok(concatenate(Axis(0), &views).expect("every part has w_dim columns"))
                    });
                    let taken = started.elapsed();
                    self.metrics.mapping.observe(taken.as_secs_f64());
                    // A caller that left meanwhile has no use for the result.
                    let _ = reply.send(mapped.map(|w| (w, taken)));
                }
            }
            Order::Synthesize(part) => self.waiting.push_back(part),
        }
    }

    /// One run, with the images at the front.
    fn draw(&mut self) {
        let largest = self.generator.shape().largest_batch;
        let mut taken = Vec::new();
        let mut room = largest;
        for part in &self.waiting {
            let images = part.left().min(room);
            taken.push(images);
            room -= images;
            if room == 0 {
                break;
            }
        }
        let codes: Vec<_> = self
            .waiting
            .iter()
            .zip(&taken)
            .map(|(part, &images)| {
                let next = Slice::from(part.done..part.done + images);
                part.codes.slice_axis(Axis(0), next)
            })
            .collect();
        let batch = concatenate(Axis(0), &codes).expect("codes of one generator have one shape");
        drop(codes);
        let images = batch.len_of(Axis(0));
        #[expect(clippy::cast_precision_loss, reason = "a batch is a small number")]
        self.metrics.batch.observe(images as f64);
        self.report(images);
        let started = Instant::now();
        for part in self
            .waiting
            .iter_mut()
            .take(taken.len())
            .filter(|part| part.done == 0)
        {
            part.drawn.waited = started - part.came;
            self.metrics.queue.observe(part.drawn.waited.as_secs_f64());
        }
        let images = self.run(|generator| generator.synthesize(batch.view()));
        let ran = started.elapsed();
        self.metrics.synthesis.observe(ran.as_secs_f64());
        match images {
            Ok(images) => self.hand_out(&images.into_shared(), &taken, ran),
            Err(error) => {
                for part in self.waiting.drain(..taken.len()) {
                    // As above.
                    let _ = part.reply.send(Err(error.clone()));
                }
            }
        }
    }

    /// Gives each part its images, which stay where the run has put them, and answers those that are complete; at most
    /// the last one is not.
    fn hand_out(&mut self, images: &Images, taken: &[usize], ran: Duration) {
        let mut first = 0;
        for &count in taken {
            let mut part = self.waiting.pop_front().expect("a run is made of waiting parts");
            let mut own = images.clone();
            own.slice_axis_inplace(Axis(0), Slice::from(first..first + count));
            first += count;
            part.drawn.pieces.push(own);
            part.drawn.ran += ran;
            part.done += count;
            if part.left() > 0 {
                self.waiting.push_front(part);
            } else {
                // As above.
                let _ = part.reply.send(Ok(part.drawn));
            }
        }
    }

    /// Tells the metrics how many images wait beside the `drawing` ones.
    fn report(&self, drawing: usize) {
        let left: usize = self.waiting.iter().map(Part::left).sum();
        self.metrics
            .waiting
            .set(i64::try_from(left - drawing).unwrap_or(i64::MAX));
        self.metrics
            .drawing
            .set(i64::try_from(drawing).unwrap_or(i64::MAX));
    }

    /// Runs the generator; a panic in it is an error of this run alone.
    fn run<T>(
        &mut self,
        task: impl FnOnce(&mut dyn Generator) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let generator = &mut *self.generator;
        catch_unwind(AssertUnwindSafe(|| task(generator))).unwrap_or_else(|panic| {
            Err(EngineError::Panicked {
                network: self.network.to_string(),
                reason: message(panic.as_ref()),
            })
        })
    }
}

//! Where the steps of several descents become one run of the gradient graph.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ndarray::{Array3, Axis, Slice, concatenate};
use tokio::sync::oneshot;

use crate::engine::admission::deadline;
use crate::engine::batching::gradient_queue::{GradientQueue, Order};
use crate::engine::batching::queue::count;
use crate::engine::networks::panic::caught;
use crate::engine::networks::priority;
use crate::engine::networks::thread::on_a_thread;
use crate::engine::{EngineError, Gradient, Images, LossGradient};
use crate::metrics::ModelMetrics;

/// How long a run waits for the descents that have only just been told of their last step.
const PATIENCE: Duration = Duration::from_millis(5);

/// Handle of a gradient graph's thread, which ends when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct GradientBatcher {
    network: Arc<str>,
    line: Arc<Open>,
}

/// A line that closes when nobody can put anything into it any more.
struct Open(Arc<GradientQueue>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Codes on their way down: runs wait a moment for their next step.
pub(crate) struct UnderWay {
    line: Arc<GradientQueue>,
    codes: usize,
    metrics: ModelMetrics,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.line.end(self.codes);
        self.metrics.descending.dec_by(count(self.codes));
    }
}

impl GradientBatcher {
    /// Moves `gradient` to a new thread, which gives way to all others.
    pub(crate) fn start(name: &str, gradient: Box<dyn Gradient>, metrics: &ModelMetrics) -> Self {
        Self::with_patience(name, gradient, PATIENCE, metrics)
    }

    fn with_patience(
        name: &str,
        gradient: Box<dyn Gradient>,
        patience: Duration,
        metrics: &ModelMetrics,
    ) -> Self {
        let network: Arc<str> = name.into();
        let line = Arc::new(GradientQueue::new(patience, gradient.largest_batch()));
        let station = Station {
            network: Arc::clone(&network),
            gradient,
            line: Arc::clone(&line),
            metrics: metrics.clone(),
        };
        on_a_thread(name, move || station.work());
        Self {
            network,
            line: Arc::new(Open(line)),
        }
    }

    /// Most codes in one run.
    pub(crate) fn largest(&self) -> usize {
        self.line.0.largest()
    }

    /// Says that so many codes go down together, until the value is dropped.
    pub(crate) fn under_way(&self, codes: usize, metrics: &ModelMetrics) -> UnderWay {
        self.line.0.begin(codes);
        metrics.descending.inc_by(count(codes));
        UnderWay {
            line: Arc::clone(&self.line.0),
            codes,
            metrics: metrics.clone(),
        }
    }

    /// How many codes are under way.
    pub(crate) fn descending(&self) -> usize {
        self.line.0.under_way()
    }

    /// Losses and slopes of codes `[batch, rows, dim]` against images `[batch, 3, height, width]`, no more than one run
    /// holds, beside those of other descents.
    pub(crate) async fn of(&self, codes: Array3<f32>, targets: Images) -> Result<LossGradient, EngineError> {
        let (reply, answer) = oneshot::channel();
        let order = Order {
            codes,
            targets,
            came: Instant::now(),
            deadline: deadline::current(),
            reply,
        };
        self.line.0.put(order);
        let dropped = |_| EngineError::of_dropped(&self.network);
        answer.await.map_err(dropped)?
    }
}

/// The gradient graph's side.
struct Station {
    network: Arc<str>,
    gradient: Box<dyn Gradient>,
    line: Arc<GradientQueue>,
    metrics: ModelMetrics,
}

impl Station {
    fn work(mut self) {
        priority::lower();
        while let Some(orders) = self.line.take() {
            self.run(orders);
        }
    }

    fn run(&mut self, orders: Vec<Order>) {
        let codes: Vec<_> = orders.iter().map(|order| order.codes.view()).collect();
        let targets: Vec<_> = orders.iter().map(|order| order.targets.view()).collect();
        let codes = concatenate(Axis(0), &codes).expect("codes of one generator have one shape");
        let targets = concatenate(Axis(0), &targets).expect("pictures are of the generator's size");
        #[expect(clippy::cast_precision_loss, reason = "a batch is a small number")]
        self.metrics.slope_codes.observe(codes.len_of(Axis(0)) as f64);
        let started = Instant::now();
        let gradient = &mut *self.gradient;
        let run = || gradient.slope(codes.view(), targets.view());
        let found = caught(&self.network, run);
        self.metrics.slope.observe(started.elapsed().as_secs_f64());
        let mut first = 0;
        for order in orders {
            let next = first + order.codes();
            let own = found.as_ref().map(|slope| slope.part(Slice::from(first..next)));
            // A caller that left meanwhile has no use for the result.
            let _ = order.reply.send(own.map_err(Clone::clone));
            first = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use ndarray::{Array1, ArrayView3, ArrayView4};

    use super::*;
    use crate::metrics::Metrics;

    /// Loss: the code's first number; slope: that of the target. Says how many codes each run has, and waits to go on.
    struct Gate {
        largest: usize,
        began: Sender<usize>,
        go: Receiver<()>,
    }

    impl Gradient for Gate {
        fn largest_batch(&self) -> usize {
            self.largest
        }

        fn slope(
            &mut self,
            codes: ArrayView3<'_, f32>,
            targets: ArrayView4<'_, f32>,
        ) -> Result<LossGradient, EngineError> {
            self.began.send(codes.len_of(Axis(0))).unwrap();
            self.go.recv().unwrap();
            assert!(codes[[0, 0, 0]] < 100.0, "a code too far");
            let first = |place: usize| codes[[place, 0, 0]];
            Ok(LossGradient {
                loss: Array1::from_shape_fn(codes.len_of(Axis(0)), first),
                perceptual: None,
                gradient: Array3::from_shape_fn(codes.dim(), |(place, ..)| targets[[place, 0, 0, 0]]),
            })
        }
    }

    fn gate(largest: usize) -> (GradientBatcher, Receiver<usize>, Sender<()>, ModelMetrics) {
        gate_with(largest, Duration::from_hours(1))
    }

    fn gate_with(
        largest: usize,
        patience: Duration,
    ) -> (GradientBatcher, Receiver<usize>, Sender<()>, ModelMetrics) {
        let (began, runs) = channel();
        let (go_on, go) = channel();
        let metrics = Metrics::new().of_model("gate");
        let gate = Box::new(Gate { largest, began, go });
        let slopes = GradientBatcher::with_patience("gate", gate, patience, &metrics);
        (slopes, runs, go_on, metrics)
    }

    /// A descent of so many steps from `code`; each loss and slope.
    fn descend(
        slopes: &GradientBatcher,
        metrics: &ModelMetrics,
        code: f32,
        steps: usize,
    ) -> tokio::task::JoinHandle<Vec<(f32, f32)>> {
        let (slopes, under_way) = (slopes.clone(), slopes.under_way(1, metrics));
        tokio::spawn(async move {
            let _under_way = under_way;
            let mut found = Vec::new();
            for step in 0..steps {
                #[expect(clippy::cast_precision_loss, reason = "a few steps")]
                let codes = Array3::from_elem((1, 1, 1), code + step as f32);
                let targets = Images::from_elem((1, 3, 1, 1), -code);
                let slope = slopes.of(codes, targets).await.unwrap();
                found.push((slope.loss[0], slope.gradient[[0, 0, 0]]));
            }
            found
        })
    }

    #[tokio::test]
    async fn descents_step_together_and_each_gets_its_own() {
        let (slopes, runs, go_on, metrics) = gate(8);
        let three = [(10.0, 3), (20.0, 2), (30.0, 1)].map(|(code, steps)| {
            let descent = descend(&slopes, &metrics, code, steps);
            (code, steps, descent)
        });
        for _ in 0..3 {
            go_on.send(()).unwrap();
        }
        for (code, steps, descent) in three {
            let expected = [(code, -code), (code + 1.0, -code), (code + 2.0, -code)];
            assert_eq!(descent.await.unwrap(), expected[..steps]);
        }
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(slopes.descending(), 0);
    }

    #[tokio::test]
    async fn descents_that_began_apart_step_together_too() {
        let (slopes, runs, go_on, metrics) = gate_with(8, Duration::from_millis(200));
        let first = descend(&slopes, &metrics, 10.0, 3);
        while runs.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        // The second one orders while the first one's step is under way, and waits longer for its end than a run would wait for it.
        let second = descend(&slopes, &metrics, 20.0, 2);
        tokio::time::sleep(Duration::from_millis(300)).await;
        for _ in 0..3 {
            go_on.send(()).unwrap();
        }
        first.await.unwrap();
        second.await.unwrap();
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), [2, 2]);
    }

    #[tokio::test]
    async fn no_run_is_larger_than_the_largest() {
        let (slopes, runs, go_on, metrics) = gate(2);
        let three = [1.0, 2.0, 3.0].map(|code| descend(&slopes, &metrics, code, 1));
        for _ in 0..2 {
            go_on.send(()).unwrap();
        }
        for descent in three {
            descent.await.unwrap();
        }
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), [2, 1]);
    }

    #[tokio::test]
    async fn a_descent_that_is_dropped_keeps_nobody_waiting_and_steps_no_more() {
        let (slopes, runs, go_on, metrics) = gate(8);
        let (gone, stays) = (
            descend(&slopes, &metrics, 1.0, 1000),
            descend(&slopes, &metrics, 2.0, 3),
        );
        // Both are in the first run when one of them goes.
        while runs.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        for _ in 0..3 {
            go_on.send(()).unwrap();
        }
        assert_eq!(stays.await.unwrap().len(), 3);
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), [1, 1]);
        assert_eq!(metrics.descending.get(), 0);
    }

    #[tokio::test]
    async fn a_panic_fails_its_own_run_and_the_next_one_works() {
        let (slopes, _runs, go_on, metrics) = gate(8);
        go_on.send(()).unwrap();
        go_on.send(()).unwrap();
        let targets = Images::zeros((1, 3, 1, 1));
        let failed = slopes.of(Array3::from_elem((1, 1, 1), 100.0), targets).await;
        let failed = failed.map(drop).unwrap_err();
        assert!(
            matches!(&failed, EngineError::Panicked { reason, .. } if reason == "a code too far"),
            "{failed}"
        );
        assert_eq!(descend(&slopes, &metrics, 1.0, 1).await.unwrap(), [(1.0, -1.0)]);
    }
}

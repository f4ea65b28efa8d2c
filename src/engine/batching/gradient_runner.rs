//! The gradient network as a network that can be batched: steps of several optimizations share a run.

use std::ops::Range;
use std::time::Duration;

use ndarray::{Array3, Axis, Slice, concatenate};

use crate::engine::batching::batch_network::{BatchNetwork, Run};
use crate::engine::batching::batch_queue::BatchWait;
use crate::engine::batching::batcher::{Batcher, Open};
use crate::engine::networks::priority;
use crate::engine::{EngineError, Gradient, Images, LossGradient};
use crate::metrics::BatchMetrics;

/// Longest time that a run waits for the next steps of other optimizations. A step takes tens of milliseconds, and the
/// code between two steps less than one.
const BATCH_WAIT: Duration = Duration::from_millis(5);

/// A gradient network on its thread.
pub(crate) struct GradientRunner(Box<dyn Gradient>);

/// Starts the thread of a gradient network. It has a low priority: an inversion takes seconds, a synthesis milliseconds,
/// and the operating system knows best when a core is free.
pub(crate) fn start_gradient(
    name: &str,
    gradient: Box<dyn Gradient>,
    metrics: &BatchMetrics,
) -> Batcher<GradientRunner> {
    start_with(name, gradient, BATCH_WAIT, metrics)
}

fn start_with(
    name: &str,
    gradient: Box<dyn Gradient>,
    batch_wait: Duration,
    metrics: &BatchMetrics,
) -> Batcher<GradientRunner> {
    let open: Open<GradientRunner> = Box::new(move || {
        priority::lower();
        Ok(GradientRunner(gradient))
    });
    Batcher::start(
        name,
        vec![open],
        Vec::new(),
        BatchWait::ForActive(batch_wait),
        metrics,
    )
}

impl BatchNetwork for GradientRunner {
    /// Codes `[codes, rows, dim]` and their target images `[codes, 3, height, width]`.
    type Input = (Array3<f32>, Images);
    type Output = LossGradient;

    fn units((codes, _): &Self::Input) -> usize {
        codes.len_of(Axis(0))
    }

    fn part(output: &LossGradient, range: Range<usize>) -> LossGradient {
        output.part(Slice::from(range))
    }

    fn largest_batch(&self) -> usize {
        self.0.largest_batch()
    }

    fn run(&mut self, inputs: &[&Self::Input]) -> Result<LossGradient, EngineError> {
        let codes: Vec<_> = inputs.iter().map(|(codes, _)| codes.view()).collect();
        let targets: Vec<_> = inputs.iter().map(|(_, targets)| targets.view()).collect();
        let codes = concatenate(Axis(0), &codes).expect("codes of one generator have one shape");
        let targets = concatenate(Axis(0), &targets).expect("target images have the generator's size");
        self.0.loss_gradient(codes.view(), targets.view())
    }

    fn observe(&mut self, _: &Run) {}
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use ndarray::{Array1, ArrayView3, ArrayView4};
    use tokio::task::JoinHandle;

    use super::*;
    use crate::engine::batching::batch_queue::Lane;
    use crate::engine::batching::batcher::Active;
    use crate::metrics::Metrics;

    /// A gradient network that reports each run's number of codes and waits for permission to go on. The loss is a code's
    /// first number, the gradient its target's.
    struct Controlled {
        largest: usize,
        began: Sender<usize>,
        go_on: Receiver<()>,
    }

    impl Gradient for Controlled {
        fn largest_batch(&self) -> usize {
            self.largest
        }

        fn loss_gradient(
            &mut self,
            codes: ArrayView3<'_, f32>,
            targets: ArrayView4<'_, f32>,
        ) -> Result<LossGradient, EngineError> {
            self.began.send(codes.len_of(Axis(0))).unwrap();
            self.go_on.recv().unwrap();
            assert!(codes[[0, 0, 0]] < 100.0, "the code is too large");
            Ok(LossGradient {
                loss: Array1::from_shape_fn(codes.len_of(Axis(0)), |code| codes[[code, 0, 0]]),
                perceptual: None,
                gradient: Array3::from_shape_fn(codes.dim(), |(code, ..)| targets[[code, 0, 0, 0]]),
            })
        }
    }

    struct Setup {
        gradients: Batcher<GradientRunner>,
        runs: Receiver<usize>,
        go_on: Sender<()>,
    }

    fn setup(largest: usize) -> Setup {
        setup_with(largest, Duration::from_hours(1))
    }

    fn setup_with(largest: usize, batch_wait: Duration) -> Setup {
        let ((began, runs), (go_on, permission)) = (channel(), channel());
        let network = Box::new(Controlled {
            largest,
            began,
            go_on: permission,
        });
        let metrics = Metrics::new().of_model("controlled").gradient;
        Setup {
            gradients: start_with("controlled", network, batch_wait, &metrics),
            runs,
            go_on,
        }
    }

    async fn gradient(
        gradients: &Batcher<GradientRunner>,
        code: f32,
        target: f32,
    ) -> Result<LossGradient, EngineError> {
        let input = (
            Array3::from_elem((1, 1, 1), code),
            Images::from_elem((1, 3, 1, 1), target),
        );
        let submitted = gradients.submit(Lane::Request, input, |output| output);
        Ok(submitted.completed().await?.output)
    }

    /// An optimization of `steps` steps from `code`: the loss and the gradient of each step.
    fn optimize(gradients: &Batcher<GradientRunner>, code: f32, steps: usize) -> JoinHandle<Vec<(f32, f32)>> {
        let gradients = gradients.clone();
        let active: Active<GradientRunner> = gradients.activate(1);
        tokio::spawn(async move {
            let _active = active;
            let mut found = Vec::new();
            for step in 0..steps {
                #[expect(clippy::cast_precision_loss, reason = "a few steps")]
                let output = gradient(&gradients, code + step as f32, -code).await.unwrap();
                found.push((output.loss[0], output.gradient[[0, 0, 0]]));
            }
            found
        })
    }

    #[tokio::test]
    async fn optimizations_share_runs_and_each_gets_its_own_gradients() {
        let setup = setup(8);
        let three = [(10.0, 3), (20.0, 2), (30.0, 1)].map(|(code, steps)| {
            let optimization = optimize(&setup.gradients, code, steps);
            (code, steps, optimization)
        });
        for _ in 0..3 {
            setup.go_on.send(()).unwrap();
        }
        for (code, steps, optimization) in three {
            let expected = [(code, -code), (code + 1.0, -code), (code + 2.0, -code)];
            assert_eq!(optimization.await.unwrap(), expected[..steps]);
        }
        assert_eq!(setup.runs.try_iter().collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(setup.gradients.activate(1).all(), 1, "no optimization is left");
    }

    #[tokio::test]
    async fn optimizations_that_began_at_different_times_share_runs() {
        let setup = setup_with(8, Duration::from_millis(200));
        let first = optimize(&setup.gradients, 10.0, 3);
        while setup.runs.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        // The second submits during the first one's step, and waits for longer than the batch wait until that step ends.
        let second = optimize(&setup.gradients, 20.0, 2);
        tokio::time::sleep(Duration::from_millis(300)).await;
        for _ in 0..3 {
            setup.go_on.send(()).unwrap();
        }
        first.await.unwrap();
        second.await.unwrap();
        assert_eq!(setup.runs.try_iter().collect::<Vec<_>>(), [2, 2]);
    }

    #[tokio::test]
    async fn no_run_holds_more_codes_than_the_largest_batch() {
        let setup = setup(2);
        let three = [1.0, 2.0, 3.0].map(|code| optimize(&setup.gradients, code, 1));
        for _ in 0..2 {
            setup.go_on.send(()).unwrap();
        }
        for optimization in three {
            optimization.await.unwrap();
        }
        assert_eq!(setup.runs.try_iter().collect::<Vec<_>>(), [2, 1]);
    }

    #[tokio::test]
    async fn a_dropped_optimization_takes_no_further_step_and_delays_nobody() {
        let setup = setup(8);
        let dropped = optimize(&setup.gradients, 1.0, 1000);
        let kept = optimize(&setup.gradients, 2.0, 3);
        // Both are in the first run when one of them is dropped.
        while setup.runs.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        dropped.abort();
        assert!(dropped.await.unwrap_err().is_cancelled());
        for _ in 0..3 {
            setup.go_on.send(()).unwrap();
        }
        assert_eq!(kept.await.unwrap().len(), 3);
        assert_eq!(setup.runs.try_iter().collect::<Vec<_>>(), [1, 1]);
    }

    #[tokio::test]
    async fn a_panic_fails_its_own_run_and_the_next_run_works() {
        let setup = setup(8);
        setup.go_on.send(()).unwrap();
        setup.go_on.send(()).unwrap();
        let error = gradient(&setup.gradients, 100.0, 0.0)
            .await
            .map(drop)
            .unwrap_err();
        assert!(
            matches!(&error, EngineError::Panicked { reason, .. } if reason == "the code is too large"),
            "{error}"
        );
        assert_eq!(optimize(&setup.gradients, 1.0, 1).await.unwrap(), [(1.0, -1.0)]);
    }
}

//! The networks that differentiate scores, opened when they are first needed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::engine::batching::batch_queue::BatchWait;
use crate::engine::batching::batcher::{Batcher, Open};
use crate::engine::batching::score_gradient_runner::ScoreGradientRunner;
use crate::engine::networks::panic::catch_panic;
use crate::engine::networks::priority;
use crate::engine::networks::worker::Worker;
use crate::engine::{EngineError, MappingGradient, OpenScoreGradients};
use crate::metrics::BatchMetrics;

/// The networks at work. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RunningScoreGradients {
    pub(crate) scores: Batcher<ScoreGradientRunner>,
    pub(crate) mapping: Option<Worker<Box<dyn MappingGradient>>>,
}

/// The networks, or how to open them.
pub(crate) struct ScoreGradients {
    /// The model's name.
    name: String,
    open: OpenScoreGradients,
    opened: OnceCell<Result<RunningScoreGradients, EngineError>>,
    metrics: BatchMetrics,
}

impl ScoreGradients {
    /// Networks that are not open yet.
    pub(crate) fn new(name: &str, open: OpenScoreGradients, metrics: BatchMetrics) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            open,
            opened: OnceCell::new(),
            metrics,
        })
    }

    /// The networks. The first call opens them, and calls at the same time wait for it. A failure is final, because the graphs do not
    /// change.
    pub(crate) async fn running(self: &Arc<Self>) -> Result<RunningScoreGradients, EngineError> {
        if let Some(opened) = self.opened.get() {
            return opened.clone();
        }
        // A task of its own: the opening goes on if the caller goes away.
        let own = Arc::clone(self);
        let opened = tokio::spawn(async move {
            let start = || {
                let own = Arc::clone(&own);
                let started = tokio::task::spawn_blocking(move || own.start());
                async { started.await.expect("a panic becomes an error") }
            };
            own.opened.get_or_init(start).await.clone()
        });
        opened.await.expect("a panic becomes an error")
    }

    fn start(&self) -> Result<RunningScoreGradients, EngineError> {
        let name = format!("{} score gradient", self.name);
        let open = || {
            // The session's threads inherit the priority of this one: a walk takes seconds, a synthesis milliseconds.
            priority::lower();
            catch_panic(&name, || (self.open)())
        };
        let networks =
            std::thread::scope(|scope| scope.spawn(open).join().expect("a panic becomes an error"))?;
        let runner: Open<ScoreGradientRunner> = Box::new(move || {
            priority::lower();
            Ok(ScoreGradientRunner(networks.scores))
        });
        let wait = BatchWait::Fixed(Duration::ZERO);
        let mapping_name = format!("{} mapping gradient", self.name);
        Ok(RunningScoreGradients {
            scores: Batcher::start(&name, vec![runner], Vec::new(), wait, &self.metrics),
            mapping: networks
                .mapping
                .map(|mapping| Worker::spawn(&mapping_name, mapping)),
        })
    }
}

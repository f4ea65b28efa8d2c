//! A network on a thread of its own. What waits for it has been admitted by the engine, so the queue needs no bound.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::engine::EngineError;
use crate::engine::networks::panic::catch_panic;
use crate::engine::networks::thread::spawn_network_thread;

type Work<N> = Box<dyn FnOnce(&mut N) + Send>;

/// Handle of a network's thread. The thread ends when the last handle is dropped.
pub(crate) struct Worker<N> {
    network: Arc<str>,
    queue: mpsc::UnboundedSender<Work<N>>,
}

impl<N> Clone for Worker<N> {
    fn clone(&self) -> Self {
        Self {
            network: Arc::clone(&self.network),
            queue: self.queue.clone(),
        }
    }
}

impl<N: Send + 'static> Worker<N> {
    /// Moves `network` to a new thread.
    pub(crate) fn spawn(name: &str, mut network: N) -> Self {
        let (queue, mut work) = mpsc::unbounded_channel::<Work<N>>();
        spawn_network_thread(name, move || {
            while let Some(run) = work.blocking_recv() {
                run(&mut network);
            }
        });
        Self {
            network: name.into(),
            queue,
        }
    }

    /// Runs `task` on the network, in its turn.
    ///
    /// Work whose caller has gone is skipped. A panic is an error for this caller alone.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut N) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        let network = Arc::clone(&self.network);
        let work: Work<N> = Box::new(move |state| {
            if reply.is_closed() {
                return;
            }
            let result = catch_panic(&network, || task(state));
            // A caller that left meanwhile has no use for the result.
            let _ = reply.send(result);
        });
        let stopped = || EngineError::Stopped {
            network: self.network.to_string(),
        };
        self.queue.send(work).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_in_turn_and_answers_its_caller() {
        let worker = Worker::spawn("counter", 0);
        for expected in 1..=3 {
            let counted = worker.run(|count: &mut i32| {
                *count += 1;
                Ok(*count)
            });
            assert_eq!(counted.await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn a_panic_fails_its_own_run_and_the_next_one_works() {
        let worker = Worker::spawn("fragile", ());
        let error = worker
            .run::<()>(|()| panic!("layer {} is gone", 3))
            .await
            .unwrap_err();
        assert!(
            matches!(&error, EngineError::Panicked { reason, .. } if reason == "layer 3 is gone"),
            "{error}"
        );
        assert_eq!(worker.run(|()| Ok(7)).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn work_whose_caller_has_gone_is_skipped() {
        let worker = Worker::spawn("skipping", 0);
        let (release, hold) = std::sync::mpsc::channel::<()>();
        let first = tokio::spawn({
            let worker = worker.clone();
            async move {
                let blocked = worker.run(move |_: &mut i32| {
                    hold.recv().unwrap();
                    Ok(())
                });
                blocked.await
            }
        });
        tokio::task::yield_now().await;
        let mut abandoned = Box::pin(worker.run(|count| {
            *count += 1;
            Ok(())
        }));
        assert!(futures_poll_once(&mut abandoned).await.is_none());
        drop(abandoned);
        release.send(()).unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(worker.run(|count| Ok(*count)).await.unwrap(), 0);
    }

    async fn futures_poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
                std::task::Poll::Ready(value) => Some(value),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}

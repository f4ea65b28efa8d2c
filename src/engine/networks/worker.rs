//! A network on a thread of its own, and its queue of tasks.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::engine::EngineError;
use crate::engine::networks::panic::catch_panic;
use crate::engine::networks::thread::spawn_network_thread;

type Task<N> = Box<dyn FnOnce(&mut N) + Send>;

/// A handle of a network's thread. Cheap to clone. The thread ends when the last handle is dropped and the queue is empty.
///
/// The queue has no bound of its own, because the requests that use it have been admitted.
pub(crate) struct Worker<N> {
    network: Arc<str>,
    queue: mpsc::UnboundedSender<Task<N>>,
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
    /// Moves `network` to a new thread. `name` is the thread's name, and the network's name in errors.
    pub(crate) fn spawn(name: &str, mut network: N) -> Self {
        let (queue, mut tasks) = mpsc::unbounded_channel::<Task<N>>();
        spawn_network_thread(name, move || {
            while let Some(task) = tasks.blocking_recv() {
                task(&mut network);
            }
        });
        Self {
            network: name.into(),
            queue,
        }
    }

    /// Runs `task` on the network after the tasks that came before.
    ///
    /// If the returned future is dropped before the task begins, the task is skipped. A panic is an error of this task alone.
    ///
    /// # Errors
    /// Those of `task`, [`EngineError::Panicked`], or [`EngineError::Stopped`] if the thread has ended.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut N) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let (reply, receiver) = oneshot::channel();
        let network = Arc::clone(&self.network);
        let task: Task<N> = Box::new(move |state| {
            if reply.is_closed() {
                return;
            }
            let result = catch_panic(&network, || task(state));
            // If the caller has gone away in the meantime, the result is not needed.
            let _ = reply.send(result);
        });
        let stopped = || EngineError::Stopped {
            network: self.network.to_string(),
        };
        self.queue.send(task).map_err(|_| stopped())?;
        receiver.await.map_err(|_| stopped())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_run_in_order_and_each_caller_gets_its_result() {
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
    async fn a_panic_fails_its_own_task_and_the_next_one_works() {
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
    async fn a_task_is_skipped_if_its_caller_has_gone_away() {
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
        assert!(poll_once(&mut abandoned).await.is_none());
        drop(abandoned);
        release.send(()).unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(worker.run(|count| Ok(*count)).await.unwrap(), 0);
    }

    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
                std::task::Poll::Ready(value) => Some(value),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}

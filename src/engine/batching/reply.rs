//! Sends the result of a run to the caller that waits for it.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::engine::EngineError;
use crate::engine::networks::panic::catch_panic;

/// A caller that waits for its part of a run's output.
pub(crate) trait Reply<O>: Send {
    /// Whether the caller has gone away.
    fn is_abandoned(&self) -> bool;

    /// Sends the result. Called on the thread that ran the network, where the output is most likely still in the
    /// processor's caches.
    fn send(self: Box<Self>, result: Result<Completed<O>, EngineError>);
}

/// A result with its timings.
pub(crate) struct Completed<T> {
    pub(crate) output: T,
    /// Time from the submission to the start of the run.
    pub(crate) queued: Duration,
    /// Duration of the run.
    pub(crate) ran: Duration,
}

/// The receiving end of a [`Reply`].
pub(crate) type Receiver<T> = oneshot::Receiver<Result<Completed<T>, EngineError>>;

/// A reply that converts the output before it sends it, and its receiving end.
pub(crate) fn converting<O, T, F>(convert: F) -> (Converting<T, F>, Receiver<T>)
where
    T: Send,
    F: FnOnce(O) -> T + Send,
{
    let (sender, receiver) = oneshot::channel();
    (Converting { convert, sender }, receiver)
}

/// Converts the output of a run and sends the result to the caller.
pub(crate) struct Converting<T, F> {
    convert: F,
    sender: oneshot::Sender<Result<Completed<T>, EngineError>>,
}

impl<O, T: Send, F: FnOnce(O) -> T + Send> Reply<O> for Converting<T, F> {
    fn is_abandoned(&self) -> bool {
        self.sender.is_closed()
    }

    fn send(self: Box<Self>, result: Result<Completed<O>, EngineError>) {
        let Self { convert, sender } = *self;
        if sender.is_closed() {
            return;
        }
        let converted = result.and_then(|completed| {
            Ok(Completed {
                output: catch_panic("the conversion of a network's output", || {
                    Ok(convert(completed.output))
                })?,
                queued: completed.queued,
                ran: completed.ran,
            })
        });
        // If the caller has gone away in the meantime, nobody needs the result.
        let _ = sender.send(converted);
    }
}

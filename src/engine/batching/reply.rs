//! Who has ordered images, and what they make of them while these are at hand.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::engine::networks::panic::caught;
use crate::engine::{EngineError, Images};

/// Who takes an order's images, on the thread that has drawn them: there they are in the processor's caches still.
pub(crate) trait Reply: Send {
    /// Whether nobody waits any more.
    fn is_gone(&self) -> bool;

    /// Takes what was drawn.
    fn take(self: Box<Self>, drawn: Result<Drawn<Images>, EngineError>);
}

/// A caller's images, or what was made of them.
pub(crate) struct Drawn<T> {
    pub(crate) made: T,
    /// From the order to the run.
    pub(crate) waited: Duration,
    /// The run.
    pub(crate) ran: Duration,
}

/// What comes of an order.
pub(crate) type Answer<T> = oneshot::Receiver<Result<Drawn<T>, EngineError>>;

/// One who makes something of images, and where it comes out.
pub(crate) fn making<T: Send, M: FnOnce(Images) -> T + Send>(make: M) -> (Making<T, M>, Answer<T>) {
    let (reply, answer) = oneshot::channel();
    (Making { make, reply }, answer)
}

/// Who makes something of images and hands it to a caller.
pub(crate) struct Making<T, M> {
    make: M,
    reply: oneshot::Sender<Result<Drawn<T>, EngineError>>,
}

impl<T: Send, M: FnOnce(Images) -> T + Send> Reply for Making<T, M> {
    fn is_gone(&self) -> bool {
        self.reply.is_closed()
    }

    fn take(self: Box<Self>, drawn: Result<Drawn<Images>, EngineError>) {
        if self.is_gone() {
            return;
        }
        let Self { make, reply } = *self;
        let own = drawn.and_then(|drawn| {
            Ok(Drawn {
                made: caught("what is made of images", || Ok(make(drawn.made)))?,
                waited: drawn.waited,
                ran: drawn.ran,
            })
        });
        // A caller that leaves meanwhile has no use for the result.
        let _ = reply.send(own);
    }
}

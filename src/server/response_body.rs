//! The body of a response, and the end of the task that sends it if the client takes it too slowly.
//!
//! hyper polls a body when it can send more of it. So after a chunk was polled, the client is waited for until the next poll. A
//! body that is not polled cannot fail, so the task that would poll it is ended: the task of the stream in HTTP/2, and the task of
//! the connection in HTTP/1.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use hyper::rt::Executor;
use tokio::sync::watch;
use tokio::time::sleep_until;

use super::open_requests::OpenRequest;
use crate::api::{Allowance, RequestLog, TransferLimits};

/// The largest chunk of a body, in bytes. hyper keeps at least one chunk of a response in memory, and does not say when the client
/// took the last one.
const LARGEST_CHUNK: usize = 16 * 1024;

tokio::task_local! {
    /// The time until which the client must take the next chunk of the response that this task sends; `None` if it is not waited for.
    static DEADLINE: watch::Sender<Option<Instant>>;
}

/// Runs a task that sends responses. `None` if the client takes one too slowly: the task is then dropped.
pub(super) async fn taken_in_time<F: Future>(task: F) -> Option<F::Output> {
    let deadline = watch::Sender::<Option<Instant>>::new(None);
    let mut changes = deadline.subscribe();
    let passed = async {
        loop {
            let until = *changes.borrow_and_update();
            let reached = async {
                match until {
                    Some(until) => sleep_until(until.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = reached => return,
                // The task has a sender, so this does not fail.
                _ = changes.changed() => {}
            }
        }
    };
    tokio::select! {
        output = DEADLINE.scope(deadline, task) => Some(output),
        () = passed => None,
    }
}

/// Starts the task of each stream of HTTP/2. If a client takes the response of a stream too slowly, the stream is reset, and the
/// others of its connection go on.
#[derive(Clone, Copy)]
pub(super) struct StreamTasks;

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for StreamTasks {
    fn execute(&self, stream: F) {
        tokio::spawn(async move {
            if taken_in_time(stream).await.is_none() {
                tracing::debug!("stream reset: the client took its response too slowly");
            }
        });
    }
}

/// The body of a response, in small chunks.
pub(super) struct ResponseBody {
    body: Body,
    /// The rest of a chunk that was too large.
    rest: Bytes,
    allowance: Allowance,
    /// The size of the chunk that the client is to take; `None` if it is not waited for.
    taking: Option<usize>,
    /// The deadline of the task that sends this body.
    deadline: Option<watch::Sender<Option<Instant>>>,
    log: RequestLog,
    _open: OpenRequest,
}

impl ResponseBody {
    /// The body, in the task that sends it.
    pub(super) fn new(body: Body, transfer: TransferLimits, open: OpenRequest, log: RequestLog) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            allowance: Allowance::new(transfer),
            taking: None,
            deadline: DEADLINE.try_with(Clone::clone).ok(),
            log,
            _open: open,
        }
    }

    fn set_deadline(&self, until: Option<Instant>) {
        if let Some(deadline) = &self.deadline {
            deadline.send_replace(until);
        }
    }

    /// The next chunk, as it leaves this body.
    fn chunk(&mut self, mut data: Bytes) -> Frame<Bytes> {
        self.rest = data.split_off(data.len().min(LARGEST_CHUNK));
        self.taking = Some(data.len());
        self.log.send(data.len());
        if self.is_end_stream() {
            self.log.complete();
        }
        let until = self.allowance.wait(Instant::now());
        self.set_deadline(Some(until));
        Frame::data(data)
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Some(bytes) = this.taking.take() {
            this.allowance.advance(Instant::now(), bytes);
            this.set_deadline(None);
        }
        if !this.rest.is_empty() {
            let data = std::mem::take(&mut this.rest);
            return Poll::Ready(Some(Ok(this.chunk(data))));
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        match &frame {
            Some(Ok(_)) => {}
            Some(Err(_)) => this.log.fail(),
            None => this.log.complete(),
        }
        let frame = frame.map(|frame| {
            let frame = frame?;
            Ok(match frame.into_data() {
                Ok(data) => this.chunk(data),
                Err(trailers) => trailers,
            })
        });
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).expect("a size fits into 64 bits");
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.set_deadline(None);
    }
}

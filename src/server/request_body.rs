//! The body of a request: it fails if the client sends it too slowly, and what a refused request still sends is read.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::time::{Sleep, sleep_until, timeout};

use crate::api::{Allowance, SlowRequest, TransferLimits};

/// How long the rest of a refused request is read. Clients that send without reading get a broken connection instead of the
/// response if the service closes it before.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// How much of the rest of a refused request is read, in bytes.
const LARGEST_REST: usize = 64 << 20;

/// The body of a request. It fails with [`SlowRequest`] if the client sends it too slowly. Only time in which a handler waits for
/// the body counts.
pub(super) struct RequestBody {
    body: Body,
    allowance: Allowance,
    /// Set while the client is waited for.
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether the client sends the rest whatever the response is. A client that waits for `100 Continue` does not.
    sends_rest: bool,
}

impl RequestBody {
    pub(super) fn new(body: Body, transfer: TransferLimits, waits_for_continue: bool) -> Self {
        Self {
            body,
            allowance: Allowance::new(transfer),
            timer: None,
            sends_rest: !waits_for_continue,
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.sends_rest || self.body.is_end_stream() {
            return;
        }
        let rest = std::mem::take(&mut self.body);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(LONGEST_REST, discard(rest)));
        }
    }
}

/// Reads a body, and keeps nothing of it.
async fn discard(mut body: Body) {
    let mut read = 0;
    while read < LARGEST_REST {
        match std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => return,
        }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            this.allowance.advance(Instant::now(), data.map_or(0, Bytes::len));
            this.timer = None;
            this.sends_rest &= matches!(frame, Some(Ok(_)));
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let until = this.allowance.wait(Instant::now());
        let timer = this
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(until.into())));
        ready!(timer.as_mut().poll(context));
        this.sends_rest = false;
        Poll::Ready(Some(Err(SlowRequest.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! The body of a request, which fails if the client sends it too slowly.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep_until};

use crate::api::{Allowance, SlowRequest, TransferLimits};

/// The body of a request. It fails with [`SlowRequest`] if the client sends it too slowly. Only time in which a handler waits for
/// the body counts.
pub(super) struct RequestBody {
    body: Body,
    allowance: Allowance,
    /// Set while the client is waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    pub(super) fn new(body: Body, transfer: TransferLimits) -> Self {
        Self {
            body,
            allowance: Allowance::new(transfer),
            timer: None,
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
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let until = this.allowance.wait(Instant::now());
        let timer = this
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(until.into())));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Some(Err(SlowRequest.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! The requests and responses of a connection.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response, header};
use tower::Service;

use super::open_requests::OpenRequests;
use super::request_body::RequestBody;
use super::response_body::ResponseBody;
use crate::api::{PeerAddress, RequestLog, TransferLimits};

/// The service of a connection: the router, with limits on the bodies of requests and responses. A clone serves the same
/// connection.
#[derive(Clone)]
pub(super) struct Exchanges {
    router: Router,
    transfer: TransferLimits,
    open: OpenRequests,
    peer: PeerAddress,
}

impl Exchanges {
    /// The service of a new connection with `peer`, which counts its requests in `open`.
    pub(super) fn new(
        router: Router,
        transfer: TransferLimits,
        open: OpenRequests,
        peer: PeerAddress,
    ) -> Self {
        Self {
            router,
            transfer,
            open,
            peer,
        }
    }
}

impl<B> Service<Request<B>> for Exchanges
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (open, transfer) = (self.open.begin(), self.transfer);
        let waits_for_continue = request.headers().contains_key(header::EXPECT);
        let mut request =
            request.map(|body| Body::new(RequestBody::new(Body::new(body), transfer, waits_for_continue)));
        request.extensions_mut().insert(self.peer);
        let mut log = RequestLog::begin(&mut request);
        let response = self.router.call(request);
        Box::pin(async move {
            let response = response.await?;
            log.respond(&response);
            Ok(response.map(|body| ResponseBody::new(body, transfer, open, log)))
        })
    }
}

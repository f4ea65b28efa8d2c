//! A connection: its limits, and when it is closed.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::exchange::Exchanges;
use super::open_requests::OpenRequests;
use super::response_body::{StreamTasks, taken_in_time};
use crate::api::{PeerAddress, TransferLimits};

/// The most bytes that HTTP/1 keeps in memory for a connection in each direction. The headers of a request must fit.
const HTTP1_BUFFER: usize = 64 * 1024;

/// The largest headers of a request over HTTP/2, in bytes. Those of most clients are below 4 KiB.
const HTTP2_HEADERS: u32 = 64 * 1024;

/// The requests that a connection may have open at the same time over HTTP/2. Browsers open about as many.
const HTTP2_STREAMS: u32 = 64;

/// The bytes of one response that wait to be sent over HTTP/2. The rest of the response waits until the client takes them.
const HTTP2_SEND_BUFFER: usize = 64 * 1024;

/// The bytes of all requests of a connection that may arrive over HTTP/2 before a handler reads them, and those of one request.
const HTTP2_RECEIVE_WINDOWS: (u32, u32) = (1024 * 1024, 256 * 1024);

/// The requests that a client may take back over HTTP/2 before they were looked at. A client that takes back more is
/// disconnected, for each costs work (CVE-2023-44487).
const HTTP2_TAKEN_BACK: usize = 20;

/// The errors of a client over HTTP/2 for which the service resets a stream. Then the connection is closed (CVE-2025-8671).
const HTTP2_RESETS: usize = 100;

/// The time for a client without a request in progress to close the connection after it was told that no further request is
/// accepted.
const FAREWELL: Duration = Duration::from_secs(2);

/// The limits on the time of connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// The longest time without a request in progress: after the connection is accepted, and between requests. A request is in
    /// progress once its headers are complete. Then the connection is closed.
    pub idle: Duration,
    /// The time for open requests to end after a shutdown has begun. Then they are aborted.
    pub drain: Duration,
    /// How long the client is waited for while it sends a request or takes a response.
    pub transfer: TransferLimits,
}

/// A connection of a client.
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    pub(super) peer: PeerAddress,
    pub(super) router: Router,
    pub(super) limits: ConnectionLimits,
    /// Cancelled when the service shuts down.
    pub(super) closing: CancellationToken,
    /// Dropped when the connection is closed.
    pub(super) _open: Sender<Infallible>,
}

impl Connection {
    /// Serves requests until the client closes the connection, sends none within the idle timeout, or takes a response too
    /// slowly. When the service shuts down, open requests are still answered.
    pub(super) async fn serve(self) {
        // The last packet of a response is sent at once. Otherwise it waits until the client acknowledged the others.
        if let Err(error) = self.socket.set_nodelay(true) {
            tracing::debug!(%error, "cannot disable delayed packets of a connection");
        }
        let open = OpenRequests::new();
        let exchanges = Exchanges::new(self.router, self.limits.transfer, open.clone(), self.peer);
        let http = protocols(self.limits.idle);
        let service = TowerToHyperService::new(exchanges);
        let connection = http.serve_connection(TokioIo::new(self.socket), service);
        let served = async {
            let mut connection = pin!(connection);
            // hyper has timeouts of its own for some of these states, but not for the first bytes, which tell HTTP/2 from
            // HTTP/1, and not for HTTP/2 without a request.
            tokio::select! {
                ended = connection.as_mut() => return ended,
                () = self.closing.cancelled() => {}
                () = open.idle_for(self.limits.idle) => {}
            }
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = open.idle_for(FAREWELL.min(self.limits.idle)) => Ok(()),
            }
        };
        match taken_in_time(served).await {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::debug!(error, "connection ended with an error"),
            None => tracing::debug!("connection closed: the client took its response too slowly"),
        }
    }
}

/// HTTP/1 and HTTP/2 with limits. The client of a long request is asked every `idle` whether it is still there.
fn protocols(idle: Duration) -> Builder<StreamTasks> {
    let mut http = Builder::new(StreamTasks);
    http.http1().header_read_timeout(None).max_buf_size(HTTP1_BUFFER);
    let (all, one) = HTTP2_RECEIVE_WINDOWS;
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(idle)
        .max_header_list_size(HTTP2_HEADERS)
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_send_buf_size(HTTP2_SEND_BUFFER)
        .initial_connection_window_size(all)
        .initial_stream_window_size(one)
        .max_pending_accept_reset_streams(HTTP2_TAKEN_BACK)
        .max_local_error_reset_streams(HTTP2_RESETS);
    http
}

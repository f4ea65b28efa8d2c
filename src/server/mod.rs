//! Connections: accepts them, serves the router on each, limits how long each may last, and ends them in order on shutdown.
//!
//! | to find | look in |
//! | --- | --- |
//! | the loop that accepts connections, and the shutdown | this file |
//! | what one connection may cost, and when it is closed | `connection` |
//! | requests and responses on a connection | `exchange`, `open_requests` |
//! | bodies of requests that arrive too slowly | `request_body` |
//! | bodies of responses that are taken too slowly | `response_body` |

mod connection;
mod exchange;
mod open_requests;
mod request_body;
mod response_body;

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

pub use connection::ConnectionLimits;

use crate::api::{PeerAddress, Readiness};
use connection::Connection;

/// The pause after a connection could not be accepted, mostly because the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves until `shutdown` resolves. Then the readiness probe fails, no connection is accepted, and open requests may
/// end within the drain timeout.
pub async fn run(
    listener: TcpListener,
    router: Router,
    readiness: Readiness,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()>,
) {
    let closing = CancellationToken::new();
    // Each connection has a sender, so the channel ends with the last connection.
    let (open, mut ended) = mpsc::channel::<Infallible>(1);
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((socket, peer)) => {
                let connection = Connection {
                    socket,
                    peer: PeerAddress(peer.ip()),
                    router: router.clone(),
                    limits,
                    closing: closing.clone(),
                    _open: open.clone(),
                };
                tokio::spawn(connection.serve());
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    readiness.drain();
    drop(listener);
    tracing::info!("shutting down: waiting for open requests");
    closing.cancel();
    drop(open);
    if timeout(limits.drain, ended.recv()).await.is_err() {
        tracing::warn!(seconds = limits.drain.as_secs_f64(), "open requests aborted");
    }
}

/// Whether the client closed its connection before it was accepted, so that only this client is concerned.
fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}

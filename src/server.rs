//! Connections: accepts them, serves the router on each, and ends them in order on shutdown.

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::api::Readiness;

/// The pause after a connection could not be accepted, mostly because the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The timeouts of connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionTimeouts {
    /// The time until the headers of the next request are complete. Then the connection is closed.
    pub idle: Duration,
    /// The time for open requests to end after a shutdown has begun. Then they are aborted.
    pub drain: Duration,
}

/// Serves until `shutdown` resolves. Then the readiness probe fails, no connection is accepted, and open requests may
/// end within the drain timeout.
pub async fn run(
    listener: TcpListener,
    router: Router,
    readiness: Readiness,
    timeouts: ConnectionTimeouts,
    shutdown: impl Future<Output = ()>,
) {
    let (connections, closing) = (GracefulShutdown::new(), CancellationToken::new());
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((socket, _)) => {
                let connection = Connection {
                    socket,
                    router: router.clone(),
                    idle: timeouts.idle,
                    watcher: connections.watcher(),
                    closing: closing.clone(),
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
    if timeout(timeouts.drain, connections.shutdown()).await.is_err() {
        tracing::warn!(seconds = timeouts.drain.as_secs_f64(), "open requests aborted");
    }
}

/// Whether the client closed its connection before it was accepted, so that only this client is concerned.
fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}

/// A connection of a client.
struct Connection {
    socket: TcpStream,
    router: Router,
    idle: Duration,
    watcher: Watcher,
    closing: CancellationToken,
}

impl Connection {
    /// Serves requests until the client closes the connection, sends none within the idle timeout, or the service shuts
    /// down.
    async fn serve(self) {
        // The last packet of a response is sent at once. Otherwise it waits until the client acknowledged the others.
        if let Err(error) = self.socket.set_nodelay(true) {
            tracing::debug!(%error, "cannot disable delayed packets of a connection");
        }
        // hyper reads the first bytes to tell HTTP/2 from HTTP/1, without a timeout.
        let mut byte = [0];
        let first = timeout(self.idle, self.socket.peek(&mut byte));
        if !matches!(self.closing.run_until_cancelled(first).await, Some(Ok(Ok(1)))) {
            return;
        }
        let mut http = Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.idle);
        http.http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(self.idle);
        let service = TowerToHyperService::new(self.router);
        let connection = http.serve_connection(TokioIo::new(self.socket), service);
        if let Err(error) = self.watcher.watch(connection).await {
            tracing::debug!(error, "connection ended with an error");
        }
    }
}

/// Resolves at SIGTERM or Ctrl-C.
///
/// # Errors
/// The error of the system if it does not let the program wait for signals.
pub fn terminated() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

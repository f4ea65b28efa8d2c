//! The service at work: a listener, a router, and an orderly end.

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

/// How long nobody is let in where the system has no room for one more connection.
const BREATH: Duration = Duration::from_secs(1);

/// How long the service waits for its clients.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the headers of a connection's next request; the connection is closed then.
    pub idle: Duration,
    /// For open requests to end after a shutdown has begun.
    pub drain: Duration,
}

/// Serves until `shutdown` is done, then lets open requests end.
///
/// From the moment that `shutdown` is done, readiness says no and no connection is accepted.
pub async fn run(
    listener: TcpListener,
    router: Router,
    readiness: Readiness,
    patience: Patience,
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
                    idle: patience.idle,
                    watcher: connections.watcher(),
                    closing: closing.clone(),
                };
                tokio::spawn(connection.serve());
            }
            Err(error) if has_hung_up(&error) => {}
            Err(error) => {
                tracing::error!(%error, "connections cannot be accepted");
                sleep(BREATH).await;
            }
        }
    }
    readiness.drain();
    drop(listener);
    tracing::info!("shutting down: open requests are finished");
    closing.cancel();
    if timeout(patience.drain, connections.shutdown()).await.is_err() {
        tracing::warn!(
            seconds = patience.drain.as_secs_f64(),
            "open requests are cut off"
        );
    }
}

/// Whether it was the client's doing, and concerns nobody else.
fn has_hung_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}

/// A client's connection.
struct Connection {
    socket: TcpStream,
    router: Router,
    idle: Duration,
    watcher: Watcher,
    closing: CancellationToken,
}

impl Connection {
    /// Answers request after request, until the client hangs up, or asks nothing for too long, or the service shuts down.
    async fn serve(self) {
        // An answer's end is sent at once, and not when the client has said that it has the rest.
        if let Err(error) = self.socket.set_nodelay(true) {
            tracing::debug!(%error, "a connection holds back small packets");
        }
        // The first bytes tell HTTP/2 from HTTP/1, and hyper waits for them without end.
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
            tracing::debug!(error, "a connection has ended");
        }
    }
}

/// Done at SIGTERM, or at Ctrl-C.
///
/// # Errors
/// Where the system does not let the program wait for signals.
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

//! The service at work: a listener, a router, and an orderly end.

use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::{TcpListener, TcpStream};

use crate::api::Readiness;

/// Serves until `shutdown` is done, then lets open requests end, `drain` at the longest.
///
/// From the moment that `shutdown` is done, readiness says no and no connection is accepted.
///
/// # Errors
/// What the listener says.
pub async fn run(
    listener: TcpListener,
    router: Router,
    readiness: Readiness,
    drain: Duration,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (draining, begun) = tokio::sync::oneshot::channel();
    let stop = async move {
        shutdown.await;
        readiness.drain();
        tracing::info!("shutting down: open requests are finished");
        // Nobody listens where the server has ended by itself.
        let _ = draining.send(());
    };
    let served = axum::serve(listener.tap_io(unheld), router).with_graceful_shutdown(stop);
    let too_long = async {
        if begun.await.is_ok() {
            tokio::time::sleep(drain).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        result = served.into_future() => result,
        () = too_long => {
            tracing::warn!(seconds = drain.as_secs_f64(), "open requests are cut off");
            Ok(())
        }
    }
}

/// Has an answer's end sent at once, and not when the client has said that it has the rest.
fn unheld(connection: &mut TcpStream) {
    if let Err(error) = connection.set_nodelay(true) {
        tracing::debug!(%error, "a connection holds back small packets");
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

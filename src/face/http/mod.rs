//! What the daemon answers over HTTP. [`health`] says whether it lives, [`webhooks`] takes in what
//! forges deliver, and here is what they stand on.
//!
//! Anybody may connect, so everything is bounded: connections, the time in which a request's head has
//! to be there, and the time that requests under way get when the daemon stops.

pub mod health;
pub mod webhooks;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// How many connections are open at once; more wait in the system's queue.
const MOST_CONNECTIONS: usize = 1_024;
/// How long the head of a request may take, and how long a connection may be idle.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);
/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 32 * 1024;
/// How long requests that are under way may take when the daemon stops.
const LAST_PATIENCE: Duration = Duration::from_secs(5);
/// The pause after no connection could be taken, as when all files are in use.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Answers until told to stop, then lets open requests end.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_header_size(LONGEST_HEAD);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        let Ok((stream, place)) = accepted else {
            tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(LAST_PATIENCE, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests that were under way were given up");
    }
}

async fn accept(listener: &TcpListener, connections: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(connections).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await.inspect_err(|error| {
        tracing::warn!(%error, "a connection could not be taken");
    })?;
    // Answers are a few bytes: they are not to wait for more.
    stream.set_nodelay(true)?;
    Ok((stream, place))
}

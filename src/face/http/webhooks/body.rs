//! Reading bodies: never more than a limit, never for longer than a limit, and never too many at once.
//! All of it holds before anybody is believed.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A body up to this length is small, in bytes. Nearly all are.
const SMALL: u64 = 256 * 1024;
/// How many small bodies are read at once: 128 MiB at most.
const SMALL_AT_ONCE: usize = 512;
/// How many others are read at once: 100 MiB at most.
const LARGE_AT_ONCE: usize = 4;
/// How long one waits for one's turn.
const TURN_PATIENCE: Duration = Duration::from_secs(3);

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRead {
    /// It is larger than the limit.
    TooLarge,
    /// It took longer than the limit.
    TooSlow,
    /// Too many others are being read.
    TooMany,
    /// It broke off, or is not what its head promises.
    Broken,
}

/// The turns of those that bring a body.
#[derive(Debug)]
pub struct Turns {
    small: Semaphore,
    large: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self { small: Semaphore::new(SMALL_AT_ONCE), large: Semaphore::new(LARGE_AT_ONCE) }
    }
}

/// A body, and the turn that it takes until it is no longer needed.
#[derive(Debug)]
pub struct Body<'a> {
    pub bytes: Bytes,
    _turn: SemaphorePermit<'a>,
}

impl Turns {
    /// Reads the body of a request. The limit on its length is axum's, set by the router; it is told
    /// here as well so that nobody waits for what is known to be too large.
    pub async fn read(&self, request: Request, most: usize, patience: Duration) -> Result<Body<'_>, NotRead> {
        let length = content_length(request.headers());
        if length.is_some_and(|length| length > most as u64) {
            return Err(NotRead::TooLarge);
        }
        let turns = if length.is_some_and(|length| length <= SMALL) { &self.small } else { &self.large };
        let Ok(Ok(turn)) = tokio::time::timeout(TURN_PATIENCE, turns.acquire()).await else {
            return Err(NotRead::TooMany);
        };
        match tokio::time::timeout(patience, Bytes::from_request(request, &())).await {
            Ok(Ok(bytes)) => Ok(Body { bytes, _turn: turn }),
            Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(NotRead::TooLarge),
            Ok(Err(_)) => Err(NotRead::Broken),
            Err(_) => Err(NotRead::TooSlow),
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

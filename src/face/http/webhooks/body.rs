//! Reading bodies: never more than a limit, never for longer than a limit, and never too many at once.
//! All of it holds before anybody is believed.
//!
//! There are few turns for large bodies, so nobody gets one for saying that theirs is large, but for having
//! sent more than a small one has; and keeps it only while it comes at a pace that a forge always has. Else
//! four strangers on slow lines would be all that is read.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

/// A body up to this length is small, in bytes. Nearly all are.
const SMALL: usize = 256 * 1024;
/// How many small bodies are read at once: 128 MiB at most.
const SMALL_AT_ONCE: usize = 512;
/// How many others are read at once: 100 MiB at most.
const LARGE_AT_ONCE: usize = 4;
/// How long one waits for one's turn.
const TURN_PATIENCE: Duration = Duration::from_secs(3);
/// How long a large body may pause, and how much later than at the slowest pace it may come.
const GRACE: Duration = Duration::from_secs(1);
/// The slowest pace of a large body, in bytes a second. One of 25 MiB has to come much faster.
const SLOWEST: usize = 256 * 1024;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRead {
    /// It is larger than the limit.
    TooLarge,
    /// It took longer than the limit, or came too slowly.
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
    /// Reads the body of a request: at most `most` bytes, for at most `patience`. Waiting for the turn of a
    /// large one does not count.
    pub async fn read(&self, request: Request, most: usize, patience: Duration) -> Result<Body<'_>, NotRead> {
        let length = content_length(request.headers());
        // Nobody waits for what is known to be too large.
        if length.is_some_and(|length| length > most as u64) {
            return Err(NotRead::TooLarge);
        }
        let mut turn = turn(&self.small).await?;
        let mut body = request.into_body();
        let mut bytes: Vec<u8> = Vec::new();
        let mut pace = Pace::of_small(patience);
        loop {
            let frame = timeout_at(pace.deadline(bytes.len()), body.frame()).await.map_err(|_| NotRead::TooSlow)?;
            let data = match frame {
                None => break,
                Some(Err(_)) => return Err(NotRead::Broken),
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            };
            let size = bytes.len() + data.len();
            if size > most {
                return Err(NotRead::TooLarge);
            }
            if size > SMALL && !pace.is_large {
                turn = self::turn(&self.large).await?;
                pace = Pace::of_large(patience);
                bytes.reserve_exact(length.map_or(size, |length| (length as usize).max(size)) - bytes.len());
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Body { bytes: bytes.into(), _turn: turn })
    }
}

async fn turn(turns: &Semaphore) -> Result<SemaphorePermit<'_>, NotRead> {
    match timeout(TURN_PATIENCE, turns.acquire()).await {
        Ok(Ok(turn)) => Ok(turn),
        _ => Err(NotRead::TooMany),
    }
}

/// How fast a body has to come.
struct Pace {
    began: Instant,
    patience: Duration,
    is_large: bool,
}

impl Pace {
    fn of_small(patience: Duration) -> Self {
        Self { began: Instant::now(), patience, is_large: false }
    }

    /// From now on; the small body before it was paid for.
    fn of_large(patience: Duration) -> Self {
        Self { began: Instant::now(), patience, is_large: true }
    }

    /// Until when more has to have come, with so many bytes there.
    fn deadline(&self, received: usize) -> Instant {
        let last = self.began + self.patience;
        if !self.is_large {
            return last;
        }
        let earned = Duration::from_secs_f64(received as f64 / SLOWEST as f64);
        last.min(self.began + GRACE + earned).min(Instant::now() + GRACE)
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_large_body_has_to_come_steadily() {
        let patience = Duration::from_secs(5);
        let pace = Pace::of_large(patience);
        let until = |received| pace.deadline(received) - pace.began;
        assert_eq!(until(0), GRACE);
        assert_eq!(until(SLOWEST * 100), GRACE, "much at once is no leave to pause");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(until(SLOWEST), Duration::from_secs(2), "too slow until now");
        assert_eq!(until(SLOWEST * 2), Duration::from_secs(3));
        tokio::time::advance(Duration::from_millis(2_500)).await;
        assert_eq!(until(SLOWEST * 100), patience);
        assert_eq!(Pace::of_small(patience).deadline(0) - Instant::now(), patience);
    }
}

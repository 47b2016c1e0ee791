//! When an attempt has to end: its deadline, and its cancellation.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::domain::activity::FailureKind;
use crate::port::executor::TaskError;

/// The end of an attempt, known at its beginning.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    /// The last moment.
    pub(super) deadline: Instant,
    /// How long the attempt may take, for messages.
    timeout: Duration,
    /// Cancelled from outside, or when the attempt's future is dropped.
    pub(super) cancel: CancellationToken,
}

impl Stop {
    /// The end of an attempt that begins now.
    pub(super) fn after(timeout: Duration, cancel: &CancellationToken) -> Self {
        let now = Instant::now();
        // A time-out that is out of range is a hundred years.
        let deadline = now.checked_add(timeout).unwrap_or(now + Duration::from_secs(3_155_760_000));
        Self { deadline, timeout, cancel: cancel.child_token() }
    }

    /// What is left of the time.
    pub(super) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The failure of an attempt that has to end now; `None` when it may go on.
    pub(super) fn reached(&self) -> Option<TaskError> {
        if self.cancel.is_cancelled() {
            Some(self.cancelled())
        } else if self.remaining().is_zero() {
            Some(self.timed_out())
        } else {
            None
        }
    }

    /// Waits until the attempt has to end, and says why.
    pub(super) async fn wait(&self) -> TaskError {
        tokio::select! {
            () = self.cancel.cancelled() => self.cancelled(),
            () = tokio::time::sleep_until(self.deadline) => self.timed_out(),
        }
    }

    /// Runs `work` unless the attempt has to end before; then `work` is dropped.
    pub(super) async fn unless<T>(&self, work: impl Future<Output = Result<T, TaskError>>) -> Result<T, TaskError> {
        if let Some(error) = self.reached() {
            return Err(error);
        }
        tokio::select! {
            biased;
            outcome = work => outcome,
            error = self.wait() => Err(error),
        }
    }

    fn cancelled(&self) -> TaskError {
        TaskError { kind: FailureKind::Cancelled, message: "the attempt was cancelled".to_owned() }
    }

    fn timed_out(&self) -> TaskError {
        let message = format!("the attempt took longer than {:?} and was stopped", self.timeout);
        TaskError { kind: FailureKind::TimedOut, message }
    }
}

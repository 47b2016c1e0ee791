//! Where a running task tells how it goes.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tracing::{debug, warn};

use crate::domain::activity::{ActivityEvent, FencingToken};
use crate::domain::plan::ActivityId;
use crate::port::executor::Progress;
use crate::port::store::LogLine;

use super::super::Engine;
use super::call::Attempt;

/// Lines are recorded in batches of this many.
const BATCH: usize = 64;
/// A task's log has at most this many lines; what comes after is dropped.
const MOST_LINES: usize = 10_000;

/// The progress of one attempt of one task.
pub(super) struct TaskProgress<'a> {
    engine: &'a Engine,
    id: ActivityId,
    token: FencingToken,
    task: usize,
    attempt: u32,
    undoing: bool,
    lines: Mutex<Vec<LogLine>>,
    seen: AtomicUsize,
}

impl<'a> TaskProgress<'a> {
    pub(super) fn new(engine: &'a Engine, id: ActivityId, task: usize, attempt: &Attempt) -> Self {
        let Attempt { token, number, undoing, .. } = *attempt;
        let (lines, seen) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
        Self { engine, id, token, task, attempt: number, undoing, lines, seen }
    }

    /// Records what is left in the batch.
    pub(super) async fn flush(&self) {
        let lines = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        if lines.is_empty() {
            return;
        }
        if let Err(error) = self.engine.ports.store.append_log(&self.id, self.token, &lines).await {
            // A log that cannot be kept must not fail the task.
            warn!(activity = %self.id, %error, lines = lines.len(), "lines of a task's log were lost");
        }
    }
}

#[async_trait]
impl Progress for TaskProgress<'_> {
    async fn log(&self, line: &str) {
        debug!(activity = %self.id, task = self.task, line);
        let seen = self.seen.fetch_add(1, Ordering::Relaxed);
        if seen > MOST_LINES {
            return;
        }
        let text = if seen == MOST_LINES { "… the rest of the output was dropped" } else { line };
        let full = {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push(LogLine {
                task: self.task,
                attempt: self.attempt,
                at: self.engine.ports.clock.now(),
                line: text.to_owned(),
            });
            lines.len() >= BATCH
        };
        if full {
            self.flush().await;
        }
    }

    async fn checkpoint(&self, handle: &str) {
        let (task, handle) = (self.task, handle.to_owned());
        let event = if self.undoing {
            ActivityEvent::CompensationCheckpointed { task, handle }
        } else {
            ActivityEvent::TaskCheckpointed { task, handle }
        };
        let now = self.engine.ports.clock.now();
        if let Err(error) = self.engine.ports.store.append(&self.id, Some(self.token), &event, now).await {
            warn!(activity = %self.id, %error, "a task's handle could not be recorded");
        }
    }
}

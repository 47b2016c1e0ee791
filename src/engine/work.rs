//! The loop between the queue and the passes.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::domain::source::{Condition, Target};

use super::{Engine, PassError, PassOutcome, WakeQueue};

/// How many targets are looked at at once.
const WORKERS: usize = 2;
/// The pause before a target is looked at again when our own side failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

impl Engine {
    /// Looks at targets as they are woken, until told to stop. A pass under way is let end: it
    /// has no effect but its record.
    pub async fn pass_until(self: &Arc<Self>, queue: &Arc<WakeQueue>, stop: &CancellationToken) {
        let workers = (0..WORKERS).map(|_| {
            let (engine, queue, stop) = (Arc::clone(self), Arc::clone(queue), stop.clone());
            tokio::spawn(async move { engine.work(&queue, &stop).await })
        });
        for worker in workers.collect::<Vec<_>>() {
            if let Err(panic) = worker.await {
                error!(%panic, "a worker ended early");
            }
        }
    }

    async fn work(self: &Arc<Self>, queue: &Arc<WakeQueue>, stop: &CancellationToken) {
        loop {
            let target = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                target = queue.take() => target,
            };
            // On a task of its own, so that a panic over one target leaves the others alone.
            let (engine, looked_at) = (Arc::clone(self), target.clone());
            let outcome = tokio::spawn(async move { engine.pass(&looked_at).await }).await;
            let failure = match outcome {
                Ok(Ok(PassOutcome::Unchanged { .. } | PassOutcome::Recorded { .. } | PassOutcome::NotSeen { .. })) => {
                    None
                }
                Ok(Err(failure)) => Some(failure),
                Err(panic) => Some(PassError::Interrupted(panic.to_string())),
            };
            if let Some(failure) = failure {
                self.note_failure(&target, &failure).await;
                let (queue, target, stop) = (Arc::clone(queue), target.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE_AFTER_FAILURE) => queue.wake(&target),
                        () = stop.cancelled() => {}
                    }
                });
            }
            queue.done(&target);
        }
    }

    /// Makes our own failure visible, as far as that is possible.
    async fn note_failure(&self, target: &Target, failure: &PassError) {
        warn!(source = %target.source, error = %failure, "the pass failed; trying again");
        let Some(watched) = self.settings.sources.get(&target.source) else { return };
        let condition = Condition { reason: "pass-failed".to_owned(), message: failure.to_string() };
        let now = self.ports.clock.now();
        let noted =
            self.ports.store.note_condition(&target.source, &watched.url, &watched.branch, Some(&condition), now).await;
        if let Err(error) = noted {
            warn!(source = %target.source, %error, "the failure could not be recorded");
        }
    }
}

//! The loop between the queue and the looks at targets: passes over branches, reviews of proposals.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::domain::id::Revision;
use crate::domain::source::{Condition, Target};

use super::{Engine, PassError, PassOutcome, WakeQueue};

/// How many targets are looked at at once.
const WORKERS: usize = 2;
/// The pause before a target is looked at again when our own side failed; it doubles with each
/// further failure.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// The rest after a look at a branch that found nothing new; it doubles while wakes keep coming.
const FIRST_REST: Duration = Duration::from_millis(100);
/// The longest rest: so much later at the most is a commit seen that comes among them.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// How often each target failed in a row.
type Failures = Arc<Mutex<BTreeMap<Target, u32>>>;
/// How long each branch rested last that was woken for nothing, and until when.
type Rests = Arc<Mutex<BTreeMap<Target, (Duration, Instant)>>>;

impl Engine {
    /// Looks at targets as they are woken, until told to stop. A look under way is let end: it
    /// has no effect but its record.
    pub async fn pass_until(self: &Arc<Self>, queue: &Arc<WakeQueue>, stop: &CancellationToken) {
        let (failures, rests) = (Failures::default(), Rests::default());
        let workers = (0..WORKERS).map(|_| {
            let (engine, queue, stop) = (Arc::clone(self), Arc::clone(queue), stop.clone());
            let (failures, rests) = (Arc::clone(&failures), Arc::clone(&rests));
            tokio::spawn(async move { engine.work(&queue, &failures, &rests, &stop).await })
        });
        for worker in workers.collect::<Vec<_>>() {
            if let Err(panic) = worker.await {
                error!(%panic, "a worker ended early");
            }
        }
    }

    async fn work(
        self: &Arc<Self>,
        queue: &Arc<WakeQueue>,
        failures: &Failures,
        rests: &Rests,
        stop: &CancellationToken,
    ) {
        loop {
            let target = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                target = queue.take() => target,
            };
            let began = Instant::now();
            // On a task of its own, so that a panic over one target leaves the others alone.
            let (engine, at, wakes) = (Arc::clone(self), target.clone(), Arc::clone(queue));
            let outcome = tokio::spawn(async move { engine.look_at_target(&at, &wakes).await }).await;
            let (failure, found_nothing) = match outcome {
                Ok(Ok(found_nothing)) => (None, found_nothing),
                Ok(Err(failure)) => (Some(failure), false),
                Err(panic) => (Some(PassError::Interrupted(panic.to_string())), false),
            };
            if let Some(failure) = failure {
                self.note_failure(&target, &failure).await;
                let pause = self.pause_before_again(failures, &target);
                let (queue, target, stop) = (Arc::clone(queue), target.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = tokio::time::sleep(pause) => queue.wake_later(&target),
                        () = stop.cancelled() => {}
                    }
                });
            } else {
                failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&target);
            }
            if !found_nothing {
                rests.lock().unwrap_or_else(PoisonError::into_inner).remove(&target);
                queue.done(&target);
                continue;
            }
            // A thousand deliveries a second about one branch are no reason to look at it without a pause: those
            // that come while it rests cause one more look together.
            let rest = rest_of(rests, &target, began, Instant::now());
            let (queue, stop) = (Arc::clone(queue), stop.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = tokio::time::sleep(rest) => {}
                    () = stop.cancelled() => {}
                }
                queue.done(&target);
            });
        }
    }

    /// Says whether it was a branch of which nothing new was seen.
    async fn look_at_target(self: &Arc<Self>, target: &Target, queue: &Arc<WakeQueue>) -> Result<bool, PassError> {
        if let Some(proposal) = &target.proposal {
            return self.review(target, proposal).await.map(|_| false);
        }
        let (base, found_nothing) = match self.pass(target).await? {
            PassOutcome::Unchanged { revision } => (Some(revision), true),
            PassOutcome::Recorded { plan } => (Some(plan.revision.clone()), false),
            PassOutcome::NotSeen { .. } => (None, true),
        };
        self.look_after_proposals(target, base, queue);
        Ok(found_nothing)
    }

    /// Wakes the proposals that the branch's new standing concerns, without keeping the worker: the
    /// forge may take its time to list them.
    fn look_after_proposals(self: &Arc<Self>, target: &Target, base: Option<Revision>, queue: &Arc<WakeQueue>) {
        if self.ports.reviews.contains_key(&target.source) {
            let (engine, queue, source) = (Arc::clone(self), Arc::clone(queue), target.source.clone());
            tokio::spawn(async move { engine.wake_stale(&queue, &source, base.as_ref()).await });
        }
    }

    fn pause_before_again(&self, failures: &Failures, target: &Target) -> Duration {
        let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = failures.entry(target.clone()).or_default();
        let pause = PAUSE_AFTER_FAILURE.saturating_mul(2_u32.saturating_pow((*failed).min(16)));
        *failed = failed.saturating_add(1);
        pause.min(self.settings.longest_pause.max(PAUSE_AFTER_FAILURE))
    }

    /// Makes our own failure visible, as far as that is possible. What is the matter with a proposal is
    /// told on its head, and is no condition of the source.
    async fn note_failure(&self, target: &Target, failure: &PassError) {
        if let Some(proposal) = &target.proposal {
            warn!(source = %target.source, %proposal, error = %failure, "the proposal was not assessed; trying again");
            return;
        }
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

/// How long a branch rests after a look that found nothing new and took from `began` to `now`: longer each
/// time that the look began soon after the last rest.
fn rest_of(rests: &Rests, target: &Target, began: Instant, now: Instant) -> Duration {
    let mut rests = rests.lock().unwrap_or_else(PoisonError::into_inner);
    let rest = match rests.get(target) {
        Some((last, until)) if began.saturating_duration_since(*until) < *last + FIRST_REST => {
            (*last * 2).min(LONGEST_REST)
        }
        _ => FIRST_REST,
    };
    rests.insert(target.clone(), (rest, now + rest));
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_woken_over_and_over_for_nothing_rests_longer_and_longer() {
        let (rests, target) = (Rests::default(), Target::branch("retail".parse().unwrap()));
        let mut now = Instant::now();
        let (end, mut looks) = (now + Duration::from_secs(100), 0);
        while now < end {
            // However long the look itself takes.
            let began = now;
            now += Duration::from_millis(500);
            now += rest_of(&rests, &target, began, now);
            looks += 1;
        }
        assert!(looks < 30, "{looks} looks in 100 seconds");
        let later = now + Duration::from_secs(60);
        assert_eq!(rest_of(&rests, &target, later, later), FIRST_REST, "once it was quiet");
    }
}

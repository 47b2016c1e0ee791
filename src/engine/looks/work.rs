//! The loop between the queue and the looks at targets: passes over branches, reviews of proposals.
//!
//! A look holds a lease on its target, and all that it writes is fenced by it. A target over which looking
//! fails (the forge, a panic) is left alone for longer and longer; while the record is away, for seconds only. One
//! during which the process ended several times in a row is left alone too, but shortly: mostly others have stopped
//! the process, and whoever waits for the target is not to pay for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::domain::id::Revision;
use crate::domain::source::{Condition, Target};
use crate::domain::time::Timestamp;
use crate::port::source::FetchError;
use crate::port::store::{Lane, LookEnd, StoreError, TakenWake};

use super::super::pause::spread;
use super::super::tenure::{AbortOnDrop, Tenure};
use super::super::{Engine, PassError, PassOutcome};

/// The pause before a target is looked at again when our own side failed; it doubles with each
/// further failure.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// So many interruptions in a row are put down to whoever stopped us, and not to the target.
const INNOCENT_INTERRUPTIONS: u32 = 2;
/// The pause before a target is looked at again after one interruption too many; it doubles with each further
/// one.
const PAUSE_AFTER_INTERRUPTION: Duration = Duration::from_secs(1);
/// The longest of these pauses.
const LONGEST_PAUSE_INTERRUPTED: Duration = Duration::from_secs(20);
/// The longest pause before a branch is looked at again that could not be seen.
const LONGEST_PAUSE_UNSEEN: Duration = Duration::from_secs(60);
/// The longest pause before a target is looked at again while the record is away: that is no fault of the target,
/// and it is to go on soon after the record is back.
const LONGEST_PAUSE_WITHOUT_RECORD: Duration = Duration::from_secs(15);
/// How often a worker looks into the queue without being rung.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The shortest pause between two looks into a queue that has nothing for us.
const SHORTEST_WAIT: Duration = Duration::from_millis(20);

/// What came of a look.
enum Found {
    Something,
    /// Nothing of the branch is new.
    Nothing,
    /// The branch could not be seen, and why: that may pass.
    NotNow(String),
}

impl Engine {
    /// Looks at targets as they are woken, until told to stop. A look under way is let end, for as long as
    /// settings let it, and is otherwise handed back: it has no effect but its record.
    pub async fn pass_until(self: &Arc<Self>, stop: &CancellationToken) {
        let halt = CancellationToken::new();
        let workers = (0..self.settings.parallel_looks.max(1)).map(|_| {
            let (engine, stop, halt) = (Arc::clone(self), stop.clone(), halt.clone());
            tokio::spawn(async move { engine.work(&stop, &halt).await })
        });
        let workers: Vec<_> = workers.collect();
        let all = async {
            for worker in workers {
                if let Err(panic) = worker.await {
                    error!(%panic, "a worker ended early");
                }
            }
            halt.cancel();
        };
        tokio::join!(all, self.halt_after_grace(stop, &halt));
    }

    /// Cancels `halt` when the time is over in which work may go on after the stop.
    pub(in crate::engine) async fn halt_after_grace(&self, stop: &CancellationToken, halt: &CancellationToken) {
        stop.cancelled().await;
        tokio::select! {
            biased;
            () = halt.cancelled() => {}
            () = tokio::time::sleep(self.settings.grace) => halt.cancel(),
        }
    }

    async fn work(self: &Arc<Self>, stop: &CancellationToken, halt: &CancellationToken) {
        let mut resting = JoinSet::new();
        while !stop.is_cancelled() {
            while resting.try_join_next().is_some() {}
            // From before the queue is read, so that no ring is missed.
            let rung = self.bells.wakes.notified();
            match self.take_wake().await {
                Ok(Some(taken)) => self.look_and_settle(taken, &mut resting, stop, halt).await,
                Ok(None) => {
                    let wait = self.until_next_wake().await;
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        () = rung => {}
                        () = tokio::time::sleep(wait) => {}
                    }
                }
                Err(error) => {
                    warn!(%error, "the queue could not be read; trying again");
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(LOOK_EVERY) => {}
                    }
                }
            }
        }
        // The stop has ended their rests too.
        while resting.join_next().await.is_some() {}
    }

    /// How long nothing is due, as far as the record knows.
    async fn until_next_wake(&self) -> Duration {
        match self.ports.store.next_wake().await {
            Ok(Some(next)) => {
                let wait = next.duration_since(self.ports.clock.now());
                // What is due already may not be taken yet: a proposal beside another of its source.
                let is_past = !wait.is_positive();
                let wait = if is_past { LOOK_EVERY } else { Duration::try_from(wait).unwrap_or(LOOK_EVERY) };
                wait.clamp(SHORTEST_WAIT, LOOK_EVERY)
            }
            Ok(None) => LOOK_EVERY,
            Err(error) => {
                warn!(%error, "the queue could not be read; trying again");
                LOOK_EVERY
            }
        }
    }

    async fn look_and_settle(
        self: &Arc<Self>,
        taken: TakenWake,
        resting: &mut JoinSet<()>,
        stop: &CancellationToken,
        halt: &CancellationToken,
    ) {
        let (target, now) = (&taken.target, self.ports.clock.now());
        let engine = self.under(&taken.lease);
        if taken.was_interrupted && taken.interruptions > INNOCENT_INTERRUPTIONS {
            let message = format!("looking at it was broken off {} times in a row", taken.interruptions);
            warn!(source = %target.source, proposal = ?target.proposal, message, "left alone for a while");
            engine.note_condition_of(target, &message).await;
            self.settle(&taken, LookEnd::LeftAlone { message, again: after_interruptions(&taken, now) }).await;
            return;
        }
        let tenure = self.keep(taken.lease.clone(), self.end_of_lease(now), halt);
        // On a task of its own, so that a panic over one target leaves the others alone.
        // What failed waits in the last lane too, and is looked at as if for the first time.
        let lane = if taken.failures == 0 { taken.lane } else { Lane::Fresh };
        let (whole, looking, at) = (Arc::clone(self), Arc::clone(&engine), target.clone());
        let look = AbortOnDrop(tokio::spawn(async move {
            let (base, found) = looking.look_at_target(&at, lane).await?;
            whole.look_after_proposals(&at, base);
            Ok(found)
        }));
        let outcome = tokio::select! {
            biased;
            outcome = look.join() => outcome,
            () = tenure.over().cancelled() => {
                // Broken off by ourselves it waits as before; otherwise it is another's by now, and
                // settling changes nothing.
                self.settle(&taken, LookEnd::HandedBack).await;
                return;
            }
        };
        let failure = match outcome {
            Ok(Ok(Found::Nothing)) => return self.rest_and_settle(taken, now, tenure, resting, stop),
            Ok(Ok(Found::Something)) => None,
            Ok(Ok(Found::NotNow(message))) => {
                // The next poll may be an hour away, and the commit that somebody waits for is not seen yet.
                let again = self.again_within(&taken, LONGEST_PAUSE_UNSEEN);
                drop(tenure);
                return self.settle(&taken, LookEnd::Failed { message, again }).await;
            }
            Ok(Err(PassError::Store(StoreError::Fenced))) => {
                info!(source = %target.source, proposal = ?target.proposal, "another replica looks at it");
                return;
            }
            Ok(Err(failure)) => Some(failure),
            Err(panic) => Some(PassError::Interrupted(panic.to_string())),
        };
        self.rests.forget(target);
        let end = match failure {
            None => LookEnd::Done,
            Some(failure) => {
                engine.note_failure(target, &failure).await;
                let again = self.again_within(&taken, longest_pause(&failure));
                LookEnd::Failed { message: failure.to_string(), again }
            }
        };
        drop(tenure);
        self.settle(&taken, end).await;
    }

    /// Ends a look at a branch that found nothing new, after a rest in which the worker goes on with others.
    fn rest_and_settle(
        self: &Arc<Self>,
        taken: TakenWake,
        began: Timestamp,
        tenure: Tenure,
        resting: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) {
        let rest = self.rests.after(&taken.target, began, self.ports.clock.now());
        let (engine, stop) = (Arc::clone(self), stop.clone());
        resting.spawn(async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = tokio::time::sleep(rest) => {}
            }
            drop(tenure);
            engine.settle(&taken, LookEnd::Done).await;
        });
    }

    /// Ends a look. When that cannot be recorded, its lease ends by itself, and it is looked at again.
    async fn settle(&self, taken: &TakenWake, end: LookEnd) {
        let target = &taken.target;
        match self.ports.store.settle_wake(taken, &end, self.ports.clock.now()).await {
            // Another worker may wait for just this one: of one source, one proposal is looked at at a time.
            Ok(true) => self.bells.wakes.notify_waiters(),
            Ok(false) => debug!(source = %target.source, proposal = ?target.proposal, "another replica looks at it"),
            Err(error) => {
                warn!(source = %target.source, proposal = ?target.proposal, %error, "the end of a look could not be recorded");
            }
        }
    }

    /// Where the branch stands now, if it was a branch and it could be seen; and what came of the look.
    async fn look_at_target(
        self: &Arc<Self>,
        target: &Target,
        lane: Lane,
    ) -> Result<(Option<Revision>, Found), PassError> {
        if let Some(proposal) = &target.proposal {
            return self.review_in(lane, target, proposal).await.map(|_| (None, Found::Something));
        }
        Ok(match self.pass(target).await? {
            PassOutcome::Unchanged { revision } => (Some(revision), Found::Nothing),
            PassOutcome::Recorded { plan } => (Some(plan.revision.clone()), Found::Something),
            PassOutcome::NotSeen { condition } if FetchError::may_pass(&condition.reason) => {
                (None, Found::NotNow(condition.message))
            }
            PassOutcome::NotSeen { .. } => (None, Found::Nothing),
        })
    }

    /// Wakes the proposals that the branch's new standing concerns, without keeping the worker: the
    /// forge may take its time to list them.
    fn look_after_proposals(self: &Arc<Self>, target: &Target, base: Option<Revision>) {
        if target.proposal.is_none() && self.ports.reviews.contains_key(&target.source) {
            let (engine, source) = (Arc::clone(self), target.source.clone());
            tokio::spawn(async move { engine.wake_stale(&source, base.as_ref()).await });
        }
    }

    /// When to look again at what has failed so often before: after this pause at the latest.
    fn again_within(&self, taken: &TakenWake, longest: Duration) -> Timestamp {
        after_failures(taken, self.ports.clock.now(), self.settings.longest_pause, longest)
    }

    /// Makes our own failure visible, as far as that is possible. What is the matter with a proposal is
    /// told on its head, and is no condition of the source.
    async fn note_failure(&self, target: &Target, failure: &PassError) {
        if let Some(proposal) = &target.proposal {
            warn!(source = %target.source, %proposal, error = %failure, "the proposal was not assessed; trying again");
            return;
        }
        warn!(source = %target.source, error = %failure, "the pass failed; trying again");
        self.note_condition_of(target, &failure.to_string()).await;
    }

    async fn note_condition_of(&self, target: &Target, message: &str) {
        let Some(watched) = self.settings.sources.get(&target.source).filter(|_| target.proposal.is_none()) else {
            return;
        };
        let condition = Condition { reason: "pass-failed".to_owned(), message: message.to_owned() };
        let now = self.ports.clock.now();
        let noted =
            self.ports.store.note_condition(&target.source, &watched.url, &watched.branch, Some(&condition), now).await;
        if let Err(error) = noted {
            warn!(source = %target.source, %error, "the failure could not be recorded");
        }
    }
}

/// The longest pause after such a failure, unless settings have a shorter one.
fn longest_pause(failure: &PassError) -> Duration {
    match failure {
        PassError::Store(StoreError::Unavailable(_)) => LONGEST_PAUSE_WITHOUT_RECORD,
        _ => Duration::MAX,
    }
}

/// When to look again at what has failed so often before: after the shorter of the two at the latest.
fn after_failures(taken: &TakenWake, now: Timestamp, of_settings: Duration, longest: Duration) -> Timestamp {
    let longest = of_settings.max(PAUSE_AFTER_FAILURE).min(longest);
    later(taken, now, PAUSE_AFTER_FAILURE, longest, taken.failures)
}

/// When to look again at what was interrupted so often.
fn after_interruptions(taken: &TakenWake, now: Timestamp) -> Timestamp {
    let times = taken.interruptions.saturating_sub(INNOCENT_INTERRUPTIONS + 1);
    later(taken, now, PAUSE_AFTER_INTERRUPTION, LONGEST_PAUSE_INTERRUPTED, times)
}

/// After a pause that doubles each time: up to a quarter later than that, so that what failed together does not
/// come back together.
fn later(taken: &TakenWake, now: Timestamp, first: Duration, longest: Duration, times: u32) -> Timestamp {
    let proposal = taken.target.proposal.as_ref().map(ToString::to_string).unwrap_or_default();
    let pause = first.saturating_mul(2_u32.saturating_pow(times.min(16))).min(longest);
    now.checked_add(spread(pause, [taken.target.source.as_str(), &proposal, &times.to_string()])).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::activity::FencingToken;
    use crate::port::store::{Lane, Lease, Leased};

    fn taken(failures: u32, interruptions: u32) -> TakenWake {
        TakenWake {
            target: Target::branch("retail".parse().unwrap()),
            lane: Lane::Fresh,
            lease: Lease { what: Leased::Look(1), token: FencingToken(1) },
            edition: 1,
            failures,
            interruptions,
            was_interrupted: interruptions > 0,
        }
    }

    #[test]
    fn a_record_that_was_away_for_long_does_not_make_anybody_wait_for_long() {
        let now = Timestamp::UNIX_EPOCH;
        let pause = |failure: &PassError, failures| {
            let again = after_failures(&taken(failures, 0), now, Duration::from_secs(600), longest_pause(failure));
            Duration::try_from(again.duration_since(now)).unwrap()
        };
        let away = PassError::Store(StoreError::Unavailable("the disk is full".to_owned()));
        let poison = PassError::Interrupted("a panic".to_owned());
        assert_eq!(pause(&away, 0), pause(&poison, 0));
        assert!(pause(&away, 9) < Duration::from_secs(20), "{:?}", pause(&away, 9));
        assert!(pause(&poison, 9) >= Duration::from_secs(600), "{:?}", pause(&poison, 9));
    }

    #[test]
    fn pauses_after_interruptions_are_short_and_grow_to_the_longest() {
        let now = Timestamp::UNIX_EPOCH;
        let pause = |interruptions| {
            Duration::try_from(after_interruptions(&taken(9, interruptions), now).duration_since(now)).unwrap()
        };
        let (first, longest) = (PAUSE_AFTER_INTERRUPTION, LONGEST_PAUSE_INTERRUPTED);
        assert!((first..=first.mul_f64(1.25)).contains(&pause(3)), "{:?}", pause(3));
        assert!((first * 2..=first.mul_f64(2.5)).contains(&pause(4)), "{:?}", pause(4));
        for many in [9, 30, u32::MAX] {
            assert!((longest..=longest.mul_f64(1.25)).contains(&pause(many)), "{many}: {:?}", pause(many));
        }
    }
}

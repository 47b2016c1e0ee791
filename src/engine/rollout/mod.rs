//! Rolling out what plans say: choosing which activities may begin, and driving each to its end.
//!
//! Needs: intent is in the record before the first effect; at most one activity runs per
//! container; an activity begins when all it waits for has succeeded; a crash at any point is
//! followed by the same activity going on, under the same task keys.
//!
//! Named races, and the decision for each:
//! - *Crash between the recording of an event and its effect, or the other way round.* A task's
//!   start is recorded before it is handed to its executor, its end after. A task that the record
//!   has as running is therefore handed over again after a crash, with the same key and attempt.
//! - *Two activities for one container* (a later commit while the earlier one is rolled out): the
//!   store's `claim` gives the container to one; the other is asked for again when that one ends.
//! - *Superseded while chosen*: a pass supersedes an activity that was just chosen but not yet
//!   claimed. `claim` answers `None` for what has ended, and the choice is forgotten.
//! - *Stopped while running*: no further task is begun, and the one that runs may end, for as long as settings
//!   let it. Then the attempt's future is dropped, which stops its effect; the record still has it as
//!   running, as after a crash, and the container is handed back, so that another replica goes on at once.
//! - *A pause before the next attempt*: it is part of the log, so nobody has to hold the activity meanwhile. It is
//!   handed back, others have its place, and whoever looks next after its time goes on with it.
//! - *Two replicas find the same activity ready*: each begins with a share of its own, so that they seldom meet; and
//!   `claim` gives its container to one, for as long as the heartbeat of the drive (`tenure`) keeps it. When
//!   that ends, another takes it over with a greater token.
//! - *A replica that was stopped goes on after its container was taken over*: its tenure is over by its own
//!   clock or by a refused renewal, at which the attempt is dropped; and what it appends is fenced.
//! - *An activity that waits for a superseded one* waits for the one that took its place.
//! - *A task that ran while its process died, and ended*: its executor is asked before it is repeated, also
//!   when its time is over by now.
//! - *Cancelled between two events of whoever drives it*: nothing begins after the decision, because the fold
//!   refuses it; whoever drives it is refused, looks again, and ends it.
//! - *Cancelled at the moment of its success*: what is recorded first counts.
//! - *A crash while something is undone*: the reason was recorded before the first compensation, so that
//!   nothing of it can come to succeed any more; undoing goes on under the same keys.

mod asking;
mod attempt;
mod call;
mod cancel;
mod choose;
mod drive;
mod progress;
mod record;
mod undo;

pub(super) use choose::with_followers;
pub(super) use record::{stage_line, standing_line};

use drive::Driven;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::domain::plan::ActivityId;
use crate::domain::time::Timestamp;
use crate::port::store::{Bell, StoreError};

use super::Engine;

/// How often the loop looks without being rung.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long handing back may take at the end.
const HANDING_BACK: Duration = Duration::from_secs(5);

impl Engine {
    /// Rolls out until nothing can be begun and nothing runs, and tells of it; for one pass and out.
    pub async fn roll_out_all(self: &Arc<Self>, stop: &CancellationToken) -> Result<(), StoreError> {
        let never = CancellationToken::new();
        let rolled_out = tokio::select! {
            biased;
            rolled_out = self.roll_out_what_can(stop) => rolled_out,
            () = self.tell_until(&never) => Ok(()),
        };
        // Whatever came of it, what has ended is told.
        let told = self.tell_all().await;
        rolled_out.and(told)
    }

    async fn roll_out_what_can(self: &Arc<Self>, stop: &CancellationToken) -> Result<(), StoreError> {
        let mut drives = Drives::default();
        loop {
            let begun = self.begin_what_can(&mut drives, stop).await?;
            let rung = self.bells.rollouts.notified();
            if drives.running.is_empty() {
                match drives.again {
                    _ if begun => continue,
                    None => return Ok(()),
                    Some(_) => {}
                }
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return Ok(()),
                    () = rung => {}
                    () = self.until(drives.again) => {}
                }
                continue;
            }
            let (again, has_room) = (drives.again, drives.has_room(self.settings.parallel_activities));
            tokio::select! {
                biased;
                ended = self.next_ended(&mut drives, stop) => if ended == Ended::Stopped {
                    self.let_end(drives, stop).await;
                    return Ok(());
                },
                () = rung => {}
                () = self.until(again), if has_room => {}
            }
        }
    }

    /// Rolls out whenever there is something and tells of it, until told to stop. What runs then may end, for as
    /// long as settings let it; then it is stopped too, and goes on at another replica or at the next start.
    pub async fn roll_out_until(self: &Arc<Self>, stop: &CancellationToken) {
        let ended = CancellationToken::new();
        let rolling = async {
            self.begin_until(stop).await;
            ended.cancel();
        };
        tokio::join!(rolling, self.tell_until(&ended));
    }

    async fn begin_until(self: &Arc<Self>, stop: &CancellationToken) {
        let mut drives = Drives::default();
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let rung = self.bells.rollouts.notified();
            if let Err(error) = self.begin_what_can(&mut drives, stop).await {
                warn!(%error, "activities could not be read; trying again");
            }
            let (again, has_room) = (drives.again, drives.has_room(self.settings.parallel_activities));
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                // Before the others, which may never cease.
                _ = look.tick() => drives.resting.clear(),
                // A plan was recorded: what was ready before it may not be any more.
                () = rung => drives.ready.clear(),
                () = self.until(again), if has_room => {}
                ended = self.next_ended(&mut drives, stop), if !drives.running.is_empty() => {
                    if ended == Ended::Stopped { break }
                }
            }
        }
        self.let_end(drives, stop).await;
    }

    /// Waits for what runs, and breaks it off when its time is over.
    async fn let_end(&self, mut drives: Drives, stop: &CancellationToken) {
        let halt = drives.halt.clone();
        let ended = tokio::select! {
            biased;
            () = self.all_ended(&mut drives) => true,
            () = self.halt_after_grace(stop, &halt) => false,
        };
        // What was broken off has a moment to hand back what it held.
        if !ended && tokio::time::timeout(HANDING_BACK, self.all_ended(&mut drives)).await.is_err() {
            drives.tasks.shutdown().await;
        }
        self.ring(Bell::Rollouts);
    }

    /// Begins as many activities as may run at once; whether any was begun or settled.
    ///
    /// What was found ready is begun one after the other, and the record is looked at again when
    /// none of it is left: looking costs as much as all that is unfinished, and what became ready
    /// meanwhile can wait for the others. What is not ready any more is not given to us by `claim`.
    async fn begin_what_can(
        self: &Arc<Self>,
        drives: &mut Drives,
        stop: &CancellationToken,
    ) -> Result<bool, StoreError> {
        let (mut begun, mut looked) = (false, false);
        while drives.running.len() < self.settings.parallel_activities {
            let Some(id) = drives.ready.pop_front() else {
                if looked {
                    break;
                }
                looked = true;
                drives.again = None;
                let choice = self.choose(&drives.running, &drives.resting, &mut drives.known).await?;
                drives.again = choice.again;
                for replaced in &choice.replaced {
                    self.stop_for(replaced).await;
                }
                for skipped in &choice.skipped {
                    begun |= self.skip(skipped).await;
                }
                drives.ready.extend(choice.ready);
                continue;
            };
            begun = true;
            let (engine, activity) = (Arc::clone(self), id.clone());
            let (stop, halt) = (stop.clone(), drives.halt.clone());
            let handle = drives.tasks.spawn(async move { engine.drive(&activity, &stop, &halt).await });
            drives.running.insert(id.clone());
            drives.names.insert(handle.id(), id);
        }
        if !looked && self.settings.platform.stages.iter().any(|stage| self.settings.platform.cancels(&stage.name)) {
            // Nothing can begin beside what runs; but what runs may have to make way.
            let choice = self.choose(&drives.running, &drives.resting, &mut drives.known).await?;
            for replaced in &choice.replaced {
                self.stop_for(replaced).await;
            }
        }
        Ok(begun)
    }
}

/// Activities that this process drives now.
#[derive(Default)]
struct Drives {
    tasks: JoinSet<Result<Driven, drive::DriveError>>,
    /// Cancelled when what runs is to be broken off.
    halt: CancellationToken,
    names: HashMap<task::Id, ActivityId>,
    /// Found ready when the record was looked at last, and not begun yet.
    ready: VecDeque<ActivityId>,
    running: BTreeSet<ActivityId>,
    known: choose::Known,
    /// Driven a moment ago. One of them that is unfinished all the same met trouble (or another
    /// holder), and is not begun again before the next look, so that trouble never spins.
    resting: BTreeSet<ActivityId>,
    /// When the first may go on that waits for its next attempt, as far as the last look knows.
    again: Option<Timestamp>,
}

impl Drives {
    fn has_room(&self, parallel: usize) -> bool {
        self.running.len() < parallel
    }
}

/// Why waiting for a drive came to its end.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    One,
    Stopped,
}

impl Engine {
    /// Waits until one activity has ended, and lets it rest.
    async fn next_ended(&self, drives: &mut Drives, stop: &CancellationToken) -> Ended {
        tokio::select! {
            biased;
            () = stop.cancelled() => Ended::Stopped,
            () = self.one_ended(drives) => Ended::One,
        }
    }

    /// Sleeps until a moment that was recorded; for ever without one.
    async fn until(&self, again: Option<Timestamp>) {
        match again {
            Some(again) => self.sleep_until(again).await,
            None => std::future::pending().await,
        }
    }

    async fn all_ended(&self, drives: &mut Drives) {
        while !drives.tasks.is_empty() {
            self.one_ended(drives).await;
        }
    }

    async fn one_ended(&self, drives: &mut Drives) {
        let ended = match drives.tasks.join_next_with_id().await {
            None => None,
            Some(Ok((id, outcome))) => {
                let id = drives.names.remove(&id);
                match outcome {
                    Ok(Driven::AsFarAsItGoes) => {}
                    // So are others, most likely.
                    Ok(Driven::NotByUs) => drives.ready.clear(),
                    Ok(Driven::ToAPause) => {
                        // It is begun again at its time.
                        drives.running.retain(|running| Some(running) != id.as_ref());
                        return;
                    }
                    Err(error) => warn!(activity = ?id, %error, "the activity could not go on for now"),
                }
                id
            }
            Some(Err(panic)) => {
                error!(activity = ?drives.names.get(&panic.id()), %panic, "driving an activity panicked");
                let id = drives.names.remove(&panic.id());
                if let Some(id) = &id
                    && let Err(error) = self.give_up(id).await
                {
                    warn!(activity = %id, %error, "the activity could not be ended for now");
                }
                id
            }
        };
        if let Some(id) = ended {
            drives.running.remove(&id);
            drives.resting.insert(id);
        }
    }
}

//! Telling how stages stand, soon after something has changed and not after each change.
//!
//! Needs: what a stage shows is worked out from all of its rollouts, so doing it after each end costs the square
//! of their number; a failure is told soon; the last state is told whatever happens; nothing is told as good
//! before it is.
//!
//! Shape: what changes an activity's status leaves its stage untold, in the same transaction. Whoever did it
//! works the stage out, at once where that was not done lately, and otherwise after a pause that grows with
//! the number of rollouts: a stage with few of them is told after each end. Until then the forge shows the
//! stage as it stood before, which is pending, or has failed.
//!
//! Named races:
//! - *The process dies before it has told.* The record has the stage as untold, and every replica looks for
//!   such, when it starts and from time to time.
//! - *Something changes while a stage is worked out*, and *two work it out at once*: see the record's `tell`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::domain::activity::ActivityStatus;
use crate::domain::id::{Revision, SourceName, StageName};
use crate::domain::report::Report;
use crate::port::store::{Bell, Matter, StoreError, Untold};

use super::super::Engine;

/// The pause for each rollout of a stage. To work one out takes some hundredth of that.
const PAUSE_FOR_EACH: Duration = Duration::from_millis(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often the record is looked at for what others have left untold.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long what is untold at the end may take.
const AT_THE_END: Duration = Duration::from_secs(5);
/// After so many refusals in a row, others have told of all that we know.
const MOST_TRIES: u32 = 5;

/// Which stages this process is to tell of, and when.
#[derive(Debug, Default)]
pub(in crate::engine) struct Telling {
    stages: Mutex<BTreeMap<(SourceName, StageName), Turn>>,
    rung: Notify,
}

#[derive(Debug, Default)]
struct Turn {
    /// Something has changed that is not told.
    is_due: bool,
    /// Not before then.
    rests_until: Option<Instant>,
}

impl Telling {
    /// Something has changed at this stage.
    pub(in crate::engine) fn note(&self, source: &SourceName, stage: &StageName) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        stages.entry((source.clone(), stage.clone())).or_default().is_due = true;
        self.rung.notify_one();
    }

    /// It was told, from so many rollouts.
    fn rest(&self, source: &SourceName, stage: &StageName, rollouts: usize) {
        let pause = PAUSE_FOR_EACH.saturating_mul(u32::try_from(rollouts).unwrap_or(u32::MAX)).min(LONGEST_PAUSE);
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        stages.entry((source.clone(), stage.clone())).or_default().rests_until = Some(Instant::now() + pause);
    }

    /// Takes what is to be told now; and when to ask again, if something is to be told later.
    fn due(&self, now: Instant) -> (Vec<(SourceName, StageName)>, Option<Instant>) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        stages.retain(|_, turn| turn.is_due || turn.rests_until.is_some_and(|until| until > now));
        let (mut due, mut next) = (Vec::new(), None::<Instant>);
        for (stage, turn) in stages.iter_mut().filter(|(_, turn)| turn.is_due) {
            match turn.rests_until.filter(|until| *until > now) {
                Some(until) => next = Some(next.map_or(until, |next| next.min(until))),
                None => {
                    turn.is_due = false;
                    due.push(stage.clone());
                }
            }
        }
        (due, next)
    }
}

/// What a stage is to show.
struct StageTold {
    reports: Vec<Report>,
    /// From how many rollouts it was worked out.
    rollouts: usize,
}

impl Engine {
    /// Tells of stages when it is their turn, until told to stop; and then of all that are left.
    pub(in crate::engine) async fn tell_until(&self, stop: &CancellationToken) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let (due, next) = self.telling.due(Instant::now());
            for (source, stage) in due {
                if let Err(error) = self.tell_if_untold(&source, &stage).await {
                    // The next look finds it.
                    warn!(%source, %stage, %error, "how a stage stands could not be told for now");
                }
            }
            let later = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = look.tick() => self.note_all_untold().await,
                () = self.telling.rung.notified() => {}
                () = later => {}
            }
        }
        match tokio::time::timeout(AT_THE_END, self.tell_all()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "what is untold is left to others"),
            Err(_) => warn!("what is untold is left to others: telling it takes too long"),
        }
    }

    /// Tells of all stages that are untold.
    pub(in crate::engine) async fn tell_all(&self) -> Result<(), StoreError> {
        let untold = self.ports.store.untold().await?;
        let stages: BTreeSet<(SourceName, StageName)> =
            untold.into_iter().map(|untold| (untold.source, untold.stage)).collect();
        for (source, stage) in stages {
            self.tell_stage(&source, &stage).await?;
        }
        Ok(())
    }

    async fn note_all_untold(&self) {
        match self.ports.store.untold().await {
            Ok(untold) => {
                for Untold { source, stage, .. } in &untold {
                    self.telling.note(source, stage);
                }
            }
            Err(error) => warn!(%error, "what is untold could not be read; trying again"),
        }
    }

    async fn tell_if_untold(&self, source: &SourceName, stage: &StageName) -> Result<(), StoreError> {
        let untold = self.ports.store.untold().await?;
        if untold.iter().any(|untold| untold.source == *source && untold.stage == *stage) {
            self.tell_stage(source, stage).await?;
        }
        Ok(())
    }

    /// Works out anew what is shown of a stage of a source: of its commits at which something has changed, of
    /// those that are pending there, and of the one that was looked at last; wants it to be shown.
    pub(in crate::engine) async fn tell_stage(&self, source: &SourceName, stage: &StageName) -> Result<(), StoreError> {
        let store = &self.ports.store;
        for _ in 0..MOST_TRIES {
            let basis = store.basis(source, Matter::Rollouts).await?;
            let told = self.stage_told(source, stage).await?;
            match store.tell(stage, &basis, &told.reports, self.ports.clock.now()).await {
                Ok(()) => {
                    self.telling.rest(source, stage, told.rollouts);
                    self.ring(Bell::Reports);
                    return Ok(());
                }
                Err(StoreError::Moved) => debug!(%source, %stage, "others have told of it meanwhile; anew"),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn stage_told(&self, source: &SourceName, stage: &StageName) -> Result<StageTold, StoreError> {
        let mut untold = self.ports.store.untold().await?;
        untold.retain(|untold| untold.source == *source && untold.stage == *stage);
        let changed = untold.iter().map(|untold| untold.revision.clone()).collect();
        let mut show = self.show_stage(source, stage, changed).await?;
        let latest = show.latest().await?;
        let is_latest = |revision: &Revision| latest.as_ref().is_some_and(|latest| latest.revision == *revision);
        let mut reports = Vec::new();
        for Untold { revision, plan, .. } in untold.iter().filter(|untold| !is_latest(&untold.revision)) {
            reports.extend(show.of_commit(revision, plan).await?);
        }
        let told: BTreeSet<&Revision> =
            untold.iter().map(|untold| &untold.revision).chain(latest.iter().map(|latest| &latest.revision)).collect();
        reports.extend(show.followers(&told).await?);
        // Of the commit that was looked at last, its own rollouts are not all: those of earlier plans that
        // have not ended, or not well, count as well.
        if let Some(latest) = &latest {
            reports.extend(show.of_latest(latest).await?);
        }
        let mut rollouts = show.rollouts();
        for later in self.stages_after(stage) {
            // Those that have waited for this one.
            let mut show = self.show_stage(source, later, Vec::new()).await?;
            let mut is_concerned = false;
            for Untold { revision, plan, .. } in &untold {
                if self.open_at(source, revision, stage).await? || !self.open_at(source, revision, later).await? {
                    continue;
                }
                is_concerned = true;
                if !is_latest(revision) {
                    reports.extend(show.of_commit(revision, plan).await?);
                }
            }
            if let Some(latest) = latest.as_ref().filter(|_| is_concerned) {
                reports.extend(show.of_latest(latest).await?);
            }
            rollouts += show.rollouts();
        }
        Ok(StageTold { reports, rollouts })
    }

    /// Whether activities of a commit have not ended at a stage.
    async fn open_at(&self, source: &SourceName, revision: &Revision, stage: &StageName) -> Result<bool, StoreError> {
        const OPEN: [ActivityStatus; 2] = [ActivityStatus::Waiting, ActivityStatus::Running];
        Ok(self.ports.store.count_at(source, revision, stage, &OPEN, 1).await? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stage_is_told_at_once_and_then_rests_the_longer_the_more_rollouts_it_has() {
        let (source, few, many): (SourceName, StageName, StageName) =
            ("retail".parse().unwrap(), "dev".parse().unwrap(), "prod".parse().unwrap());
        let telling = Telling::default();
        telling.note(&source, &few);
        telling.note(&source, &few);
        telling.note(&source, &many);
        let now = Instant::now();
        let both = vec![(source.clone(), few.clone()), (source.clone(), many.clone())];
        assert_eq!(telling.due(now), (both, None));
        assert_eq!(telling.due(now), (Vec::new(), None), "nothing has changed since");
        telling.rest(&source, &few, 3);
        telling.rest(&source, &many, 1_000_000);
        telling.note(&source, &few);
        telling.note(&source, &many);
        assert_eq!(telling.due(now), (Vec::new(), Some(now + Duration::from_millis(3))));
        let soon = now + Duration::from_millis(3);
        assert_eq!(telling.due(soon), (vec![(source.clone(), few)], Some(now + LONGEST_PAUSE)));
        assert_eq!(telling.due(now + LONGEST_PAUSE), (vec![(source, many)], None));
        assert!(telling.stages.lock().unwrap().len() <= 2);
    }
}

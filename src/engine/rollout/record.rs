//! Appending events together with what forges should show because of them.

use std::collections::BTreeSet;

use tracing::warn;

use crate::domain::activity::{ActivityEvent, ActivityState, ActivityStatus, FencingToken, TaskStatus};
use crate::domain::id::{Digest, Fqn, Revision, SourceName, StageName};
use crate::domain::report::Report;
use crate::port::store::{ActivityRecord, AppendError, Bell, StageStanding, StoreError};

use super::super::Engine;
use super::super::reports::StageLine;
use super::choose::Skipped;

/// What a stage's status needs to know of an activity.
pub(in crate::engine) fn stage_line(record: &ActivityRecord) -> StageLine {
    let failed = record.planned.tasks.iter().zip(&record.state.tasks).find_map(|(task, status)| match status {
        TaskStatus::Failed { message, .. } => Some(format!("{}: {message}", task.name)),
        _ => None,
    });
    let rejected = record.state.rejection.as_ref().map(ToString::to_string);
    let cancelled = record.state.cancellation.as_ref().map(ToString::to_string);
    let reason = reason(record.state.status).or(rejected).or(cancelled).or(failed);
    line(record.state.status, &record.planned.container.product, reason, &record.plan)
}

/// The same from a row of the record.
pub(in crate::engine) fn standing_line(standing: StageStanding) -> StageLine {
    let reason = reason(standing.status).or(standing.message);
    line(standing.status, &standing.product, reason, &standing.plan)
}

fn line(status: ActivityStatus, product: &Fqn, reason: Option<String>, plan: &Digest) -> StageLine {
    let product = product.product_name().to_owned();
    StageLine { status, product, reason, plan: Some(plan.clone()), before: None }
}

/// The reason that a status is by itself.
fn reason(status: ActivityStatus) -> Option<String> {
    match status {
        ActivityStatus::Refused => Some("refused by policies".to_owned()),
        ActivityStatus::Skipped => Some("what it reads from is not running".to_owned()),
        _ => None,
    }
}

/// This many passes are looked through for those of a commit.
const PASSES: usize = 1_000;

impl Engine {
    /// Appends an event on which no status depends.
    pub(super) async fn append(
        &self,
        record: &mut ActivityRecord,
        token: FencingToken,
        event: ActivityEvent,
    ) -> Result<(), AppendError> {
        let now = self.ports.clock.now();
        record.state = self.ports.store.append(&record.planned.id, Some(token), &event, &[], now).await?;
        Ok(())
    }

    /// Appends an event after which the stage's status is another. See `standing` for the race.
    pub(super) async fn append_and_report(
        &self,
        record: &mut ActivityRecord,
        token: Option<FencingToken>,
        event: ActivityEvent,
    ) -> Result<(), AppendError> {
        let mut standing = self.stand(&record.source).await?;
        let after = record.state.clone().after(&event)?;
        loop {
            let reports = self.reports_after(record, &after).await?;
            let now = self.ports.clock.now();
            match standing.store.append(&record.planned.id, token, &event, &reports, now).await {
                Ok(state) => record.state = state,
                Err(error) if standing.moved(&error).await? => continue,
                Err(error) => return Err(error),
            }
            break;
        }
        drop(standing);
        self.ring(Bell::Reports);
        Ok(())
    }

    /// Records that an activity will never begin; whether it could be recorded.
    pub(super) async fn skip(&self, skipped: &Skipped) -> bool {
        let mut record = skipped.record.clone();
        let event = ActivityEvent::Skipped { because: skipped.because.clone() };
        let appended = self.append_and_report(&mut record, None, event).await;
        if let Err(error) = &appended {
            // It was superseded meanwhile, or the record is not available: the next look decides.
            warn!(activity = %record.planned.id, %error, "an activity could not be skipped for now");
        }
        appended.is_ok()
    }

    /// The status of the activity's stage when the activity itself stands at `after`: of its own
    /// commit, of those after it that still tell of it, and of the one that was looked at last, which
    /// shows all that is not as Git says; and where it is the last of its stage, of the stages that waited
    /// for it. The caller stands on the source.
    async fn reports_after(&self, record: &ActivityRecord, after: &ActivityState) -> Result<Vec<Report>, StoreError> {
        let stage = &record.planned.container.stage;
        let now = ActivityRecord { state: after.clone(), ..record.clone() };
        let mut show = self.show_stage(&record.source, stage, Some(&now)).await?;
        let latest = show.latest().await?;
        // Of the commit that was looked at last, its own rollouts are not all: those of earlier plans that
        // have not ended, or not well, count as well.
        let mut reports = match latest.as_ref().filter(|latest| latest.revision == record.revision) {
            Some(latest) => show.of_latest(latest).await?,
            None => show.of_commit(&record.revision, &record.plan).await?,
        };
        let mut told: BTreeSet<&Revision> = latest.iter().map(|latest| &latest.revision).collect();
        told.insert(&record.revision);
        reports.extend(show.followers(&told).await?);
        if let Some(latest) = latest.as_ref().filter(|latest| latest.revision != record.revision) {
            reports.extend(show.of_latest(latest).await?);
        }
        if !after.status.is_final() || self.open_at(record, stage, 2).await? > 1 {
            return Ok(reports);
        }
        for later in self.stages_after(stage) {
            if self.open_at(record, later, 1).await? == 0 {
                continue;
            }
            let mut show = self.show_stage(&record.source, later, Some(&now)).await?;
            match latest.as_ref().filter(|latest| latest.revision == record.revision) {
                Some(latest) => reports.extend(show.of_latest(latest).await?),
                None => {
                    reports.extend(show.of_commit(&record.revision, &record.plan).await?);
                    if let Some(latest) = &latest {
                        reports.extend(show.of_latest(latest).await?);
                    }
                }
            }
        }
        Ok(reports)
    }

    /// How many activities of this one's commit have not ended at a stage, counted up to `most`.
    async fn open_at(&self, record: &ActivityRecord, stage: &StageName, most: usize) -> Result<usize, StoreError> {
        const OPEN: [ActivityStatus; 2] = [ActivityStatus::Waiting, ActivityStatus::Running];
        self.ports.store.count_at(&record.source, &record.revision, stage, &OPEN, most).await
    }

    /// Whether nothing of the activity's commit has begun at its stage.
    pub(super) async fn is_first_of_stage(&self, record: &ActivityRecord) -> Result<bool, StoreError> {
        let begun: Vec<ActivityStatus> =
            ActivityStatus::ALL.into_iter().filter(|status| *status != ActivityStatus::Waiting).collect();
        let stage = &record.planned.container.stage;
        Ok(self.ports.store.count_at(&record.source, &record.revision, stage, &begun, 1).await? == 0)
    }

    /// Wants it to be shown that the first rollout of a commit has begun at a stage; of the others, their
    /// ends are enough.
    pub(super) async fn report_beginning(&self, record: &ActivityRecord) -> Result<(), StoreError> {
        let mut standing = self.stand(&record.source).await?;
        loop {
            let reports = self.reports_after(record, &record.state).await?;
            match standing.store.want(&reports, self.ports.clock.now()).await {
                Ok(()) => break,
                Err(error) if standing.moved(&error).await? => {}
                Err(error) => return Err(error),
            }
        }
        drop(standing);
        self.ring(Bell::Reports);
        Ok(())
    }

    /// How many products of a commit are not rolled out because of what was found. For the commit that was
    /// looked at last, that is what stands with errors now.
    pub(in crate::engine) async fn left_out(
        &self,
        source: &SourceName,
        revision: &Revision,
        plan: &Digest,
    ) -> Result<usize, StoreError> {
        let latest = self.ports.store.source(source).await?.and_then(|source| source.revision);
        if latest.as_ref() == Some(revision) {
            let standing = self.ports.store.standing(source).await?;
            return Ok(standing.iter().filter(|standing| standing.errors + standing.refusals > 0).count());
        }
        Ok(self.refused_at(source, revision, plan).await?.len())
    }

    /// The products that the plans of an older commit refused in the end: one that policies could not
    /// evaluate at first may be in a later plan of the same commit. `plan` counts in any case.
    async fn refused_at(
        &self,
        source: &SourceName,
        revision: &Revision,
        plan: &Digest,
    ) -> Result<BTreeSet<Fqn>, StoreError> {
        let passes = self.ports.store.pass_rows(Some(source), PASSES).await?;
        let of_commit = passes.iter().filter(|pass| pass.revision == *revision);
        let mut plans: Vec<Digest> = of_commit.rev().filter_map(|pass| pass.plan.parse().ok()).collect();
        if !plans.contains(plan) {
            plans.insert(0, plan.clone());
        }
        let mut refused = BTreeSet::new();
        for digest in &plans {
            let Some(plan) = self.ports.store.plan(digest).await? else { continue };
            for change in &plan.changes {
                refused.remove(&change.product);
            }
            for activity in &plan.activities {
                refused.remove(&activity.container.product);
            }
            refused.extend(plan.refused);
        }
        Ok(refused)
    }
}

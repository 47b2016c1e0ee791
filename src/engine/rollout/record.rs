//! Appending events, and what a stage's status needs to know of activities.

use std::collections::BTreeSet;

use tracing::warn;

use crate::domain::activity::{ActivityEvent, ActivityStatus, FencingToken, TaskStatus};
use crate::domain::id::{Digest, Fqn, Revision, SourceName};
use crate::port::store::{ActivityRecord, AppendError, StageStanding, StoreError};

use super::super::Engine;
use super::super::reports::StageLine;
use super::choose::Skipped;

/// What the status of a stage of this commit needs to know of an activity.
pub(in crate::engine) fn stage_line(record: &ActivityRecord, commit: &Revision) -> StageLine {
    let failed = record.planned.tasks.iter().zip(&record.state.tasks).find_map(|(task, status)| match status {
        TaskStatus::Failed { message, .. } => Some(format!("{}: {message}", task.name)),
        _ => None,
    });
    let rejected = record.state.rejection.as_ref().map(ToString::to_string);
    let cancelled = record.state.cancellation.as_ref().map(ToString::to_string);
    let reason = reason(record.state.status).or(rejected).or(cancelled).or(failed);
    let left_by = (record.revision != *commit).then(|| record.revision.clone());
    StageLine { left_by, ..line(record.state.status, &record.planned.container.product, reason, &record.plan) }
}

/// The same from a row of the record, of what was planned for the commit itself.
pub(in crate::engine) fn standing_line(standing: StageStanding) -> StageLine {
    let reason = reason(standing.status).or(standing.message);
    line(standing.status, &standing.product, reason, &standing.plan)
}

fn line(status: ActivityStatus, product: &Fqn, reason: Option<String>, plan: &Digest) -> StageLine {
    let product = product.product_name().to_owned();
    StageLine { status, product, reason, plan: Some(plan.clone()), left_by: None, before: None }
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
        record.state = self.ports.store.append(&record.planned.id, Some(token), &event, now).await?;
        Ok(())
    }

    /// Appends an event after which the activity's status is another, and sees to it that its stage is told.
    pub(super) async fn append_and_tell(
        &self,
        record: &mut ActivityRecord,
        token: Option<FencingToken>,
        event: ActivityEvent,
    ) -> Result<(), AppendError> {
        let gate = self.gate_of(&record.source).await;
        let now = self.ports.clock.now();
        record.state = self.ports.store.append(&record.planned.id, token, &event, now).await?;
        drop(gate);
        self.telling.note(&record.source, &record.planned.container.stage);
        Ok(())
    }

    /// Records that an activity will never begin; whether it could be recorded.
    pub(super) async fn skip(&self, skipped: &Skipped) -> bool {
        let mut record = skipped.record.clone();
        let event = ActivityEvent::Skipped { because: skipped.because.clone() };
        let appended = self.append_and_tell(&mut record, None, event).await;
        if let Err(error) = &appended {
            // It was superseded meanwhile, or the record is not available: the next look decides.
            warn!(activity = %record.planned.id, %error, "an activity could not be skipped for now");
        }
        appended.is_ok()
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
        let mut plans: Vec<Digest> = of_commit.rev().map(|pass| pass.plan.clone()).collect();
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

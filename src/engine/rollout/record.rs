//! Appending events together with what forges should show because of them.

use tracing::warn;

use crate::domain::activity::{ActivityEvent, ActivityState, ActivityStatus, FencingToken, TaskStatus};
use crate::domain::id::{Digest, Revision, SourceName};
use crate::domain::report::Report;
use crate::port::store::{ActivityRecord, AppendError, StoreError};

use super::super::Engine;
use super::super::reports::{self, StageLine};
use super::choose::Skipped;

/// What a stage's status needs to know of an activity.
pub(in crate::engine) fn stage_line(record: &ActivityRecord) -> StageLine {
    let failed = record.planned.tasks.iter().zip(&record.state.tasks).find_map(|(task, status)| match status {
        TaskStatus::Failed { message, .. } => Some(format!("{}: {message}", task.name)),
        _ => None,
    });
    let reason = match record.state.status {
        ActivityStatus::Refused => Some("refused by policies".to_owned()),
        ActivityStatus::Skipped => Some("what it reads from is not running".to_owned()),
        _ => failed,
    };
    StageLine {
        status: record.state.status,
        product: record.planned.container.product.product_name().to_owned(),
        reason,
    }
}

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

    /// Appends an event after which the stage's status is another. See `reports` for the race.
    pub(super) async fn append_and_report(
        &self,
        record: &mut ActivityRecord,
        token: Option<FencingToken>,
        event: ActivityEvent,
    ) -> Result<(), AppendError> {
        let gate = self.report_gate.lock().await;
        let after = record.state.clone().after(&event)?;
        let report = self.stage_report(record, &after).await?;
        let now = self.ports.clock.now();
        record.state = self.ports.store.append(&record.planned.id, token, &event, &[report], now).await?;
        drop(gate);
        self.publish_bell.notify_one();
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

    /// The status of the activity's stage, when the activity itself stands at `after`. The caller
    /// holds the gate.
    async fn stage_report(&self, record: &ActivityRecord, after: &ActivityState) -> Result<Report, AppendError> {
        let all = self.ports.store.activities_of(&record.source, &record.revision).await?;
        let stage = &record.planned.container.stage;
        let lines: Vec<StageLine> = all
            .into_iter()
            .filter(|other| other.planned.container.stage == *stage)
            .map(|mut other| {
                if other.planned.id == record.planned.id {
                    other.state = after.clone();
                }
                stage_line(&other)
            })
            .collect();
        let left_out = self.left_out(&record.source, &record.revision, &record.plan).await?;
        Ok(reports::of_stage(&record.source, &record.revision, stage, &lines, left_out))
    }

    /// How many products of a commit are not rolled out because of what was found. What stands with
    /// errors now counts for the commit that was looked at last, and for no older one.
    pub(in crate::engine) async fn left_out(
        &self,
        source: &SourceName,
        revision: &Revision,
        plan: &Digest,
    ) -> Result<usize, StoreError> {
        let refused = self.ports.store.plan(plan).await?.map_or(0, |plan| plan.refused.len());
        let latest = self.ports.store.source(source).await?.and_then(|source| source.revision);
        if latest.as_ref() != Some(revision) {
            return Ok(refused);
        }
        let standing = self.ports.store.standing(source).await?;
        let with_errors = standing.iter().filter(|standing| standing.errors + standing.refusals > 0).count();
        Ok(refused.max(with_errors))
    }
}

//! Appending events together with what forges should show because of them.

use std::collections::BTreeSet;

use tracing::warn;

use crate::domain::activity::{ActivityEvent, ActivityState, ActivityStatus, FencingToken, TaskStatus};
use crate::domain::id::{Digest, Revision, SourceName};
use crate::domain::plan::ActivityId;
use crate::domain::report::Report;
use crate::port::store::{ActivityRecord, AppendError, StageStanding, StoreError};

use super::super::Engine;
use super::super::reports::{self, StageLine};
use super::choose::Skipped;

/// What a stage's status needs to know of an activity.
pub(in crate::engine) fn stage_line(record: &ActivityRecord) -> StageLine {
    let failed = record.planned.tasks.iter().zip(&record.state.tasks).find_map(|(task, status)| match status {
        TaskStatus::Failed { message, .. } => Some(format!("{}: {message}", task.name)),
        _ => None,
    });
    let product = record.planned.container.product.product_name().to_owned();
    StageLine { status: record.state.status, product, reason: reason(record.state.status).or(failed) }
}

/// The same from a row of the record.
fn standing_line(standing: StageStanding) -> StageLine {
    let reason = reason(standing.status).or(standing.message);
    StageLine { status: standing.status, product: standing.product.product_name().to_owned(), reason }
}

/// The reason that a status is by itself.
fn reason(status: ActivityStatus) -> Option<String> {
    match status {
        ActivityStatus::Refused => Some("refused by policies".to_owned()),
        ActivityStatus::Skipped => Some("what it reads from is not running".to_owned()),
        _ => None,
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
        let reports = self.reports_after(record, &after).await?;
        let now = self.ports.clock.now();
        record.state = self.ports.store.append(&record.planned.id, token, &event, &reports, now).await?;
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

    /// The status of the activity's stage when the activity itself stands at `after`: of its own
    /// commit, of those after it that still tell of it, and of the one that was looked at last, which
    /// shows all that is not as Git says. The caller holds the gate.
    async fn reports_after(&self, record: &ActivityRecord, after: &ActivityState) -> Result<Vec<Report>, AppendError> {
        let store = &self.ports.store;
        let stage = &record.planned.container.stage;
        let now = ActivityRecord { state: after.clone(), ..record.clone() };
        let line_of = |standing: StageStanding| {
            if standing.id == now.planned.id { stage_line(&now) } else { standing_line(standing) }
        };
        let own = store.stage_standing(&record.source, &record.revision, stage).await?;
        let lines: Vec<StageLine> = own.into_iter().map(line_of).collect();
        let left_out = self.left_out(&record.source, &record.revision, &record.plan).await?;
        let mut reports = vec![reports::of_stage(&record.source, &record.revision, stage, &lines, left_out)];

        let latest = store.pass_rows(Some(&record.source), 1).await?.pop();
        let mut told: BTreeSet<&Revision> = latest.iter().map(|latest| &latest.revision).collect();
        told.insert(&record.revision);
        for follower in self.followers(&record.source, stage, &told).await? {
            let of_stage = follower.activities.iter().filter(|other| other.planned.container.stage == *stage);
            let lines: Vec<StageLine> = of_stage
                .map(|other| stage_line(if other.planned.id == now.planned.id { &now } else { other }))
                .collect();
            reports.push(reports::of_stage(&record.source, &follower.revision, stage, &lines, follower.left_out));
        }
        let Some(latest) = latest.filter(|latest| latest.revision != record.revision) else { return Ok(reports) };
        let Ok(plan) = latest.plan.parse::<Digest>() else { return Ok(reports) };
        let all = store.stage_standing(&record.source, &latest.revision, stage).await?;
        let known: BTreeSet<ActivityId> = all.iter().map(|standing| standing.id.clone()).collect();
        let mut lines: Vec<StageLine> = all.into_iter().map(line_of).collect();
        let troubled = store.troubled(&record.source).await?.into_iter();
        let others =
            troubled.filter(|other| other.planned.container.stage == *stage && !known.contains(&other.planned.id));
        lines.extend(others.map(|other| stage_line(if other.planned.id == now.planned.id { &now } else { &other })));
        let held = store.plan(&plan).await?.map(|plan| plan.held).unwrap_or_default();
        lines.extend(held.iter().filter(|held| held.container.stage == *stage).map(reports::held_line));
        let left_out = self.left_out(&record.source, &latest.revision, &plan).await?;
        reports.push(reports::of_stage(&record.source, &latest.revision, stage, &lines, left_out));
        Ok(reports)
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

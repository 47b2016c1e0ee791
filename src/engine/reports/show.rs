//! The status of a stage of a commit, from what the record says of it now.

use std::collections::BTreeSet;

use crate::domain::activity::ActivityStatus;
use crate::domain::id::{Digest, Fqn, Revision, SourceName, StageName};
use crate::domain::plan::{ActivityId, Held};
use crate::domain::report::{Report, ReportContext};
use crate::port::store::{PassRow, StageStanding, StoreError};

use super::super::Engine;
use super::super::gates::Gates;
use super::super::rollout::{stage_line, standing_line};
use super::{Stage, StageLine, held_line, newest, still_tells};

/// A stage of a source, while its reports are worked out.
pub(in crate::engine) struct StageShow<'a> {
    engine: &'a Engine,
    gates: Gates<'a>,
    source: &'a SourceName,
    stage: &'a StageName,
    /// Commits at which something has changed since the stage was told last.
    changed: Vec<Revision>,
    /// From how many rollouts reports were worked out.
    rollouts: usize,
}

impl Engine {
    pub(in crate::engine) async fn show_stage<'a>(
        &'a self,
        source: &'a SourceName,
        stage: &'a StageName,
        changed: Vec<Revision>,
    ) -> Result<StageShow<'a>, StoreError> {
        Ok(StageShow { engine: self, gates: self.gates().await?, source, stage, changed, rollouts: 0 })
    }
}

impl StageShow<'_> {
    /// From how many rollouts reports were worked out so far.
    pub(in crate::engine) fn rollouts(&self) -> usize {
        self.rollouts
    }

    /// The pass that was recorded last.
    pub(in crate::engine) async fn latest(&self) -> Result<Option<PassRow>, StoreError> {
        Ok(self.engine.ports.store.pass_rows(Some(self.source), 1).await?.pop())
    }

    /// Of the activities that were planned for this commit.
    pub(in crate::engine) async fn of_commit(
        &mut self,
        revision: &Revision,
        plan: &Digest,
    ) -> Result<Vec<Report>, StoreError> {
        let own = self.engine.ports.store.stage_standing(self.source, revision, self.stage).await?;
        let lines = lines_of(own);
        let left_out = self.engine.left_out(self.source, revision, plan).await?;
        self.tell(revision, lines, left_out).await
    }

    /// Of the commit that was looked at last: it shows all that is not as Git says.
    pub(in crate::engine) async fn of_latest(&mut self, latest: &PassRow) -> Result<Vec<Report>, StoreError> {
        let store = &self.engine.ports.store;
        let mut all = store.stage_standing(self.source, &latest.revision, self.stage).await?;
        let troubled = store.troubled(self.source).await?;
        let open: BTreeSet<&ActivityId> = troubled.iter().map(|record| &record.planned.id).collect();
        all.retain(|standing| still_tells(&standing.id, standing.status, &open));
        let all = newest(all, |standing| &standing.product);
        let known: BTreeSet<ActivityId> = all.iter().map(|standing| standing.id.clone()).collect();
        let mut told: BTreeSet<Fqn> = all.iter().map(|standing| standing.product.clone()).collect();
        let mut lines: Vec<StageLine> = all.into_iter().map(standing_line).collect();
        let held = store.plan(&latest.plan).await?.map(|plan| plan.held).unwrap_or_default();
        let held: Vec<&Held> = held.iter().filter(|held| held.container.stage == *self.stage).collect();
        for other in troubled.iter().filter(|other| other.planned.container.stage == *self.stage) {
            told.insert(other.planned.container.product.clone());
            // What is held is told as that, whatever it was before.
            let is_held = held.iter().any(|held| held.container == other.planned.container);
            if !is_held && !known.contains(&other.planned.id) {
                lines.push(stage_line(other, &latest.revision));
            }
        }
        told.extend(held.iter().map(|held| held.container.product.clone()));
        lines.extend(held.into_iter().map(held_line));
        lines.extend(self.engine.unreached(self.stage, &troubled, &told).await?);
        let left_out = self.engine.left_out(self.source, &latest.revision, &latest.plan).await?;
        self.tell(&latest.revision, lines, left_out).await
    }

    /// Of the commits that are pending, without those that are told of already.
    pub(in crate::engine) async fn followers(&mut self, told: &BTreeSet<&Revision>) -> Result<Vec<Report>, StoreError> {
        let mut reports = Vec::new();
        for follower in self.engine.followers(self.source, self.stage, told).await? {
            let of_stage = follower.activities.iter().filter(|other| other.planned.container.stage == *self.stage);
            let lines: Vec<StageLine> = of_stage.map(|other| stage_line(other, &follower.revision)).collect();
            reports.extend(self.tell(&follower.revision, lines, follower.left_out).await?);
        }
        Ok(reports)
    }

    async fn tell(
        &mut self,
        revision: &Revision,
        mut lines: Vec<StageLine>,
        left_out: usize,
    ) -> Result<Vec<Report>, StoreError> {
        if lines.is_empty() {
            // It told of what earlier commits had begun, and that has come to its end.
            lines = self.ended_well().await?;
        }
        self.rollouts += lines.len();
        self.gates.tell(self.source, self.stage, &mut lines).await?;
        let waits_for = if lines.iter().any(StageLine::waits) { self.waits_for(revision).await? } else { None };
        let stage = self.engine.stage_of(self.source, revision, self.stage, waits_for.as_ref());
        self.engine.reports_of_stage(&stage, &lines, left_out).await
    }

    /// What has ended well of the commits at which something has changed.
    async fn ended_well(&self) -> Result<Vec<StageLine>, StoreError> {
        let mut lines = Vec::new();
        for revision in &self.changed {
            lines.extend(lines_of(self.engine.ports.store.stage_standing(self.source, revision, self.stage).await?));
        }
        lines.retain(|line| matches!(line.status, ActivityStatus::Succeeded | ActivityStatus::Superseded));
        Ok(lines)
    }

    /// The first of the stages before this one at which the commit has not come to its end.
    async fn waits_for(&self, revision: &Revision) -> Result<Option<StageName>, StoreError> {
        const OPEN: [ActivityStatus; 2] = [ActivityStatus::Waiting, ActivityStatus::Running];
        for earlier in self.engine.stages_before(self.stage) {
            if self.engine.ports.store.count_at(self.source, revision, earlier, &OPEN, 1).await? > 0 {
                return Ok(Some(earlier.clone()));
            }
        }
        Ok(None)
    }
}

/// The newest of each product.
fn lines_of(standings: Vec<StageStanding>) -> Vec<StageLine> {
    newest(standings, |standing| &standing.product).into_iter().map(standing_line).collect()
}

impl Engine {
    /// All that should be shown of a stage of a commit. What it waited for may be gone: a later commit has taken
    /// its place, or the product has left. Then all that says so has to end, and not the status alone.
    pub(in crate::engine) async fn reports_of_stage(
        &self,
        stage: &Stage<'_>,
        lines: &[StageLine],
        left_out: usize,
    ) -> Result<Vec<Report>, StoreError> {
        let context = ReportContext::Stage(stage.stage.clone()).to_string();
        let was_pending =
            lines.is_empty() && self.ports.store.pending(stage.source, &context).await?.contains(stage.revision);
        Ok(stage.reports(lines, left_out, was_pending))
    }

    /// A stage, with what is known of it beside its activities.
    pub(in crate::engine) fn stage_of<'a>(
        &self,
        source: &'a SourceName,
        revision: &'a Revision,
        stage: &'a StageName,
        waits_for: Option<&'a StageName>,
    ) -> Stage<'a> {
        let abilities = self.ports.forges.get(source).map(|forge| forge.abilities()).unwrap_or_default();
        let gated = self.settings.platform.gate(stage).is_some();
        Stage { source, revision, stage, gated, waits_for, abilities }
    }

    /// The stages at which a version must run before it comes to this one.
    pub(in crate::engine) fn stages_before(&self, stage: &StageName) -> &[StageName] {
        let stages = self.settings.platform.stages.iter();
        stages.filter(|other| other.name == *stage).map(|other| other.after.as_slice()).next().unwrap_or_default()
    }

    /// The stages that come right after this one.
    pub(in crate::engine) fn stages_after(&self, stage: &StageName) -> impl Iterator<Item = &StageName> {
        let stages = self.settings.platform.stages.iter();
        stages.filter(move |other| other.after.contains(stage)).map(|other| &other.name)
    }
}

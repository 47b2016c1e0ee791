//! From what was weighed to what is recorded: the plan, and what forges should show.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::check::Assessment;
use crate::domain::activity::ActivityStatus;
use crate::domain::change::ChangeKind;
use crate::domain::finding::Finding;
use crate::domain::id::{ContainerId, Digest, Fqn, RepoPath, Revision, SourceName, StageName};
use crate::domain::plan::{ActivityId, Desired, Locate, PendingActivity, Plan, PlanInputs, PlannedActivity, plan};
use crate::domain::report::Report;
use crate::port::store::{ActivityRecord, ContainerRecord, DescriptorEntry, Pass, StoreError, VersionEntry};

use super::super::Engine;
use super::super::reports::{self, StageLine, Tally};
use super::weigh::{Scales, Weighed};
use super::{PassError, Sighting};

impl Engine {
    pub(super) async fn decide(&self, sighting: &Sighting<'_>, scales: &Scales) -> Result<Pass, PassError> {
        let unfinished = self.ports.store.unfinished().await?;
        let desired: Vec<Desired> = scales.products.iter().filter_map(desired).collect();
        let plan = self.plan(sighting, scales, &desired, &unfinished).await?;
        let tally = self.tally(sighting, scales, &plan).await?;
        let mut reports = reports::of_pass(sighting.source, &sighting.revision, &tally);
        let instead = self.instead_of_review(sighting.source, &reports).into_iter().collect();
        reports.extend(self.stage_reports(sighting, &desired, &plan, &tally, &unfinished).await?);
        reports.extend(self.superseded_reports(sighting, &plan, &unfinished).await?);
        if !sighting.is_proposal {
            let before = sighting.record.as_ref().and_then(|record| record.revision.as_ref());
            reports.extend(self.passed_over(sighting.source, before, &sighting.revision).await);
        }

        let refused: BTreeSet<&Fqn> = plan.refused.iter().collect();
        let versions = desired
            .iter()
            .filter(|product| product.change.kind != ChangeKind::Unchanged)
            .filter(|product| !refused.contains(&product.descriptor.fqn))
            .map(version_entry)
            .collect();
        let descriptors = scales.products.iter().map(|product| descriptor_entry(product, &plan)).collect();
        Ok(Pass {
            url: sighting.watched.url.clone(),
            branch: sighting.watched.branch.clone(),
            platform: sighting.watched.platform.clone(),
            at: self.ports.clock.now(),
            complete: scales.look.complete,
            descriptors,
            gone: scales.look.gone.iter().map(|(path, _)| path.clone()).collect(),
            findings: scales.look.findings.clone(),
            versions,
            verdicts: scales.verdicts.clone(),
            reports,
            instead,
            condition: None,
            plan,
        })
    }

    async fn plan(
        &self,
        sighting: &Sighting<'_>,
        scales: &Scales,
        desired: &[Desired],
        unfinished: &[ActivityRecord],
    ) -> Result<Plan, StoreError> {
        let own = desired.iter().map(|product| product.descriptor.fqn.clone());
        let upstream = desired.iter().flat_map(|product| product.descriptor.upstream()).filter_map(|fqn| fqn.owner());
        let products: Vec<Fqn> = own.chain(upstream).collect::<BTreeSet<_>>().into_iter().collect();
        let containers = self.ports.store.containers(&products).await?;
        let is_disturbed = |record: &&ContainerRecord| record.is_disturbed;
        let disturbed = containers.iter().filter(is_disturbed).map(|record| record.container.clone()).collect();
        let running = containers.into_iter().map(|record| (record.container, record.version)).collect();
        let troubled = self.ports.store.troubled(sighting.source).await?;
        let failed = troubled
            .into_iter()
            .filter(|record| {
                use ActivityStatus as S;
                matches!(record.state.status, S::Failed | S::Refused | S::Rejected | S::Cancelled)
            })
            .map(|record| (record.planned.container, record.planned.to.digest))
            .collect();
        // Of two unfinished activities of one container, the later one is what it is heading for.
        let mut pending: BTreeMap<ContainerId, PendingActivity> = BTreeMap::new();
        for record in unfinished {
            let planned = &record.planned;
            let begun = record.state.status == ActivityStatus::Running;
            let moves = begun || pending.get(&planned.container).is_some_and(|earlier| earlier.moves);
            let (id, to) = (planned.id.clone(), planned.to.digest.clone());
            pending.insert(planned.container.clone(), PendingActivity { id, to, begun, moves });
        }
        Ok(plan(&PlanInputs {
            source: sighting.source,
            revision: &sighting.revision,
            sequence: sighting.record.as_ref().map_or(0, |record| record.sequence),
            policies: &sighting.policies,
            platform: &self.settings.platform,
            desired,
            retired: &scales.retired,
            running: &running,
            disturbed: &disturbed,
            pending: &pending,
            failed: &failed,
        }))
    }

    async fn tally(&self, sighting: &Sighting<'_>, scales: &Scales, plan: &Plan) -> Result<Tally, StoreError> {
        let looked_at: BTreeSet<&RepoPath> = scales.products.iter().map(|product| &product.assessment.path).collect();
        let gone: BTreeSet<&RepoPath> = scales.look.gone.iter().map(|(path, _)| path).collect();
        let mut tally = Tally {
            descriptors: scales.look.descriptors,
            looked_at: looked_at.len(),
            activities: plan.activities.len(),
            refused: plan.refused.len(),
            ..Tally::default()
        };
        // Descriptors that were not touched still stand as they stood.
        if !scales.look.complete {
            for standing in self.ports.store.standing(sighting.source).await? {
                if !looked_at.contains(&standing.path) && !gone.contains(&standing.path) {
                    tally.with_errors += usize::from(standing.errors > 0);
                    tally.with_refusals += usize::from(standing.refusals > 0);
                }
            }
        }
        tally.with_errors += scales.look.findings.iter().filter(|finding| finding.is_error()).count();
        for product in &scales.products {
            let planned = planned_findings(product, plan);
            let by_rules = || product.findings.iter().chain(planned.into_iter().flatten());
            tally.with_errors += usize::from(by_rules().any(Finding::is_error));
            tally.warnings += by_rules().filter(|finding| !finding.is_error()).count();
            tally.with_refusals += usize::from(product.policy_findings.iter().any(Finding::is_error));
            tally.not_evaluated += usize::from(product.is_not_evaluated());
        }
        for change in &plan.changes {
            match change.kind {
                ChangeKind::Created => tally.created += 1,
                ChangeKind::Updated => tally.updated += 1,
                ChangeKind::Retired => tally.retired += 1,
                ChangeKind::Unchanged => {}
            }
        }
        Ok(tally)
    }

    /// The stages of this commit, as they stand once the plan is recorded: what it rolls out, what
    /// it holds, and what earlier commits began and is not as Git says yet.
    async fn stage_reports(
        &self,
        sighting: &Sighting<'_>,
        desired: &[Desired],
        plan: &Plan,
        tally: &Tally,
        unfinished: &[ActivityRecord],
    ) -> Result<Vec<Report>, StoreError> {
        let aims = Aims::of(plan);
        let mut own = self.ports.store.activities_of(sighting.source, &sighting.revision).await?;
        let mut troubled = self.ports.store.troubled(sighting.source).await?;
        let open: BTreeSet<&ActivityId> = troubled.iter().map(|record| &record.planned.id).collect();
        own.retain(|record| reports::still_tells(&record.planned.id, record.state.status, &open));
        let own = reports::newest(own, |record| &record.planned.container);
        let is_own: BTreeSet<&ActivityId> = own.iter().map(|record| &record.planned.id).collect();
        troubled.extend(uncovered(sighting.source, plan, unfinished).cloned());
        troubled.retain(|record| still_counts(record, desired, plan));
        let others: Vec<&ActivityRecord> =
            troubled.iter().filter(|record| !is_own.contains(&record.planned.id)).collect();
        // Of those that were read, the plan says where they are to come.
        let read: BTreeSet<Fqn> = desired.iter().map(|product| product.descriptor.fqn.clone()).collect();
        let is_told: BTreeSet<&ContainerId> =
            own.iter().chain(others.iter().copied()).map(|record| &record.planned.container).collect();
        let left_out = tally.with_errors.max(tally.refused).max(tally.with_refusals);
        let mut gates = self.gates().await?;
        let mut reports = Vec::new();
        let mut open: BTreeSet<&StageName> = BTreeSet::new();
        for stage in &self.settings.platform.stages {
            let planned = || plan.activities.iter().filter(|activity| activity.container.stage == stage.name);
            let replaced: BTreeSet<&ContainerId> = planned().map(|activity| &activity.container).collect();
            let own = own.iter().filter(|record| !replaced.contains(&record.planned.container));
            let mut lines = lines_of(own, &sighting.revision, &stage.name, &aims);
            lines.extend(lines_of(others.iter().copied(), &sighting.revision, &stage.name, &aims));
            lines.extend(planned().map(|activity| waiting(activity, plan)));
            lines.extend(plan.held.iter().filter(|held| held.container.stage == stage.name).map(reports::held_line));
            let here = is_told.iter().filter(|container| container.stage == stage.name);
            let told = read.iter().chain(here.map(|container| &container.product)).cloned().collect();
            lines.extend(self.unreached(&stage.name, &troubled, &told).await?);
            gates.tell(sighting.source, &stage.name, &mut lines).await?;
            let waits_for = stage.after.iter().find(|earlier| open.contains(earlier));
            if lines.iter().any(|line| !line.status.is_final()) {
                open.insert(&stage.name);
            }
            let stage = self.stage_of(sighting.source, &sighting.revision, &stage.name, waits_for);
            reports.extend(self.reports_of_stage(&stage, &lines, left_out).await?);
        }
        Ok(reports)
    }

    /// Commits whose waiting activities this plan supersedes: their statuses settle.
    async fn superseded_reports(
        &self,
        sighting: &Sighting<'_>,
        plan: &Plan,
        unfinished: &[ActivityRecord],
    ) -> Result<Vec<Report>, StoreError> {
        let aims = Aims::of(plan);
        let superseded: BTreeSet<(&SourceName, &Revision, &StageName, &Digest)> = unfinished
            .iter()
            .filter(|record| is_superseded(record, &aims))
            .filter(|record| record.revision != sighting.revision || record.source != *sighting.source)
            .map(|record| (&record.source, &record.revision, &record.planned.container.stage, &record.plan))
            .collect();
        let mut reports = Vec::new();
        for (source, revision, stage, planned) in &superseded {
            let all = self.ports.store.activities_of(source, revision).await?;
            let all = reports::newest(all, |record| &record.planned.container);
            let left_out = self.left_out(source, revision, planned).await?;
            let lines = lines_of(&all, revision, stage, &aims);
            reports.extend(self.reports_with((source, revision), stage, lines, left_out).await?);
        }
        // Commits after those, which told of the same activities.
        for stage in superseded.iter().map(|(_, _, stage, _)| *stage).collect::<BTreeSet<_>>() {
            let mut told: BTreeSet<&Revision> = superseded.iter().map(|(_, revision, _, _)| *revision).collect();
            told.insert(&sighting.revision);
            for follower in self.followers(sighting.source, stage, &told).await? {
                let lines = lines_of(&follower.activities, &follower.revision, stage, &aims);
                let commit = (sighting.source, &follower.revision);
                reports.extend(self.reports_with(commit, stage, lines, follower.left_out).await?);
            }
        }
        Ok(reports)
    }

    /// The reports of a stage of an earlier commit, from these lines.
    async fn reports_with(
        &self,
        (source, revision): (&SourceName, &Revision),
        stage: &StageName,
        mut lines: Vec<StageLine>,
        left_out: usize,
    ) -> Result<Vec<Report>, StoreError> {
        self.gates().await?.tell(source, stage, &mut lines).await?;
        self.reports_of_stage(&self.stage_of(source, revision, stage, None), &lines, left_out).await
    }
}

/// A line for an activity that is about to be recorded.
fn waiting(activity: &PlannedActivity, plan: &Plan) -> StageLine {
    let product = activity.container.product.product_name().to_owned();
    let plan = Some(plan.digest.clone());
    StageLine { status: ActivityStatus::Waiting, product, reason: None, plan, left_by: None, before: None }
}

/// Whether an unfinished or failed activity of an earlier commit still tells of what Git wants, once
/// `plan` is recorded; or whether it has begun, and nothing is as Git says before it has ended.
fn still_counts(record: &ActivityRecord, desired: &[Desired], plan: &Plan) -> bool {
    let container = &record.planned.container;
    let replaced = plan.activities.iter().any(|activity| activity.container == *container)
        || plan.held.iter().any(|held| held.container == *container)
        || plan.withdrawn.contains(&record.planned.id);
    if record.state.status == ActivityStatus::Running {
        return !replaced;
    }
    let retired =
        plan.changes.iter().any(|change| change.kind == ChangeKind::Retired && change.product == container.product);
    let replaced = replaced || retired;
    let wanted = desired.iter().find(|product| product.descriptor.fqn == container.product && !product.refused);
    !replaced && wanted.is_none_or(|product| product.descriptor.digest == record.planned.to.digest)
}

/// What has begun, and had others waiting behind it until `plan` withdrew them: nothing else tells of its container.
fn uncovered<'r>(
    source: &SourceName,
    plan: &Plan,
    unfinished: &'r [ActivityRecord],
) -> impl Iterator<Item = &'r ActivityRecord> {
    let withdrawn = unfinished.iter().filter(|record| plan.withdrawn.contains(&record.planned.id));
    let left: BTreeSet<&ContainerId> = withdrawn.map(|record| &record.planned.container).collect();
    let of_source = unfinished.iter().filter(move |record| record.source == *source);
    of_source.filter(move |record| {
        record.state.status == ActivityStatus::Running && left.contains(&record.planned.container)
    })
}

/// The lines of a stage of a commit, once `plan` is recorded.
fn lines_of<'r>(
    activities: impl IntoIterator<Item = &'r ActivityRecord>,
    commit: &Revision,
    stage: &StageName,
    aims: &Aims<'_>,
) -> Vec<StageLine> {
    let of_stage = activities.into_iter().filter(|record| record.planned.container.stage == *stage);
    of_stage
        .map(|record| {
            let mut line = super::super::rollout::stage_line(record, commit);
            if is_superseded(record, aims) {
                line.status = ActivityStatus::Superseded;
            }
            line
        })
        .collect()
}

/// Whether the activity ends without having begun once `plan` is recorded: another takes its place,
/// or nobody has its aim any more.
fn is_superseded(record: &ActivityRecord, aims: &Aims<'_>) -> bool {
    let planned = &record.planned;
    record.state.status == ActivityStatus::Waiting
        && (aims.withdrawn.contains(&planned.id) || aims.moved.contains(&planned.container))
}

/// A plan, by what its recording ends.
struct Aims<'a> {
    moved: BTreeSet<&'a ContainerId>,
    withdrawn: BTreeSet<&'a ActivityId>,
}

impl<'a> Aims<'a> {
    fn of(plan: &'a Plan) -> Self {
        Self {
            moved: plan.activities.iter().map(|activity| &activity.container).collect(),
            withdrawn: plan.withdrawn.iter().collect(),
        }
    }
}

fn desired(product: &Weighed) -> Option<Desired> {
    let assessment: Arc<Assessment> = Arc::clone(&product.assessment);
    let locate: Locate = Arc::new(move |pointer| assessment.locate(pointer));
    Some(Desired {
        descriptor: product.assessment.descriptor.clone()?,
        path: product.assessment.path.clone(),
        change: product.change.clone()?,
        refused: product.is_refused(),
        retry: product.retry,
        locate,
    })
}

fn version_entry(product: &Desired) -> VersionEntry {
    let descriptor = &product.descriptor;
    VersionEntry {
        product: descriptor.fqn.clone(),
        version: descriptor.version_ref(),
        content: descriptor.content.clone(),
        path: product.path.clone(),
        display_name: descriptor.display_name.clone(),
        domain: descriptor.domain.clone(),
        owner: descriptor.owner.clone(),
        upstream: descriptor.upstream(),
    }
}

/// What planning found about the product, where this is its descriptor.
fn planned_findings<'a>(product: &Weighed, plan: &'a Plan) -> Option<&'a Vec<Finding>> {
    plan.findings.get(&product.change.as_ref()?.product)
}

fn holds(plan: &Plan, product: &Fqn) -> bool {
    plan.held.iter().any(|held| held.container.product == *product && held.waits_for != *product)
}

fn descriptor_entry(product: &Weighed, plan: &Plan) -> DescriptorEntry {
    let assessment = &product.assessment;
    let planned = planned_findings(product, plan);
    let findings = product.findings.iter().chain(planned.into_iter().flatten()).chain(&product.policy_findings);
    DescriptorEntry {
        path: assessment.path.clone(),
        files: assessment.files.clone(),
        product: assessment.product.clone(),
        digest: assessment.descriptor.as_ref().map(|descriptor| descriptor.digest.clone()),
        findings: findings.cloned().collect(),
        again: product.is_not_evaluated() || product.change.as_ref().is_some_and(|change| holds(plan, &change.product)),
    }
}

//! Making a plan: a pure function of its inputs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::domain::change::{Change, ChangeKind};
use crate::domain::descriptor::{Descriptor, VersionRef};
use crate::domain::finding::{Finding, Location, arrange};
use crate::domain::id::{ContainerId, Digest, Fqn, RepoPath, Revision, SourceName, StageName};
use crate::domain::stage::Platform;

use super::order::in_dependency_order;
use super::stages::{Placed, StageDraft, draft_stages};
use super::tasks::{draft, tasks_of};
use super::{ActivityId, Held, Plan, PlannedActivity};

/// Tells where a JSON pointer into the content stands in the files.
pub type Locate = Arc<dyn Fn(&str) -> Location + Send + Sync>;

/// A product as a revision wants it.
#[derive(Clone)]
pub struct Desired {
    /// Its descriptor.
    pub descriptor: Arc<Descriptor>,
    /// The root file.
    pub path: RepoPath,
    /// What changed.
    pub change: Change,
    /// Whether a finding or a policy refuses it.
    pub refused: bool,
    /// Whether what failed before is tried again: the product was touched, or all are looked at anew.
    pub retry: bool,
    /// Where its parts stand, for what planning finds.
    pub locate: Locate,
}

impl Desired {
    fn placed(&self) -> Placed<'_> {
        Placed { descriptor: &self.descriptor, locate: self.locate.as_ref() }
    }
}

impl fmt::Debug for Desired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desired").field("change", &self.change).field("refused", &self.refused).finish_non_exhaustive()
    }
}

/// An activity that has not ended yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingActivity {
    /// Which.
    pub id: ActivityId,
    /// The content it moves its container to.
    pub to: Digest,
    /// Whether it has begun; then it goes on to its end.
    pub begun: bool,
    /// Whether it or one before it has begun, so that what runs there now does not stay.
    pub moves: bool,
}

/// All that a plan depends on.
#[derive(Debug, Clone)]
pub struct PlanInputs<'a> {
    /// The source.
    pub source: &'a SourceName,
    /// The commit.
    pub revision: &'a Revision,
    /// How many plans were recorded for the source before.
    pub sequence: u64,
    /// The policies that were asked.
    pub policies: &'a Digest,
    /// Stages and executors.
    pub platform: &'a Platform,
    /// What the revision wants of the products that were looked at.
    pub desired: &'a [Desired],
    /// Products that left the source.
    pub retired: &'a [Change],
    /// What runs, as far as the record knows.
    pub running: &'a BTreeMap<ContainerId, VersionRef>,
    /// Of those, the ones that something has begun to move elsewhere, without success.
    pub disturbed: &'a BTreeSet<ContainerId>,
    /// What is under way already.
    pub pending: &'a BTreeMap<ContainerId, PendingActivity>,
    /// Containers whose last activity failed or was refused, and the content it should have brought.
    pub failed: &'a BTreeMap<ContainerId, Digest>,
}

/// Makes the plan. The same inputs make the same plan, with the same digest, in whatever order
/// the products are given.
pub fn plan(inputs: &PlanInputs<'_>) -> Plan {
    let mut desired: Vec<&Desired> = inputs.desired.iter().collect();
    desired.sort_by(|a, b| a.descriptor.fqn.cmp(&b.descriptor.fqn));
    let (desired, cycles) = in_dependency_order(desired);
    let mut findings: BTreeMap<Fqn, Vec<Finding>> = BTreeMap::new();
    for (product, finding) in cycles {
        findings.entry(product).or_default().push(finding);
    }

    let mut refused = BTreeSet::new();
    let mut drafts = Vec::new();
    for product in &desired {
        let fqn = &product.descriptor.fqn;
        let (stages, found) = draft_stages(product.placed(), inputs.platform);
        if product.refused || found.iter().any(Finding::is_error) {
            refused.insert(fqn.clone());
        } else {
            drafts.push((*product, stages));
        }
        if !found.is_empty() {
            findings.entry(fqn.clone()).or_default().extend(found);
        }
    }

    let mut planned: BTreeMap<ContainerId, ActivityId> =
        inputs.pending.iter().map(|(container, pending)| (container.clone(), pending.id.clone())).collect();
    // Products that read in a circle come before what they read from, which is on its way all the same.
    let on_their_way: BTreeSet<ContainerId> = drafts
        .iter()
        .flat_map(|(product, stages)| stages.iter().map(|(stage, _)| container_of(product, stage)))
        .collect();
    let mut activities = Vec::new();
    let mut held = Vec::new();
    for (product, stages) in &drafts {
        for (stage, after_stages) in stages {
            let Some(activity) = activity(product, stage, after_stages, inputs, &planned) else {
                // Nothing is to wait for what is withdrawn because the container is as it should be.
                let container = container_of(product, stage);
                if inputs.pending.get(&container).is_some_and(|pending| pending.to != product.descriptor.digest) {
                    planned.remove(&container);
                }
                continue;
            };
            match missing_upstream(&activity, product.retry, after_stages, inputs, &planned, &on_their_way, &held) {
                Some(waits_for) => held.push(Held { container: activity.container, waits_for }),
                None => {
                    planned.insert(activity.container.clone(), activity.id.clone());
                    activities.push(activity);
                }
            }
        }
    }
    let withdrawn = withdrawn(&desired, &drafts, &activities, &held, inputs);

    let mut changes: Vec<Change> = desired
        .iter()
        .map(|product| &product.change)
        .chain(inputs.retired)
        .filter(|change| change.kind != ChangeKind::Unchanged)
        .cloned()
        .collect();
    changes.sort_by(|a, b| a.product.cmp(&b.product));
    findings.values_mut().for_each(arrange);
    let mut plan = Plan {
        source: inputs.source.clone(),
        revision: inputs.revision.clone(),
        sequence: inputs.sequence,
        policies: inputs.policies.clone(),
        changes,
        refused: refused.into_iter().collect(),
        activities,
        held,
        withdrawn,
        findings,
        digest: Digest::of(b""),
    };
    plan.digest = plan.digest_of();
    plan
}

fn activity(
    product: &Desired,
    stage: &StageName,
    before: &[StageName],
    inputs: &PlanInputs<'_>,
    planned: &BTreeMap<ContainerId, ActivityId>,
) -> Option<PlannedActivity> {
    let descriptor = &product.descriptor;
    let container = container_of(product, stage);
    let pending = inputs.pending.get(&container);
    if pending.is_some_and(|pending| pending.to == descriptor.digest) {
        return None;
    }
    let from = inputs.running.get(&container).cloned();
    // What was left half-way is brought back to what the record says of it.
    let is_there = !inputs.disturbed.contains(&container)
        && from.as_ref().is_some_and(|running| running.digest == descriptor.digest);
    // What waits for something else is withdrawn: it has not touched anything.
    if is_there && pending.is_none_or(|pending| !pending.moves) {
        return None;
    }
    let id = ActivityId::derive(inputs.source, inputs.revision, inputs.sequence, &container, &descriptor.digest);
    let (drafts, _) = draft(product.placed(), stage, before, inputs.platform);
    Some(PlannedActivity {
        after: prerequisites(descriptor, &container, before, planned),
        upstream: descriptor.upstream_by_port(),
        to: descriptor.version_ref(),
        path: product.path.clone(),
        tasks: tasks_of(drafts, inputs.platform, &id),
        id,
        container,
        from,
    })
}

/// What an activity lacks to begin ever: a product that it reads from by an input port, and that
/// neither runs at the stage nor is on its way there; or its own product, where this very content
/// failed here or at an earlier stage and is not tried again, or is held there.
fn missing_upstream(
    activity: &PlannedActivity,
    retry: bool,
    before: &[StageName],
    inputs: &PlanInputs<'_>,
    planned: &BTreeMap<ContainerId, ActivityId>,
    on_their_way: &BTreeSet<ContainerId>,
    held: &[Held],
) -> Option<Fqn> {
    let container = &activity.container;
    let product = &container.product;
    let own_failed = |stage: &StageName| {
        let own = ContainerId { product: product.clone(), stage: stage.clone() };
        !retry && inputs.failed.get(&own) == Some(&activity.to.digest) && !planned.contains_key(&own)
    };
    if own_failed(&container.stage) || before.iter().any(own_failed) {
        return Some(product.clone());
    }
    let own =
        held.iter().find(|held| held.container.product == container.product && before.contains(&held.container.stage));
    if let Some(held) = own {
        return Some(held.waits_for.clone());
    }
    let owners: BTreeSet<Fqn> = activity.upstream.values().filter_map(Fqn::owner).collect();
    owners.into_iter().filter(|owner| *owner != container.product).find(|owner| {
        let upstream = ContainerId { product: owner.clone(), stage: container.stage.clone() };
        let is_held = held.iter().any(|held| held.container == upstream);
        let comes = on_their_way.contains(&upstream) && !is_held;
        !comes && !planned.contains_key(&upstream) && !inputs.running.contains_key(&upstream)
    })
}

/// Activities that wait, and whose aim is gone: the product left, the stage is no more, the
/// content is another by now (which may be what runs already), or what it is now is refused.
fn withdrawn(
    desired: &[&Desired],
    drafts: &[(&Desired, Vec<StageDraft>)],
    activities: &[PlannedActivity],
    held: &[Held],
    inputs: &PlanInputs<'_>,
) -> Vec<ActivityId> {
    let superseded: BTreeSet<&ContainerId> = activities.iter().map(|activity| &activity.container).collect();
    let retired: BTreeSet<&Fqn> = inputs.retired.iter().map(|change| &change.product).collect();
    let read: BTreeMap<&Fqn, &Desired> = desired.iter().map(|product| (&product.descriptor.fqn, *product)).collect();
    let accepted: BTreeMap<&Fqn, &[StageDraft]> =
        drafts.iter().map(|(product, stages)| (&product.descriptor.fqn, stages.as_slice())).collect();
    let held: BTreeSet<&ContainerId> = held.iter().map(|held| &held.container).collect();
    let still_wanted = |container: &ContainerId, to: &Digest| {
        if retired.contains(&container.product) {
            return false;
        }
        let Some(product) = read.get(&container.product) else {
            return true;
        };
        match accepted.get(&container.product) {
            Some(stages) => {
                let has_stage = stages.iter().any(|(stage, _)| *stage == container.stage);
                has_stage && product.descriptor.digest == *to && !held.contains(container)
            }
            // It is refused: what was accepted before is still wanted, unless it is this very content.
            None => product.descriptor.digest != *to,
        }
    };
    inputs
        .pending
        .iter()
        .filter(|(container, pending)| !pending.begun && !superseded.contains(container))
        .filter(|(container, pending)| !still_wanted(container, &pending.to))
        .map(|(_, pending)| pending.id.clone())
        .collect()
}

fn container_of(product: &Desired, stage: &StageName) -> ContainerId {
    ContainerId { product: product.descriptor.fqn.clone(), stage: stage.clone() }
}

/// What has to succeed first: the same product at earlier stages, and what it reads from at this one.
fn prerequisites(
    descriptor: &Descriptor,
    container: &ContainerId,
    before: &[StageName],
    planned: &BTreeMap<ContainerId, ActivityId>,
) -> Vec<ActivityId> {
    let same_product =
        before.iter().map(|stage| ContainerId { product: container.product.clone(), stage: stage.clone() });
    let owners: BTreeSet<Fqn> = descriptor.upstream().iter().filter_map(Fqn::owner).collect();
    let upstream = owners.into_iter().map(|product| ContainerId { product, stage: container.stage.clone() });
    let mut after: Vec<ActivityId> = same_product.chain(upstream).filter_map(|id| planned.get(&id).cloned()).collect();
    after.sort();
    after.dedup();
    after
}

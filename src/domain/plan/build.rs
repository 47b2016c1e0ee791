//! Making a plan: a pure function of its inputs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::domain::change::{Change, ChangeKind};
use crate::domain::descriptor::{Descriptor, VersionRef};
use crate::domain::finding::{Finding, Location, arrange};
use crate::domain::id::{ContainerId, Digest, Fqn, RepoPath, Revision, SourceName, StageName};
use crate::domain::stage::Platform;

use super::order::in_dependency_order;
use super::tasks::planned_tasks;
use super::{ActivityId, Plan, PlannedActivity};

/// Tells where a JSON pointer into the content stands in the files.
pub type Locate = Arc<dyn Fn(&str) -> Location + Send + Sync>;

/// A product as a revision wants it.
#[derive(Clone)]
pub struct Desired {
    /// Its descriptor.
    pub descriptor: Descriptor,
    /// The root file.
    pub path: RepoPath,
    /// What changed.
    pub change: Change,
    /// Whether a finding or a policy refuses it.
    pub refused: bool,
    /// Where its parts stand, for what planning finds.
    pub locate: Locate,
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
    /// What is under way already.
    pub pending: &'a BTreeMap<ContainerId, PendingActivity>,
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
        let (stages, found) = draft_stages(product, inputs);
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
    let mut activities = Vec::new();
    for (product, stages) in drafts {
        for (stage, after_stages) in stages {
            if let Some(activity) = activity(product, &stage, &after_stages, inputs, &planned) {
                planned.insert(activity.container.clone(), activity.id.clone());
                activities.push(activity);
            }
        }
    }

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
        findings,
        digest: Digest::of(b""),
    };
    plan.digest = plan.digest_of();
    plan
}

/// A stage at which a product is rolled out, and the stages before it that matter to the product.
type StageDraft = (StageName, Vec<StageName>);

/// The product's stages in promotion order, and what is wrong with their tasks.
fn draft_stages(product: &Desired, inputs: &PlanInputs<'_>) -> (Vec<StageDraft>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut stages = Vec::new();
    for stage in &inputs.platform.stages {
        if product.descriptor.tasks_of(stage.name.as_str()).is_none() {
            continue;
        }
        let before = earlier_stages(&stage.name, inputs.platform, &product.descriptor);
        let probe = ActivityId::derive(
            inputs.source,
            inputs.revision,
            inputs.sequence,
            &ContainerId { product: product.descriptor.fqn.clone(), stage: stage.name.clone() },
            &product.descriptor.digest,
        );
        let (_, found) = planned_tasks(product, &stage.name, &before, inputs.platform, &probe);
        findings.extend(found);
        stages.push((stage.name.clone(), before));
    }
    (stages, findings)
}

/// The stages that have to come before `stage`, as far as the product names them: a stage that it
/// does not name is passed over, to those before that one.
fn earlier_stages(stage: &StageName, platform: &Platform, descriptor: &Descriptor) -> Vec<StageName> {
    let mut earlier = BTreeSet::new();
    let mut open = vec![stage];
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        let Some(stage) = platform.stages.iter().find(|candidate| candidate.name == *name) else { continue };
        for before in &stage.after {
            if !seen.insert(before) {
                continue;
            }
            if descriptor.tasks_of(before.as_str()).is_some() {
                earlier.insert(before.clone());
            } else {
                open.push(before);
            }
        }
    }
    earlier.into_iter().collect()
}

fn activity(
    product: &Desired,
    stage: &StageName,
    before: &[StageName],
    inputs: &PlanInputs<'_>,
    planned: &BTreeMap<ContainerId, ActivityId>,
) -> Option<PlannedActivity> {
    let descriptor = &product.descriptor;
    let container = ContainerId { product: descriptor.fqn.clone(), stage: stage.clone() };
    let pending = inputs.pending.get(&container);
    if pending.is_some_and(|pending| pending.to == descriptor.digest) {
        return None;
    }
    let from = inputs.running.get(&container).cloned();
    if pending.is_none() && from.as_ref().is_some_and(|running| running.digest == descriptor.digest) {
        return None;
    }
    let id = ActivityId::derive(inputs.source, inputs.revision, inputs.sequence, &container, &descriptor.digest);
    let (tasks, _) = planned_tasks(product, stage, before, inputs.platform, &id);
    Some(PlannedActivity {
        after: prerequisites(descriptor, &container, before, planned),
        upstream: descriptor.upstream_by_port(),
        to: descriptor.version_ref(),
        path: product.path.clone(),
        id,
        container,
        from,
        tasks,
    })
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

/// `null` where there is no value: executors always get both parts.
pub(super) fn or_null(value: Option<&Value>) -> Value {
    value.cloned().unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::Difference;
    use crate::domain::stage::{ExecutorProfile, Phase, Stage};
    use serde_json::json;

    struct World {
        source: SourceName,
        revision: Revision,
        policies: Digest,
        platform: Platform,
        running: BTreeMap<ContainerId, VersionRef>,
        pending: BTreeMap<ContainerId, PendingActivity>,
    }

    impl World {
        fn new() -> Self {
            let profile = |phase| ExecutorProfile { phase, timeout_seconds: 60, attempts: 2 };
            let stage = |name: &str, after: &[&str]| Stage {
                name: name.parse().unwrap(),
                after: after.iter().map(|name| name.parse().unwrap()).collect(),
            };
            Self {
                source: "retail".parse().unwrap(),
                revision: "a".repeat(40).parse().unwrap(),
                policies: Digest::of(b"policies"),
                platform: Platform {
                    stages: vec![stage("dev", &[]), stage("qa", &["dev"]), stage("prod", &["qa"])],
                    executors: [("db", Phase::Provision), ("make", Phase::Build), ("ship", Phase::Deploy)]
                        .map(|(name, phase)| (name.parse().unwrap(), profile(phase)))
                        .into(),
                },
                running: BTreeMap::new(),
                pending: BTreeMap::new(),
            }
        }

        fn plan(&self, desired: &[Desired]) -> Plan {
            plan(&PlanInputs {
                source: &self.source,
                revision: &self.revision,
                sequence: 3,
                policies: &self.policies,
                platform: &self.platform,
                desired,
                retired: &[],
                running: &self.running,
                pending: &self.pending,
            })
        }
    }

    fn task(name: &str, service: &str, configurations: Value) -> Value {
        json!({"name": name, "service": {"$href": service}, "configurations": configurations})
    }

    fn product(name: &str, upstream: &[&str], lifecycle: Value) -> Desired {
        let namespace = "com.example".parse().unwrap();
        let inputs: Vec<Value> = upstream
            .iter()
            .map(|other| {
                let fqn = format!("urn:dpds:com.example:dataproducts:{other}:1:outputports:out");
                json!({"name": format!("from{other}"), "version": "1.0.0", "x-upstream": fqn})
            })
            .collect();
        let content = json!({
            "info": {"name": name, "version": "1.0.0", "domain": "d", "owner": {"id": "a@b.c"}},
            "interfaceComponents": {"inputPorts": inputs, "outputPorts": []},
            "internalComponents": {"lifecycleInfo": lifecycle}
        });
        let descriptor = Descriptor::from_resolved(&namespace, &content).unwrap();
        let path: RepoPath = format!("{name}/dp.yaml").parse().unwrap();
        let top = Location::top_of(path.clone());
        let change = Change {
            product: descriptor.fqn.clone(),
            kind: ChangeKind::Created,
            path: path.clone(),
            from: None,
            to: Some(descriptor.version_ref()),
            succeeds: None,
            difference: Difference::default(),
        };
        Desired { descriptor, path, change, refused: false, locate: Arc::new(move |_| top.clone()) }
    }

    fn dev_and_prod() -> Value {
        let tasks = |stage: &str| {
            json!([
                task("deploy", "ship", json!({"from": format!("${{{stage}.results.build.file}}")})),
                task("build", "make", json!({})),
                task("provision", "db", json!(null)),
            ])
        };
        json!({"dev": tasks("dev"), "prod": tasks("prod")})
    }

    fn summary(plan: &Plan) -> Vec<String> {
        plan.activities
            .iter()
            .map(|activity| {
                let tasks: Vec<&str> = activity.tasks.iter().map(|task| task.name.as_str()).collect();
                let after: Vec<String> = activity
                    .after
                    .iter()
                    .map(|id| {
                        let before = plan.activities.iter().find(|other| other.id == *id).unwrap();
                        format!("{}@{}", before.container.product.product_name(), before.container.stage)
                    })
                    .collect();
                let container = &activity.container;
                format!("{}@{} {tasks:?} after {after:?}", container.product.product_name(), container.stage)
            })
            .collect()
    }

    #[test]
    fn phases_order_tasks_stages_follow_each_other_and_products_follow_what_they_read() {
        let world = World::new();
        let plan = world.plan(&[product("a", &["b"], dev_and_prod()), product("b", &[], dev_and_prod())]);
        assert_eq!(
            summary(&plan),
            [
                r#"b@dev ["provision", "build", "deploy"] after []"#,
                r#"b@prod ["provision", "build", "deploy"] after ["b@dev"]"#,
                r#"a@dev ["provision", "build", "deploy"] after ["b@dev"]"#,
                r#"a@prod ["provision", "build", "deploy"] after ["a@dev", "b@prod"]"#,
            ]
            .map(|line| line.to_owned())
        );
    }

    #[test]
    fn the_same_inputs_in_any_order_make_the_same_plan() {
        let world = World::new();
        let (a, b) = (product("a", &["b"], dev_and_prod()), product("b", &[], dev_and_prod()));
        let one = world.plan(&[a.clone(), b.clone()]);
        let other = world.plan(&[b, a]);
        assert_eq!(one, other);
        assert_eq!(one.digest, other.digest);
        let mut moved = World::new();
        moved.policies = Digest::of(b"others");
        assert_ne!(
            moved.plan(&[product("b", &[], dev_and_prod())]).digest,
            world.plan(&[product("b", &[], dev_and_prod())]).digest
        );
    }

    #[test]
    fn what_runs_or_is_under_way_is_not_planned_again() {
        let mut world = World::new();
        let wanted = product("b", &[], dev_and_prod());
        let container =
            |stage: &str| ContainerId { product: wanted.descriptor.fqn.clone(), stage: stage.parse().unwrap() };
        world.running.insert(container("dev"), wanted.descriptor.version_ref());
        let id = ActivityId::derive(&world.source, &world.revision, 1, &container("prod"), &wanted.descriptor.digest);
        world.pending.insert(container("prod"), PendingActivity { id, to: wanted.descriptor.digest.clone() });
        assert!(world.plan(std::slice::from_ref(&wanted)).activities.is_empty());
        // Under way to something else: the wish is planned, whatever runs.
        world.pending.get_mut(&container("prod")).unwrap().to = Digest::of(b"other");
        assert_eq!(world.plan(&[wanted]).activities.len(), 1);
    }

    #[test]
    fn unknown_executors_and_results_that_will_not_be_there_refuse_the_product() {
        let world = World::new();
        let lifecycle = json!({"dev": [
            task("one", "nobody", json!({})),
            task("two", "make", json!({"x": "${dev.results.three.y} ${prod.results.one.y}"})),
        ]});
        let plan = world.plan(&[product("a", &[], lifecycle)]);
        assert!(plan.activities.is_empty());
        assert_eq!(plan.refused.len(), 1);
        let rules: Vec<&str> = plan.findings.values().flatten().map(|finding| finding.rule.as_str()).collect();
        assert_eq!(
            rules,
            ["lifecycle/unknown-executor", "lifecycle/unresolved-placeholder", "lifecycle/unresolved-placeholder"]
        );
    }

    #[test]
    fn a_circle_is_told_and_does_not_stop_anything() {
        let world = World::new();
        let plan = world.plan(&[product("a", &["b"], dev_and_prod()), product("b", &["a"], dev_and_prod())]);
        assert_eq!(plan.activities.len(), 4);
        assert!(plan.findings.values().flatten().all(|finding| finding.rule.as_str() == "lineage/cycle"));
        assert_eq!(plan.findings.len(), 2);
    }

    #[test]
    fn empty_tasks_are_planned_and_do_nothing() {
        let world = World::new();
        let plan = world.plan(&[product("a", &[], json!({"dev": [{}]}))]);
        assert_eq!(plan.activities[0].tasks[0].executor, None);
    }
}

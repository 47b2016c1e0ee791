//! What plans look like.

use super::build::{Desired, PendingActivity, PlanInputs, plan};
use super::{ActivityId, Plan};
use crate::domain::change::Difference;
use crate::domain::change::{Change, ChangeKind};
use crate::domain::descriptor::{Descriptor, VersionRef};
use crate::domain::finding::Location;
use crate::domain::id::{ContainerId, Digest, RepoPath, Revision, SourceName};
use crate::domain::stage::Platform;
use crate::domain::stage::{ExecutorProfile, Phase, Stage};
use serde_json::Value;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

struct World {
    source: SourceName,
    revision: Revision,
    policies: Digest,
    platform: Platform,
    running: BTreeMap<ContainerId, VersionRef>,
    pending: BTreeMap<ContainerId, PendingActivity>,
    failed: BTreeMap<ContainerId, Digest>,
}

impl World {
    fn new() -> Self {
        let profile = |phase| ExecutorProfile { phase, timeout_seconds: 60, attempts: 2 };
        let stage = |name: &str, after: &[&str]| Stage {
            name: name.parse().unwrap(),
            after: after.iter().map(|name| name.parse().unwrap()).collect(),
            gate: None,
            on_new_commit: Default::default(),
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
            failed: BTreeMap::new(),
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
            disturbed: &BTreeSet::new(),
            pending: &self.pending,
            failed: &self.failed,
        })
    }
}

fn task(name: &str, service: &str, configurations: &Value) -> Value {
    json!({"name": name, "service": {"$href": service}, "configurations": configurations})
}

fn product(name: &str, upstream: &[&str], lifecycle: &Value) -> Desired {
    let inputs: Vec<Value> = upstream
        .iter()
        .map(|other| {
            let fqn = format!("urn:dpds:com.example:dataproducts:{other}:1:outputports:out");
            json!({"name": format!("from{other}"), "version": "1.0.0", "x-upstream": fqn})
        })
        .collect();
    of_content(
        name,
        &json!({
            "info": {"name": name, "version": "1.0.0", "domain": "d", "owner": {"id": "a@b.c"}},
            "interfaceComponents": {"inputPorts": inputs, "outputPorts": []},
            "internalComponents": {"lifecycleInfo": lifecycle}
        }),
    )
}

fn of_content(name: &str, content: &Value) -> Desired {
    let namespace = "com.example".parse().unwrap();
    let descriptor = Descriptor::from_resolved(&namespace, content).unwrap();
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
        compatibility: None,
    };
    Desired {
        descriptor: Arc::new(descriptor),
        path,
        change,
        refused: false,
        retry: true,
        locate: Arc::new(move |_| top.clone()),
    }
}

fn dev_and_prod() -> Value {
    let tasks = |stage: &str| {
        json!([
            task("deploy", "ship", &json!({"from": format!("${{{stage}.results.build.file}}")})),
            task("build", "make", &json!({})),
            task("provision", "db", &json!(null)),
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
    let plan = world.plan(&[product("a", &["b"], &dev_and_prod()), product("b", &[], &dev_and_prod())]);
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
    let (a, b) = (product("a", &["b"], &dev_and_prod()), product("b", &[], &dev_and_prod()));
    let one = world.plan(&[a.clone(), b.clone()]);
    let other = world.plan(&[b, a]);
    assert_eq!(one, other);
    assert_eq!(one.digest, other.digest);
    let mut moved = World::new();
    moved.policies = Digest::of(b"others");
    assert_ne!(
        moved.plan(&[product("b", &[], &dev_and_prod())]).digest,
        world.plan(&[product("b", &[], &dev_and_prod())]).digest
    );
}

#[test]
fn the_digest_is_that_of_the_whole_document() {
    let mut world = World::new();
    let refused = Desired { refused: true, ..product("c", &[], &dev_and_prod()) };
    let whole = |plan: &Plan| {
        let mut value = serde_json::to_value(plan).unwrap();
        value.as_object_mut().unwrap().shift_remove("digest").unwrap();
        crate::domain::canonical::digest(&value)
    };
    let empty = world.plan(&[]);
    assert_eq!(empty.digest, whole(&empty));
    let of_a = "urn:dpds:com.example:dataproducts:a:1".parse().unwrap();
    let prod = ContainerId { product: of_a, stage: "prod".parse().unwrap() };
    let waiting = product("a", &[], &dev_and_prod());
    let id = ActivityId::derive(&world.source, &world.revision, 1, &prod, &waiting.descriptor.digest);
    world.pending.insert(prod, PendingActivity { id, to: Digest::of(b"other"), begun: false, moves: false });
    let unknown = json!({"dev": [task("x", "nobody", &json!({}))]});
    let all = world.plan(&[waiting, product("b", &["a"], &dev_and_prod()), refused, product("d", &[], &unknown)]);
    assert!(all.activities.len() > 1 && all.changes.len() > 1 && !all.refused.is_empty() && !all.findings.is_empty());
    assert_eq!(all.digest, whole(&all));
}

#[test]
fn what_runs_or_is_under_way_is_not_planned_again() {
    let mut world = World::new();
    let wanted = product("b", &[], &dev_and_prod());
    let container = |stage: &str| ContainerId { product: wanted.descriptor.fqn.clone(), stage: stage.parse().unwrap() };
    world.running.insert(container("dev"), wanted.descriptor.version_ref());
    let id = ActivityId::derive(&world.source, &world.revision, 1, &container("prod"), &wanted.descriptor.digest);
    let to = wanted.descriptor.digest.clone();
    world.pending.insert(container("prod"), PendingActivity { id, to, begun: true, moves: true });
    assert!(world.plan(std::slice::from_ref(&wanted)).activities.is_empty());
    // Under way to something else: the wish is planned, whatever runs.
    world.pending.get_mut(&container("prod")).unwrap().to = Digest::of(b"other");
    world.running.insert(container("prod"), wanted.descriptor.version_ref());
    assert_eq!(world.plan(std::slice::from_ref(&wanted)).activities.len(), 1);
    // So it is where that waits behind what is under way.
    world.pending.get_mut(&container("prod")).unwrap().begun = false;
    assert_eq!(world.plan(std::slice::from_ref(&wanted)).activities.len(), 1);
    // What only waits is withdrawn, and nothing has to be done.
    world.pending.get_mut(&container("prod")).unwrap().moves = false;
    let plan = world.plan(&[wanted]);
    assert!(plan.activities.is_empty());
    assert_eq!(plan.withdrawn.len(), 1);
}

#[test]
fn unknown_executors_and_results_that_will_not_be_there_refuse_the_product() {
    let world = World::new();
    let lifecycle = json!({"dev": [
        task("one", "nobody", &json!({})),
        task("two", "make", &json!({"x": "${dev.results.three.y} ${prod.results.one.y} ${dev.results.one.y}"})),
    ]});
    let plan = world.plan(&[product("a", &[], &lifecycle)]);
    assert!(plan.activities.is_empty());
    assert_eq!(plan.refused.len(), 1);
    let rules: Vec<&str> = plan.findings.values().flatten().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(
        rules,
        ["lifecycle/unknown-executor", "lifecycle/unresolved-placeholder", "lifecycle/unresolved-placeholder"]
    );
}

#[test]
fn stages_that_are_not_there_and_what_only_looks_like_a_placeholder_are_told_and_stop_nothing() {
    let world = World::new();
    let lifecycle = json!({
        "prd": [task("one", "nobody", &json!({}))],
        "prod": [task("one", "make", &json!({"a": "${HOME} ${one.x} $${one.x}", "b": ["${dev.result.one.x}"]}))],
    });
    let plan = world.plan(&[product("a", &[], &lifecycle)]);
    assert_eq!(plan.activities.len(), 1);
    let told: Vec<(&str, &str)> =
        plan.findings.values().flatten().map(|finding| (finding.rule.as_str(), finding.pointer.as_str())).collect();
    assert_eq!(
        told,
        [
            ("lifecycle/no-placeholder", "/internalComponents/lifecycleInfo/prod/0/configurations/b/0"),
            ("lifecycle/no-placeholder", "/internalComponents/lifecycleInfo/prod/0/configurations/a"),
            ("lifecycle/unknown-stage", "/internalComponents/lifecycleInfo/prd"),
        ]
    );
}

#[test]
fn a_circle_is_told_and_does_not_stop_anything() {
    let world = World::new();
    let plan = world.plan(&[product("a", &["b"], &dev_and_prod()), product("b", &["a"], &dev_and_prod())]);
    assert_eq!(plan.activities.len(), 4);
    assert!(plan.findings.values().flatten().all(|finding| finding.rule.as_str() == "lineage/product-cycle"));
    assert_eq!(plan.findings.len(), 2);
}

#[test]
fn empty_tasks_are_planned_and_do_nothing() {
    let world = World::new();
    let plan = world.plan(&[product("a", &[], &json!({"dev": [{}]}))]);
    assert_eq!(plan.activities[0].tasks[0].executor, None);
}

#[test]
fn blocks_of_the_draft_run_in_their_phases_at_every_stage_whatever_their_executors_are_for() {
    let block = |service: &str| json!({"service": {"$href": service}});
    let drafted = of_content(
        "trips",
        &json!({
            "info": {"name": "trips", "version": "1.0.0", "domain": "d", "owner": {"id": "a@b.c"}},
            "interfaceComponents": {"outputPorts": []},
            "internalComponents": {
                "applicationComponents": [{"name": "sink", "version": "1.0.0", "buildInfo": block("make"), "deployInfo": block("make")}],
                "infrastructuralComponents": [{"name": "store", "version": "1.0.0", "provisionInfo": block("make")}],
            },
        }),
    );
    let plan = World::new().plan(&[drafted]);
    let stages: Vec<&str> = plan.activities.iter().map(|activity| activity.container.stage.as_str()).collect();
    assert_eq!(stages, ["dev", "qa", "prod"]);
    let tasks: Vec<(&str, Phase)> =
        plan.activities[0].tasks.iter().map(|task| (task.name.as_str(), task.phase)).collect();
    let expected =
        [("provision-store", Phase::Provision), ("build-sink", Phase::Build), ("deploy-sink", Phase::Deploy)];
    assert_eq!(tasks, expected);
}

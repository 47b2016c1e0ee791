use super::*;
use crate::domain::change::Difference;
use crate::domain::descriptor::{Content, VersionRef};
use crate::domain::finding::{Location, RuleId};
use crate::domain::id::{ContainerId, Digest, Fqn};
use crate::domain::plan::{ActivityId, PlannedActivity, PlannedTask, TaskKey};
use crate::domain::stage::Phase;

fn product(name: &str) -> Fqn {
    format!("urn:dpds:com.example:dataproducts:{name}:1").parse().unwrap()
}

fn version(text: &str) -> VersionRef {
    VersionRef { version: text.parse().unwrap(), digest: Digest::of(text.as_bytes()) }
}

fn change(name: &str, kind: ChangeKind, from: Option<&str>, to: Option<&str>) -> Change {
    Change {
        product: product(name),
        kind,
        path: format!("{name}/dp.yaml").parse().unwrap(),
        from: from.map(version),
        to: to.map(version),
        succeeds: None,
        difference: Difference::default(),
        compatibility: None,
    }
}

fn activity(name: &str, stage: &str, after: &[&PlannedActivity]) -> PlannedActivity {
    let container = ContainerId { product: product(name), stage: stage.parse().unwrap() };
    let revision = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
    let id = ActivityId::derive(&"a".parse().unwrap(), &revision, 0, &container, &Digest::of(b""));
    let task = |index: usize, phase, executor: Option<&str>| PlannedTask {
        name: format!("step{index}"),
        phase,
        executor: executor.map(|name| name.parse().unwrap()),
        template: Content::default(),
        configurations: Content::default(),
        timeout_seconds: 90,
        attempts: 3,
        key: TaskKey::derive(&id, index, "x"),
    };
    PlannedActivity {
        container,
        to: version("1.0.0"),
        from: None,
        path: format!("{name}/dp.yaml").parse().unwrap(),
        after: after.iter().map(|activity| activity.id.clone()).collect(),
        upstream: Default::default(),
        tasks: vec![task(1, Phase::Provision, Some("warehouse")), task(2, Phase::Deploy, None)],
        id: id.clone(),
    }
}

fn full() -> PlannedSource<'static> {
    let trips = activity("trips", "dev", &[]);
    let fleet = activity("fleet", "dev", &[&trips]);
    let location = Location { file: "orders/dp.yaml".parse().unwrap(), line: 1, column: 1, length: 4 };
    PlannedSource {
        plan: Plan {
            source: "a".parse().unwrap(),
            revision: "0123456789abcdef0123456789abcdef01234567".parse().unwrap(),
            sequence: 0,
            policies: Digest::of(b"policies"),
            changes: vec![
                change("trips", ChangeKind::Created, None, Some("1.0.0")),
                change("orders", ChangeKind::Updated, Some("1.0.0"), Some("1.1.0")),
                change("old", ChangeKind::Retired, Some("1.0.0"), None),
            ],
            refused: vec![product("orders")],
            activities: vec![trips, fleet],
            held: Vec::new(),
            withdrawn: Vec::new(),
            findings: std::collections::BTreeMap::new(),
            digest: Digest::of(b"plan"),
        },
        findings: vec![Finding::error(
            RuleId::built_in("version/not-bumped"),
            location,
            "",
            "the version was not raised",
        )],
        text_of: Box::new(|_| Some("info: {}\n".to_owned())),
    }
}

fn empty() -> PlannedSource<'static> {
    let mut planned = full();
    planned.findings.clear();
    planned.plan.changes.clear();
    planned.plan.refused.clear();
    planned.plan.activities.clear();
    planned
}

fn run(outcomes: &[PlanOutcome<'_>], format: DocumentFormat, exit_code: bool) -> (ExitStatus, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut output = Output { out: &mut out, err: &mut err, colour: false, err_colour: false, width: 100 };
    let status = plan(outcomes, format, exit_code, &mut output).unwrap();
    (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn of(planned: PlannedSource<'_>) -> PlanOutcome<'_> {
    PlanOutcome::Planned(Box::new(planned))
}

#[test]
fn a_plan_reads_from_products_to_stages_to_tasks() {
    let (status, out, _) = run(&[of(full())], DocumentFormat::Text, false);
    assert_eq!(status, ExitStatus::Failed, "a refused product");
    let page = r"error[version/not-bumped]: the version was not raised
 --> orders/dp.yaml:1:1
  |
1 | info: {}
  | ^^^^

Plan for a at 01234567

+ trips 1.0.0 (created)
    urn:dpds:com.example:dataproducts:trips:1  trips/dp.yaml
    dev: 1.0.0  act-ID
      1. provision step1 (by warehouse, within 1m30s, 3 attempts)
      2. deploy step2 (nothing to do)

~ orders 1.0.0 -> 1.1.0 (updated)
    urn:dpds:com.example:dataproducts:orders:1  orders/dp.yaml
    refused: the version was not raised [version/not-bumped]
      at orders/dp.yaml:1:1

- old 1.0.0 (retired)
    urn:dpds:com.example:dataproducts:old:1  old/dp.yaml
    its containers go on running; nothing is torn down

> fleet (unchanged)
    dev: 1.0.0  act-ID
      after trips at dev
      1. provision step1 (by warehouse, within 1m30s, 3 attempts)
      2. deploy step2 (nothing to do)

Plan: 1 created, 1 updated, 1 retired; 2 activities; 1 product refused
";
    let mut shown = out.clone();
    while let Some(at) = shown.find("act-").filter(|at| !shown[*at..].starts_with("act-ID")) {
        shown.replace_range(at..at + 20, "act_ID");
    }
    assert!(shown.replace("act_ID", "act-ID").starts_with(page), "{out}");
}

#[test]
fn the_exit_code_tells_nothing_changes_and_refusals_apart() {
    let mut changes = full();
    changes.findings.clear();
    changes.plan.refused.clear();
    assert_eq!(run(&[of(empty())], DocumentFormat::Text, true).0, ExitStatus::Success);
    assert_eq!(run(&[of(changes)], DocumentFormat::Text, true).0, ExitStatus::Changes);
    assert_eq!(run(&[of(full())], DocumentFormat::Text, true).0, ExitStatus::Failed);
    let failed = || PlanOutcome::Failed { source: "b".parse().unwrap(), message: "cannot be reached".to_owned() };
    let (status, out, err) = run(&[of(empty()), failed()], DocumentFormat::Json, true);
    assert_eq!(status, ExitStatus::Failed);
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["plans"].as_array().unwrap().len(), 1);
    assert_eq!(document["problems"][0]["source"], "b");
    assert_eq!(err, "error: source b: cannot be reached\n");
}

#[test]
fn nothing_to_do_is_said() {
    let (_, out, _) = run(&[of(empty())], DocumentFormat::Text, false);
    assert!(out.contains("Plan: nothing is to be done"), "{out}");
}

#[test]
fn a_difference_is_an_answer() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut output = Output { out: &mut out, err: &mut err, colour: false, err_colour: false, width: 100 };
    assert_eq!(diff(&[of(full())], DocumentFormat::Yaml, &mut output).unwrap(), ExitStatus::Success);
    let document: Value = serde_yaml::from_slice(&out).unwrap();
    assert_eq!(document["sources"][0]["changes"].as_array().unwrap().len(), 3);
}

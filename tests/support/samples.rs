//! Small builders of domain values, for tests that need some and do not care which.

use std::collections::BTreeMap;

use meshwright::domain::canonical;
use meshwright::domain::change::{Change, ChangeKind, Difference};
use meshwright::domain::descriptor::VersionRef;
use meshwright::domain::finding::{Finding, Location, RuleId};
use meshwright::domain::id::{ContainerId, Digest, Fqn, RepoPath, Revision, SourceName};
use meshwright::domain::plan::{ActivityId, Plan, PlannedActivity, PlannedTask, TaskKey};
use meshwright::domain::report::{Report, ReportContext, ReportState};
use meshwright::domain::stage::Phase;
use meshwright::domain::time::Timestamp;
use meshwright::port::store::{DescriptorEntry, Pass, VersionEntry};
use serde_json::{Value, json};

/// The source that samples are of, unless they say otherwise.
pub fn source() -> SourceName {
    "retail".parse().unwrap()
}

/// The commit with this number.
pub fn revision(number: u64) -> Revision {
    format!("{number:040x}").parse().unwrap()
}

/// A product's major version in the namespace `com.example`.
pub fn product(name: &str, major: u64) -> Fqn {
    Fqn::product(&"com.example".parse().unwrap(), name, major)
}

/// A path inside a repository.
pub fn path(text: &str) -> RepoPath {
    text.parse().unwrap()
}

/// A container.
pub fn container(name: &str, stage: &str) -> ContainerId {
    ContainerId { product: product(name, 1), stage: stage.parse().unwrap() }
}

/// A time: this many seconds after the samples' beginning.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

/// Content of a product; `mark` makes it differ from others.
pub fn content(name: &str, number: &str, mark: &str) -> Value {
    json!({"info": {"name": name, "version": number, "description": mark}})
}

/// A version with the content that has this mark.
pub fn version(name: &str, number: &str, mark: &str) -> VersionRef {
    VersionRef { version: number.parse().unwrap(), digest: canonical::digest(&content(name, number, mark)) }
}

/// A version of major 1 as it is recorded, with the content that has this mark.
pub fn version_entry(name: &str, number: &str, mark: &str) -> VersionEntry {
    let version = version(name, number, mark);
    VersionEntry {
        product: product(name, version.version.major),
        version,
        content: content(name, number, mark).into(),
        path: path(&format!("{name}/data-product-descriptor.yaml")),
        display_name: name.to_uppercase(),
        domain: "sales".to_owned(),
        owner: "owner@example.com".to_owned(),
        upstream: Vec::new(),
    }
}

/// An error at the top of a file.
pub fn error(rule: &'static str, file: &str) -> Finding {
    Finding::error(RuleId::built_in(rule), Location::top_of(path(file)), "", format!("{rule} is broken"))
        .with_hint("mend it")
}

/// A report about a commit.
pub fn report(number: u64, state: ReportState, description: &str) -> Report {
    Report::new(&source(), &revision(number), &ReportContext::Plan, state, description)
}

/// A pass that is put together step by step.
#[derive(Debug, Clone)]
pub struct PassSample {
    pass: Pass,
}

impl PassSample {
    /// A pass over a commit, as the one after `sequence` others.
    pub fn new(number: u64, sequence: u64) -> Self {
        let plan = Plan {
            source: source(),
            revision: revision(number),
            sequence,
            policies: Digest::of(b"policies"),
            changes: Vec::new(),
            refused: Vec::new(),
            activities: Vec::new(),
            held: Vec::new(),
            withdrawn: Vec::new(),
            findings: Default::default(),
            digest: Digest::of(b"not known yet"),
        };
        let pass = Pass {
            plan,
            url: "https://example.com/retail.git".to_owned(),
            branch: "main".to_owned(),
            platform: Digest::of(b"platform"),
            at: at(i64::try_from(number).unwrap()),
            complete: false,
            descriptors: Vec::new(),
            gone: Vec::new(),
            findings: Vec::new(),
            versions: Vec::new(),
            verdicts: Vec::new(),
            reports: Vec::new(),
            instead: Vec::new(),
            condition: None,
        };
        Self { pass }
    }

    /// Changes whatever has no step of its own.
    pub fn with(mut self, change: impl FnOnce(&mut Pass)) -> Self {
        change(&mut self.pass);
        self
    }

    /// The same for another source.
    pub fn of(self, source: &str) -> Self {
        self.with(|pass| pass.plan.source = source.parse().unwrap())
    }

    /// A descriptor that was read, with what was found in it.
    pub fn descriptor(self, file: &str, others: &[&str], findings: Vec<Finding>) -> Self {
        let files = std::iter::once(file).chain(others.iter().copied()).map(path).collect();
        let entry = DescriptorEntry { path: path(file), files, product: None, digest: None, findings, again: false };
        self.with(|pass| pass.descriptors.push(entry))
    }

    /// A new version with its descriptor and its change.
    pub fn version(self, name: &str, number: &str, mark: &str) -> Self {
        let entry = version_entry(name, number, mark);
        self.with(|pass| {
            pass.descriptors.push(DescriptorEntry {
                path: entry.path.clone(),
                files: vec![entry.path.clone()],
                product: Some(entry.product.clone()),
                digest: Some(entry.version.digest.clone()),
                findings: Vec::new(),
                again: false,
            });
            pass.plan.changes.push(change(&entry, ChangeKind::Created));
            pass.versions.push(entry);
        })
    }

    /// A product that has left the source.
    pub fn retire(self, name: &str) -> Self {
        let entry = version_entry(name, "1.0.0", "");
        self.with(|pass| pass.plan.changes.push(Change { to: None, ..change(&entry, ChangeKind::Retired) }))
    }

    /// An activity with the tasks `provision` and `build`.
    pub fn activity(self, name: &str, stage: &str, number: &str, mark: &str) -> Self {
        let to = version(name, number, mark);
        self.with(|pass| {
            let container = container(name, stage);
            let plan = &pass.plan;
            let id = ActivityId::derive(&plan.source, &plan.revision, plan.sequence, &container, &to.digest);
            let tasks = [("provision", Phase::Provision), ("build", Phase::Build)];
            let tasks = (0..).zip(tasks).map(|(index, (name, phase))| PlannedTask {
                name: name.to_owned(),
                phase,
                executor: Some("warehouse".parse().unwrap()),
                template: json!({"steps": [1, 2.5, "three"]}).into(),
                configurations: json!({"b": null, "a": "${dev.results.provision.url}"}).into(),
                timeout_seconds: 60,
                attempts: 3,
                key: TaskKey::derive(&id, index, name),
            });
            let activity = PlannedActivity {
                id: id.clone(),
                container,
                to,
                from: None,
                path: path(&format!("{name}/data-product-descriptor.yaml")),
                after: Vec::new(),
                upstream: BTreeMap::new(),
                tasks: tasks.collect(),
            };
            pass.plan.activities.push(activity);
        })
    }

    /// The pass, its plan with a digest.
    pub fn build(mut self) -> Pass {
        let plan = serde_json::to_vec(&self.pass.plan).unwrap();
        self.pass.plan.digest = Digest::of(&plan);
        self.pass
    }
}

fn change(entry: &VersionEntry, kind: ChangeKind) -> Change {
    Change {
        product: entry.product.clone(),
        kind,
        path: entry.path.clone(),
        from: None,
        to: Some(entry.version.clone()),
        succeeds: None,
        difference: Difference::default(),
        compatibility: None,
    }
}

//! A record with a few rows, for tests of what is shown. Nothing can be written to it.

mod reports;
mod sharing;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::domain::activity::{ActivityEvent, ActivityState, ActivityStatus, FencingToken, fold};
use crate::domain::descriptor::{Content, VersionRef};
use crate::domain::finding::{Finding, Location, RuleId};
use crate::domain::forge::delivery::{CommandRequest, Delivery};
use crate::domain::forge::{Proposal, PullState};
use crate::domain::id::{ContainerId, Digest, Fqn, RepoPath, Revision, SourceName, StageName};
use crate::domain::plan::{ActivityId, Plan, PlannedActivity, PlannedTask, TaskKey};
use crate::domain::report::Report;
use crate::domain::source::Condition;
use crate::domain::stage::Phase;
use crate::domain::time::Timestamp;
use crate::port::store::{
    ActivityBook, ActivityRecord, ActivityRow, AnsweredCommand, AppendError, AuditRow, ContainerRecord, ContainerRow,
    DeliveryBook, DeliveryRow, FindingRow, History, HistoryBook, Kept, LeaseRow, LogLine, Look, Pass, PassBook,
    PassRow, ProductRow, ProposalBook, ProposalRecord, ProposalRow, Recorded, RecordedVersion, ReportRow, Retention,
    SourceRecord, SourceRow, StageStanding, Standing, StoreError, VersionRow, WakeRow,
};

/// The record; a locked one answers nothing.
pub(super) struct FakeRecord {
    pub(super) locked: bool,
}

pub(super) fn revision() -> Revision {
    "0123456789abcdef0123456789abcdef01234567".parse().unwrap()
}

fn fqn(name: &str, major: u64) -> Fqn {
    format!("urn:dpds:com.example:dataproducts:{name}:{major}").parse().unwrap()
}

fn product(name: &str, major: u64, source: &str, upstream: &[&str]) -> ProductRow {
    ProductRow {
        product: fqn(name, major),
        display_name: name.to_owned(),
        domain: "数据".to_owned(),
        owner: "evil\u{1b}[2J@example.com".to_owned(),
        version: format!("{major}.2.0"),
        digest: Digest::of(name.as_bytes()),
        source: source.parse().unwrap(),
        path: format!("{name}/dp.yaml"),
        retired: false,
        upstream: upstream.iter().map(|text| text.parse().unwrap()).collect(),
    }
}

/// The id of the one activity that can be described.
pub(super) fn activity_id() -> ActivityId {
    "act-0000000000000000".parse().unwrap()
}

fn at() -> Timestamp {
    "2026-11-20T10:00:00.5Z".parse().unwrap()
}

fn events() -> Vec<ActivityEvent> {
    vec![
        ActivityEvent::Claimed { token: FencingToken(7) },
        ActivityEvent::TaskStarted { task: 0, attempt: 1, deadline: None },
        ActivityEvent::TaskSucceeded { task: 0, results: json!({ "schema": "dev_trips_v1" }) },
        ActivityEvent::TaskStarted { task: 1, attempt: 1, deadline: None },
        ActivityEvent::TaskFailed {
            task: 1,
            attempt: 1,
            kind: crate::domain::activity::FailureKind::Permanent,
            message: "no\u{1b}[2Jroom".to_owned(),
            retry: false,
            again: None,
        },
        ActivityEvent::Failed,
    ]
}

#[async_trait]
impl Look for FakeRecord {
    async fn sources(&self) -> Result<Vec<SourceRow>, StoreError> {
        Ok(vec![SourceRow {
            name: "a".parse().unwrap(),
            url: "../products".to_owned(),
            branch: "main".to_owned(),
            revision: Some(revision()),
            descriptors: 2,
            with_errors: 1,
            seen_at: Some(at().to_string()),
            condition: Some("unreachable".to_owned()),
            message: Some("the repository cannot be reached".to_owned()),
        }])
    }

    async fn products(&self) -> Result<Vec<ProductRow>, StoreError> {
        if self.locked {
            return Err(StoreError::Unavailable("locked".to_owned()));
        }
        let port = "urn:dpds:com.example:dataproducts:trips:1:outputports:trips";
        Ok(vec![
            product("trips", 1, "a", &[]),
            product("orders", 1, "b", &[port]),
            product("fleet", 1, "b", &[]),
            product("fleet", 2, "b", &[]),
        ])
    }

    async fn versions(&self, of: Option<&Fqn>) -> Result<Vec<VersionRow>, StoreError> {
        let product = of.cloned().unwrap_or_else(|| fqn("trips", 1));
        Ok(vec![VersionRow {
            version: format!("{}.2.0", product.major().unwrap()),
            product,
            digest: Digest::of(b""),
            revision: revision(),
            released: true,
            recorded_at: at().to_string(),
        }])
    }

    async fn content(&self, _: &Digest) -> Result<Option<Value>, StoreError> {
        Ok(Some(json!({ "info": { "name": "trips", "description": "x\u{202e}y" } })))
    }

    async fn container_rows(&self) -> Result<Vec<ContainerRow>, StoreError> {
        Ok(vec![ContainerRow {
            product: fqn("trips", 1),
            stage: "dev".to_owned(),
            version: "1.1.0".to_owned(),
            digest: Digest::of(b""),
            revision: revision(),
            activity: activity_id().to_string(),
            since: at().to_string(),
        }])
    }

    async fn activity_rows(&self, limit: usize) -> Result<Vec<ActivityRow>, StoreError> {
        let row = |number: usize| ActivityRow {
            activity: format!("act-{number:016x}"),
            product: fqn(if number.is_multiple_of(2) { "trips" } else { "orders" }, 1),
            stage: "dev".to_owned(),
            version: "1.2.0".to_owned(),
            status: "failed".to_owned(),
            done: 1,
            tasks: 2,
            source: "a".parse().unwrap(),
            revision: revision(),
            planned_at: at().to_string(),
            message: Some("no\nroom".to_owned()),
            refused_events: 0,
        };
        Ok((0..100).take(limit).map(row).collect())
    }

    async fn report_rows(&self, _: usize) -> Result<Vec<ReportRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn delivery_rows(&self, limit: usize) -> Result<Vec<DeliveryRow>, StoreError> {
        let row = |woke: &[&str], reference: &str| DeliveryRow {
            forge: "hub".parse().unwrap(),
            delivery: "d-1".to_owned(),
            event: "pull_request".to_owned(),
            action: Some("opened".to_owned()),
            repository: Some("acme/retail".to_owned()),
            reference: Some(reference.to_owned()),
            head: Some(revision()),
            received_at: at().to_string(),
            times: 2,
            verdict: if woke.is_empty() { "ignored" } else { "woke" }.to_owned(),
            woke: woke.iter().map(|target| (*target).to_owned()).collect(),
        };
        let rows = [row(&["a pull/7", "b"], "main"), row(&[], "x\u{1b}[2J\u{202e}y"), row(&["ab"], "main")];
        Ok(rows.into_iter().take(limit).collect())
    }

    async fn audit_rows(&self, _: usize) -> Result<Vec<AuditRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn finding_rows(&self, _: Option<&SourceName>) -> Result<Vec<FindingRow>, StoreError> {
        let location = Location::top_of("trips/dp.yaml".parse().unwrap());
        let finding = Finding::warning(RuleId::built_in("schema/unknown-field"), location, "", "nobody reads 'x'");
        Ok(vec![FindingRow { source: "a".parse().unwrap(), revision: revision(), finding }])
    }

    async fn proposal_rows(&self, _: Option<&SourceName>, limit: usize) -> Result<Vec<ProposalRow>, StoreError> {
        let row = |number: usize| ProposalRow {
            source: if number.is_multiple_of(2) { "a" } else { "b" }.parse().unwrap(),
            proposal: format!("pull/{number}"),
            state: "open".to_owned(),
            head: revision(),
            base: revision(),
            result: None,
            fork: number == 1,
            author: "mona".to_owned(),
            title: "Add\u{1b}[2J a column\n@everyone".to_owned(),
            verdict: "refused".to_owned(),
            summary: "1 descriptor with errors".to_owned(),
            assessed_at: at().to_string(),
        };
        Ok((1..=100).take(limit).map(row).collect())
    }

    async fn pass_rows(&self, source: Option<&SourceName>, _: usize) -> Result<Vec<PassRow>, StoreError> {
        Ok(vec![PassRow {
            source: source.cloned().unwrap_or_else(|| "a".parse().unwrap()),
            revision: revision(),
            plan: Digest::of(b"plan"),
            policies: Digest::of(b"policies"),
            at: at().to_string(),
        }])
    }

    async fn wake_rows(&self, _: usize) -> Result<Vec<WakeRow>, StoreError> {
        unreachable!("not shown")
    }

    async fn lease_rows(&self) -> Result<Vec<LeaseRow>, StoreError> {
        unreachable!("not shown")
    }
}

#[async_trait]
impl ActivityBook for FakeRecord {
    async fn unfinished(&self) -> Result<Vec<ActivityRecord>, StoreError> {
        unreachable!("not shown")
    }

    async fn activity(&self, id: &ActivityId) -> Result<Option<ActivityRecord>, StoreError> {
        if *id != activity_id() {
            return Ok(None);
        }
        let task = |index: usize, name: &str, phase| PlannedTask {
            name: name.to_owned(),
            phase,
            executor: Some("warehouse".parse().unwrap()),
            template: Content::default(),
            configurations: Content::default(),
            timeout_seconds: 60,
            attempts: 1,
            key: TaskKey::derive(&activity_id(), index, name),
        };
        let version = |text: &str| VersionRef { version: text.parse().unwrap(), digest: Digest::of(b"") };
        Ok(Some(ActivityRecord {
            planned: PlannedActivity {
                id: activity_id(),
                container: ContainerId { product: fqn("trips", 1), stage: "dev".parse().unwrap() },
                to: version("1.2.0"),
                from: Some(version("1.1.0")),
                path: "trips/dp.yaml".parse().unwrap(),
                after: Vec::new(),
                upstream: Default::default(),
                tasks: vec![task(0, "storage", Phase::Provision), task(1, "load", Phase::Build)],
            },
            plan: Digest::of(b"plan"),
            source: "a".parse().unwrap(),
            revision: revision(),
            state: fold(2, &events()).unwrap(),
            planned_at: at(),
        }))
    }

    async fn activities_of(&self, _: &SourceName, _: &Revision) -> Result<Vec<ActivityRecord>, StoreError> {
        unreachable!("not shown")
    }

    async fn stage_standing(
        &self,
        _: &SourceName,
        _: &Revision,
        _: &StageName,
    ) -> Result<Vec<StageStanding>, StoreError> {
        unreachable!("not shown")
    }
    async fn count_at(
        &self,
        _: &SourceName,
        _: &Revision,
        _: &StageName,
        _: &[ActivityStatus],
        _: usize,
    ) -> Result<usize, StoreError> {
        unreachable!("not shown")
    }
    async fn troubled(&self, _: &SourceName) -> Result<Vec<ActivityRecord>, StoreError> {
        unreachable!("not shown")
    }
    async fn claim(
        &self,
        _: &ActivityId,
        _: &str,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Option<FencingToken>, StoreError> {
        unreachable!("nothing is written")
    }

    async fn append(
        &self,
        _: &ActivityId,
        _: Option<FencingToken>,
        _: &ActivityEvent,
        _: Timestamp,
    ) -> Result<ActivityState, AppendError> {
        unreachable!("nothing is written")
    }

    async fn events(&self, _: &ActivityId) -> Result<Vec<(Timestamp, ActivityEvent)>, StoreError> {
        Ok(events().into_iter().map(|event| (at(), event)).collect())
    }

    async fn append_log(&self, _: &ActivityId, _: FencingToken, _: &[LogLine]) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn log(&self, _: &ActivityId) -> Result<Vec<LogLine>, StoreError> {
        let line = |number: usize| LogLine { task: 1, attempt: 1, at: at(), line: format!("line {number}\u{1b}[2J") };
        Ok((1..=250).map(line).collect())
    }
}

#[async_trait]
impl PassBook for FakeRecord {
    async fn source(&self, _: &SourceName) -> Result<Option<SourceRecord>, StoreError> {
        unreachable!("not shown")
    }

    async fn note_condition(
        &self,
        _: &SourceName,
        _: &str,
        _: &str,
        _: Option<&Condition>,
        _: Timestamp,
    ) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn descriptors_reading(&self, _: &SourceName, _: &[RepoPath]) -> Result<Vec<RepoPath>, StoreError> {
        unreachable!("not shown")
    }

    async fn descriptors(&self, _: &SourceName) -> Result<Vec<(RepoPath, Option<Fqn>)>, StoreError> {
        Ok(vec![("trips/dp.yaml".parse().unwrap(), Some(fqn("trips", 1))), ("broken/dp.yaml".parse().unwrap(), None)])
    }

    async fn held_back(&self, _: &SourceName) -> Result<Vec<RepoPath>, StoreError> {
        unreachable!("not shown")
    }
    async fn standing(&self, _: &SourceName) -> Result<Vec<Standing>, StoreError> {
        unreachable!("not shown")
    }

    async fn latest_versions(&self, _: &[Fqn]) -> Result<Vec<RecordedVersion>, StoreError> {
        unreachable!("not shown")
    }

    async fn version_numbers(&self, _: &Fqn) -> Result<Vec<(VersionRef, bool)>, StoreError> {
        unreachable!("not shown")
    }

    async fn containers(&self, _: &[Fqn]) -> Result<Vec<ContainerRecord>, StoreError> {
        unreachable!("not shown")
    }

    async fn record_pass(&self, _: &Pass) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn plan(&self, _: &Digest) -> Result<Option<Plan>, StoreError> {
        unreachable!("not shown")
    }
}

#[async_trait]
impl ProposalBook for FakeRecord {
    async fn proposal(&self, _: &SourceName, _: &Proposal) -> Result<Option<ProposalRecord>, StoreError> {
        unreachable!("not shown")
    }

    async fn open_proposals(&self, _: &SourceName) -> Result<Vec<ProposalRecord>, StoreError> {
        unreachable!("not shown")
    }

    async fn record_proposal(&self, _: &ProposalRecord, _: &[Report]) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn close_proposal(&self, _: &SourceName, _: &Proposal, _: PullState) -> Result<bool, StoreError> {
        unreachable!("nothing is written")
    }

    async fn assess_again(&self, _: &SourceName, _: &Proposal) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }
}

#[async_trait]
impl HistoryBook for FakeRecord {
    async fn prune(&self, _: History, _: &Kept, _: usize, _: bool) -> Result<u64, StoreError> {
        unreachable!("nothing is written")
    }

    async fn needed_tasks(&self) -> Result<Vec<TaskKey>, StoreError> {
        unreachable!("not shown")
    }
}

#[async_trait]
impl DeliveryBook for FakeRecord {
    async fn record_delivery(&self, _: Delivery) -> Result<Recorded, StoreError> {
        unreachable!("nothing is written")
    }

    async fn open_commands(&self, _: usize, _: &[SourceName]) -> Result<Vec<CommandRequest>, StoreError> {
        unreachable!("not shown")
    }

    async fn answered_commands(&self, _: &SourceName, _: u64, _: usize) -> Result<Vec<AnsweredCommand>, StoreError> {
        unreachable!("not shown")
    }

    async fn asked_elsewhere(&self, _: &CommandRequest) -> Result<Vec<Option<String>>, StoreError> {
        unreachable!("not shown")
    }

    async fn command_done(&self, _: &CommandRequest, _: &str, _: Timestamp) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn forget_deliveries(&self, _: &Retention) -> Result<u64, StoreError> {
        unreachable!("nothing is written")
    }
}

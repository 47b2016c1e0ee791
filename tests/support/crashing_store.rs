//! A store that stops answering after a number of recorded events, as if the process had been
//! killed right then: what was written before stays, and nothing is written any more.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use meshwright::domain::activity::{ActivityEvent, ActivityState, ActivityStatus, FencingToken};
use meshwright::domain::descriptor::VersionRef;
use meshwright::domain::forge::delivery::{CommandRequest, Delivery};
use meshwright::domain::forge::{Approval, Hold, Proposal, PullState};
use meshwright::domain::id::{Digest, Fqn, RepoPath, Revision, SourceName, StageName};
use meshwright::domain::plan::{ActivityId, Plan, TaskKey};
use meshwright::domain::report::Report;
use meshwright::domain::source::Condition;
use meshwright::domain::time::Timestamp;
use meshwright::port::store::*;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A store that dies after `left` writes. `died` is cancelled at that moment.
pub struct CrashingStore {
    inner: Arc<dyn Store>,
    left: Arc<AtomicI64>,
    pub died: CancellationToken,
}

impl CrashingStore {
    /// Dies after this many writes.
    pub fn new(inner: Arc<dyn Store>, writes: i64) -> Self {
        Self { inner, left: Arc::new(AtomicI64::new(writes)), died: CancellationToken::new() }
    }

    /// The same, over the same record on other terms.
    fn over(&self, inner: Arc<dyn Store>) -> Self {
        Self { inner, left: Arc::clone(&self.left), died: self.died.clone() }
    }

    /// How many writes were made of those that were allowed.
    pub fn writes_left(&self) -> i64 {
        self.left.load(Ordering::SeqCst)
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.left.load(Ordering::SeqCst) > 0 { Ok(()) } else { Err(dead()) }
    }

    /// Counts a write that is about to be made; the last one is made, and then the store is dead.
    fn count(&self) -> Result<(), StoreError> {
        let before = self.left.fetch_sub(1, Ordering::SeqCst);
        if before <= 0 { Err(dead()) } else { Ok(()) }
    }

    fn after_write(&self) -> Result<(), StoreError> {
        if self.left.load(Ordering::SeqCst) <= 0 {
            // The write was made, and whoever made it never learns of it.
            self.died.cancel();
            return Err(dead());
        }
        Ok(())
    }
}

fn dead() -> StoreError {
    StoreError::Unavailable("killed".to_owned())
}

/// Reads through, while alive.
macro_rules! read {
    ($self:ident . $($call:tt)*) => {{
        $self.alive()?;
        $self.inner.$($call)*.await
    }};
}

/// Writes through, and dies after the last write.
macro_rules! write {
    ($self:ident . $($call:tt)*) => {{
        $self.count()?;
        let outcome = $self.inner.$($call)*.await?;
        $self.after_write()?;
        Ok(outcome)
    }};
}

#[async_trait]
impl PassBook for CrashingStore {
    async fn source(&self, source: &SourceName) -> Result<Option<SourceRecord>, StoreError> {
        read!(self.source(source))
    }
    async fn note_condition(
        &self,
        source: &SourceName,
        url: &str,
        branch: &str,
        condition: Option<&Condition>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        read!(self.note_condition(source, url, branch, condition, at))
    }
    async fn descriptors_reading(&self, source: &SourceName, files: &[RepoPath]) -> Result<Vec<RepoPath>, StoreError> {
        read!(self.descriptors_reading(source, files))
    }
    async fn descriptors(&self, source: &SourceName) -> Result<Vec<(RepoPath, Option<Fqn>)>, StoreError> {
        read!(self.descriptors(source))
    }
    async fn held_back(&self, source: &SourceName) -> Result<Vec<RepoPath>, StoreError> {
        read!(self.held_back(source))
    }
    async fn standing(&self, source: &SourceName) -> Result<Vec<Standing>, StoreError> {
        read!(self.standing(source))
    }
    async fn latest_versions(&self, products: &[Fqn]) -> Result<Vec<RecordedVersion>, StoreError> {
        read!(self.latest_versions(products))
    }
    async fn version_numbers(&self, product: &Fqn) -> Result<Vec<(VersionRef, bool)>, StoreError> {
        read!(self.version_numbers(product))
    }
    async fn containers(&self, products: &[Fqn]) -> Result<Vec<ContainerRecord>, StoreError> {
        read!(self.containers(products))
    }
    async fn record_pass(&self, pass: &Pass) -> Result<(), StoreError> {
        write!(self.record_pass(pass))
    }
    async fn plan(&self, digest: &Digest) -> Result<Option<Plan>, StoreError> {
        read!(self.plan(digest))
    }
}

#[async_trait]
impl ActivityBook for CrashingStore {
    async fn unfinished(&self) -> Result<Vec<ActivityRecord>, StoreError> {
        read!(self.unfinished())
    }
    async fn activity(&self, id: &ActivityId) -> Result<Option<ActivityRecord>, StoreError> {
        read!(self.activity(id))
    }
    async fn activities_of(&self, source: &SourceName, revision: &Revision) -> Result<Vec<ActivityRecord>, StoreError> {
        read!(self.activities_of(source, revision))
    }
    async fn stage_standing(
        &self,
        source: &SourceName,
        revision: &Revision,
        stage: &StageName,
    ) -> Result<Vec<StageStanding>, StoreError> {
        read!(self.stage_standing(source, revision, stage))
    }
    async fn count_at(
        &self,
        source: &SourceName,
        revision: &Revision,
        stage: &StageName,
        statuses: &[ActivityStatus],
        most: usize,
    ) -> Result<usize, StoreError> {
        read!(self.count_at(source, revision, stage, statuses, most))
    }
    async fn troubled(&self, source: &SourceName) -> Result<Vec<ActivityRecord>, StoreError> {
        read!(self.troubled(source))
    }
    async fn claim(
        &self,
        id: &ActivityId,
        holder: &str,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Option<FencingToken>, StoreError> {
        write!(self.claim(id, holder, at, until))
    }
    async fn append(
        &self,
        id: &ActivityId,
        token: Option<FencingToken>,
        event: &ActivityEvent,
        at: Timestamp,
    ) -> Result<ActivityState, AppendError> {
        write!(self.append(id, token, event, at))
    }
    async fn events(&self, id: &ActivityId) -> Result<Vec<(Timestamp, ActivityEvent)>, StoreError> {
        read!(self.events(id))
    }
    async fn append_log(&self, id: &ActivityId, token: FencingToken, lines: &[LogLine]) -> Result<(), StoreError> {
        read!(self.append_log(id, token, lines))
    }
    async fn log(&self, id: &ActivityId) -> Result<Vec<LogLine>, StoreError> {
        read!(self.log(id))
    }
}

#[async_trait]
impl ReportBook for CrashingStore {
    async fn unpublished(
        &self,
        sources: &[SourceName],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<WantedReport>, StoreError> {
        read!(self.unpublished(sources, now, limit))
    }
    async fn sources_with_unpublished(&self) -> Result<Vec<SourceName>, StoreError> {
        read!(self.sources_with_unpublished())
    }
    async fn pending(&self, source: &SourceName, context: &str) -> Result<Vec<Revision>, StoreError> {
        read!(self.pending(source, context))
    }
    async fn want(&self, reports: &[Report], at: Timestamp) -> Result<(), StoreError> {
        write!(self.want(reports, at))
    }
    async fn untold(&self) -> Result<Vec<Untold>, StoreError> {
        read!(self.untold())
    }
    async fn tell(
        &self,
        stage: &StageName,
        basis: &Basis,
        reports: &[Report],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        // How often it is told is a matter of time. A crash after it is one before the next write, and one before
        // it one after the last.
        read!(self.tell(stage, basis, reports, at))
    }
    async fn write_anew(&self, source: &SourceName, revision: &Revision, at: Timestamp) -> Result<(), StoreError> {
        write!(self.write_anew(source, revision, at))
    }
    async fn wanted_comment(&self, source: &SourceName, pull: u64) -> Result<Option<Report>, StoreError> {
        read!(self.wanted_comment(source, pull))
    }
    async fn published(&self, report: &WantedReport, external: Option<&str>, at: Timestamp) -> Result<(), StoreError> {
        write!(self.published(report, external, at))
    }
    async fn failed(
        &self,
        report: &WantedReport,
        message: &str,
        again: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        write!(self.failed(report, message, again, at))
    }
    async fn pause(
        &self,
        sources: &[SourceName],
        why: &Pause,
        until: Timestamp,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        write!(self.pause(sources, why, until, at))
    }
    async fn to_verify(
        &self,
        sources: &[SourceName],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<WantedReport>, StoreError> {
        read!(self.to_verify(sources, now, limit))
    }
    async fn verified(&self, report: &WantedReport, at: Timestamp) -> Result<(), StoreError> {
        write!(self.verified(report, at))
    }
    async fn lost(&self, report: &WantedReport, at: Timestamp) -> Result<(), StoreError> {
        write!(self.lost(report, at))
    }
}

#[async_trait]
impl ApprovalBook for CrashingStore {
    async fn decide(&self, decision: &Decision) -> Result<(), StoreError> {
        write!(self.decide(decision))
    }
    async fn decided(&self, request: &str) -> Result<Option<String>, StoreError> {
        read!(self.decided(request))
    }
    async fn approvals(&self, plan: &Digest, stage: &StageName) -> Result<Vec<Approval>, StoreError> {
        read!(self.approvals(plan, stage))
    }
    async fn holds(&self) -> Result<Vec<Hold>, StoreError> {
        read!(self.holds())
    }
    async fn to_retry(&self, source: &SourceName) -> Result<Vec<RepoPath>, StoreError> {
        read!(self.to_retry(source))
    }
}

#[async_trait]
impl DeliveryBook for CrashingStore {
    async fn record_delivery(&self, delivery: Delivery) -> Result<Recorded, StoreError> {
        write!(self.record_delivery(delivery))
    }
    async fn open_commands(&self, limit: usize, except: &[SourceName]) -> Result<Vec<CommandRequest>, StoreError> {
        read!(self.open_commands(limit, except))
    }
    async fn answered_commands(
        &self,
        source: &SourceName,
        pull: u64,
        limit: usize,
    ) -> Result<Vec<AnsweredCommand>, StoreError> {
        read!(self.answered_commands(source, pull, limit))
    }
    async fn asked_elsewhere(&self, command: &CommandRequest) -> Result<Vec<Option<String>>, StoreError> {
        read!(self.asked_elsewhere(command))
    }
    async fn command_done(&self, command: &CommandRequest, outcome: &str, at: Timestamp) -> Result<(), StoreError> {
        write!(self.command_done(command, outcome, at))
    }
    async fn forget_deliveries(&self, keep: &Retention) -> Result<u64, StoreError> {
        write!(self.forget_deliveries(keep))
    }
}

#[async_trait]
impl HistoryBook for CrashingStore {
    async fn prune(&self, part: History, keep: &Kept, most: usize, dry_run: bool) -> Result<u64, StoreError> {
        write!(self.prune(part, keep, most, dry_run))
    }
    async fn needed_tasks(&self) -> Result<Vec<TaskKey>, StoreError> {
        read!(self.needed_tasks())
    }
}

#[async_trait]
impl ProposalBook for CrashingStore {
    async fn proposal(&self, source: &SourceName, proposal: &Proposal) -> Result<Option<ProposalRecord>, StoreError> {
        read!(self.proposal(source, proposal))
    }
    async fn open_proposals(&self, source: &SourceName) -> Result<Vec<ProposalRecord>, StoreError> {
        read!(self.open_proposals(source))
    }
    async fn record_proposal(&self, record: &ProposalRecord, reports: &[Report]) -> Result<(), StoreError> {
        write!(self.record_proposal(record, reports))
    }
    async fn close_proposal(
        &self,
        source: &SourceName,
        proposal: &Proposal,
        state: PullState,
    ) -> Result<bool, StoreError> {
        write!(self.close_proposal(source, proposal, state))
    }
    async fn assess_again(&self, source: &SourceName, proposal: &Proposal) -> Result<(), StoreError> {
        write!(self.assess_again(source, proposal))
    }
}

#[async_trait]
impl Look for CrashingStore {
    async fn sources(&self) -> Result<Vec<SourceRow>, StoreError> {
        read!(self.sources())
    }
    async fn products(&self) -> Result<Vec<ProductRow>, StoreError> {
        read!(self.products())
    }
    async fn versions(&self, product: Option<&Fqn>) -> Result<Vec<VersionRow>, StoreError> {
        read!(self.versions(product))
    }
    async fn content(&self, product: &Fqn, version: &str) -> Result<Option<Value>, StoreError> {
        read!(self.content(product, version))
    }
    async fn container_rows(&self) -> Result<Vec<ContainerRow>, StoreError> {
        read!(self.container_rows())
    }
    async fn activity_rows(&self, limit: usize) -> Result<Vec<ActivityRow>, StoreError> {
        read!(self.activity_rows(limit))
    }
    async fn report_rows(&self, limit: usize) -> Result<Vec<ReportRow>, StoreError> {
        read!(self.report_rows(limit))
    }
    async fn delivery_rows(&self, limit: usize) -> Result<Vec<DeliveryRow>, StoreError> {
        read!(self.delivery_rows(limit))
    }
    async fn audit_rows(&self, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        read!(self.audit_rows(limit))
    }
    async fn finding_rows(&self, source: Option<&SourceName>) -> Result<Vec<FindingRow>, StoreError> {
        read!(self.finding_rows(source))
    }
    async fn proposal_rows(&self, source: Option<&SourceName>, limit: usize) -> Result<Vec<ProposalRow>, StoreError> {
        read!(self.proposal_rows(source, limit))
    }
    async fn pass_rows(&self, source: Option<&SourceName>, limit: usize) -> Result<Vec<PassRow>, StoreError> {
        read!(self.pass_rows(source, limit))
    }
    async fn wake_rows(&self, limit: usize) -> Result<Vec<WakeRow>, StoreError> {
        read!(self.wake_rows(limit))
    }
    async fn lease_rows(&self) -> Result<Vec<LeaseRow>, StoreError> {
        read!(self.lease_rows())
    }
}

#[async_trait]
impl WakeBook for CrashingStore {
    async fn wake(&self, wakes: &[Wake]) -> Result<(), StoreError> {
        write!(self.wake(wakes))
    }
    async fn take_wake(&self, ask: &TakeWake<'_>) -> Result<Option<TakenWake>, StoreError> {
        write!(self.take_wake(ask))
    }
    async fn settle_wake(&self, taken: &TakenWake, end: &LookEnd, now: Timestamp) -> Result<bool, StoreError> {
        write!(self.settle_wake(taken, end, now))
    }
    async fn next_wake(&self) -> Result<Option<Timestamp>, StoreError> {
        read!(self.next_wake())
    }
}

/// Leases are not counted: they end by themselves, so dying after one is dying before the next write.
#[async_trait]
impl LeaseBook for CrashingStore {
    async fn take_lease(
        &self,
        name: &LeaseName,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        read!(self.take_lease(name, holder, now, until))
    }
    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<bool, StoreError> {
        read!(self.renew(lease, until))
    }
    async fn hand_back(&self, lease: &Lease) -> Result<(), StoreError> {
        read!(self.hand_back(lease))
    }
    async fn recover(&self, holder: &str, now: Timestamp) -> Result<u64, StoreError> {
        read!(self.recover(holder, now))
    }
    async fn present(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        read!(self.present(now))
    }
    async fn held_by_others(&self, holder: &str, now: Timestamp) -> Result<BTreeSet<ActivityId>, StoreError> {
        read!(self.held_by_others(holder, now))
    }
}

#[async_trait]
impl Terms for CrashingStore {
    fn under(&self, lease: &Lease) -> Arc<dyn Store> {
        Arc::new(self.over(self.inner.under(lease)))
    }
    fn upon(&self, basis: &Basis) -> Arc<dyn Store> {
        Arc::new(self.over(self.inner.upon(basis)))
    }
    async fn basis(&self, source: &SourceName, of: Matter) -> Result<Basis, StoreError> {
        read!(self.basis(source, of))
    }
}

impl Bells for CrashingStore {
    fn ring(&self, bell: Bell) {
        self.inner.ring(bell);
    }
    fn listen(&self) -> Box<dyn Listener> {
        self.inner.listen()
    }
}

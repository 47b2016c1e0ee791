//! The real record, as one replica reaches it: each call is made at once, and may be kept waiting, fail, or
//! be the last of its replica.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use meshwright::domain::activity::{ActivityEvent, ActivityState, ActivityStatus, FencingToken};
use meshwright::domain::descriptor::VersionRef;
use meshwright::domain::forge::delivery::{CommandRequest, Delivery};
use meshwright::domain::forge::{Proposal, PullState};
use meshwright::domain::id::{Digest, Fqn, RepoPath, Revision, SourceName, StageName};
use meshwright::domain::plan::{ActivityId, Plan};
use meshwright::domain::report::Report;
use meshwright::domain::source::Condition;
use meshwright::domain::time::Timestamp;
use meshwright::port::store::*;
use serde_json::Value;

use super::at_once::at_once;
use super::world::{Broken, Replica};

/// The record, as one replica reaches it.
pub struct SimStore {
    pub inner: Arc<dyn Store>,
    pub replica: Arc<Replica>,
}

impl SimStore {
    /// A write that does not come about, if so.
    fn refused(&self) -> Option<StoreError> {
        let world = &self.replica.world;
        if world.elapsed() < world.disk_full_until.load(Ordering::SeqCst) {
            world.count("write on a full disk");
            return Some(StoreError::Unavailable("no space left on device".to_owned()));
        }
        let fails = world.fault("record fails", world.rates.store_fails);
        fails.then(|| StoreError::Unavailable("the connection was refused".to_owned()))
    }

    /// A write that came about, and of which nobody hears, if so.
    fn lost(&self) -> Option<StoreError> {
        let world = &self.replica.world;
        let is_lost = world.fault("record's answer is lost", world.rates.store_answer_lost);
        is_lost.then(|| StoreError::Unavailable("the connection was lost".to_owned()))
    }

    fn tell<T, E: std::fmt::Debug>(&self, call: &str, outcome: &Result<T, E>) {
        let ok: Result<(), &E> = outcome.as_ref().map(|_| ());
        self.replica.world.tell(format_args!("{} {call} {ok:?}", self.replica.name));
    }
}

/// Reads.
macro_rules! read {
    ($self:ident . $call:ident ( $($argument:expr),* )) => {{
        $self.replica.enter().await;
        let outcome = at_once($self.inner.$call($($argument),*));
        $self.replica.leave().await;
        outcome
    }};
}

/// Writes.
macro_rules! write {
    ($self:ident . $call:ident ( $($argument:expr),* )) => {{
        $self.replica.enter().await;
        let outcome = match $self.refused() {
            Some(error) => Err(error.into()),
            None => {
                let outcome = at_once($self.inner.$call($($argument),*));
                match outcome {
                    Ok(value) => match $self.lost() {
                        Some(error) => Err(error.into()),
                        None => Ok(value),
                    },
                    failed => failed,
                }
            }
        };
        $self.tell(stringify!($call), &outcome);
        $self.replica.leave().await;
        outcome
    }};
}

// After the macros, which it uses.
mod told;

#[async_trait]
impl PassBook for SimStore {
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
        write!(self.note_condition(source, url, branch, condition, at))
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
        let plan = &pass.plan;
        self.replica.world.tell(format_args!(
            "{} about to record {} {} plan {} of {} activities",
            self.replica.name,
            plan.source,
            plan.revision.short(),
            plan.digest.short(),
            plan.activities.len()
        ));
        write!(self.record_pass(pass))
    }
    async fn plan(&self, digest: &Digest) -> Result<Option<Plan>, StoreError> {
        read!(self.plan(digest))
    }
}

#[async_trait]
impl ActivityBook for SimStore {
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
        let world = &self.replica.world;
        let outcome: Result<Option<FencingToken>, StoreError> = write!(self.claim(id, holder, at, until));
        if let Ok(Some(token)) = &outcome {
            world.tokens.lock().unwrap().insert(id.clone(), *token);
        }
        world.tell(format_args!("{} claim {id} by {holder}: {outcome:?}", self.replica.name));
        outcome
    }
    async fn append(
        &self,
        id: &ActivityId,
        token: Option<FencingToken>,
        event: &ActivityEvent,
        at: Timestamp,
    ) -> Result<ActivityState, AppendError> {
        let world = &self.replica.world;
        world.tell(format_args!("{} about to append {id} {token:?} {event:?}", self.replica.name));
        let newest = world.tokens.lock().unwrap().get(id).copied();
        let token = if world.broken == Some(Broken::NoFencing) { token.and(newest).or(token) } else { token };
        write!(self.append(id, token, event, at))
    }
    async fn events(&self, id: &ActivityId) -> Result<Vec<(Timestamp, ActivityEvent)>, StoreError> {
        read!(self.events(id))
    }
    async fn append_log(&self, id: &ActivityId, token: FencingToken, lines: &[LogLine]) -> Result<(), StoreError> {
        write!(self.append_log(id, token, lines))
    }
    async fn log(&self, id: &ActivityId) -> Result<Vec<LogLine>, StoreError> {
        read!(self.log(id))
    }
}

#[async_trait]
impl DeliveryBook for SimStore {
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
impl ProposalBook for SimStore {
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
impl WakeBook for SimStore {
    async fn wake(&self, wakes: &[Wake]) -> Result<(), StoreError> {
        let world = &self.replica.world;
        let names: Vec<&str> = wakes.iter().map(|wake| wake.target.source.as_str()).collect();
        let (meant, mut wakes) = (wakes, wakes.to_vec());
        if world.broken == Some(Broken::WakeCleared) {
            wakes.retain(|wake| !world.looks.lock().unwrap().contains_key(&wake.target));
        }
        self.replica.enter().await;
        let outcome = match self.refused() {
            Some(error) => Err(error),
            None => at_once(self.inner.wake(&wakes)),
        };
        if outcome.is_ok() {
            let mut looks = world.looks.lock().unwrap();
            for wake in meant {
                looks.entry(wake.target.clone()).and_modify(|woken| *woken = true);
            }
        }
        let outcome = self.lost().filter(|_| outcome.is_ok()).map_or(outcome, Err);
        world.tell(format_args!("{} wake {names:?} {outcome:?}", self.replica.name));
        self.replica.leave().await;
        outcome
    }
    async fn take_wake(&self, ask: &TakeWake<'_>) -> Result<Option<TakenWake>, StoreError> {
        self.replica.enter().await;
        let outcome = match self.refused() {
            Some(error) => Err(error),
            None => at_once(self.inner.take_wake(ask)),
        };
        if let Ok(Some(taken)) = &outcome {
            // This look answers all wakes that came before it.
            self.replica.world.looks.lock().unwrap().insert(taken.target.clone(), false);
        }
        let outcome = self.lost().filter(|_| outcome.is_ok()).map_or(outcome, Err);
        self.replica.world.tell(format_args!("{} take {outcome:?}", self.replica.name));
        self.replica.leave().await;
        outcome
    }
    async fn settle_wake(&self, taken: &TakenWake, end: &LookEnd, now: Timestamp) -> Result<bool, StoreError> {
        self.replica.enter().await;
        let world = &self.replica.world;
        let outcome = match self.refused() {
            Some(error) => Err(error),
            None => at_once(self.inner.settle_wake(taken, end, now)),
        };
        if outcome == Ok(true) && world.looks.lock().unwrap().remove(&taken.target) == Some(true) {
            let source = &taken.target.source;
            let rows = at_once(self.inner.wake_rows(1_000))?;
            if !rows.iter().any(|row| row.source == *source && row.proposal.is_none()) {
                world.violated(format!("{source} was woken while it was looked at, and is not looked at again"));
            }
        }
        let outcome = self.lost().filter(|_| outcome.is_ok()).map_or(outcome, Err);
        world.tell(format_args!("{} settle {} {end:?} {outcome:?}", self.replica.name, taken.target.source));
        self.replica.leave().await;
        outcome
    }
    async fn next_wake(&self) -> Result<Option<Timestamp>, StoreError> {
        read!(self.next_wake())
    }
}

#[async_trait]
impl LeaseBook for SimStore {
    async fn take_lease(
        &self,
        name: &LeaseName,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        let outcome = write!(self.take_lease(name, holder, now, until));
        if let Ok(Some(lease)) = &outcome {
            self.replica.world.tell(format_args!("{} has {} {:?}", self.replica.name, name.as_str(), lease.token));
        }
        outcome
    }
    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<bool, StoreError> {
        write!(self.renew(lease, until))
    }
    async fn hand_back(&self, lease: &Lease) -> Result<(), StoreError> {
        write!(self.hand_back(lease))
    }
    async fn recover(&self, holder: &str, now: Timestamp) -> Result<u64, StoreError> {
        write!(self.recover(holder, now))
    }
    async fn present(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        read!(self.present(now))
    }
    async fn held_by_others(&self, holder: &str, now: Timestamp) -> Result<BTreeSet<ActivityId>, StoreError> {
        read!(self.held_by_others(holder, now))
    }
}

#[async_trait]
impl Terms for SimStore {
    fn under(&self, lease: &Lease) -> Arc<dyn Store> {
        let unfenced = self.replica.world.broken == Some(Broken::NoFencing);
        let inner = if unfenced { Arc::clone(&self.inner) } else { self.inner.under(lease) };
        Arc::new(Self { inner, replica: Arc::clone(&self.replica) })
    }
    fn upon(&self, basis: &Basis) -> Arc<dyn Store> {
        Arc::new(Self { inner: self.inner.upon(basis), replica: Arc::clone(&self.replica) })
    }
    async fn basis(&self, source: &SourceName, of: Matter) -> Result<Basis, StoreError> {
        read!(self.basis(source, of))
    }
}

impl Bells for SimStore {
    fn ring(&self, bell: Bell) {
        if !self.replica.is_dead() {
            self.inner.ring(bell);
        }
    }
    fn listen(&self) -> Box<dyn Listener> {
        Box::new(SimListener { inner: self.inner.listen(), replica: Arc::clone(&self.replica) })
    }
}

/// Rings of others may be late, and may be lost.
struct SimListener {
    inner: Box<dyn Listener>,
    replica: Arc<Replica>,
}

#[async_trait]
impl Listener for SimListener {
    async fn next(&mut self) -> Bell {
        loop {
            let bell = self.inner.next().await;
            self.replica.enter().await;
            let world = &self.replica.world;
            if !world.fault("ring is lost", world.rates.rings_lost) {
                return bell;
            }
        }
    }
}

#[async_trait]
impl Look for SimStore {
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
    async fn wake_rows(&self, limit: usize) -> Result<Vec<WakeRow>, StoreError> {
        read!(self.wake_rows(limit))
    }
    async fn lease_rows(&self) -> Result<Vec<LeaseRow>, StoreError> {
        read!(self.lease_rows())
    }
    async fn pass_rows(&self, source: Option<&SourceName>, limit: usize) -> Result<Vec<PassRow>, StoreError> {
        read!(self.pass_rows(source, limit))
    }
}

//! A store that stands between whoever calls and the real one. What becomes of the calls is a [`Hook`]'s
//! business: it makes them, or fails, or makes them and fails; it sees what came about; and a few calls it
//! may change. The port is written down once, here.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;

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

/// What sort of call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It changes nothing.
    Read,
    /// It changes what must not be lost.
    Write,
    /// It changes what ends or comes again by itself: leases, conditions, lines of logs.
    Minor,
}

/// What becomes of calls. All copies of a hook are one.
pub trait Hook: Clone + Send + Sync + 'static {
    /// One call. It is made by awaiting `made`.
    fn call<T, E>(
        &self,
        kind: Kind,
        name: &'static str,
        made: impl Future<Output = Result<T, E>> + Send,
    ) -> impl Future<Output = Result<T, E>> + Send
    where
        T: Send,
        E: From<StoreError> + Debug + Send;

    /// Whether leases are told to the store.
    fn fences(&self) -> bool {
        true
    }

    /// The token that is told to the store.
    fn token(&self, _: &ActivityId, token: Option<FencingToken>) -> Option<FencingToken> {
        token
    }

    /// The wakes that are told to the store.
    fn wakes(&self, wakes: &[Wake]) -> Vec<Wake> {
        wakes.to_vec()
    }

    /// Whether a bell rings.
    fn rings(&self) -> bool {
        true
    }

    /// What is heard of bells.
    fn hears(&self, listener: Box<dyn Listener>) -> Box<dyn Listener> {
        listener
    }

    /// A container was given out.
    fn claimed(&self, _: &ActivityId, _: FencingToken) {}

    /// These were woken.
    fn woken(&self, _: &[Wake]) {}

    /// This is looked at from now on.
    fn taken(&self, _: &TakenWake) {}

    /// It is not looked at any more.
    fn settled(&self, _: &dyn Store, _: &TakenWake) {}

    /// A pass was recorded.
    fn passed(&self, _: &Pass) {}

    /// These are wanted from now on.
    fn wanted(&self, _: &dyn Store, _: &[Report]) {}

    /// These are wanted of a proposal, as far as its head is not the branch's by now.
    fn proposed(&self, _: &dyn Store, _: &[Report]) {}

    /// An activity's log has grown.
    fn appended(&self, _: &ActivityId, _: &ActivityEvent) {}

    /// These are about to be told to whoever publishes.
    fn offered(&self, _: &dyn Store, _: &[WantedReport], _: Timestamp) {}

    /// These are about to be told to whoever asked what keeps a source from being as Git says.
    fn troubled(&self, _: &mut Vec<ActivityRecord>) {}

    /// A delivery has come.
    fn delivered(&self, _: &Delivery, _: Recorded) {}
}

/// The real store behind a hook.
pub struct WrappedStore<H> {
    inner: Arc<dyn Store>,
    hook: H,
}

impl<H: Hook> WrappedStore<H> {
    /// A hook before a store.
    pub fn with(inner: Arc<dyn Store>, hook: H) -> Self {
        Self { inner, hook }
    }

    /// The same, on other terms.
    fn over(&self, inner: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Self { inner, hook: self.hook.clone() })
    }
}

impl<H> Deref for WrappedStore<H> {
    type Target = H;

    fn deref(&self) -> &H {
        &self.hook
    }
}

type Answer<T> = Result<T, StoreError>;

/// Methods of a role: each is one call through the hook. `before` may change what is told to the store, and
/// `then` sees what came about, both by the names that stand at the top.
macro_rules! delegate {
    ($book:ident with $hook:ident, $inner:ident { $(
        $kind:ident $call:ident($($name:ident: $type:ty),*) -> $answer:ty
            $(, before { $($before:tt)* })? $(, then |$value:pat_param| $then:expr)?;
    )* }) => {
        #[async_trait]
        impl<H: Hook> $book for WrappedStore<H> {
            $(async fn $call(&self, $($name: $type),*) -> $answer {
                let made = async {
                    let ($hook, $inner) = (&self.hook, self.inner.as_ref());
                    let _ = $hook;
                    $($($before)*)?
                    $inner.$call($($name),*).await$(.map(|mut answer| {
                        let $value = &mut answer;
                        $then;
                        answer
                    }))?
                };
                self.hook.call(Kind::$kind, stringify!($call), made).await
            })*
        }
    };
}

delegate! { PassBook with hook, inner {
    Read source(source: &SourceName) -> Answer<Option<SourceRecord>>;
    Minor note_condition(
        source: &SourceName, url: &str, branch: &str, condition: Option<&Condition>, at: Timestamp
    ) -> Answer<()>;
    Read descriptors_reading(source: &SourceName, files: &[RepoPath]) -> Answer<Vec<RepoPath>>;
    Read descriptors(source: &SourceName) -> Answer<Vec<(RepoPath, Option<Fqn>)>>;
    Read held_back(source: &SourceName) -> Answer<Vec<RepoPath>>;
    Read standing(source: &SourceName) -> Answer<Vec<Standing>>;
    Read latest_versions(products: &[Fqn]) -> Answer<Vec<RecordedVersion>>;
    Read version_numbers(product: &Fqn) -> Answer<Vec<(VersionRef, bool)>>;
    Read containers(products: &[Fqn]) -> Answer<Vec<ContainerRecord>>;
    Write record_pass(pass: &Pass) -> Answer<()>, then |_| { hook.passed(pass); hook.wanted(inner, &pass.reports) };
    Read plan(digest: &Digest) -> Answer<Option<Plan>>;
} }

delegate! { ActivityBook with hook, inner {
    Read unfinished() -> Answer<Vec<ActivityRecord>>;
    Read activity(id: &ActivityId) -> Answer<Option<ActivityRecord>>;
    Read activities_of(source: &SourceName, revision: &Revision) -> Answer<Vec<ActivityRecord>>;
    Read stage_standing(source: &SourceName, revision: &Revision, stage: &StageName) -> Answer<Vec<StageStanding>>;
    Read count_at(
        source: &SourceName, revision: &Revision, stage: &StageName, statuses: &[ActivityStatus], most: usize
    ) -> Answer<usize>;
    Read troubled(source: &SourceName) -> Answer<Vec<ActivityRecord>>, then |found| hook.troubled(found);
    Write claim(
        id: &ActivityId, holder: &str, at: Timestamp, until: Timestamp
    ) -> Answer<Option<FencingToken>>, then |token| token.iter().for_each(|token| hook.claimed(id, *token));
    Write append(
        id: &ActivityId, token: Option<FencingToken>, event: &ActivityEvent, at: Timestamp
    ) -> Result<ActivityState, AppendError>,
        before { let token = hook.token(id, token); },
        then |_| hook.appended(id, event);
    Read events(id: &ActivityId) -> Answer<Vec<(Timestamp, ActivityEvent)>>;
    Minor append_log(id: &ActivityId, token: FencingToken, lines: &[LogLine]) -> Answer<()>;
    Read log(id: &ActivityId) -> Answer<Vec<LogLine>>;
} }

delegate! { ReportBook with hook, inner {
    Read unpublished(
        sources: &[SourceName], now: Timestamp, limit: usize
    ) -> Answer<Vec<WantedReport>>, then |offered| hook.offered(inner, offered, now);
    Read sources_with_unpublished() -> Answer<Vec<SourceName>>;
    Read pending(source: &SourceName, context: &str) -> Answer<Vec<Revision>>;
    Write want(reports: &[Report], at: Timestamp) -> Answer<()>, then |_| hook.wanted(inner, reports);
    Read untold() -> Answer<Vec<Untold>>;
    // How often it is told is a matter of time, and it is told again.
    Minor tell(
        stage: &StageName, basis: &Basis, reports: &[Report], at: Timestamp
    ) -> Answer<()>, then |_| hook.wanted(inner, reports);
    Write write_anew(source: &SourceName, revision: &Revision, at: Timestamp) -> Answer<()>;
    Read wanted_comment(source: &SourceName, pull: u64) -> Answer<Option<Report>>;
    Write published(report: &WantedReport, external: Option<&str>, at: Timestamp) -> Answer<()>;
    Write failed(report: &WantedReport, message: &str, again: Option<Timestamp>, at: Timestamp) -> Answer<()>;
    Write pause(sources: &[SourceName], why: &Pause, until: Timestamp, at: Timestamp) -> Answer<()>;
    Read to_verify(sources: &[SourceName], now: Timestamp, limit: usize) -> Answer<Vec<WantedReport>>;
    Write verified(report: &WantedReport, at: Timestamp) -> Answer<()>;
    Write lost(report: &WantedReport, at: Timestamp) -> Answer<()>;
} }

delegate! { ApprovalBook with hook, inner {
    Write decide(decision: &Decision) -> Answer<()>;
    Read decided(request: &str) -> Answer<Option<String>>;
    Read approvals(plan: &Digest, stage: &StageName) -> Answer<Vec<Approval>>;
    Read holds() -> Answer<Vec<Hold>>;
    Read to_retry(source: &SourceName) -> Answer<Vec<RepoPath>>;
} }

delegate! { DeliveryBook with hook, inner {
    Write record_delivery(delivery: Delivery) -> Answer<Recorded>,
        before { let kept = delivery.clone(); },
        then |recorded| hook.delivered(&kept, *recorded);
    Read open_commands(limit: usize, except: &[SourceName]) -> Answer<Vec<CommandRequest>>;
    Read answered_commands(source: &SourceName, pull: u64, limit: usize) -> Answer<Vec<AnsweredCommand>>;
    Read asked_elsewhere(command: &CommandRequest) -> Answer<Vec<Option<String>>>;
    Write command_done(command: &CommandRequest, outcome: &str, at: Timestamp) -> Answer<()>;
    Write forget_deliveries(keep: &Retention) -> Answer<u64>;
} }

delegate! { HistoryBook with hook, inner {
    Write prune(part: History, keep: &Kept, most: usize, dry_run: bool) -> Answer<u64>;
    Read needed_tasks() -> Answer<Vec<TaskKey>>;
} }

delegate! { ProposalBook with hook, inner {
    Read proposal(source: &SourceName, proposal: &Proposal) -> Answer<Option<ProposalRecord>>;
    Read open_proposals(source: &SourceName) -> Answer<Vec<ProposalRecord>>;
    Write record_proposal(
        record: &ProposalRecord, reports: &[Report]
    ) -> Answer<()>, then |_| hook.proposed(inner, reports);
    Write close_proposal(source: &SourceName, proposal: &Proposal, state: PullState) -> Answer<bool>;
    Write assess_again(source: &SourceName, proposal: &Proposal) -> Answer<()>;
} }

delegate! { WakeBook with hook, inner {
    Write wake(wakes: &[Wake]) -> Answer<()>,
        before { let (meant, wakes) = (wakes, &hook.wakes(wakes)); },
        then |_| hook.woken(meant);
    Write take_wake(ask: &TakeWake<'_>) -> Answer<Option<TakenWake>>,
        then |taken| taken.iter().for_each(|taken| hook.taken(taken));
    Write settle_wake(taken: &TakenWake, end: &LookEnd, now: Timestamp) -> Answer<bool>,
        then |is_settled| if *is_settled { hook.settled(inner, taken) };
    Read next_wake() -> Answer<Option<Timestamp>>;
} }

delegate! { LeaseBook with hook, inner {
    Minor take_lease(name: &LeaseName, holder: &str, now: Timestamp, until: Timestamp) -> Answer<Option<Lease>>;
    Minor renew(lease: &Lease, until: Timestamp) -> Answer<bool>;
    Minor hand_back(lease: &Lease) -> Answer<()>;
    Minor recover(holder: &str, now: Timestamp) -> Answer<u64>;
    Read present(now: Timestamp) -> Answer<Vec<String>>;
    Read held_by_others(holder: &str, now: Timestamp) -> Answer<BTreeSet<ActivityId>>;
} }

delegate! { Look with hook, inner {
    Read sources() -> Answer<Vec<SourceRow>>;
    Read products() -> Answer<Vec<ProductRow>>;
    Read versions(product: Option<&Fqn>) -> Answer<Vec<VersionRow>>;
    Read content(digest: &Digest) -> Answer<Option<Value>>;
    Read container_rows() -> Answer<Vec<ContainerRow>>;
    Read activity_rows(limit: usize) -> Answer<Vec<ActivityRow>>;
    Read report_rows(limit: usize) -> Answer<Vec<ReportRow>>;
    Read delivery_rows(limit: usize) -> Answer<Vec<DeliveryRow>>;
    Read audit_rows(limit: usize) -> Answer<Vec<AuditRow>>;
    Read finding_rows(source: Option<&SourceName>) -> Answer<Vec<FindingRow>>;
    Read proposal_rows(source: Option<&SourceName>, limit: usize) -> Answer<Vec<ProposalRow>>;
    Read pass_rows(source: Option<&SourceName>, limit: usize) -> Answer<Vec<PassRow>>;
    Read wake_rows(limit: usize) -> Answer<Vec<WakeRow>>;
    Read lease_rows() -> Answer<Vec<LeaseRow>>;
} }

#[async_trait]
impl<H: Hook> Terms for WrappedStore<H> {
    fn under(&self, lease: &Lease) -> Arc<dyn Store> {
        self.over(if self.hook.fences() { self.inner.under(lease) } else { Arc::clone(&self.inner) })
    }

    fn upon(&self, basis: &Basis) -> Arc<dyn Store> {
        self.over(self.inner.upon(basis))
    }

    async fn basis(&self, source: &SourceName, of: Matter) -> Answer<Basis> {
        self.hook.call(Kind::Read, "basis", self.inner.basis(source, of)).await
    }
}

impl<H: Hook> Bells for WrappedStore<H> {
    fn ring(&self, bell: Bell) {
        if self.hook.rings() {
            self.inner.ring(bell);
        }
    }

    fn listen(&self) -> Box<dyn Listener> {
        self.hook.hears(self.inner.listen())
    }
}

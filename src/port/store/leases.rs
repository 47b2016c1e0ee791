//! Who may work on what: leases that end by themselves, and tokens that prove them.
//!
//! Needs: whatever only one may do at a time (look at a target, move a container, write to an account of a
//! forge, answer requests) is done by one replica; when that one dies, another takes it over; when that one
//! was only thought dead, it changes nothing any more.
//!
//! A lease has a holder, an end, and a [`FencingToken`] that grows each time it is given out. Times come from
//! the caller's clock and never from the store's: clocks that differ make a takeover early or late, which
//! costs latency or a repetition under the same key. What is safe does not depend on them: the store
//! compares tokens, in the transaction that writes (see [`Terms`]).
//!
//! Named races, and the decision for each:
//! - *Two take the same lease.* One transaction is first; the other sees that it is held, and gets nothing.
//! - *A renewal and a takeover at the same moment.* A takeover makes the token grow, so whichever is second
//!   sees it: the renewal is refused, or the lease is not over and is not taken.
//! - *A holder that was stopped goes on after its lease was taken over.* It carries the older token: what it
//!   writes is `Fenced`, what it hands to executors is refused by those that keep tokens, and its own clock
//!   tells it that the lease is over before it does either.
//! - *A lease is over and nobody has taken it.* Its holder may still renew it: the token is the newest.
//!
//! Absent: waiting. Who gets nothing asks again.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::activity::FencingToken;
use crate::domain::id::{ContainerId, SourceName};
use crate::domain::plan::ActivityId;
use crate::domain::time::Timestamp;

use super::{Store, StoreError};

/// What is leased under a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeaseName(String);

impl LeaseName {
    /// The presence of a replica: nobody else wants it, and it shows who is there.
    pub fn replica(holder: &str) -> Self {
        Self(format!("replica/{holder}"))
    }

    /// Writing what forges show, through one account of one of them.
    pub fn publisher(account: &str) -> Self {
        Self(format!("publisher/{account}"))
    }

    /// Answering what people ask for.
    pub fn commands() -> Self {
        Self("commands".to_owned())
    }

    /// Asking a forge for deliveries that were lost.
    pub fn redelivery(forge: &str) -> Self {
        Self(format!("redelivery/{forge}"))
    }

    /// Forgetting what is not to be kept.
    pub fn upkeep() -> Self {
        Self("upkeep".to_owned())
    }

    /// Whether it is the presence of a replica.
    pub fn is_replica(&self) -> bool {
        self.0.starts_with("replica/")
    }

    /// The name as it stands in the record.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What can be leased.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leased {
    /// A name.
    Named(LeaseName),
    /// A container: given out by [`claim`](super::ActivityBook::claim), with the activity that moves it.
    Container(ContainerId),
    /// A look at a target: given out by [`take_wake`](super::WakeBook::take_wake). The number is the wake's
    /// own and never comes again.
    Look(i64),
}

/// What was given out: the proof that whoever has it may work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What is leased.
    pub what: Leased,
    /// Greater than any token that was given out for it before.
    pub token: FencingToken,
}

/// A lease, as people look at it: a line of `get replicas`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseRow {
    /// `replica`, `publisher`, `commands`, `redelivery`, `upkeep`, `container`, `look`.
    pub kind: String,
    /// Which of that kind; empty where there is one.
    pub subject: String,
    /// Who holds it.
    pub holder: String,
    /// The token that was given out last.
    pub token: u64,
    /// When it was taken (RFC 3339).
    pub since: String,
    /// When it ends unless it is renewed (RFC 3339). Each heartbeat moves it on.
    pub until: String,
}

/// What sharing the work needs of the record.
#[async_trait]
pub trait LeaseBook: Send + Sync {
    /// Takes the lease for `holder` until `until`, with a new token. `None` while another holds it and its
    /// time is not over at `now`. The same holder gets it again: only an earlier run of it can have it.
    async fn take_lease(
        &self,
        name: &LeaseName,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError>;

    /// Keeps a lease of any kind until `until`. `false` when it was given to another, handed back, or what it
    /// was for has ended: whoever held it stops at once.
    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<bool, StoreError>;

    /// Ends a lease of any kind before its time, so that another can take it at once; what it is for stays
    /// unfinished. Does nothing when it was given to another meanwhile.
    async fn hand_back(&self, lease: &Lease) -> Result<(), StoreError>;

    /// At the start: an earlier run of this holder is gone. Looks that it left are over from now on, and
    /// count as interrupted. Says how many there were.
    async fn recover(&self, holder: &str, now: Timestamp) -> Result<u64, StoreError>;

    /// The replicas that are there at `now`, by their presence, in the order of their names.
    async fn present(&self, now: Timestamp) -> Result<Vec<String>, StoreError>;

    /// The activities whose containers are held by others than `holder`, and not over at `now`.
    async fn held_by_others(&self, holder: &str, now: Timestamp) -> Result<BTreeSet<ActivityId>, StoreError>;
}

/// What of a source something is worked out from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Matter {
    /// How its rollouts stand. It changes with each recorded pass, claim, decision and change of an activity's
    /// status.
    Rollouts,
    /// What is planned and decided about them. It changes with each recorded pass and decision.
    Decisions,
    /// What its proposals are told. It changes with each assessment and each answer to a command.
    Proposals,
}

/// How a source stood when something was worked out from it: see [`Terms::basis`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// The source.
    pub source: SourceName,
    /// What of it.
    pub of: Matter,
    /// Grows whenever that changes.
    pub edition: u64,
}

/// Writing on terms. Each call gives the same record again, through which every write is made only if the
/// terms hold at that moment, checked in the transaction that writes; what is read is read as always. Terms
/// add up.
#[async_trait]
pub trait Terms: Send + Sync {
    /// While this lease is the newest given out. Otherwise every write is [`StoreError::Fenced`].
    fn under(&self, lease: &Lease) -> Arc<dyn Store>;

    /// While the source stands as it did. Otherwise every write is [`StoreError::Moved`]: what was worked
    /// out is to be worked out anew.
    ///
    /// What a pass says of a stage is worked out from all activities of its source. Were it recorded though
    /// one of them ended meanwhile, at this replica or another, a commit could stay pending for ever.
    fn upon(&self, basis: &Basis) -> Arc<dyn Store>;

    /// How the source stands now. To be asked before anything is read that something is worked out from.
    async fn basis(&self, source: &SourceName, of: Matter) -> Result<Basis, StoreError>;
}

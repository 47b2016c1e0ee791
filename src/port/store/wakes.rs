//! The queue of looks: which targets are wanted to be looked at, when, and who looks at them now.
//!
//! Needs: a wake outlives every process; a target is looked at by one replica at a time; any number of wakes
//! of a target that waits are one, and any number that come while it is looked at cause exactly one more
//! look; what somebody waits for comes before what is looked at only to be sure; a target over which looking
//! fails leaves the others alone.
//!
//! A target that nobody wants to be looked at has no entry. An entry has an *edition*, which grows with each
//! wake, and a *lease* while it is looked at.
//!
//! Named races, and the decision for each:
//! - *Woken while it waits.* The better lane and the earlier due time win. The look that is still to come
//!   sees what the wake saw. Only [`Lane::Fresh`] shortens the pause after a failure: what is looked at to be
//!   sure would otherwise end every pause.
//! - *Woken while it is looked at.* The look may have fetched before the commit came. The edition grows, and
//!   settling compares it with the one that was taken: the entry stays, in the lane of the wakes that came.
//! - *Woken between the end of a look and its settling.* Both change one row in transactions: the wake
//!   either comes first and the editions differ, or second and makes a new entry.
//! - *Two take the same target.* Taking leases the entry in one transaction; the second passes it over.
//! - *The process dies during a look.* Its lease ends, and the next to take it is told that it was
//!   interrupted, and how often in a row. That is counted apart from failures: mostly it is nobody's fault, and
//!   still a target that kills whoever looks at it has to be left alone at last, over restarts too.
//! - *A stopped process goes on after another has taken its look over.* Its lease is old, so settling changes
//!   nothing, and so does whatever it writes under it (see `leases`).
//!
//! Absent: what is seen. A wake carries a key and nothing else.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::id::SourceName;
use crate::domain::source::Target;
use crate::domain::time::Timestamp;

use super::{Lease, StoreError};

/// How much somebody waits for a look; the better first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Something has happened, or a person asks.
    Fresh,
    /// To be sure that nothing was missed.
    Resync,
    /// What was assessed already, and whose base has moved.
    Later,
}

impl Lane {
    /// All of them, the best first.
    pub const ALL: [Lane; 3] = [Lane::Fresh, Lane::Resync, Lane::Later];

    /// The word, for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Lane::Fresh => "fresh",
            Lane::Resync => "resync",
            Lane::Later => "later",
        }
    }
}

/// Somebody wants a target to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    /// Which.
    pub target: Target,
    /// How much somebody waits for it.
    pub lane: Lane,
    /// Not before then.
    pub due: Timestamp,
}

/// Who wants to look at something, and in which order.
#[derive(Debug, Clone)]
pub struct TakeWake<'a> {
    /// Who.
    pub holder: &'a str,
    /// The lanes, in the order in which they are served, each with the source that was served last in it:
    /// sources take turns, in the order of their names, beginning after that one.
    pub order: [(Lane, Option<SourceName>); Lane::ALL.len()],
    /// The time.
    pub now: Timestamp,
    /// The end of the lease.
    pub until: Timestamp,
}

/// A target that was taken, to be looked at and then settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenWake {
    /// Which.
    pub target: Target,
    /// The lane that it waited in.
    pub lane: Lane,
    /// The proof.
    pub lease: Lease,
    /// The wakes that this look answers.
    pub edition: u64,
    /// How often looking at it has failed in a row.
    pub failures: u32,
    /// How often looking at it was interrupted in a row, the one just before this one among them.
    pub interruptions: u32,
    /// Whether whoever took it before neither settled it nor handed it back.
    pub was_interrupted: bool,
}

/// How a look ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookEnd {
    /// It came to its end, whatever was seen.
    Done,
    /// Our own side failed.
    Failed {
        /// Why, for people. No secrets.
        message: String,
        /// When to look again.
        again: Timestamp,
    },
    /// It was not begun, because it was interrupted too often in a row. That is no failure.
    LeftAlone {
        /// Why, for people.
        message: String,
        /// When to look again.
        again: Timestamp,
    },
    /// It was broken off because we stop: it waits as before, and counts as nobody's failure.
    HandedBack,
}

/// A line of `get wakes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WakeRow {
    /// The source.
    pub source: SourceName,
    /// Which proposal: `pull/12`; without one, the source's branch.
    pub proposal: Option<String>,
    /// `looking`, or `waiting`; after failures and many interruptions, `backing-off`.
    pub state: String,
    /// `fresh`, `resync`, `later`.
    pub lane: String,
    /// Not before then (RFC 3339).
    pub due: String,
    /// Who looks at it now.
    pub holder: Option<String>,
    /// How often looking at it has failed in a row.
    pub failures: u32,
    /// How often looking at it was interrupted in a row.
    pub interruptions: u32,
    /// Why it failed last, or is left alone.
    pub message: Option<String>,
}

/// What looking at targets needs of the record.
#[async_trait]
pub trait WakeBook: Send + Sync {
    /// Wants these targets to be looked at, in one transaction. When it returns, that is durable. A wake
    /// that changes nothing writes nothing.
    async fn wake(&self, wakes: &[Wake]) -> Result<(), StoreError>;

    /// Takes the target whose turn it is, of those that are due and that nobody looks at; `None` when there
    /// is none. Of one source, one proposal is looked at at a time, as far as that can be seen: it keeps
    /// the others from waiting, and nothing depends on it.
    async fn take_wake(&self, ask: &TakeWake<'_>) -> Result<Option<TakenWake>, StoreError>;

    /// The look has ended. `false` when another has taken it over meanwhile: then nothing changes.
    async fn settle_wake(&self, taken: &TakenWake, end: &LookEnd, now: Timestamp) -> Result<bool, StoreError>;

    /// When the next target may be taken, by its due time or by the end of its lease; it may be past. `None`
    /// when nothing waits.
    async fn next_wake(&self) -> Result<Option<Timestamp>, StoreError>;
}

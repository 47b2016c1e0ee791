//! What is known of a source: what was seen of it, and what became of that.

use serde::{Deserialize, Serialize};

use super::forge::Proposal;
use super::id::{Revision, SourceName};

/// Where a source stands: the outcome of looking at its branch.
///
/// Only [`Head::At`] can lead to changes. Everything else leaves all products as they are: a
/// source that cannot be seen has not lost its products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Head {
    /// The branch stands at this commit.
    At {
        /// The commit.
        revision: Revision,
    },
    /// The repository is there and has no commit yet.
    EmptyRepository,
    /// The repository is there and has commits, but not this branch.
    NoSuchBranch,
}

/// Why a source is not as it should be; shown by `get sources`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// A stable word: `unreachable`, `timed-out`, `refused`, `corrupt-mirror`, `empty`, `no-such-branch`, `no-descriptors`, `store`,
    /// `forge-denied`.
    pub reason: String,
    /// A sentence for people, with the remedy. No secrets.
    pub message: String,
}

/// What a wake carries: only a key. What has happened is found out by looking.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// The source to look at.
    pub source: SourceName,
    /// The proposal to assess; without one, the source's branch is reconciled.
    pub proposal: Option<Proposal>,
}

impl Target {
    /// The source's branch.
    pub const fn branch(source: SourceName) -> Self {
        Self { source, proposal: None }
    }

    /// A proposal to the source's branch.
    pub const fn proposal(source: SourceName, proposal: Proposal) -> Self {
        Self { source, proposal: Some(proposal) }
    }
}

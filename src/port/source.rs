//! Git repositories that are watched.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::forge::Proposal;
use crate::domain::id::{RepoPath, Revision, SourceName};
use crate::domain::source::{Condition, Head};

use super::tree::{ReadError, Tree};

/// Why a fetch brought nothing. The source keeps what was recorded; the next wake tries again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The configuration names no such source.
    #[error("there is no source '{0}'")]
    Unknown(SourceName),
    /// URL, branch or transport are not allowed; only the configuration can mend it.
    #[error("the source is refused: {0}")]
    Refused(String),
    /// The repository cannot be reached, or does not let us in.
    #[error("the repository cannot be reached: {0}")]
    Unreachable(String),
    /// It took longer than the source's limit, and was stopped.
    #[error("the fetch took longer than {seconds} s and was stopped")]
    TimedOut {
        /// The limit.
        seconds: u64,
    },
    /// The mirror is broken, and cloning it again failed as well.
    #[error("the mirror is broken and could not be cloned again: {0}")]
    CorruptMirror(String),
    /// Our own disk or program failed.
    #[error("it cannot be fetched from this machine: {0}")]
    Local(String),
}

impl FetchError {
    /// The stable word for a condition.
    pub const fn reason(&self) -> &'static str {
        match self {
            FetchError::Unknown(_) => "unknown",
            FetchError::Refused(_) => "refused",
            FetchError::Unreachable(_) => "unreachable",
            FetchError::TimedOut { .. } => "timed-out",
            FetchError::CorruptMirror(_) => "corrupt-mirror",
            FetchError::Local(_) => "local",
        }
    }

    /// What is the matter with the source because of it.
    pub fn condition(&self) -> Condition {
        Condition { reason: self.reason().to_owned(), message: self.to_string() }
    }

    /// What anybody may read of a condition: names, addresses and paths of this machine are for its operators.
    pub fn in_public(condition: &Condition) -> &str {
        match condition.reason.as_str() {
            "unreachable" => "the repository cannot be reached, or does not let Meshwright in",
            "timed-out" => "fetching the repository takes too long",
            "corrupt-mirror" | "local" => "the repository could not be fetched",
            "refused" | "unknown" => "the source is refused as it is configured",
            _ => &condition.message,
        }
    }

    /// Whether what a condition has this word for may be over by itself.
    pub fn may_pass(reason: &str) -> bool {
        matches!(reason, "unreachable" | "timed-out" | "corrupt-mirror" | "local")
    }
}

/// How a path differs between two commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TouchKind {
    /// It is there now, with other content or for the first time.
    Written,
    /// It is gone.
    Deleted,
}

/// One path that differs between two commits. A rename is a deletion and a writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Which.
    pub path: RepoPath,
    /// How.
    pub kind: TouchKind,
}

/// What merging a proposal into its base comes to. Nothing of it is an error: a proposal that cannot
/// be merged is its author's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// It merges cleanly. The commit holds what the branch would hold; the same two commits always
    /// give the same one. It is the base where that has all of the proposal already, and the
    /// proposal's head where that has all of the base.
    Clean(Revision),
    /// Both have changed the same lines.
    Conflicts {
        /// The files, sorted, at most [`MOST_CONFLICTS`]; made readable.
        paths: Vec<String>,
        /// How many files there are in all.
        count: usize,
    },
    /// They have no commit in common.
    Unrelated,
    /// Merging would cost more than a proposal may: why.
    TooLarge(String),
}

/// So many files in conflict are named.
pub const MOST_CONFLICTS: usize = 20;

/// Brings repositories here and lets their commits be read.
///
/// When `fetch` returns `Head::At`, all objects of that commit are in the mirror, and stay there
/// while the process runs, even when the branch moves on or is forced elsewhere.
#[async_trait]
pub trait Source: Send + Sync {
    /// Looks where the source's branch stands, and brings its objects here.
    async fn fetch(&self, source: &SourceName) -> Result<Head, FetchError>;

    /// Where the source's branch stood when this process looked at it last; `None` when it has not, or could
    /// not see it. Its objects are here, and nobody is asked.
    async fn standing(&self, _source: &SourceName) -> Option<Head> {
        None
    }

    /// The files of a commit.
    async fn tree(&self, source: &SourceName, revision: &Revision) -> Result<Arc<dyn Tree>, ReadError>;

    /// What differs between two commits; `None` when the older one is no longer to be had.
    async fn touched(
        &self,
        source: &SourceName,
        from: &Revision,
        to: &Revision,
    ) -> Result<Option<Vec<Touched>>, ReadError>;

    /// The commits between two of a branch, the newest first and at most `limit`, as the branch went
    /// through them (along first parents), without the two themselves; `None` when the branch did not go
    /// from the one to the other, or that cannot be told.
    async fn between(
        &self,
        _source: &SourceName,
        _from: &Revision,
        _to: &Revision,
        _limit: usize,
    ) -> Result<Option<Vec<Revision>>, ReadError> {
        Ok(None)
    }

    /// Brings the head of a proposal here, and says which commit it is; `None` when the repository
    /// has no such proposal (any more). A proposal may be anybody's work: it brings at most a quarter
    /// of what a mirror may hold, and nothing of it is run.
    ///
    /// `told` is where the forge says that it stands: when that was brought here before as its head, the
    /// repository is not asked.
    async fn fetch_proposal(
        &self,
        source: &SourceName,
        proposal: &Proposal,
        told: Option<&Revision>,
    ) -> Result<Option<Revision>, FetchError>;

    /// Whether this was brought here before as the head of the proposal.
    async fn has_proposal(&self, _source: &SourceName, _proposal: &Proposal, _head: &Revision) -> bool {
        false
    }

    /// Brings the heads of several proposals here at once, as far as that goes. Nothing depends on it:
    /// [`fetch_proposal`](Self::fetch_proposal) brings what is not here.
    async fn bring_together(&self, _source: &SourceName, _proposals: &[Proposal]) {}

    /// Merges `head` into `base`, both of which were fetched, without a working tree. The result can
    /// be read like any commit of the source.
    async fn merge(&self, source: &SourceName, base: &Revision, head: &Revision) -> Result<Merge, ReadError>;

    /// Lets go of all proposals but these, and says how many were let go.
    async fn keep_proposals(&self, source: &SourceName, open: &[Proposal]) -> Result<usize, FetchError>;
}

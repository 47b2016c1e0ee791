//! What upkeep needs of the record: letting go of history that nobody needs any more.

use async_trait::async_trait;

use crate::domain::plan::TaskKey;
use crate::domain::time::Timestamp;

use super::StoreError;

/// A part of history that is let go of by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum History {
    /// Activities that have ended, with their events and the logs of their tasks.
    Activities,
    /// Reports that are shown (or were given up) on commits that are no longer of interest.
    Reports,
    /// Passes and plans of which no activity and no report is left, with changes, verdicts and approvals.
    Plans,
    /// The content of versions that are not the newest and run nowhere. That there was such a version, and
    /// its digest, stays.
    Contents,
    /// Who decided what.
    Audit,
}

impl History {
    /// All parts, in an order in which one makes way for the next.
    pub const ALL: [History; 5] =
        [History::Activities, History::Reports, History::Plans, History::Contents, History::Audit];

    /// The word, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            History::Activities => "activities",
            History::Plans => "plans",
            History::Reports => "reports",
            History::Contents => "contents",
            History::Audit => "audit events",
        }
    }
}

/// How much history is kept. What is older, or beyond the number, goes; but never what the present is
/// explained by: what runs in containers with the activity and the plan that brought it there, what has not
/// ended with all of its plan and of what was planned for the source since, the newest activity of each
/// container, the latest pass of each source and its commit, the passes of commits of which reports are kept, and
/// the newest version of each product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Activities, plans and reports that came to their end before then.
    pub rollouts_since: Timestamp,
    /// At most so many activities, the newest.
    pub activities: u64,
    /// Contents of versions that were recorded before then.
    pub contents_since: Timestamp,
    /// Audit events from before then.
    pub audit_since: Timestamp,
    /// At most so many audit events, the newest.
    pub audit: u64,
}

/// What upkeep needs of the record.
#[async_trait]
pub trait HistoryBook: Send + Sync {
    /// Lets go of at most `most` things of one part, in one short transaction; says how many went. With
    /// `dry_run` it is only counted what would go now.
    async fn prune(&self, part: History, keep: &Kept, most: usize, dry_run: bool) -> Result<u64, StoreError>;

    /// The tasks whose artifacts may still be asked for: those of what runs in containers, and of what has
    /// not ended.
    async fn needed_tasks(&self) -> Result<Vec<TaskKey>, StoreError>;
}

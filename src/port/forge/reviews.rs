//! Where proposals come from: pull requests, and the people who comment on them.

use async_trait::async_trait;

use crate::domain::forge::PullRequest;
use crate::domain::id::{Revision, SourceName};

use super::ForgeError;

/// How a command in a comment is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// It was understood, and is being done.
    Seen,
    /// It was not understood, or its author may not ask for it.
    Refused,
}

/// Asks a forge about proposals. What it answers counts; what a payload claims does not.
#[async_trait]
pub trait Reviews: Send + Sync {
    /// A pull request of the source's repository; `None` when there is no such one.
    async fn pull_request(&self, source: &SourceName, number: u64) -> Result<Option<PullRequest>, ForgeError>;

    /// All open pull requests into `base`, at most 1,000, by number.
    async fn open_pull_requests(&self, source: &SourceName, base: &str) -> Result<Vec<PullRequest>, ForgeError>;

    /// The pull request that was merged as this commit, by its number; `None` where there is none, or where
    /// the forge does not know.
    async fn merged_as(&self, source: &SourceName, commit: &Revision) -> Result<Option<u64>, ForgeError>;

    /// Whether this person may write to the source's repository, and so may give commands.
    async fn may_write(&self, source: &SourceName, login: &str) -> Result<bool, ForgeError>;

    /// Answers a comment by a reaction; doing it twice shows it once.
    async fn react(&self, source: &SourceName, comment: u64, reaction: Reaction) -> Result<(), ForgeError>;
}

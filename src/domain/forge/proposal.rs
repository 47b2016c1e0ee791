//! A change that is proposed and not merged yet.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::id::Revision;

/// Which proposal of a source's repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proposal {
    /// A pull request (GitLab: a merge request), by its number.
    Pull(u64),
    /// A merge group of a merge queue, by its head: the result of the merge itself.
    MergeGroup(Revision),
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proposal::Pull(number) => write!(f, "pull/{number}"),
            Proposal::MergeGroup(head) => write!(f, "merge-group/{head}"),
        }
    }
}

/// Whether a pull request is still to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PullState {
    /// It may still be merged.
    Open,
    /// It was merged.
    Merged,
    /// It was closed without being merged.
    Closed,
}

/// A pull request as the forge tells it when asked; never what a payload claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its title: anybody's text.
    pub title: String,
    /// The login of who opened it.
    pub author: String,
    /// Open, merged or closed.
    pub state: PullState,
    /// Whether it is a draft. Drafts are assessed too.
    pub is_draft: bool,
    /// Whether its head stands in another repository, written to by people that we do not know.
    pub is_fork: bool,
    /// The commit that is proposed.
    pub head: Revision,
    /// The branch into which it is to be merged.
    pub base: String,
    /// For a merged one: the commit by which the base came to have it (of a merge, of a squash, or the
    /// last one of a rebase).
    #[serde(default)]
    pub merge_commit: Option<Revision>,
}

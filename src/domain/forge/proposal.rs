//! A change that is proposed and not merged yet.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::id::{InvalidId, Revision};

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

impl FromStr for Proposal {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId {
            kind: "proposal",
            text: text.chars().take(80).collect(),
            rule: "it is 'pull/<number>' or 'merge-group/<commit>'",
        };
        match text.split_once('/') {
            Some(("pull", number)) => number.parse().map(Proposal::Pull).map_err(|_| invalid()),
            Some(("merge-group", head)) => head.parse().map(Proposal::MergeGroup).map_err(|_| invalid()),
            _ => Err(invalid()),
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

impl PullState {
    /// The word, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            PullState::Open => "open",
            PullState::Merged => "merged",
            PullState::Closed => "closed",
        }
    }
}

/// What became of looking at a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewVerdict {
    /// It touches no descriptor.
    Untouched,
    /// Nothing stands against it.
    Accepted,
    /// Rules, policies or planning refuse something of it.
    Refused,
    /// It cannot be merged into its base.
    Conflicted,
    /// It could not be evaluated. Never taken for anything good.
    NotEvaluated,
}

impl ReviewVerdict {
    /// The word, as it is recorded.
    pub const fn as_str(self) -> &'static str {
        match self {
            ReviewVerdict::Untouched => "untouched",
            ReviewVerdict::Accepted => "accepted",
            ReviewVerdict::Refused => "refused",
            ReviewVerdict::Conflicted => "conflicted",
            ReviewVerdict::NotEvaluated => "not-evaluated",
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposals_are_read_as_they_are_shown() {
        let head = "0123456789abcdef0123456789abcdef01234567";
        for text in ["pull/12".to_owned(), format!("merge-group/{head}")] {
            assert_eq!(text.parse::<Proposal>().unwrap().to_string(), text);
        }
        for bad in ["", "pull/", "pull/-1", "pull/1/head", "merge-group/main", "12"] {
            assert!(bad.parse::<Proposal>().is_err(), "{bad}");
        }
    }
}

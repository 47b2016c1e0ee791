//! The parts of payloads that are read, as GitHub words them and Gitea and Forgejo after it. All else
//! is skipped without being kept.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::domain::id::Revision;

/// The longest name of a repository that is looked up: longer ones are nowhere watched.
const LONGEST_NAME: usize = 512;
/// The longest reference that is kept; Git itself takes no longer ones on most systems.
const LONGEST_REFERENCE: usize = 255;

#[derive(Debug, Deserialize)]
pub struct Repository {
    pub full_name: String,
}

#[derive(Debug, Deserialize)]
pub struct Person {
    pub login: String,
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

impl Person {
    /// Whether it is a program that speaks.
    pub fn is_bot(&self) -> bool {
        self.kind.as_deref() == Some("Bot") || self.login.ends_with("[bot]")
    }
}

#[derive(Debug, Deserialize)]
pub struct Push {
    #[serde(rename = "ref")]
    pub reference: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub repository: Repository,
}

/// `create` and `delete`.
#[derive(Debug, Deserialize)]
pub struct Reference {
    #[serde(rename = "ref")]
    pub reference: String,
    pub ref_type: String,
    pub repository: Repository,
}

#[derive(Debug, Deserialize)]
pub struct PullRequest {
    pub action: String,
    pub number: u64,
    pub pull_request: Pull,
    pub changes: Option<Changes>,
    pub repository: Repository,
}

#[derive(Debug, Deserialize)]
pub struct Pull {
    pub head: Side,
    pub base: Side,
}

#[derive(Debug, Deserialize)]
pub struct Side {
    #[serde(rename = "ref")]
    pub reference: String,
    pub sha: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Changes {
    pub base: Option<ChangedBase>,
    pub repository: Option<ChangedRepository>,
    pub owner: Option<ChangedOwner>,
}

#[derive(Debug, Deserialize)]
pub struct ChangedBase {
    #[serde(rename = "ref")]
    pub reference: From<String>,
}

#[derive(Debug, Deserialize)]
pub struct ChangedRepository {
    pub name: Option<From<String>>,
}

#[derive(Debug, Deserialize)]
pub struct ChangedOwner {
    pub from: PreviousOwner,
}

#[derive(Debug, Deserialize)]
pub struct PreviousOwner {
    pub user: Option<Person>,
    pub organization: Option<Person>,
}

#[derive(Debug, Deserialize)]
pub struct From<T> {
    pub from: T,
}

/// The commit, unless it is the one of zeros that stands where a reference is not, or is none at all.
pub fn commit(text: Option<&str>) -> Option<Revision> {
    text?.parse().ok().filter(|revision: &Revision| revision.as_str().bytes().any(|byte| byte != b'0'))
}

/// The branch that a full reference names.
pub fn branch(reference: &str) -> Option<String> {
    reference.strip_prefix("refs/heads/").map(str::to_owned)
}

/// A reference, as it is kept.
pub fn kept_reference(reference: &str) -> Option<String> {
    let end = reference.floor_char_boundary(LONGEST_REFERENCE);
    reference.get(..end).map(str::to_owned)
}

/// The names of repositories that may be watched, each once.
pub fn names(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.into_iter().filter(|name| name.len() <= LONGEST_NAME && seen.insert(name.clone())).collect()
}

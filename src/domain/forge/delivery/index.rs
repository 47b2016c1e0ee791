//! Which sources a repository of a forge means.

use std::collections::BTreeMap;

use crate::domain::id::{ForgeName, SourceName};

/// A source, as a forge's repositories lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedBranch {
    /// The source.
    pub source: SourceName,
    /// Its branch, without `refs/heads/`.
    pub branch: String,
}

/// The sources by forge and repository. Forges compare the names of repositories without regard to
/// case, and so does this.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryIndex(BTreeMap<ForgeName, BTreeMap<String, Vec<WatchedBranch>>>);

impl RepositoryIndex {
    /// Adds a source whose repository is `owner/name` there.
    pub fn add(&mut self, forge: ForgeName, repository: &str, source: SourceName, branch: &str) {
        let watched = WatchedBranch { source, branch: branch.to_owned() };
        self.0.entry(forge).or_default().entry(repository.to_lowercase()).or_default().push(watched);
    }

    /// The sources of a repository; none when it is not watched.
    pub fn of(&self, forge: &ForgeName, repository: &str) -> &[WatchedBranch] {
        let found = self.0.get(forge).and_then(|repositories| repositories.get(&repository.to_lowercase()));
        found.map(Vec::as_slice).unwrap_or_default()
    }

    /// All sources whose repositories are there.
    pub fn all_of(&self, forge: &ForgeName) -> impl Iterator<Item = &WatchedBranch> {
        self.0.get(forge).into_iter().flat_map(BTreeMap::values).flatten()
    }
}

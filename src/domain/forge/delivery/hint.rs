//! What a payload lets one suspect, in words that all forges share.

use std::collections::BTreeSet;

use crate::domain::forge::{Command, InvalidCommand, Proposal};
use crate::domain::id::{ForgeName, Revision, SourceName};
use crate::domain::source::Target;
use crate::domain::time::Timestamp;

use super::index::{RepositoryIndex, WatchedBranch};

/// What a payload lets one suspect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hint {
    /// The forge's word for what happened: `push`, `pull_request`.
    pub event: String,
    /// Its word for what of it: `opened`.
    pub action: Option<String>,
    /// The repositories that it names, as `owner/name`. A renamed one has both its names here.
    pub repositories: Vec<String>,
    /// The branch or reference that it names, as the forge writes it; anybody's text.
    pub reference: Option<String>,
    /// Whether it says that the reference has moved, from `before` to `head`; either is absent where the
    /// reference is.
    pub is_push: bool,
    /// For a push: the commit at which the reference stood before.
    pub before: Option<Revision>,
    /// The commit that it names.
    pub head: Option<Revision>,
    /// What should be looked at.
    pub subjects: Vec<Subject>,
    /// What somebody asks for.
    pub asking: Option<Asking>,
}

/// What should be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A branch, without `refs/heads/`.
    Branch(String),
    /// A pull request, by its number.
    Pull {
        /// The number.
        number: u64,
        /// The branches into which it is, or was, to be merged; with none, any.
        bases: Vec<String>,
    },
    /// A merge group.
    MergeGroup {
        /// Its head.
        head: Revision,
        /// The branch into which it is to be merged; with none, any.
        base: Option<String>,
    },
    /// All that is watched of the repositories.
    Repository,
    /// All that is watched at the forge: it does not say which repositories.
    Forge,
}

/// What somebody asks for, before it is known of which source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The pull request under which it stands.
    pub pull: Option<u64>,
    /// The comment in which it stands.
    pub comment: Option<u64>,
    /// The commit whose check has the button.
    pub head: Option<Revision>,
    /// The only source that is meant, where the button says so: several may read one repository.
    pub source: Option<SourceName>,
    /// Who asks.
    pub author: String,
    /// When it was written, as far as it is said.
    pub written_at: Option<Timestamp>,
    /// What is asked for.
    pub command: Result<Command, InvalidCommand>,
}

impl Hint {
    /// Whether anything that is watched is named. A hint that names no repository at all is about the
    /// forge itself, and counts as known.
    pub fn is_known(&self, forge: &ForgeName, index: &RepositoryIndex) -> bool {
        self.repositories.is_empty() || self.watched(forge, index).next().is_some()
    }

    /// The sources of the named repositories.
    pub fn watched<'a>(
        &'a self,
        forge: &'a ForgeName,
        index: &'a RepositoryIndex,
    ) -> impl Iterator<Item = &'a WatchedBranch> {
        self.repositories.iter().flat_map(|repository| index.of(forge, repository))
    }

    /// What it wakes: each target once, in a stable order.
    pub fn targets(&self, forge: &ForgeName, index: &RepositoryIndex) -> Vec<Target> {
        let mut targets = BTreeSet::new();
        for subject in &self.subjects {
            if *subject == Subject::Forge {
                targets.extend(index.all_of(forge).map(|watched| Target::branch(watched.source.clone())));
            }
            targets.extend(self.watched(forge, index).filter_map(|watched| subject.target(watched)));
        }
        targets.into_iter().collect()
    }
}

impl Subject {
    fn target(&self, watched: &WatchedBranch) -> Option<Target> {
        let source = || watched.source.clone();
        match self {
            Subject::Branch(branch) => (*branch == watched.branch).then(|| Target::branch(source())),
            Subject::Pull { number, bases } => (bases.is_empty() || bases.contains(&watched.branch))
                .then(|| Target::proposal(source(), Proposal::Pull(*number))),
            Subject::MergeGroup { head, base } => base
                .as_ref()
                .is_none_or(|base| *base == watched.branch)
                .then(|| Target::proposal(source(), Proposal::MergeGroup(head.clone()))),
            Subject::Repository => Some(Target::branch(source())),
            Subject::Forge => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> RepositoryIndex {
        let mut index = RepositoryIndex::default();
        let hub: ForgeName = "hub".parse().unwrap();
        index.add(hub.clone(), "Acme/Retail", "retail".parse().unwrap(), "main");
        index.add(hub.clone(), "acme/retail", "retail-next".parse().unwrap(), "next");
        index.add(hub, "acme/fleet", "fleet".parse().unwrap(), "main");
        index.add("other".parse().unwrap(), "acme/retail", "elsewhere".parse().unwrap(), "main");
        index
    }

    fn woken(subject: Subject, repositories: &[&str]) -> Vec<String> {
        let repositories = repositories.iter().map(|name| (*name).to_owned()).collect();
        let hint = Hint { subjects: vec![subject], repositories, ..Hint::default() };
        let targets = hint.targets(&"hub".parse().unwrap(), &index());
        targets
            .into_iter()
            .map(|target| match target.proposal {
                None => target.source.to_string(),
                Some(proposal) => format!("{} {proposal}", target.source),
            })
            .collect()
    }

    #[test]
    fn a_branch_wakes_the_sources_that_watch_it() {
        assert_eq!(woken(Subject::Branch("main".to_owned()), &["ACME/retail"]), ["retail"]);
        assert_eq!(woken(Subject::Branch("feature".to_owned()), &["acme/retail"]), [""; 0]);
        assert_eq!(woken(Subject::Branch("main".to_owned()), &["acme/unknown"]), [""; 0]);
    }

    #[test]
    fn a_pull_request_wakes_the_sources_of_its_bases_or_of_all() {
        let pull = |bases: &[&str]| Subject::Pull { number: 7, bases: bases.iter().map(|b| (*b).to_owned()).collect() };
        assert_eq!(woken(pull(&["main"]), &["acme/retail"]), ["retail pull/7"]);
        assert_eq!(woken(pull(&["next", "main"]), &["acme/retail"]), ["retail pull/7", "retail-next pull/7"]);
        assert_eq!(woken(pull(&[]), &["acme/retail"]), ["retail pull/7", "retail-next pull/7"]);
        assert_eq!(woken(pull(&["feature"]), &["acme/retail"]), [""; 0]);
    }

    #[test]
    fn a_renamed_repository_is_known_by_either_name_and_woken_once() {
        assert_eq!(woken(Subject::Repository, &["acme/shop", "acme/retail"]), ["retail", "retail-next"]);
        assert_eq!(woken(Subject::Repository, &["acme/retail", "Acme/Retail"]), ["retail", "retail-next"]);
        assert_eq!(woken(Subject::Forge, &[]), ["fleet", "retail", "retail-next"]);
    }
}

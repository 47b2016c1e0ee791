//! What people propose: pull requests are opened, moved, closed, opened again and merged.

use meshwright::domain::forge::{PullRequest, PullState};
use meshwright::domain::id::{Revision, SourceName};

use super::super::git::{Merged, Pull};
use super::{Branch, EDITS, Mesh, files_of};

/// So many pull requests of a source are open at once, at most.
const MOST_OPEN: usize = 3;

/// How the head of an open pull request stands to its branch now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    pub source: SourceName,
    pub number: u64,
    pub head: Revision,
    pub base: Revision,
    /// Whether merging conflicts.
    pub conflicts: bool,
    /// Whether it brings a product with a flaw.
    pub is_flawed: bool,
}

impl Mesh {
    /// Somebody proposes something; says which pull request it is about.
    pub fn propose(&self, source: &SourceName) -> Option<u64> {
        let open = self.pulls(source, PullState::Open);
        let what = self.chance.weighed(&[(5, "open"), (5, "push"), (2, "close"), (3, "merge"), (1, "reopen")]);
        let closed = self.pulls(source, PullState::Closed);
        let number = match what {
            "open" if open.len() < MOST_OPEN => return self.open(source),
            "reopen" => *self.chance.pick(&closed)?,
            _ => *self.chance.pick(&open)?,
        };
        self.world.tell(format_args!("author {source} {what} pull/{number}"));
        match what {
            "close" => self.turn(source, number, PullState::Closed, None),
            "reopen" => self.turn(source, number, PullState::Open, None),
            "merge" => self.merge(source, number),
            _ => self.push_to(source, number),
        }
        Some(number)
    }

    /// The numbers of pull requests in this state.
    pub fn pulls(&self, source: &SourceName, state: PullState) -> Vec<u64> {
        let repositories = self.repositories.lock().unwrap();
        let pulls = repositories[source].pulls.iter();
        pulls.filter(|(_, pull)| pull.request.state == state).map(|(number, _)| *number).collect()
    }

    /// A branch as somebody has changed it who works aside.
    fn changed(&self, mut branch: Branch) -> Branch {
        let edits: Vec<(u64, &str)> =
            EDITS.into_iter().filter(|(_, what)| !["revert", "force"].contains(what)).collect();
        let what = self.chance.weighed(&edits);
        if let Some(name) = self.pick(&branch) {
            self.edit(&mut branch, what, name);
        }
        branch
    }

    fn open(&self, source: &SourceName) -> Option<u64> {
        let (head, branch) = self.head(source);
        // Not all begin where the branch stands now.
        let parent =
            if self.chance.one_in(4) { self.repositories.lock().unwrap()[source].commits[head?].parent } else { head };
        let branch = parent.map_or(branch, |parent| self.authors.lock().unwrap().held[source][parent].clone());
        let commit = self.commit(source, parent.or(head), self.changed(branch));
        let mut repositories = self.repositories.lock().unwrap();
        let repository = repositories.get_mut(source)?;
        let number = repository.pulls.len() as u64 + 1;
        let request = PullRequest {
            number,
            title: format!("Proposal {number}"),
            author: "mona".to_owned(),
            state: PullState::Open,
            is_draft: false,
            is_fork: self.chance.one_in(2),
            head: repository.commits[commit].revision.clone(),
            base: "main".to_owned(),
            merge_commit: None,
        };
        self.world.tell(format_args!("author {source} open pull/{number}"));
        repository.pulls.insert(number, Pull { request, heads: vec![commit] });
        Some(number)
    }

    fn push_to(&self, source: &SourceName, number: u64) {
        let before = *self.repositories.lock().unwrap()[source].pulls[&number].heads.last().unwrap();
        let branch = self.authors.lock().unwrap().held[source][before].clone();
        let commit = self.commit(source, Some(before), self.changed(branch));
        let mut repositories = self.repositories.lock().unwrap();
        let repository = repositories.get_mut(source).unwrap();
        let revision = repository.commits[commit].revision.clone();
        let pull = repository.pulls.get_mut(&number).unwrap();
        pull.heads.push(commit);
        pull.request.head = revision;
    }

    fn turn(&self, source: &SourceName, number: u64, state: PullState, merge_commit: Option<Revision>) {
        let mut repositories = self.repositories.lock().unwrap();
        let request = &mut repositories.get_mut(source).unwrap().pulls.get_mut(&number).unwrap().request;
        (request.state, request.merge_commit) = (state, merge_commit);
    }

    /// The branch gets what is proposed, if that can be.
    fn merge(&self, source: &SourceName, number: u64) {
        let (base, merged, head) = {
            let repositories = self.repositories.lock().unwrap();
            let repository = &repositories[source];
            let (base, head) = (repository.head.unwrap(), *repository.pulls[&number].heads.last().unwrap());
            (base, repository.merge(base, head), head)
        };
        let commit = match merged {
            Merged::Conflicts(_) => return,
            Merged::Commit(commit) => commit,
            Merged::Files(files) => {
                // Who knows of products and not of files may come to something else; and of a branch without any
                // product nothing is concluded, so that nobody could say what is to run.
                let is_meant = |branch: &Branch| !branch.is_empty() && files_of(branch) == files;
                let Some(branch) = self.merged(source, base, head).filter(is_meant) else { return };
                self.commit(source, Some(base), branch)
            }
        };
        let revision = {
            let mut repositories = self.repositories.lock().unwrap();
            let repository = repositories.get_mut(source).unwrap();
            repository.move_to(commit);
            repository.commits[commit].revision.clone()
        };
        self.turn(source, number, PullState::Merged, Some(revision));
    }

    /// The products of a merge; `None` where a product differs on both sides.
    fn merged(&self, source: &SourceName, base: usize, head: usize) -> Option<Branch> {
        let authors = self.authors.lock().unwrap();
        let (ours, theirs) = (&authors.held[source][base], &authors.held[source][head]);
        let common = self.repositories.lock().unwrap()[source].common(base, head)?;
        let before = &authors.held[source][common];
        let mut merged = Branch::new();
        for name in ours.keys().chain(theirs.keys()) {
            let of = |branch: &Branch| branch.get(name).map(|product| (product.path(), product.yaml()));
            let side = if of(theirs) == of(before) { ours } else { theirs };
            merged.extend(side.get(name).map(|product| (name.clone(), product.clone())));
        }
        Some(merged)
    }

    /// All open pull requests, as they stand now.
    pub fn proposed(&self) -> Vec<Proposed> {
        let mut proposed = Vec::new();
        for source in &self.sources {
            let repositories = self.repositories.lock().unwrap();
            let repository = &repositories[source];
            let Some(base) = repository.head else { continue };
            for (number, pull) in repository.pulls.iter().filter(|(_, pull)| pull.request.state == PullState::Open) {
                let head = *pull.heads.last().unwrap();
                let merged = repository.merge(base, head);
                let conflicts = matches!(merged, Merged::Conflicts(_));
                let authors = self.authors.lock().unwrap();
                let ours = files_of(&authors.held[source][base]);
                let brought = match &merged {
                    Merged::Commit(commit) => files_of(&authors.held[source][*commit]),
                    Merged::Files(files) => files.clone(),
                    Merged::Conflicts(_) => ours.clone(),
                };
                let flawed = authors.held[source][head].values().filter(|product| product.flaw.is_some());
                let brings = |path: &String| brought.contains_key(path) && brought.get(path) != ours.get(path);
                proposed.push(Proposed {
                    source: source.clone(),
                    number: *number,
                    head: repository.commits[head].revision.clone(),
                    base: repository.commits[base].revision.clone(),
                    conflicts,
                    is_flawed: flawed.map(|product| product.path()).any(|path| brings(&path)),
                });
            }
        }
        proposed
    }
}

//! Repositories in memory, and what a replica sees of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use meshwright::domain::forge::{Proposal, PullRequest};
use meshwright::domain::id::{Digest, RepoPath, Revision, SourceName};
use meshwright::domain::source::Head;
use meshwright::port::source::{FetchError, Merge, Source, TouchKind, Touched};
use meshwright::port::tree::{Entry, EntryKind, Listing, ReadError, Tree};

use super::world::{Replica, World};

/// The files of a commit, by path.
pub type Files = BTreeMap<String, String>;

/// One commit.
#[derive(Debug, Clone)]
pub struct Commit {
    pub revision: Revision,
    pub parent: Option<usize>,
    pub files: Arc<Files>,
}

/// The files of a commit; there is nothing else in it.
struct SimTree(Arc<Files>);

impl Tree for SimTree {
    fn list(&self, folder: Option<&RepoPath>) -> Result<Listing, ReadError> {
        let below = |path: &RepoPath| {
            folder.is_none_or(|folder| {
                path.as_str().strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
            })
        };
        let paths = self.0.keys().map(|path| path.parse::<RepoPath>().unwrap()).filter(below);
        let entries = paths.map(|path| Entry { path, kind: EntryKind::File }).collect();
        Ok(Listing { entries, unusable: Vec::new() })
    }

    fn read(&self, path: &RepoPath, limit: u64) -> Result<Vec<u8>, ReadError> {
        match self.0.get(path.as_str()) {
            Some(text) if text.len() as u64 > limit => {
                Err(ReadError::TooLarge { path: path.clone(), size: text.len() as u64, limit })
            }
            Some(text) => Ok(text.clone().into_bytes()),
            None => Err(ReadError::NotFound(path.clone())),
        }
    }
}

/// A pull request, and the commits at which its head stood.
#[derive(Debug)]
pub struct Pull {
    pub request: PullRequest,
    pub heads: Vec<usize>,
}

/// What merging comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// One of the two has all of the other.
    Commit(usize),
    /// These files.
    Files(Files),
    /// Both have changed these.
    Conflicts(Vec<String>),
}

/// One repository with one branch.
#[derive(Debug, Default)]
pub struct Repository {
    pub commits: Vec<Commit>,
    /// Where the branch stands.
    pub head: Option<usize>,
    /// Where it stood, in turn.
    heads: Vec<usize>,
    pub pulls: BTreeMap<u64, Pull>,
    /// What merging has made.
    merges: BTreeMap<Revision, Commit>,
}

impl Repository {
    /// A new commit on top of another; no branch moves there.
    pub fn commit(&mut self, parent: Option<usize>, files: Files) -> usize {
        let mut text = format!("{:?} {}", parent, self.commits.len());
        for (path, content) in &files {
            text += &format!("\n{path}\n{content}");
        }
        self.commits.push(Commit { revision: revision_of(&text), parent, files: Arc::new(files) });
        self.commits.len() - 1
    }

    /// The branch stands there from now on.
    pub fn move_to(&mut self, commit: usize) {
        self.head = Some(commit);
        self.heads.push(commit);
    }

    /// Whether the branch ever stood at this commit.
    pub fn stood_at(&self, revision: &Revision) -> bool {
        self.heads.iter().any(|head| self.commits[*head].revision == *revision)
    }

    /// A commit and all before it.
    fn history(&self, mut at: Option<usize>) -> Vec<usize> {
        let mut history = Vec::new();
        while let Some(index) = at {
            history.push(index);
            at = self.commits[index].parent;
        }
        history
    }

    /// Which commit this is.
    pub fn place(&self, revision: &Revision) -> Option<usize> {
        self.commits.iter().position(|commit| commit.revision == *revision)
    }

    fn find(&self, revision: &Revision) -> Option<&Commit> {
        self.place(revision).map(|place| &self.commits[place]).or_else(|| self.merges.get(revision))
    }

    /// The commits that a branch went through, the newest first, without the two themselves.
    fn between(&self, from: &Revision, to: &Revision) -> Option<Vec<Revision>> {
        let history = self.history(Some(self.place(to)?));
        let from = self.place(from)?;
        let end = history.iter().position(|index| *index == from)?;
        Some(history[..end].iter().skip(1).map(|index| self.commits[*index].revision.clone()).collect())
    }

    /// The newest commit that both have.
    pub fn common(&self, one: usize, other: usize) -> Option<usize> {
        let ours = self.history(Some(one));
        self.history(Some(other)).into_iter().find(|index| ours.contains(index))
    }

    /// Merges one commit into another, file by file.
    pub fn merge(&self, base: usize, head: usize) -> Merged {
        let (ours, theirs) = (self.history(Some(base)), self.history(Some(head)));
        if ours.contains(&head) {
            return Merged::Commit(base);
        }
        if theirs.contains(&base) {
            return Merged::Commit(head);
        }
        let empty = Files::new();
        let common = self.common(base, head).map_or(&empty, |common| &self.commits[common].files);
        let (ours, theirs) = (&self.commits[base].files, &self.commits[head].files);
        let paths: BTreeSet<&String> = common.keys().chain(ours.keys()).chain(theirs.keys()).collect();
        let (mut files, mut conflicts) = (Files::new(), Vec::new());
        for path in paths {
            let (before, our, their) = (common.get(path), ours.get(path), theirs.get(path));
            let text = match (our == their, our == before, their == before) {
                (true, _, _) | (_, _, true) => our,
                (_, true, _) => their,
                _ => {
                    conflicts.push(path.clone());
                    continue;
                }
            };
            files.extend(text.map(|text| (path.clone(), text.clone())));
        }
        if conflicts.is_empty() { Merged::Files(files) } else { Merged::Conflicts(conflicts) }
    }
}

/// The same text always gives the same commit.
fn revision_of(text: &str) -> Revision {
    Digest::of(text.as_bytes()).as_str()[7..47].parse().unwrap()
}

/// All repositories.
pub type Repositories = Arc<Mutex<BTreeMap<SourceName, Repository>>>;

/// The repositories, as one replica sees them.
pub struct SimGit {
    pub replica: Arc<Replica>,
    pub repositories: Repositories,
}

impl SimGit {
    fn world(&self) -> &World {
        &self.replica.world
    }

    /// Where the branch is said to stand, and what comes with that.
    fn look(&self, source: &SourceName) -> Result<Head, FetchError> {
        let repositories = self.repositories.lock().unwrap();
        let repository = repositories.get(source).ok_or_else(|| FetchError::Unknown(source.clone()))?;
        let Some(mut head) = repository.head else { return Ok(Head::EmptyRepository) };
        if self.world().fault("old head", self.world().rates.old_head) {
            head = repository.heads.iter().rev().nth(1).copied().unwrap_or(head);
        }
        let mut mirror = self.replica.mirror.lock().unwrap();
        for index in repository.history(Some(head)) {
            if !mirror.insert((source.clone(), repository.commits[index].revision.clone())) {
                break;
            }
        }
        Ok(Head::At { revision: repository.commits[head].revision.clone() })
    }

    /// Where the head of a pull request is said to stand. It may be where it stood before.
    fn look_at_pull(&self, source: &SourceName, proposal: &Proposal) -> Option<Revision> {
        let Proposal::Pull(number) = proposal else { return None };
        let repositories = self.repositories.lock().unwrap();
        let repository = repositories.get(source)?;
        let heads = &repository.pulls.get(number)?.heads;
        let is_old = heads.len() > 1 && self.world().fault("old head", self.world().rates.old_head);
        let head = heads[heads.len() - 1 - usize::from(is_old)];
        let mut mirror = self.replica.mirror.lock().unwrap();
        for index in repository.history(Some(head)) {
            mirror.insert((source.clone(), repository.commits[index].revision.clone()));
        }
        Some(repository.commits[head].revision.clone())
    }

    fn merge_here(&self, source: &SourceName, base: &Revision, head: &Revision) -> Result<Merge, ReadError> {
        for revision in [base, head] {
            self.commit(source, revision)?;
        }
        let mut repositories = self.repositories.lock().unwrap();
        let repository = repositories.get_mut(source).unwrap();
        let (ours, theirs) = (repository.place(base).unwrap(), repository.place(head).unwrap());
        Ok(match repository.merge(ours, theirs) {
            Merged::Commit(commit) => Merge::Clean(repository.commits[commit].revision.clone()),
            Merged::Conflicts(paths) => Merge::Conflicts { count: paths.len(), paths },
            Merged::Files(files) => {
                let revision = revision_of(&format!("merge {base} {head}"));
                let commit = Commit { revision: revision.clone(), parent: Some(ours), files: Arc::new(files) };
                repository.merges.insert(revision.clone(), commit);
                self.replica.mirror.lock().unwrap().insert((source.clone(), revision.clone()));
                Merge::Clean(revision)
            }
        })
    }

    fn has(&self, source: &SourceName, revision: &Revision) -> bool {
        self.replica.mirror.lock().unwrap().contains(&(source.clone(), revision.clone()))
    }

    fn commit(&self, source: &SourceName, revision: &Revision) -> Result<Commit, ReadError> {
        let repositories = self.repositories.lock().unwrap();
        let found = repositories.get(source).and_then(|repository| repository.find(revision));
        found.filter(|_| self.has(source, revision)).cloned().ok_or_else(|| ReadError::Broken {
            path: revision.to_string(),
            message: "the mirror does not have this commit".to_owned(),
        })
    }
}

#[async_trait]
impl Source for SimGit {
    async fn fetch(&self, source: &SourceName) -> Result<Head, FetchError> {
        self.replica.enter().await;
        let (world, replica) = (self.world(), &self.replica.name);
        let outcome = if world.fault("fetch fails", world.rates.fetch_fails) {
            if world.chance.one_in(4) {
                tokio::time::sleep(Duration::from_secs(20)).await;
                Err(FetchError::TimedOut { seconds: 20 })
            } else {
                Err(FetchError::Unreachable("connection refused".to_owned()))
            }
        } else {
            self.look(source)
        };
        // What was seen may be old by the time it is told.
        tokio::time::sleep(world.chance.millis(5..=200)).await;
        world.tell(format_args!("{replica} fetch {source} {outcome:?}"));
        self.replica.leave().await;
        outcome
    }

    async fn tree(&self, source: &SourceName, revision: &Revision) -> Result<Arc<dyn Tree>, ReadError> {
        self.replica.enter().await;
        let found = self.commit(source, revision);
        self.world().tell(format_args!(
            "{} tree {source} {} {}",
            self.replica.name,
            revision.short(),
            if found.is_ok() { "there" } else { "missing" }
        ));
        self.replica.leave().await;
        Ok(Arc::new(SimTree(found?.files)))
    }

    async fn touched(
        &self,
        source: &SourceName,
        from: &Revision,
        to: &Revision,
    ) -> Result<Option<Vec<Touched>>, ReadError> {
        self.replica.enter().await;
        self.replica.leave().await;
        let to = self.commit(source, to)?;
        let Ok(from) = self.commit(source, from) else { return Ok(None) };
        let paths: BTreeSet<&String> = from.files.keys().chain(to.files.keys()).collect();
        let differs = paths.into_iter().filter(|path| from.files.get(*path) != to.files.get(*path));
        let touched = differs.map(|path| Touched {
            path: path.parse::<RepoPath>().unwrap(),
            kind: if to.files.contains_key(path) { TouchKind::Written } else { TouchKind::Deleted },
        });
        Ok(Some(touched.collect()))
    }

    async fn between(
        &self,
        source: &SourceName,
        from: &Revision,
        to: &Revision,
        limit: usize,
    ) -> Result<Option<Vec<Revision>>, ReadError> {
        self.replica.enter().await;
        let between = self.repositories.lock().unwrap().get(source).and_then(|it| it.between(from, to));
        self.replica.leave().await;
        Ok(between.map(|mut between| {
            between.truncate(limit);
            between
        }))
    }

    async fn fetch_proposal(
        &self,
        source: &SourceName,
        proposal: &Proposal,
        _: Option<&Revision>,
    ) -> Result<Option<Revision>, FetchError> {
        self.replica.enter().await;
        let (world, replica) = (self.world(), &self.replica.name);
        let outcome = if world.fault("fetch fails", world.rates.fetch_fails) {
            Err(FetchError::Unreachable("connection refused".to_owned()))
        } else {
            Ok(self.look_at_pull(source, proposal))
        };
        tokio::time::sleep(world.chance.millis(5..=200)).await;
        world.tell(format_args!("{replica} fetch {source} {proposal} {outcome:?}"));
        self.replica.leave().await;
        outcome
    }

    async fn merge(&self, source: &SourceName, base: &Revision, head: &Revision) -> Result<Merge, ReadError> {
        self.replica.enter().await;
        let outcome = self.merge_here(source, base, head);
        self.replica.leave().await;
        outcome
    }

    async fn keep_proposals(&self, _: &SourceName, _: &[Proposal]) -> Result<usize, FetchError> {
        self.replica.enter().await;
        self.replica.leave().await;
        Ok(0)
    }
}

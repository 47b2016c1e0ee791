//! Repositories in memory, and what a replica sees of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use meshwright::domain::forge::Proposal;
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

/// One repository with one branch.
#[derive(Debug, Default)]
pub struct Repository {
    pub commits: Vec<Commit>,
    /// Where the branch stands.
    pub head: Option<usize>,
}

impl Repository {
    /// A new commit on top of another; the branch moves there.
    pub fn commit(&mut self, parent: Option<usize>, files: Files) -> Revision {
        let mut text = format!("{:?} {}", parent, self.commits.len());
        for (path, content) in &files {
            text += &format!("\n{path}\n{content}");
        }
        let digest = Digest::of(text.as_bytes());
        let revision: Revision = digest.as_str()[7..47].parse().unwrap();
        self.commits.push(Commit { revision: revision.clone(), parent, files: Arc::new(files) });
        self.head = Some(self.commits.len() - 1);
        revision
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

    fn find(&self, revision: &Revision) -> Option<&Commit> {
        self.commits.iter().find(|commit| commit.revision == *revision)
    }
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
            head = repository.commits[head].parent.unwrap_or(head);
        }
        let mut mirror = self.replica.mirror.lock().unwrap();
        for index in repository.history(Some(head)) {
            if !mirror.insert((source.clone(), repository.commits[index].revision.clone())) {
                break;
            }
        }
        Ok(Head::At { revision: repository.commits[head].revision.clone() })
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

    async fn fetch_proposal(
        &self,
        _: &SourceName,
        _: &Proposal,
        _: Option<&Revision>,
    ) -> Result<Option<Revision>, FetchError> {
        Ok(None)
    }

    async fn merge(&self, _: &SourceName, _: &Revision, _: &Revision) -> Result<Merge, ReadError> {
        Ok(Merge::Unrelated)
    }

    async fn keep_proposals(&self, _: &SourceName, _: &[Proposal]) -> Result<usize, FetchError> {
        Ok(0)
    }
}

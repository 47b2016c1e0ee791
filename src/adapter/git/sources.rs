//! The port: sources by name, each a branch of a mirror.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::config::{BranchName, Credentials, RepositoryUrl, Transport};
use crate::domain::forge::Proposal;
use crate::domain::id::{Revision, SourceName};
use crate::domain::source::Head;
use crate::port::forge::login::Logins;
use crate::port::source::{FetchError, Merge, Source, Touched};
use crate::port::tree::{ReadError, Tree};

use super::access::Entry;
use super::folder::make_private_folder;
use super::merge::{Relation, merge, relate};
use super::mirror::{Mirror, Wish, blocking};
use super::touched::{between, touched};
use super::tree::GitTree;

/// A mirror grows to at most this, unless it is said otherwise.
const LARGEST_MIRROR_MIB: u64 = 2048;

/// One source, as the configuration has it.
#[derive(Debug, Clone)]
pub struct GitSourceSpec {
    /// Its name.
    pub name: SourceName,
    /// An absolute path, or a `file://`, `https://`, `ssh://` or `git://` URL without credentials.
    pub url: String,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// How long one fetch may take.
    pub timeout: Duration,
    /// How to get in.
    pub credentials: Option<Credentials>,
}

impl GitSourceSpec {
    /// Checks URL, branch and credentials, without reading a secret or going anywhere. What is
    /// wrong is said as [`FetchError::Refused`].
    pub fn check(&self) -> Result<(), FetchError> {
        self.parse().map(|_| ())
    }

    fn parse(&self) -> Result<(RepositoryUrl, BranchName), FetchError> {
        let refuse = |message: String| FetchError::Refused(message);
        let url: RepositoryUrl = self.url.parse().map_err(|error| refuse(format!("{error}")))?;
        let branch = self.branch.parse().map_err(|error| refuse(format!("{error}")))?;
        url.let_in_by(self.credentials.as_ref()).map_err(|error| refuse(format!("{error}")))?;
        Ok((url, branch))
    }
}

/// Why there are no sources at all.
#[derive(Debug, thiserror::Error)]
pub enum GitSetupError {
    /// Two sources have one name.
    #[error("there are two sources named '{0}'")]
    DuplicateName(SourceName),
    /// The folder of mirrors cannot be used.
    #[error("the folder for mirrors, {path}, cannot be made")]
    MakeMirrors {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// All sources that are Git repositories.
#[derive(Debug)]
pub struct GitSources {
    sources: BTreeMap<SourceName, Result<Watched, FetchError>>,
}

#[derive(Debug)]
struct Watched {
    mirror: Arc<Mirror>,
    local_path: Option<PathBuf>,
    branch: BranchName,
    timeout: Duration,
    credentials: Option<Entry>,
}

impl Watched {
    fn wish(&self) -> Wish<'_> {
        Wish { branch: &self.branch, credentials: self.credentials.as_ref(), timeout: self.timeout }
    }
}

impl GitSources {
    /// Sources with their mirrors below `mirrors`, which is made. Nothing is fetched yet.
    ///
    /// A source whose URL, branch or credentials are not let in does not stop the others: its
    /// fetches say [`FetchError::Refused`].
    pub fn new(mirrors: PathBuf, specs: Vec<GitSourceSpec>) -> Result<Self, GitSetupError> {
        Self::with_limit(mirrors, specs, LARGEST_MIRROR_MIB)
    }

    /// The same, with another limit on the size of each mirror, in MiB.
    pub fn with_limit(mirrors: PathBuf, specs: Vec<GitSourceSpec>, mirror_mib: u64) -> Result<Self, GitSetupError> {
        let made = make_private_folder(&mirrors.join("home")).and_then(|()| mirrors.canonicalize());
        let mirrors = made.map_err(|source| GitSetupError::MakeMirrors { path: mirrors, source })?;
        let mut by_url: BTreeMap<String, Arc<Mirror>> = BTreeMap::new();
        let mut sources = BTreeMap::new();
        for spec in specs {
            let watched = spec.parse().map(|(url, branch)| {
                let mirror = by_url
                    .entry(url.as_str().to_owned())
                    .or_insert_with(|| Arc::new(Mirror::new(&mirrors, &url, mirror_mib.saturating_mul(1 << 20))));
                Watched {
                    mirror: Arc::clone(mirror),
                    local_path: url.local_path().map(Path::to_owned),
                    branch,
                    timeout: spec.timeout,
                    credentials: spec.credentials.map(Entry::Configured),
                }
            });
            if sources.insert(spec.name.clone(), watched).is_some() {
                return Err(GitSetupError::DuplicateName(spec.name));
            }
        }
        Ok(Self { sources })
    }

    /// Lets sources in by passwords that are made for each look. Only a source over HTTP that has no
    /// credentials of its own takes one; which host may see it is for the caller to say.
    #[must_use]
    pub fn with_logins(mut self, logins: BTreeMap<SourceName, Arc<dyn Logins>>) -> Self {
        for (source, logins) in logins {
            let Some(Ok(watched)) = self.sources.get_mut(&source) else { continue };
            let is_http = matches!(watched.mirror.transport(), Transport::Https | Transport::LoopbackHttp);
            if is_http && watched.credentials.is_none() {
                watched.credentials = Some(Entry::Made { source, logins });
            }
        }
        self
    }

    /// The folder of a source that is a repository of this machine: what the file watch watches,
    /// and where the local forge writes.
    pub fn local_repository(&self, source: &SourceName) -> Option<&Path> {
        self.watched(source).ok()?.local_path.as_deref()
    }

    fn watched(&self, source: &SourceName) -> Result<&Watched, FetchError> {
        match self.sources.get(source) {
            Some(watched) => watched.as_ref().map_err(Clone::clone),
            None => Err(FetchError::Unknown(source.clone())),
        }
    }

    async fn git_tree(&self, source: &SourceName, revision: &Revision) -> Result<Option<GitTree>, ReadError> {
        let broken = |message: String| ReadError::Broken { path: format!("commit {}", revision.short()), message };
        let watched = self.watched(source).map_err(|error| broken(error.to_string()))?;
        let objects = Arc::clone(watched.mirror.objects());
        let wanted = revision.clone();
        let root = blocking(move || objects.root(&wanted)).await.map_err(|error| broken(error.message().to_owned()))?;
        Ok(root.map(|root| GitTree::new(Arc::clone(watched.mirror.objects()), root, revision.clone())))
    }
}

#[async_trait]
impl Source for GitSources {
    async fn fetch(&self, source: &SourceName) -> Result<Head, FetchError> {
        let watched = self.watched(source)?;
        let outcome = watched.mirror.look(watched.wish()).await;
        if let (Some(entry), Err(FetchError::Unreachable(_))) = (&watched.credentials, &outcome) {
            entry.failed();
        }
        tracing::debug!(%source, ?outcome, "looked at the source");
        outcome
    }

    async fn tree(&self, source: &SourceName, revision: &Revision) -> Result<Arc<dyn Tree>, ReadError> {
        match self.git_tree(source, revision).await? {
            Some(tree) => Ok(Arc::new(tree)),
            None => Err(not_here(revision)),
        }
    }

    async fn touched(
        &self,
        source: &SourceName,
        from: &Revision,
        to: &Revision,
    ) -> Result<Option<Vec<Touched>>, ReadError> {
        let new = self.git_tree(source, to).await?.ok_or_else(|| not_here(to))?;
        let Some(old) = self.git_tree(source, from).await? else { return Ok(None) };
        let outcome = tokio::task::spawn_blocking(move || touched(&old, &new)).await;
        outcome.unwrap_or_else(|error| Err(ReadError::Broken { path: String::new(), message: error.to_string() }))
    }

    async fn between(
        &self,
        source: &SourceName,
        from: &Revision,
        to: &Revision,
        limit: usize,
    ) -> Result<Option<Vec<Revision>>, ReadError> {
        let broken = |message: String| ReadError::Broken { path: format!("commit {}", to.short()), message };
        let watched = self.watched(source).map_err(|error| broken(error.to_string()))?;
        let (objects, from, to) = (Arc::clone(watched.mirror.objects()), from.clone(), to.clone());
        let walked = blocking(move || objects.with(|repository| between(repository, &from, &to, limit))).await;
        walked.map_err(|error| broken(error.message().to_owned()))
    }

    async fn standing(&self, source: &SourceName) -> Option<Head> {
        let watched = self.watched(source).ok()?;
        let seen = watched.mirror.last_seen(&watched.wish()).await?;
        match &seen {
            // A mirror that was cloned again since may not have it any more.
            Head::At { revision } => self.git_tree(source, revision).await.ok()?.map(|_| seen),
            Head::EmptyRepository | Head::NoSuchBranch => Some(seen),
        }
    }

    async fn fetch_proposal(
        &self,
        source: &SourceName,
        proposal: &Proposal,
        told: Option<&Revision>,
    ) -> Result<Option<Revision>, FetchError> {
        let watched = self.watched(source)?;
        let outcome = watched.mirror.look_at_proposal(watched.wish(), source, proposal, told).await;
        tracing::debug!(%source, %proposal, ?outcome, "looked at the proposal");
        outcome
    }

    async fn has_proposal(&self, source: &SourceName, proposal: &Proposal, head: &Revision) -> bool {
        match self.watched(source) {
            Ok(watched) => watched.mirror.has_proposal(source, proposal, head).await,
            Err(_) => false,
        }
    }

    async fn bring_together(&self, source: &SourceName, proposals: &[Proposal]) {
        if let Ok(watched) = self.watched(source) {
            watched.mirror.bring_together(watched.wish(), source, proposals).await;
        }
    }

    async fn merge(&self, source: &SourceName, base: &Revision, head: &Revision) -> Result<Merge, ReadError> {
        let broken = |message: String| ReadError::Broken { path: format!("merge of {}", head.short()), message };
        let ours = self.git_tree(source, base).await?.ok_or_else(|| not_here(base))?;
        let theirs = self.git_tree(source, head).await?.ok_or_else(|| not_here(head))?;
        let watched = self.watched(source).map_err(|error| broken(error.to_string()))?;
        let objects = Arc::clone(watched.mirror.objects());
        let related = tokio::task::spawn_blocking(move || relate(&objects, &ours, &theirs)).await;
        let renames = match related.map_err(|error| broken(error.to_string()))?? {
            Relation::Settled(outcome) => return Ok(outcome),
            Relation::Apart { renames } => renames,
        };
        // What is written half would be tidied away by who holds the lock.
        let _turn = watched.mirror.turn.lock().await;
        let lock = watched.mirror.write_lock(Instant::now() + watched.timeout).await;
        let lock = lock.map_err(|error| broken(error.to_string()))?;
        let (objects, base, head) = (Arc::clone(watched.mirror.objects()), base.clone(), head.clone());
        let merged = blocking(move || objects.with(|repository| merge(repository, &base, &head, renames))).await;
        drop(lock);
        merged.map_err(|error| broken(error.message().to_owned()))
    }

    async fn keep_proposals(&self, source: &SourceName, open: &[Proposal]) -> Result<usize, FetchError> {
        let watched = self.watched(source)?;
        watched.mirror.keep_proposals(watched.wish(), source, open).await
    }
}

fn not_here(revision: &Revision) -> ReadError {
    ReadError::Broken {
        path: format!("commit {}", revision.short()),
        message: "the commit is not in the mirror".to_owned(),
    }
}

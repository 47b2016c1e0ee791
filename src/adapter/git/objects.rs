//! The mirror's objects, for many threads at once. A git2 repository may be used by one thread at
//! a time, and opening one costs a few files: those that are not in use are kept.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use git2::{ErrorCode, Oid, Repository};

use crate::domain::id::Revision;

/// More are not kept: as many threads rarely read at once.
const MOST_KEPT: usize = 16;

/// The open repositories of one mirror.
#[derive(Debug)]
pub(super) struct Objects {
    path: PathBuf,
    /// Counts clones; a repository of an earlier one is not used again.
    clones: AtomicU64,
    idle: Mutex<Vec<(u64, OpenRepository)>>,
    suspect: AtomicBool,
}

struct OpenRepository(Repository);

impl std::fmt::Debug for OpenRepository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenRepository")
    }
}

impl Objects {
    /// Of the bare repository at `path`, which need not be there yet.
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            clones: AtomicU64::new(0),
            idle: Mutex::default(),
            suspect: AtomicBool::new(false),
        }
    }

    /// Does something with a repository; when that fails, once more with one that is opened anew:
    /// what failed may have been a pack that was rolled up or replaced meanwhile.
    pub(super) fn with<T>(
        &self,
        mut read: impl FnMut(&Repository) -> Result<T, git2::Error>,
    ) -> Result<T, git2::Error> {
        let clones = self.current_clone();
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some((of, OpenRepository(repository))) = kept.filter(|(of, _)| *of == clones)
            && let Ok(value) = read(&repository)
        {
            self.keep(of, repository);
            return Ok(value);
        }
        let repository = open(&self.path)?;
        let value = read(&repository)?;
        self.keep(clones, repository);
        Ok(value)
    }

    fn keep(&self, of: u64, repository: Repository) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_KEPT && of == self.current_clone() {
            idle.push((of, OpenRepository(repository)));
        }
    }

    /// A new clone stands in the mirror's place.
    pub(super) fn replaced(&self) {
        self.clones.fetch_add(1, Ordering::AcqRel);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.suspect.store(false, Ordering::Release);
    }

    /// Which clone stands in the mirror's place.
    pub(super) fn current_clone(&self) -> u64 {
        self.clones.load(Ordering::Acquire)
    }

    /// Something that must be there in this clone could not be read: the next fetch clones anew,
    /// unless that has happened already.
    pub(super) fn suspect(&self, clone: u64) {
        if clone == self.current_clone() {
            self.suspect.store(true, Ordering::Release);
        }
    }

    /// Whether something that must be there could not be read.
    pub(super) fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Acquire)
    }

    /// The tree of a commit; `None` when the commit is not there. A commit that is there and
    /// cannot be read makes the mirror suspect.
    pub(super) fn root(&self, revision: &Revision) -> Result<Option<Oid>, git2::Error> {
        let Ok(id) = Oid::from_str(revision.as_str()) else { return Ok(None) };
        let clone = self.current_clone();
        let outcome = self.with(|repository| {
            // Asked apart, because a broken commit is not the same as none.
            if !repository.odb()?.exists(id) {
                return Ok(None);
            }
            Ok(Some(repository.find_commit(id)?.tree()?.id()))
        });
        if outcome.is_err() && self.path.exists() {
            self.suspect(clone);
        }
        outcome
    }
}

/// Opens a mirror with its own configuration alone: neither the user's nor the system's.
pub(super) fn open(path: &Path) -> Result<Repository, git2::Error> {
    let repository = Repository::open_bare(path)?;
    repository.set_config(&git2::Config::open(&path.join("config"))?)?;
    Ok(repository)
}

/// Where a ref of the mirror stands, when its commit and that commit's tree can be read; `None`
/// when there is no such ref.
pub(super) fn standing(repository: &Repository, reference: &str) -> Result<Option<Oid>, git2::Error> {
    match repository.refname_to_id(reference) {
        Ok(id) => {
            repository.find_commit(id)?.tree()?;
            Ok(Some(id))
        }
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

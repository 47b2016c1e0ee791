//! The files of a commit, straight from a bare repository. It stands in for the Git adapter.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use git2::{ObjectType, Oid, Repository, TreeWalkMode, TreeWalkResult};
use meshwright::domain::id::RepoPath;
use meshwright::port::tree::{Entry, EntryKind, Listing, ReadError, Tree};

/// One commit. Each thread that reads takes an opened repository from the pool and puts it back.
pub struct MirrorTree {
    folder: PathBuf,
    files: BTreeMap<RepoPath, Oid>,
    pool: Mutex<Vec<Repository>>,
}

impl MirrorTree {
    /// Opens the repository and lists the commit's files.
    pub fn open(folder: &Path, revision: &str) -> Self {
        let repository = Repository::open_bare(folder).unwrap();
        let mut files = BTreeMap::new();
        let commit = repository.find_commit(revision.parse().unwrap()).unwrap();
        let walk = |parent: &str, entry: &git2::TreeEntry<'_>| {
            if entry.kind() == Some(ObjectType::Blob) {
                let path = format!("{parent}{}", entry.name().unwrap());
                files.insert(path.parse().unwrap(), entry.id());
            }
            TreeWalkResult::Ok
        };
        commit.tree().unwrap().walk(TreeWalkMode::PreOrder, walk).unwrap();
        drop(commit);
        Self { folder: folder.to_owned(), files, pool: Mutex::new(vec![repository]) }
    }
}

impl Tree for MirrorTree {
    fn list(&self, folder: Option<&RepoPath>) -> Result<Listing, ReadError> {
        let below = folder.map(|folder| format!("{folder}/")).unwrap_or_default();
        let paths = self.files.keys().filter(|path| path.as_str().starts_with(&below));
        let entries = paths.map(|path| Entry { path: path.clone(), kind: EntryKind::File }).collect();
        Ok(Listing { entries, unusable: Vec::new() })
    }

    fn read(&self, path: &RepoPath, _limit: u64) -> Result<Vec<u8>, ReadError> {
        let id = self.files.get(path).ok_or_else(|| ReadError::NotFound(path.clone()))?;
        let pooled = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let repository = pooled.unwrap_or_else(|| Repository::open_bare(&self.folder).unwrap());
        let content = repository.find_blob(*id).unwrap().content().to_vec();
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(repository);
        Ok(content)
    }
}

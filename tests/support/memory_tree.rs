//! A tree in memory, for tests of everything that reads one.

use std::collections::BTreeMap;
use std::path::Path;

use meshwright::domain::id::RepoPath;
use meshwright::port::tree::{Entry, EntryKind, Listing, ReadError, Tree};

/// A tree in memory. Files are bytes; links and submodules are there and lead nowhere.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    entries: BTreeMap<RepoPath, (EntryKind, Vec<u8>)>,
}

impl MemoryTree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same tree with one more file.
    #[must_use]
    pub fn with(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.entries.insert(path.parse().unwrap(), (EntryKind::File, bytes.as_ref().to_vec()));
        self
    }

    /// The same tree with something that is no file.
    #[must_use]
    pub fn with_other(mut self, path: &str, kind: EntryKind) -> Self {
        self.entries.insert(path.parse().unwrap(), (kind, Vec::new()));
        self
    }

    /// The files of a folder and of the folders in it.
    pub fn of_folder(folder: &Path) -> Self {
        let mut tree = Self::new();
        tree.add_folder(folder, "");
        tree
    }

    #[expect(clippy::disallowed_methods, reason = "tests read their own cases")]
    fn add_folder(&mut self, folder: &Path, prefix: &str) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                self.add_folder(&entry.path(), &format!("{path}/"));
            } else {
                self.entries.insert(path.parse().unwrap(), (EntryKind::File, std::fs::read(entry.path()).unwrap()));
            }
        }
    }
}

impl Tree for MemoryTree {
    fn list(&self, folder: Option<&RepoPath>) -> Result<Listing, ReadError> {
        let below = |path: &RepoPath| match folder {
            None => true,
            Some(folder) => path.as_str().strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')),
        };
        let entries = self.entries.iter().filter(|(path, _)| below(path));
        let entries = entries.map(|(path, (kind, _))| Entry { path: path.clone(), kind: *kind }).collect();
        Ok(Listing { entries, unusable: Vec::new() })
    }

    fn read(&self, path: &RepoPath, limit: u64) -> Result<Vec<u8>, ReadError> {
        let mut above = path.parent();
        while let Some(folder) = above {
            match self.entries.get(&folder) {
                Some((EntryKind::Symlink, _)) => return Err(ReadError::Symlink(path.clone())),
                Some((EntryKind::Submodule, _)) => return Err(ReadError::Submodule(path.clone())),
                _ => above = folder.parent(),
            }
        }
        match self.entries.get(path) {
            Some((EntryKind::Symlink, _)) => Err(ReadError::Symlink(path.clone())),
            Some((EntryKind::Submodule, _)) => Err(ReadError::Submodule(path.clone())),
            Some((EntryKind::File, bytes)) if bytes.len() as u64 > limit => {
                Err(ReadError::TooLarge { path: path.clone(), size: bytes.len() as u64, limit })
            }
            Some((EntryKind::File, bytes)) => Ok(bytes.clone()),
            None if !self.list(Some(path))?.entries.is_empty() => Err(ReadError::Folder(path.clone())),
            None => Err(ReadError::NotFound(path.clone())),
        }
    }
}

//! A folder of files that are not committed yet, as a tree.

use std::path::{Path, PathBuf};

use crate::domain::id::RepoPath;
use crate::port::tree::{Entry, EntryKind, Listing, ReadError, Tree};

/// A stand-in, to be replaced by the real one.
#[derive(Debug, Clone)]
pub struct WorktreeTree {
    root: PathBuf,
}

impl WorktreeTree {
    /// The folder as a tree.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn walk(&self, folder: &Path, prefix: &str, listing: &mut Listing) {
        let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == ".git" {
                continue;
            }
            let text = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                self.walk(&entry.path(), &text, listing);
                continue;
            }
            let kind = if kind.is_symlink() { EntryKind::Symlink } else { EntryKind::File };
            match text.parse::<RepoPath>() {
                Ok(path) => listing.entries.push(Entry { path, kind }),
                Err(_) => listing.unusable.push(text),
            }
        }
    }
}

impl Tree for WorktreeTree {
    fn list(&self, folder: Option<&RepoPath>) -> Result<Listing, ReadError> {
        let mut listing = Listing::default();
        let prefix = folder.map(RepoPath::as_str).unwrap_or_default();
        self.walk(&self.root.join(prefix), prefix, &mut listing);
        Ok(listing)
    }

    #[expect(clippy::disallowed_methods, reason = "files are read here")]
    fn read(&self, path: &RepoPath, _limit: u64) -> Result<Vec<u8>, ReadError> {
        std::fs::read(self.root.join(path.as_str())).map_err(|_| ReadError::NotFound(path.clone()))
    }
}

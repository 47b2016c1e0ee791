//! The files of one commit (or of a working tree), read without checking anything out.

use crate::domain::id::RepoPath;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A symbolic link; never followed.
    Symlink,
    /// Another repository; never entered.
    Submodule,
}

/// A path of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub path: RepoPath,
    /// What.
    pub kind: EntryKind,
}

/// A listing of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// All entries that are not folders, by path.
    pub entries: Vec<Entry>,
    /// Paths that are no [`RepoPath`] (control characters, backslashes, not UTF-8), made readable.
    pub unusable: Vec<String>,
}

/// Why a file cannot be read. All but `Broken` are the user's mistakes, and become findings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing stands there.
    #[error("'{0}' is not there")]
    NotFound(RepoPath),
    /// It (or a folder above it) is a symbolic link.
    #[error("'{0}' is a symbolic link, and links are not followed")]
    Symlink(RepoPath),
    /// It (or a folder above it) is a submodule.
    #[error("'{0}' is in a submodule, and submodules are not entered")]
    Submodule(RepoPath),
    /// It is a folder.
    #[error("'{0}' is a folder")]
    Folder(RepoPath),
    /// It is larger than the caller wants to read.
    #[error("'{path}' has {size} bytes, and at most {limit} are read")]
    TooLarge {
        /// The file.
        path: RepoPath,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The tree itself cannot be read: try again after the next fetch.
    #[error("the tree cannot be read at '{path}': {message}")]
    Broken {
        /// What was wanted.
        path: String,
        /// What the library says.
        message: String,
    },
}

/// The files of one commit. Reading is blocking and may happen on many threads at once.
pub trait Tree: Send + Sync {
    /// All entries below `folder` (or of the whole tree), in the order of their paths.
    fn list(&self, folder: Option<&RepoPath>) -> Result<Listing, ReadError>;

    /// The bytes of a file, if it has at most `limit` of them.
    fn read(&self, path: &RepoPath, limit: u64) -> Result<Vec<u8>, ReadError>;
}

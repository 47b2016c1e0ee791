//! Files that people are working on.

use crate::domain::id::RepoPath;

use super::tree::ReadError;

/// Why a file was not replaced. It stands as it stood.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// It cannot be read, or is none of the files that are read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// Somebody else has written to it in the meantime.
    #[error("'{0}' has changed in the meantime")]
    Changed(RepoPath),
    /// Its owner has said that it is not to be written to.
    #[error("'{0}' is read-only")]
    ReadOnly(RepoPath),
    /// Writing failed.
    #[error("'{path}' cannot be written: {message}")]
    Unwritable {
        /// The file.
        path: RepoPath,
        /// What the system says.
        message: String,
    },
}

/// A folder of files that people are working on.
pub trait Workspace: Send + Sync {
    /// Replaces a file's content `before` by `after`, all at once: whoever reads it meanwhile, and
    /// whoever reads it after a crash, sees the one or the other. Its mode stays. Links are not followed.
    ///
    /// Fails when the file does not hold `before` any more.
    fn replace(&self, path: &RepoPath, before: &[u8], after: &[u8]) -> Result<(), ReplaceError>;
}

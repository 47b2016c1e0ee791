//! Replacing a file that people are working on: a new file beside it, brought to the disk and renamed
//! over it. Between the last look at the old one and the renaming somebody may still write; no system
//! call of a file system closes that gap of microseconds.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use super::{WorktreeTree, read_bounded};
use crate::domain::id::RepoPath;
use crate::port::tree::ReadError;
use crate::port::workspace::{ReplaceError, Workspace};

impl Workspace for WorktreeTree {
    fn replace(&self, path: &RepoPath, before: &[u8], after: &[u8]) -> Result<(), ReplaceError> {
        let (at, metadata) = self.find(path)?;
        if metadata.is_dir() {
            return Err(ReadError::Folder(path.clone()).into());
        }
        if metadata.permissions().readonly() {
            return Err(ReplaceError::ReadOnly(path.clone()));
        }
        let unwritable = |error: io::Error| ReplaceError::Unwritable { path: path.clone(), message: error.to_string() };
        let Some(folder) = at.parent() else { return Err(ReadError::Folder(path.clone()).into()) };
        let temporary = written(folder, &metadata, after).map_err(unwritable)?;
        // From here on, what was looked at is what is replaced.
        let (at, _) = self.find(path)?;
        let size = u64::try_from(before.len()).unwrap_or(u64::MAX);
        if read_bounded(&at, size).map_err(unwritable)?.as_deref() != Some(before) {
            return Err(ReplaceError::Changed(path.clone()));
        }
        temporary.persist(&at).map_err(|error| unwritable(error.error))?;
        // The new name is there in any case; this only brings it to the disk.
        open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable)
    }
}

/// A file in `folder` with this content and the mode of another; it is removed unless it is renamed.
fn written(folder: &Path, like: &Metadata, content: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(".meshwright-").tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().set_permissions(like.permissions())?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn open(folder: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(folder)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests make the files they replace")]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn path(text: &str) -> RepoPath {
        text.parse().unwrap()
    }

    #[test]
    fn the_content_is_replaced_and_the_mode_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let tree = WorktreeTree::new(folder.path().to_owned());
        tree.replace(&path("a.yaml"), b"old", b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_changed_meanwhile_and_what_is_no_file_of_the_tree_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let outside = elsewhere.path().join("x.yaml");
        fs::write(&outside, "old").unwrap();
        fs::write(folder.path().join("a.yaml"), "newer").unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        symlink(&outside, folder.path().join("link.yaml")).unwrap();
        symlink(elsewhere.path(), folder.path().join("out")).unwrap();
        let locked = folder.path().join("locked.yaml");
        fs::write(&locked, "old").unwrap();
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o444)).unwrap();
        let tree = WorktreeTree::new(folder.path().to_owned());
        let replace = |name: &str| tree.replace(&path(name), b"old", b"new");
        assert!(matches!(replace("a.yaml"), Err(ReplaceError::Changed(_))));
        for name in ["link.yaml", "out/x.yaml", "inner", "gone.yaml", ".git/config"] {
            assert!(matches!(replace(name), Err(ReplaceError::Unreadable(_))), "{name}");
        }
        assert!(matches!(replace("locked.yaml"), Err(ReplaceError::ReadOnly(_))));
        assert_eq!(fs::read(&outside).unwrap(), b"old");
        assert_eq!(fs::read(folder.path().join("a.yaml")).unwrap(), b"newer");
        assert_eq!(fs::read(&locked).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "nothing is left beside them");
    }
}

//! File access of the executors: bounded, private, never through links.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// How deep folders may lie in what a program leaves.
const DEEPEST: usize = 64;

/// Makes a folder and those above it, for the daemon's user only.
pub(super) fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that is not there yet.
pub(super) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)
}

/// Opens a regular file for reading. A link is not followed, and a pipe does not make us wait.
pub(super) fn open_regular(path: &Path) -> io::Result<std::fs::File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
    }
}

/// What a bounded read brought.
pub(super) enum Bounded {
    /// The whole file.
    All(Vec<u8>),
    /// It has more bytes than the limit.
    TooLarge,
}

/// Reads a regular file of at most `limit` bytes.
pub(super) fn read_bounded(path: &Path, limit: u64) -> io::Result<Bounded> {
    let mut bytes = Vec::new();
    open_regular(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Ok(Bounded::TooLarge) } else { Ok(Bounded::All(bytes)) }
}

/// Removes a folder with all that is in it, also what a program has locked against itself. A
/// folder that is not there is fine.
#[expect(clippy::disallowed_methods, reason = "only folders that the executors made themselves come here")]
pub(super) fn remove_tree(path: &Path) -> io::Result<()> {
    let first = match std::fs::remove_dir_all(path) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => error,
    };
    // A program may have taken the rights to a folder away, also from us.
    unlock(path, 0);
    // A process that is being killed may still have put something into a folder that was empty.
    for _ in 0..20 {
        match std::fs::remove_dir_all(path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(10)),
        }
    }
    Err(first)
}

/// Gives the owner all rights to all folders; as far as it goes.
fn unlock(folder: &Path, depth: usize) {
    if depth > DEEPEST || !std::fs::symlink_metadata(folder).is_ok_and(|meta| meta.is_dir()) {
        return;
    }
    let _ = std::fs::set_permissions(folder, Permissions::from_mode(0o700));
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            unlock(&entry.path(), depth + 1);
        }
    }
}

/// A path below a folder, with what stands there.
#[derive(Debug)]
pub(super) struct Found {
    /// Relative, '/'-separated where it is UTF-8.
    pub(super) path: PathBuf,
    /// Whether it is a regular file.
    pub(super) regular: bool,
    /// Its size in bytes.
    pub(super) size: u64,
}

/// All that is not a folder below `root`, sorted, at most `most` of them and one more.
pub(super) fn walk(root: &Path, most: usize) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut folders = vec![(PathBuf::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        if depth > DEEPEST {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "folders lie too deep"));
        }
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let meta = entry.metadata()?;
            if meta.is_dir() {
                folders.push((path, depth + 1));
                continue;
            }
            found.push(Found { path, regular: meta.is_file(), size: meta.len() });
            if found.len() > most {
                return Ok(found);
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

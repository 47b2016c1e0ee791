//! A folder of files that are not committed yet, as a tree: what `validate PATH` reads.
//!
//! It is read as Git would read it: links are entries and are not followed, a folder with a `.git`
//! in it is a submodule and is not entered, and nothing above the root can be reached.
//!
//! `.git`, `node_modules` and folders with a `CACHEDIR.TAG` (what build tools put into folders that
//! can be made again) are not listed. They can be referenced all the same, but for `.git`. Ignore
//! files are not read: what would be committed with `git add --force` is validated too.

mod replace;

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::domain::id::RepoPath;
use crate::port::tree::{Entry, EntryKind, Listing, ReadError, Tree};

/// A folder with more entries is not listed: it is most likely not a repository.
const MOST_ENTRIES: usize = 200_000;

/// The files below a folder.
#[derive(Debug, Clone)]
pub struct WorktreeTree {
    root: PathBuf,
}

impl WorktreeTree {
    /// The files below `root`. The root itself may be reached over links; whether it is there is
    /// seen when it is read.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// What stands at a path, seen without following any link below the root.
    fn find(&self, path: &RepoPath) -> Result<(PathBuf, Metadata), ReadError> {
        let mut at = self.root.clone();
        let mut seen = String::new();
        let mut found = None;
        for name in path.as_str().split('/') {
            if found.as_ref().is_some_and(|metadata: &Metadata| !metadata.is_dir()) || name.eq_ignore_ascii_case(".git")
            {
                return Err(ReadError::NotFound(path.clone()));
            }
            at.push(name);
            if !seen.is_empty() {
                seen.push('/');
            }
            seen.push_str(name);
            let here = || seen.parse().unwrap_or_else(|_| path.clone());
            let metadata = match at.symlink_metadata() {
                Ok(metadata) => metadata,
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    return Err(ReadError::NotFound(path.clone()));
                }
                Err(error) => return Err(broken(path.as_str(), &error)),
            };
            if metadata.is_symlink() {
                return Err(ReadError::Symlink(here()));
            }
            if metadata.is_dir() && is_repository(&at) {
                return Err(ReadError::Submodule(here()));
            }
            found = Some(metadata);
        }
        found.map(|metadata| (at, metadata)).ok_or_else(|| ReadError::NotFound(path.clone()))
    }
}

impl Tree for WorktreeTree {
    fn list(&self, folder: Option<&RepoPath>) -> Result<Listing, ReadError> {
        let mut listing = Listing::default();
        let mut folders = match folder {
            None => vec![(self.root.clone(), String::new())],
            Some(path) => match self.find(path)? {
                (at, metadata) if metadata.is_dir() => vec![(at, format!("{path}/"))],
                _ => return Err(ReadError::NotFound(path.clone())),
            },
        };
        let mut seen = 0_usize;
        let mut is_first = true;
        while let Some((at, prefix)) = folders.pop() {
            let entries = match fs::read_dir(&at) {
                Ok(entries) => entries,
                Err(error) if is_first => return Err(broken(&at.to_string_lossy(), &error)),
                // One folder that may not be read does not hide the others.
                Err(error) => {
                    listing.unusable.push(format!("{prefix} ({error})"));
                    continue;
                }
            };
            is_first = false;
            for entry in entries {
                let entry = entry.map_err(|error| broken(&prefix, &error))?;
                seen += 1;
                if seen > MOST_ENTRIES {
                    let message = format!("the folder has more than {MOST_ENTRIES} entries");
                    return Err(ReadError::Broken { path: self.root.display().to_string(), message });
                }
                let name = entry.file_name();
                let kind = entry.file_type().map_err(|error| broken(&prefix, &error))?;
                if name.eq_ignore_ascii_case(".git") || (kind.is_dir() && name == "node_modules") {
                    continue;
                }
                let path = name.to_str().and_then(|name| format!("{prefix}{name}").parse::<RepoPath>().ok());
                let Some(path) = path else {
                    let shown = name.to_string_lossy().escape_debug().to_string();
                    listing.unusable.push(format!("{prefix}{shown}{}", if kind.is_dir() { "/" } else { "" }));
                    continue;
                };
                if kind.is_symlink() {
                    listing.entries.push(Entry { path, kind: EntryKind::Symlink });
                } else if !kind.is_dir() {
                    listing.entries.push(Entry { path, kind: EntryKind::File });
                } else if is_repository(&entry.path()) {
                    listing.entries.push(Entry { path, kind: EntryKind::Submodule });
                } else if !entry.path().join("CACHEDIR.TAG").is_file() {
                    folders.push((entry.path(), format!("{path}/")));
                }
            }
        }
        listing.entries.sort_by(|a, b| a.path.cmp(&b.path));
        listing.unusable.sort();
        Ok(listing)
    }

    fn read(&self, path: &RepoPath, limit: u64) -> Result<Vec<u8>, ReadError> {
        let (at, metadata) = self.find(path)?;
        if metadata.is_dir() {
            return Err(ReadError::Folder(path.clone()));
        }
        if !metadata.is_file() {
            let message = "it is a device, a pipe or a socket".to_owned();
            return Err(ReadError::Broken { path: path.to_string(), message });
        }
        read_bounded(&at, limit).map_err(|error| broken(path.as_str(), &error))?.ok_or_else(|| ReadError::TooLarge {
            path: path.clone(),
            size: metadata.len().max(limit.saturating_add(1)),
            limit,
        })
    }
}

/// Reads a file of at most `limit` bytes; `None` when it has more. Its size is not believed: it may
/// grow. Should a link or a pipe have taken its place by now, it is neither followed nor waited for.
fn read_bounded(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|size| size <= limit);
    Ok(fits.then_some(bytes))
}

fn is_repository(folder: &Path) -> bool {
    folder.join(".git").symlink_metadata().is_ok()
}

fn broken(path: &str, error: &io::Error) -> ReadError {
    ReadError::Broken { path: path.to_owned(), message: error.to_string() }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests make the folders they read")]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn path(text: &str) -> RepoPath {
        text.parse().unwrap()
    }

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "content").unwrap();
        }
        folder
    }

    fn names(listing: &Listing) -> Vec<(&str, EntryKind)> {
        listing.entries.iter().map(|entry| (entry.path.as_str(), entry.kind)).collect()
    }

    #[test]
    fn files_are_listed_by_path_without_what_is_made_again() {
        let folder = folder_with(&[
            "b.yaml",
            "a/z.yaml",
            "a-b/c.yaml",
            "target/kept.yaml",
            "cache/CACHEDIR.TAG",
            "cache/dropped.yaml",
            "node_modules/dropped.yaml",
            ".git/config",
            "vendored/.git",
            "vendored/descriptor.yaml",
        ]);
        symlink("/etc", folder.path().join("link")).unwrap();
        let tree = WorktreeTree::new(folder.path().to_owned());
        assert_eq!(
            names(&tree.list(None).unwrap()),
            [
                ("a-b/c.yaml", EntryKind::File),
                ("a/z.yaml", EntryKind::File),
                ("b.yaml", EntryKind::File),
                ("link", EntryKind::Symlink),
                ("target/kept.yaml", EntryKind::File),
                ("vendored", EntryKind::Submodule),
            ]
        );
        assert_eq!(names(&tree.list(Some(&path("a"))).unwrap()), [("a/z.yaml", EntryKind::File)]);
        assert_eq!(tree.list(Some(&path("nowhere"))), Err(ReadError::NotFound(path("nowhere"))));
        assert_eq!(tree.list(Some(&path("link"))), Err(ReadError::Symlink(path("link"))));
        assert!(matches!(WorktreeTree::new("/nowhere".into()).list(None), Err(ReadError::Broken { .. })));
    }

    #[test]
    fn reading_stays_below_the_root() {
        let folder = folder_with(&["a/file", "vendored/.git/config", "vendored/x", ".git/config"]);
        symlink("/etc", folder.path().join("out")).unwrap();
        symlink("file", folder.path().join("a/near")).unwrap();
        let tree = WorktreeTree::new(folder.path().to_owned());
        let read = |text: &str| tree.read(&path(text), 100);
        assert_eq!(read("a/file"), Ok(b"content".to_vec()));
        assert_eq!(read("out/passwd"), Err(ReadError::Symlink(path("out"))));
        assert_eq!(read("a/near"), Err(ReadError::Symlink(path("a/near"))));
        assert_eq!(read("vendored/x"), Err(ReadError::Submodule(path("vendored"))));
        assert_eq!(read("a"), Err(ReadError::Folder(path("a"))));
        assert_eq!(read("a/file/deeper"), Err(ReadError::NotFound(path("a/file/deeper"))));
        assert_eq!(read(".git/config"), Err(ReadError::NotFound(path(".git/config"))));
        assert_eq!(read("nothing"), Err(ReadError::NotFound(path("nothing"))));
    }

    #[test]
    fn large_files_and_pipes_are_not_read() {
        let folder = folder_with(&["file"]);
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let tree = WorktreeTree::new(folder.path().to_owned());
        assert_eq!(tree.read(&path("file"), 7), Ok(b"content".to_vec()));
        assert_eq!(tree.read(&path("file"), 6), Err(ReadError::TooLarge { path: path("file"), size: 7, limit: 6 }));
        assert!(matches!(tree.read(&path("pipe"), 7), Err(ReadError::Broken { .. })));
    }
}

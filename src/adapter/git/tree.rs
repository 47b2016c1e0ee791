//! The files of one commit, read from the mirror's objects. Nothing is checked out: a link is an
//! entry and not a way, a submodule is a name and not a place, and `..` is refused by [`RepoPath`]
//! before anybody comes here.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use git2::{ErrorCode, ObjectType, Oid};

use crate::domain::id::{RepoPath, Revision};
use crate::port::tree::{Entry, EntryKind, Listing, ReadError, Tree};

use super::objects::Objects;

/// A tree with more entries is not listed. A few nested trees can name billions of files.
pub(super) const MOST_ENTRIES: usize = 500_000;

/// A folder whose object has more bytes is not read: it would have about a million entries.
const LARGEST_FOLDER: usize = 64 << 20;

/// More unusable paths than this are not told one by one.
const MOST_UNUSABLE: usize = 1_000;

/// One name in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    /// The object.
    pub(super) id: Oid,
    /// What it is; `None` for a folder.
    pub(super) kind: Option<EntryKind>,
    /// Git's mode, in which a file's executable bit is seen.
    pub(super) mode: i32,
}

/// A folder, parsed: the names in it, sorted as Git sorts them.
pub(super) type Folder = Vec<(Box<[u8]>, Node)>;

/// The tree of one commit. Each folder is parsed once, for all threads; files are not kept.
#[derive(Debug)]
pub(super) struct GitTree {
    objects: Arc<Objects>,
    clone: u64,
    root: Oid,
    revision: Revision,
    folders: RwLock<HashMap<Oid, Arc<Folder>>>,
}

impl GitTree {
    /// Of the commit `revision`, whose tree is `root`.
    pub(super) fn new(objects: Arc<Objects>, root: Oid, revision: Revision) -> Self {
        let clone = objects.current_clone();
        Self { objects, clone, root, revision, folders: RwLock::default() }
    }

    /// The root folder's object.
    pub(super) const fn root(&self) -> Oid {
        self.root
    }

    /// The commit.
    pub(super) const fn revision(&self) -> &Revision {
        &self.revision
    }

    /// The commit's object.
    pub(super) fn commit(&self) -> Result<Oid, ReadError> {
        Oid::from_str(self.revision.as_str()).map_err(|error| self.broken("", &error))
    }

    /// How many bytes the file has; 0 for what is no file.
    pub(super) fn size(&self, path: &RepoPath) -> Result<u64, ReadError> {
        let node = self.find(path)?;
        if node.kind != Some(EntryKind::File) {
            return Ok(0);
        }
        let size = self.objects.with(|repository| Ok(repository.odb()?.read_header(node.id)?.0));
        size.map(|size| u64::try_from(size).unwrap_or(u64::MAX)).map_err(|error| self.broken(path.as_str(), &error))
    }

    /// The names in a folder.
    pub(super) fn folder(&self, id: Oid) -> Result<Arc<Folder>, git2::Error> {
        if let Some(folder) = self.folders.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Arc::clone(folder));
        }
        let folder = Arc::new(self.objects.with(|repository| {
            if repository.odb()?.read_header(id)?.0 > LARGEST_FOLDER {
                return Err(git2::Error::from_str("the folder has too many entries"));
            }
            let tree = repository.find_tree(id)?;
            Ok(tree.iter().map(|entry| (entry.name_bytes().into(), node(entry.id(), entry.filemode_raw()))).collect())
        })?);
        self.folders.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&folder));
        Ok(folder)
    }

    /// What stands at a path, seen from the top.
    fn find(&self, path: &RepoPath) -> Result<Node, ReadError> {
        let mut at = Node { id: self.root, kind: None, mode: 0o040_000 };
        let mut end = 0;
        for name in path.as_str().split('/') {
            // What stands above `name`; it must be a folder to go on.
            match at.kind {
                None => {}
                Some(kind) => return Err(not_a_folder(kind, path.as_str().get(..end), path)),
            }
            let folder = self.folder(at.id).map_err(|error| self.broken(path.as_str(), &error))?;
            at = find_name(&folder, name.as_bytes()).ok_or_else(|| ReadError::NotFound(path.clone()))?;
            end += name.len() + usize::from(end > 0);
        }
        Ok(at)
    }

    /// An object that must be there cannot be read.
    pub(super) fn broken(&self, path: &str, error: &git2::Error) -> ReadError {
        self.objects.suspect(self.clone);
        let message = format!("{} (commit {})", error.message(), self.revision.short());
        ReadError::Broken { path: path.to_owned(), message }
    }
}

impl Tree for GitTree {
    fn list(&self, folder: Option<&RepoPath>) -> Result<Listing, ReadError> {
        let mut listing = Listing::default();
        let (start, prefix) = match folder {
            None => (self.root, String::new()),
            Some(path) => {
                let node = self.find(path)?;
                match node.kind {
                    None => (node.id, format!("{path}/")),
                    Some(kind) => return Err(not_a_folder(kind, Some(path.as_str()), path)),
                }
            }
        };
        let mut seen = 0_usize;
        // Depth first, in the order of the paths: the last on the stack is the next.
        let mut stack = vec![(prefix, self.folder(start).map_err(|error| self.broken("", &error))?, 0)];
        while let Some((prefix, folder, next)) = stack.pop() {
            let Some((name, node)) = folder.get(next) else { continue };
            seen += 1;
            if seen > MOST_ENTRIES {
                let message = format!("the tree has more than {MOST_ENTRIES} entries");
                return Err(ReadError::Broken { path: prefix, message });
            }
            let path =
                std::str::from_utf8(name).ok().and_then(|name| format!("{prefix}{name}").parse::<RepoPath>().ok());
            stack.push((prefix, Arc::clone(&folder), next + 1));
            match (path, node.kind) {
                (Some(path), Some(kind)) => listing.entries.push(Entry { path, kind }),
                (Some(path), None) => {
                    let below = self.folder(node.id).map_err(|error| self.broken(path.as_str(), &error))?;
                    stack.push((format!("{path}/"), below, 0));
                }
                (None, kind) => {
                    if listing.unusable.len() < MOST_UNUSABLE {
                        let prefix = stack.last().map_or("", |(prefix, _, _)| prefix.as_str());
                        listing.unusable.push(readable(prefix, name, kind.is_none()));
                    }
                }
            }
        }
        // A well-formed tree is in order already, which makes this cheap; a hostile one need not be.
        listing.entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(listing)
    }

    fn read(&self, path: &RepoPath, limit: u64) -> Result<Vec<u8>, ReadError> {
        let node = self.find(path)?;
        match node.kind {
            Some(EntryKind::File) => {}
            Some(EntryKind::Symlink) => return Err(ReadError::Symlink(path.clone())),
            Some(EntryKind::Submodule) => return Err(ReadError::Submodule(path.clone())),
            None => return Err(ReadError::Folder(path.clone())),
        }
        let outcome = self.objects.with(|repository| {
            let objects = repository.odb()?;
            // The size is asked first: a bomb is not unpacked to see how large it is.
            let (size, kind) = objects.read_header(node.id)?;
            if kind != ObjectType::Blob {
                return Err(git2::Error::from_str("a file's object is not a blob"));
            }
            let size = u64::try_from(size).unwrap_or(u64::MAX);
            if size > limit { Ok(Err(size)) } else { Ok(Ok(objects.read(node.id)?.data().to_vec())) }
        });
        match outcome {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(size)) => Err(ReadError::TooLarge { path: path.clone(), size, limit }),
            Err(error) => Err(self.broken(path.as_str(), &error)),
        }
    }
}

/// Whether an error says that an object is not there.
pub(super) fn is_missing(error: &git2::Error) -> bool {
    error.code() == ErrorCode::NotFound
}

fn node(id: Oid, mode: i32) -> Node {
    let kind = match mode & 0o170_000 {
        0o040_000 => None,
        0o120_000 => Some(EntryKind::Symlink),
        0o160_000 => Some(EntryKind::Submodule),
        _ => Some(EntryKind::File),
    };
    Node { id, kind, mode }
}

/// The entry of this name. Git sorts folders as if a `/` stood behind their names, so both places
/// are looked at; a tree that is not sorted can only hide its own files.
fn find_name(folder: &Folder, name: &[u8]) -> Option<Node> {
    let as_file = folder.binary_search_by(|(other, node)| order(other, node.kind.is_none(), name, false));
    let at =
        as_file.or_else(|_| folder.binary_search_by(|(other, node)| order(other, node.kind.is_none(), name, true)));
    at.ok().and_then(|index| folder.get(index)).map(|(_, node)| *node)
}

fn order(a: &[u8], a_is_folder: bool, b: &[u8], b_is_folder: bool) -> std::cmp::Ordering {
    let slash = |is_folder: bool| is_folder.then_some(b'/');
    a.iter().copied().chain(slash(a_is_folder)).cmp(b.iter().copied().chain(slash(b_is_folder)))
}

fn not_a_folder(kind: EntryKind, place: Option<&str>, wanted: &RepoPath) -> ReadError {
    let place = place.and_then(|place| place.parse().ok()).unwrap_or_else(|| wanted.clone());
    match kind {
        EntryKind::Symlink => ReadError::Symlink(place),
        EntryKind::Submodule => ReadError::Submodule(place),
        EntryKind::File => ReadError::NotFound(wanted.clone()),
    }
}

/// A name that is no path, written so that it can be shown on a terminal and told from others.
fn readable(prefix: &str, name: &[u8], is_folder: bool) -> String {
    let shown: String = name.escape_ascii().to_string();
    let shown = match std::str::from_utf8(name) {
        Ok(text) => {
            text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
        }
        Err(_) => shown,
    };
    let shown: String = shown.chars().take(200).collect();
    format!("{prefix}{shown}{}", if is_folder { "/" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_git_sorts_them() {
        let id = Oid::ZERO_SHA1;
        let folder: Folder =
            [("a-b", 0o100_644), ("a", 0o040_000), ("a.txt", 0o100_644), ("b", 0o120_000), ("c", 0o160_000)]
                .map(|(name, mode)| (name.as_bytes().into(), node(id, mode)))
                .into_iter()
                .collect::<Vec<_>>();
        let mut sorted = folder;
        sorted.sort_by(|(a, x), (b, y)| order(a, x.kind.is_none(), b, y.kind.is_none()));
        let names: Vec<_> = sorted.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect();
        assert_eq!(names, ["a-b", "a.txt", "a", "b", "c"]);
        for (name, node) in &sorted {
            assert_eq!(find_name(&sorted, name), Some(*node));
        }
        assert_eq!(find_name(&sorted, b"a-"), None);
    }

    #[test]
    fn unusable_names_are_made_readable() {
        assert_eq!(readable("a/", b"x\ny", false), "a/x\\ny");
        assert_eq!(readable("", b"\xff\xfe", true), "\\xff\\xfe/");
        assert_eq!(readable("", "..".as_bytes(), true), "../");
    }
}

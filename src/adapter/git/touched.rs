//! What lies between two commits: the paths that differ, and the commits by which a branch went there.
//!
//! For the paths, two trees are walked side by side; folders with the same object are the same and are not
//! entered, so the cost follows the difference. A rename is a deletion and a writing, because nothing here
//! guesses. For the commits, first parents are followed: what was merged is told by the merge.

use std::cmp::Ordering;
use std::sync::Arc;

use git2::{ErrorCode, Oid, Repository};

use crate::domain::id::{RepoPath, Revision};
use crate::port::source::{TouchKind, Touched};
use crate::port::tree::ReadError;

use super::tree::{Folder, GitTree, MOST_ENTRIES, Node, is_missing};

/// The paths that differ, sorted; `None` when the older commit is not to be had in full. Paths that
/// are no [`RepoPath`] are left out: they can be neither descriptors nor referenced.
pub(super) fn touched(from: &GitTree, to: &GitTree) -> Result<Option<Vec<Touched>>, ReadError> {
    let mut found = Vec::new();
    let mut seen = 0_usize;
    let mut pairs: Vec<(String, Option<Oid>, Option<Oid>)> = Vec::new();
    if from.root() != to.root() {
        pairs.push((String::new(), Some(from.root()), Some(to.root())));
    }
    while let Some((prefix, old, new)) = pairs.pop() {
        let old = match old.map(|id| from.folder(id)).transpose() {
            Ok(folder) => folder.unwrap_or_default(),
            // Then all is looked at, as if there were no older commit.
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(from.broken(&prefix, &error)),
        };
        let new =
            new.map(|id| to.folder(id)).transpose().map_err(|error| to.broken(&prefix, &error))?.unwrap_or_default();
        for (name, old, new) in side_by_side(&old, &new) {
            seen += 1;
            if seen > MOST_ENTRIES {
                let message = format!("the commits differ in more than {MOST_ENTRIES} entries");
                return Err(ReadError::Broken { path: prefix, message });
            }
            if old == new {
                continue;
            }
            let Some(path) =
                std::str::from_utf8(name).ok().and_then(|name| format!("{prefix}{name}").parse::<RepoPath>().ok())
            else {
                continue;
            };
            let (old_folder, new_folder) = (folder_of(old), folder_of(new));
            if old_folder != new_folder {
                pairs.push((format!("{path}/"), old_folder, new_folder));
            }
            let is_file = |node: Option<Node>| node.is_some_and(|node| node.kind.is_some());
            if is_file(new) {
                found.push(Touched { path, kind: TouchKind::Written });
            } else if is_file(old) {
                found.push(Touched { path, kind: TouchKind::Deleted });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Some(found))
}

fn folder_of(node: Option<Node>) -> Option<Oid> {
    node.filter(|node| node.kind.is_none()).map(|node| node.id)
}

type Row<'a> = (&'a [u8], Option<Node>, Option<Node>);

/// The names of both folders, each once, with what stands there in either.
fn side_by_side<'a>(old: &'a Arc<Folder>, new: &'a Arc<Folder>) -> Vec<Row<'a>> {
    // By plain name: a file and a folder of the same name stand at different places in Git's order.
    let by_name = |folder: &'a Arc<Folder>| {
        let mut sorted: Vec<(&'a [u8], Node)> = folder.iter().map(|(name, node)| (&**name, *node)).collect();
        sorted.sort_by(|a, b| a.0.cmp(b.0));
        sorted.dedup_by(|a, b| a.0 == b.0);
        sorted
    };
    let (old, new) = (by_name(old), by_name(new));
    let mut rows = Vec::new();
    let (mut left, mut right) = (old.into_iter().peekable(), new.into_iter().peekable());
    loop {
        let side = match (left.peek(), right.peek()) {
            (None, None) => return rows,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        let old = if side.is_le() { left.next() } else { None };
        let new = if side.is_ge() { right.next() } else { None };
        if let Some((name, _)) = old.or(new) {
            rows.push((name, old.map(|(_, node)| node), new.map(|(_, node)| node)));
        }
    }
}

/// A branch that is further ahead is not walked through.
const MOST_STEPS: usize = 10_000;

/// The newest first, at most `limit`, without the two themselves; `None` when the walk does not come to
/// `from`.
pub(super) fn between(
    repository: &Repository,
    from: &Revision,
    to: &Revision,
    limit: usize,
) -> Result<Option<Vec<Revision>>, git2::Error> {
    let (from, mut at) = (Oid::from_str(from.as_str())?, Oid::from_str(to.as_str())?);
    let mut found = Vec::new();
    for _ in 0..MOST_STEPS {
        let commit = match repository.find_commit(at) {
            Ok(commit) => commit,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let Ok(parent) = commit.parent_id(0) else { return Ok(None) };
        if parent == from {
            return Ok(Some(found));
        }
        if found.len() < limit {
            found.extend(parent.to_string().parse::<Revision>().ok());
        }
        at = parent;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A commit on top of these, whose only file says `text`.
    fn commit(repository: &Repository, text: &str, parents: &[Oid]) -> Oid {
        let mut tree = repository.treebuilder(None).unwrap();
        tree.insert("file", repository.blob(text.as_bytes()).unwrap(), 0o100_644).unwrap();
        let tree = repository.find_tree(tree.write().unwrap()).unwrap();
        let author = git2::Signature::now("Ada", "ada@example.com").unwrap();
        let parents: Vec<_> = parents.iter().map(|id| repository.find_commit(*id).unwrap()).collect();
        let parents: Vec<_> = parents.iter().collect();
        repository.commit(None, &author, &author, text, &tree, &parents).unwrap()
    }

    #[test]
    fn the_branch_is_walked_and_what_was_merged_into_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init_bare(folder.path()).unwrap();
        let first = commit(&repository, "first", &[]);
        let side = commit(&repository, "side", &[first]);
        let second = commit(&repository, "second", &[first]);
        let merge = commit(&repository, "merge", &[second, side]);
        let last = commit(&repository, "last", &[merge]);
        let revision = |id: Oid| id.to_string().parse::<Revision>().unwrap();
        let walk = |from, to, limit| between(&repository, &revision(from), &revision(to), limit).unwrap();
        assert_eq!(walk(first, last, 9), Some(vec![revision(merge), revision(second)]));
        assert_eq!(walk(first, last, 1), Some(vec![revision(merge)]), "the newest");
        assert_eq!(walk(merge, last, 9), Some(Vec::new()));
        assert_eq!(walk(side, last, 9), None, "the branch never stood there");
        assert_eq!(walk(last, first, 9), None, "nor does it go back");
        let unknown: Revision = "1".repeat(40).parse().unwrap();
        assert_eq!(between(&repository, &revision(first), &unknown, 9).unwrap(), None);
    }
}

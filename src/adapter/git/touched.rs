//! What differs between two commits. Two trees are walked side by side; folders with the same
//! object are the same and are not entered, so the cost follows the difference. A rename is a
//! deletion and a writing, because nothing here guesses.

use std::cmp::Ordering;
use std::sync::Arc;

use git2::Oid;

use crate::domain::id::RepoPath;
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

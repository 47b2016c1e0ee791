//! What a branch would hold if a proposal were merged: git2 merges two commits in memory, and the
//! result is written into the mirror as trees and one commit, without a ref. Author, time and message
//! are fixed, so that the same two commits always give the same one.
//!
//! A proposal is anybody's work, and merging walks whole trees and compares contents. What that may
//! cost is bounded before it begins:
//! * trees that name more entries, or are deeper, than any tree that is read (a few objects can name
//!   billions of files);
//! * files that both sides have changed, which are compared line by line, are limited in size;
//! * renames, for which contents are compared with each other, are only looked for in small changes.
//!   Without, a file that one side moved and the other changed is in conflict.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use git2::{ErrorCode, Index, MergeOptions, Oid, Repository, Signature, Time};

use crate::domain::id::{RepoPath, Revision};
use crate::port::source::{MOST_CONFLICTS, Merge, TouchKind};
use crate::port::tree::ReadError;

use super::objects::Objects;
use super::touched::touched;
use super::tree::{GitTree, MOST_ENTRIES};

/// Folders inside each other; libgit2 writes trees by recursion.
const MOST_DEPTH: usize = 128;
/// Bytes of a file that both sides have changed.
const LARGEST_MERGED: u64 = 4 << 20;
/// Files, and bytes of them in all, among which renames are looked for.
const MOST_RENAMED: usize = 1_000;
const MOST_RENAMED_BYTES: u64 = 64 << 20;
/// Several common ancestors are merged with each other first, to this depth.
const MOST_RECURSION: u32 = 8;

/// How two commits stand to each other, and how they may be merged.
pub(super) enum Relation {
    /// Nothing has to be merged.
    Settled(Merge),
    /// They are to be merged.
    Apart {
        /// Whether renames are looked for.
        renames: bool,
    },
}

/// Looks whether and how `head` can be merged into `base`, without writing anything.
pub(super) fn relate(objects: &Arc<Objects>, base: &GitTree, head: &GitTree) -> Result<Relation, ReadError> {
    let (ours, theirs) = (base.commit()?, head.commit()?);
    // The base is a branch that is read as a whole anyway.
    if let Some(why) = Shape::of(head)?.refusal() {
        return Ok(Relation::Settled(Merge::TooLarge(why)));
    }
    let ancestor = objects.with(|repository| match repository.merge_base(ours, theirs) {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    });
    let Some(ancestor) = ancestor.map_err(|error| head.broken("", &error))? else {
        return Ok(Relation::Settled(Merge::Unrelated));
    };
    if ancestor == theirs {
        return Ok(Relation::Settled(Merge::Clean(base.revision().clone())));
    }
    if ancestor == ours {
        return Ok(Relation::Settled(Merge::Clean(head.revision().clone())));
    }
    let root = objects.with(|repository| Ok(repository.find_commit(ancestor)?.tree()?.id()));
    let root = root.map_err(|error| base.broken("", &error))?;
    let Ok(revision) = ancestor.to_string().parse() else {
        return Ok(Relation::Settled(Merge::Unrelated));
    };
    let before = GitTree::new(Arc::clone(objects), root, revision);
    let (Some(here), Some(there)) = (written(&before, base)?, written(&before, head)?) else {
        return Ok(Relation::Settled(Merge::TooLarge("the common ancestor cannot be read".to_owned())));
    };
    for path in here.intersection(&there) {
        if base.size(path)?.max(head.size(path)?) > LARGEST_MERGED {
            let why = format!("both sides have changed '{path}', which has more than {} MiB", LARGEST_MERGED >> 20);
            return Ok(Relation::Settled(Merge::TooLarge(why)));
        }
    }
    Ok(Relation::Apart { renames: is_small(base, &here)? && is_small(head, &there)? })
}

/// Merges two commits that [`relate`] let through, and writes the result.
pub(super) fn merge(
    repository: &Repository,
    base: &Revision,
    head: &Revision,
    renames: bool,
) -> Result<Merge, git2::Error> {
    let ours = repository.find_commit(Oid::from_str(base.as_str())?)?;
    let theirs = repository.find_commit(Oid::from_str(head.as_str())?)?;
    let mut options = MergeOptions::new();
    options.find_renames(renames).recursion_limit(MOST_RECURSION).skip_reuc(true);
    let mut index = repository.merge_commits(&ours, &theirs, Some(&options))?;
    if index.has_conflicts() {
        return conflicts(&index);
    }
    let tree = repository.find_tree(index.write_tree_to(repository)?)?;
    let nobody = Signature::new("Meshwright", "meshwright@localhost", &Time::new(0, 0))?;
    let message = format!("Merge {head} into {base}\n");
    let id = repository.commit(None, &nobody, &nobody, &message, &tree, &[&ours, &theirs])?;
    let revision = id.to_string().parse().map_err(|_| git2::Error::from_str("the merge has no usable id"))?;
    Ok(Merge::Clean(revision))
}

fn conflicts(index: &Index) -> Result<Merge, git2::Error> {
    let mut paths = BTreeSet::new();
    for conflict in index.conflicts()? {
        let conflict = conflict?;
        let entry = conflict.our.or(conflict.their).or(conflict.ancestor);
        paths.extend(entry.map(|entry| String::from_utf8_lossy(&entry.path).into_owned()));
    }
    let count = paths.len();
    Ok(Merge::Conflicts { paths: paths.into_iter().take(MOST_CONFLICTS).collect(), count })
}

/// The files that `to` has written since `from`; `None` when that cannot be told.
fn written(from: &GitTree, to: &GitTree) -> Result<Option<BTreeSet<RepoPath>>, ReadError> {
    let found = touched(from, to)?;
    let is_written = |kind| kind == TouchKind::Written;
    Ok(found.map(|all| all.into_iter().filter(|touch| is_written(touch.kind)).map(|touch| touch.path).collect()))
}

fn is_small(tree: &GitTree, written: &BTreeSet<RepoPath>) -> Result<bool, ReadError> {
    if written.len() > MOST_RENAMED {
        return Ok(false);
    }
    let mut bytes = 0_u64;
    for path in written {
        bytes = bytes.saturating_add(tree.size(path)?);
    }
    Ok(bytes <= MOST_RENAMED_BYTES)
}

/// How many entries a tree names, and how deep it is. Each folder's object is looked at once, so that
/// it costs what the tree has of objects and not what they name.
struct Shape {
    entries: usize,
    depth: usize,
}

impl Shape {
    fn of(tree: &GitTree) -> Result<Self, ReadError> {
        let mut known: HashMap<Oid, (usize, usize)> = HashMap::new();
        // A folder is visited twice: before what is in it, and after.
        let mut stack = vec![(tree.root(), false)];
        while let Some((id, is_entered)) = stack.pop() {
            if known.contains_key(&id) {
                continue;
            }
            let folder = tree.folder(id).map_err(|error| tree.broken("", &error))?;
            let below = folder.iter().filter(|(_, node)| node.kind.is_none()).map(|(_, node)| node.id);
            if is_entered {
                let (mut entries, mut depth) = (folder.len(), 0);
                for id in below {
                    let (more, deeper) = known.get(&id).copied().unwrap_or_default();
                    entries = entries.saturating_add(more);
                    depth = depth.max(deeper);
                }
                known.insert(id, (entries, depth + 1));
            } else {
                stack.push((id, true));
                stack.extend(below.map(|id| (id, false)));
                if stack.len() > 2 * MOST_ENTRIES {
                    return Ok(Self { entries: usize::MAX, depth: 0 });
                }
            }
        }
        let (entries, depth) = known.get(&tree.root()).copied().unwrap_or_default();
        Ok(Self { entries, depth })
    }

    fn refusal(&self) -> Option<String> {
        if self.entries > MOST_ENTRIES {
            return Some(format!("it has more than {MOST_ENTRIES} files and folders"));
        }
        (self.depth > MOST_DEPTH).then(|| format!("its folders are more than {MOST_DEPTH} levels deep"))
    }
}

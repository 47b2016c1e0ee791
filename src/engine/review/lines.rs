//! From lines of the merged files to lines of the proposal's own files, on which forges show what is
//! said. Where both sides have changed a file, its lines have moved; a line that only the base has is
//! no line of the proposal.

use std::collections::BTreeMap;
use std::time::Duration;

use similar::{Algorithm, DiffOp, TextDiff};

use crate::domain::finding::Finding;
use crate::domain::id::RepoPath;
use crate::domain::report::ReviewedFinding;
use crate::port::tree::Tree;

use super::assess::seen_at;

/// Larger files are not compared, and nothing is said at their lines.
const LARGEST_FILE: u64 = 1 << 20;
/// Two versions of a file are compared for at most so long; then the rest counts as changed.
const LONGEST: Duration = Duration::from_millis(250);

/// Says of each finding on which line of `head` it is seen.
pub(super) fn lines_in_head(merged: &dyn Tree, head: &dyn Tree, found: Vec<Finding>) -> Vec<ReviewedFinding> {
    let mut known: BTreeMap<RepoPath, Lines> = BTreeMap::new();
    let of_finding = |finding: Finding| {
        let file = finding.location.file.clone();
        let lines = known.entry(file).or_insert_with_key(|file| Lines::of(merged, head, file));
        seen_at(lines.in_head(finding.location.line), finding)
    };
    found.into_iter().map(of_finding).collect()
}

/// How the lines of one file have moved.
enum Lines {
    /// The file is the same.
    Same,
    /// By line of the merged file, from 1: the line in the head.
    Moved(BTreeMap<u32, u32>),
    /// The head does not have the file, or it cannot be told.
    Unknown,
}

impl Lines {
    fn of(merged: &dyn Tree, head: &dyn Tree, file: &RepoPath) -> Self {
        let (Ok(ours), Ok(theirs)) = (merged.read(file, LARGEST_FILE), head.read(file, LARGEST_FILE)) else {
            return Lines::Unknown;
        };
        if ours == theirs {
            return Lines::Same;
        }
        let (Ok(ours), Ok(theirs)) = (String::from_utf8(ours), String::from_utf8(theirs)) else {
            return Lines::Unknown;
        };
        let diff = TextDiff::configure().algorithm(Algorithm::Myers).timeout(LONGEST).diff_lines(&ours, &theirs);
        let mut moved = BTreeMap::new();
        for operation in diff.ops() {
            let DiffOp::Equal { old_index, new_index, len } = *operation else { continue };
            let number = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
            moved.extend((0..len).map(|offset| (number(old_index + offset), number(new_index + offset))));
        }
        Lines::Moved(moved)
    }

    fn in_head(&self, line: u32) -> Option<u32> {
        match self {
            Lines::Same => Some(line),
            Lines::Moved(moved) => moved.get(&line).copied(),
            Lines::Unknown => None,
        }
    }
}

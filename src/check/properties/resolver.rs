//! From a tree of files to content without references.

use std::collections::HashMap;

use super::{Files, Lines, assert_parallel, size, written};
use crate::check::assess::{Settings, assess};
use crate::check::limits::{MAX_DEPTH, MAX_FILES, MAX_NODES};
use crate::check::refs::{self, Names, Resolution};
use crate::check::yaml::Mark;
use crate::domain::canonical::digest;
use crate::domain::finding::{Finding, Location};
use crate::domain::id::RepoPath;

const ROOT: &str = "p/q/d.yaml";

/// Takes the bytes for the files of a descriptor, which [`files`] tells apart.
///
/// - Each value and each finding stands at a place of a file that was read; content is within the limits.
/// - Where nothing was left as it is, content with its references replaced is the same as that content written into
///   one file: whether a part is referenced or stands in its place makes no difference.
/// - A descriptor comes out where there is no error, and only there.
/// - The same files give the same findings, in the same order.
pub fn resolver(bytes: &[u8]) {
    let (files, lines) = files(bytes);
    let root: RepoPath = ROOT.parse().unwrap();
    let Resolution { content, located, files: read, findings, .. } = refs::resolve(&files, &Names::default(), &root);
    assert!(read.first() == Some(&root) && read.len() <= MAX_FILES);
    let holds = |location: &Location| {
        assert!(read.contains(&location.file), "{location:?}");
        let mark = Mark { line: location.line, column: location.column, length: location.length };
        match lines.get(&location.file) {
            Some(lines) => lines.assert_holds(mark),
            None => assert_eq!((mark.line, mark.column), (1, 1), "{location:?}"),
        }
    };
    let (findings, ..) = findings.into_parts();
    findings.iter().for_each(|finding| holds(&finding.location));
    if let Some(content) = content {
        assert_parallel(&content, &located, 0);
        let (count, depth) = size(&content);
        assert!(count <= MAX_NODES && depth <= MAX_DEPTH, "{count} values, {depth} deep");
        (0..located.places.len()).filter_map(|node| located.head_location(node)).for_each(|place| holds(&place));
        if let Some(text) = written(&content).filter(|_| findings.is_empty()) {
            let again = refs::resolve(&Files::default().with(ROOT, text), &Names::none(), &root);
            assert!(!again.findings.has_errors(), "{:?}", again.findings);
            let again = again.content.expect("there is content");
            assert_eq!(again, content);
            assert_eq!(digest(&again), digest(&content));
        }
    }
    let findings = assessed(&files, &root);
    findings.iter().for_each(|finding| holds(&finding.location));
    assert_eq!(findings, assessed(&files, &root));
}

fn assessed(files: &Files, root: &RepoPath) -> Vec<Finding> {
    let assessment = assess(files, root, &Settings::default());
    assert_eq!(assessment.descriptor.is_none(), assessment.findings.iter().any(Finding::is_error));
    assessment.findings
}

/// The root file first, then each file below a line `=== path`; those whose path is none are left out.
fn files(bytes: &[u8]) -> (Files, HashMap<RepoPath, Lines>) {
    const HEADING: &[u8] = b"=== ";
    let (mut files, mut lines) = (Files::default(), HashMap::new());
    let (mut path, mut content): (Option<RepoPath>, Vec<u8>) = (ROOT.parse().ok(), Vec::new());
    let mut keep = |path: Option<RepoPath>, content: &[u8]| {
        if let Some(path) = path {
            lines.insert(path.clone(), Lines::of(content));
            files = std::mem::take(&mut files).with(path.as_str(), content);
        }
    };
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(HEADING) {
            Some(heading) => {
                keep(path, &content);
                content.clear();
                path = std::str::from_utf8(heading).ok().and_then(|heading| heading.trim().parse().ok());
            }
            None => content.extend_from_slice(line),
        }
    }
    keep(path, &content);
    (files, lines)
}

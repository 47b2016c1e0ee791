//! Which files of a tree are descriptors.

use std::collections::HashMap;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::yaml::shown;
use crate::domain::finding::{Finding, Location, Severity};
use crate::domain::id::RepoPath;
use crate::domain::rule::Rule;
use crate::port::tree::{EntryKind, Listing};

/// All rules of this room.
pub const RULES: &[Rule] = &[ROOT_IS_LINK, UNUSABLE_PATH, PATHS_DIFFER_BY_CASE, BAD_GLOB];

const ROOT_IS_LINK: Rule = Rule {
    id: "discover/link",
    severity: Severity::Error,
    meaning: "A path that should be a descriptor is a symbolic link or a submodule. Neither is followed.",
    example: "trips/data-product-descriptor.yaml -> ../common.yaml",
    remedy: "Commit the file itself, or narrow the patterns of the source.",
    source: "Meshwright; links are how repositories read what is not theirs",
};

const UNUSABLE_PATH: Rule = Rule {
    id: "discover/unusable-path",
    severity: Severity::Error,
    meaning: "A path that should be a descriptor has control characters or backslashes in it, or is not UTF-8.",
    example: "trips\\data-product-descriptor.yaml, as one name",
    remedy: "Rename the file.",
    source: "Meshwright; such paths mean different files on different systems",
};

const PATHS_DIFFER_BY_CASE: Rule = Rule {
    id: "discover/case-only",
    severity: Severity::Warning,
    meaning: "The paths of two descriptors differ only by upper and lower case. On many file systems they are one file.",
    example: "Trips/data-product-descriptor.yaml and trips/data-product-descriptor.yaml",
    remedy: "Rename one of them.",
    source: "Meshwright",
};

const BAD_GLOB: Rule = Rule {
    id: "discover/bad-pattern",
    severity: Severity::Error,
    meaning: "A pattern of the source cannot be read, so nothing is known of what it would have matched.",
    example: "descriptors: ['{a,b']",
    remedy: "Correct the pattern in the configuration.",
    source: "Meshwright",
};

/// The descriptors of a tree.
#[derive(Debug, Clone, Default)]
pub struct Discovery {
    /// Root files, in the order of their paths.
    pub roots: Vec<RepoPath>,
    /// Links, submodules and unusable paths that would have been root files; names that differ only by case.
    pub findings: Vec<Finding>,
}

/// Finds the root files that match one of `globs`. `*` stays within a folder, `**` does not.
pub fn discover(listing: &Listing, globs: &[String]) -> Discovery {
    let mut discovery = Discovery::default();
    let wanted = patterns(globs, &mut discovery.findings);
    for entry in &listing.entries {
        if !wanted.is_match(entry.path.as_str()) {
            continue;
        }
        let what = match entry.kind {
            EntryKind::File => {
                discovery.roots.push(entry.path.clone());
                continue;
            }
            EntryKind::Symlink => "a symbolic link",
            EntryKind::Submodule => "a submodule",
        };
        let message = format!("'{}' is {what}, and is not read", entry.path);
        discovery.findings.push(finding(&ROOT_IS_LINK, entry.path.clone(), message));
    }
    for path in &listing.unusable {
        if wanted.is_match(path) {
            let message = format!("the path {} cannot be used", shown(path));
            discovery.findings.extend(readable(path).map(|path| finding(&UNUSABLE_PATH, path, message)));
        }
    }
    discovery.roots.sort();
    discovery.roots.dedup();
    let mut folded: HashMap<String, &RepoPath> = HashMap::new();
    for path in &discovery.roots {
        match folded.get(&path.as_str().to_lowercase()) {
            Some(other) => {
                let message = format!("'{path}' differs from '{other}' only by upper and lower case");
                discovery.findings.push(finding(&PATHS_DIFFER_BY_CASE, path.clone(), message));
            }
            None => {
                folded.insert(path.as_str().to_lowercase(), path);
            }
        }
    }
    discovery
}

fn patterns(globs: &[String], findings: &mut Vec<Finding>) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        match GlobBuilder::new(glob).literal_separator(true).build() {
            Ok(pattern) => {
                set.add(pattern);
            }
            Err(error) => {
                let message = format!("the pattern {} cannot be read: {}", shown(glob), error.kind());
                findings.extend(readable(glob).map(|path| finding(&BAD_GLOB, path, message)));
            }
        }
    }
    // Each pattern was built alone, so together they only fail by being too large.
    set.build().unwrap_or_else(|error| {
        let message = format!("the patterns cannot be used together: {}", error.kind());
        findings.extend(readable("descriptors").map(|path| finding(&BAD_GLOB, path, message)));
        GlobSet::empty()
    })
}

fn finding(rule: &Rule, path: RepoPath, message: String) -> Finding {
    Finding::new(rule.severity, rule.id(), Location::top_of(path), "", message).with_hint(rule.hint())
}

/// A path that can be shown instead of one that cannot be used.
fn readable(path: &str) -> Option<RepoPath> {
    let replaced: String = path.chars().map(|c| if c.is_control() || c == '\\' { '?' } else { c }).take(1000).collect();
    let parts: Vec<&str> = replaced.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    parts.join("/").parse().or_else(|_| "unusable".parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::tree::Entry;

    fn listing(entries: &[(&str, EntryKind)], unusable: &[&str]) -> Listing {
        let entries = entries.iter().map(|(path, kind)| Entry { path: path.parse().unwrap(), kind: *kind }).collect();
        Listing { entries, unusable: unusable.iter().map(ToString::to_string).collect() }
    }

    fn found(listing: &Listing, globs: &[&str]) -> (Vec<String>, Vec<String>) {
        let globs: Vec<String> = globs.iter().map(ToString::to_string).collect();
        let discovery = discover(listing, &globs);
        let roots = discovery.roots.iter().map(ToString::to_string).collect();
        let findings = discovery.findings.iter().map(|it| format!("{} {}", it.rule, it.location.file)).collect();
        (roots, findings)
    }

    #[test]
    fn only_matching_files_are_roots() {
        let listing = listing(
            &[
                ("data-product-descriptor.yml", EntryKind::File),
                ("z/data-product-descriptor.json", EntryKind::File),
                ("a/b/data-product-descriptor.yaml", EntryKind::File),
                ("a/b/port.yaml", EntryKind::File),
                ("l/data-product-descriptor.yaml", EntryKind::Symlink),
                ("m/data-product-descriptor.yaml", EntryKind::Submodule),
                ("m/other", EntryKind::Symlink),
            ],
            &["x\u{1}/data-product-descriptor.yaml", "y\\z"],
        );
        let (roots, findings) = found(&listing, &["**/data-product-descriptor.{yaml,yml,json}"]);
        assert_eq!(
            roots,
            ["a/b/data-product-descriptor.yaml", "data-product-descriptor.yml", "z/data-product-descriptor.json"]
        );
        assert_eq!(
            findings,
            [
                "discover/link l/data-product-descriptor.yaml",
                "discover/link m/data-product-descriptor.yaml",
                "discover/unusable-path x?/data-product-descriptor.yaml",
            ]
        );
        assert_eq!(found(&listing, &["*/data-product-descriptor.*"]).0, ["z/data-product-descriptor.json"]);
    }

    #[test]
    fn paths_that_differ_by_case_are_named() {
        let listing = listing(&[("Trips/d.yaml", EntryKind::File), ("trips/d.yaml", EntryKind::File)], &[]);
        let (roots, findings) = found(&listing, &["**/d.yaml"]);
        assert_eq!(roots.len(), 2);
        assert_eq!(findings, ["discover/case-only trips/d.yaml"]);
    }

    #[test]
    fn a_bad_pattern_is_said_and_the_others_count() {
        let listing = listing(&[("d.yaml", EntryKind::File)], &[]);
        assert_eq!(found(&listing, &["{a", "*.yaml"]), (vec!["d.yaml".into()], vec!["discover/bad-pattern {a".into()]));
    }
}

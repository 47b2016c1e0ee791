//! What a policy folder holds: which file is what, how much of it there may be, and the digest.

use serde::{Deserialize, Serialize};

use crate::domain::id::{Digest, RepoPath};

/// The largest file of a policy set, in bytes. It is also what `regorus` accepts.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// The most files of a policy set.
pub const MAX_FILES: usize = 500;

/// The largest sum of all files of a policy set, in bytes.
pub const MAX_TOTAL_BYTES: usize = 16 << 20;

/// One file of a policy set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PolicyFile {
    /// The folder under which people know it, which says nothing about its place in `data`.
    pub folder: Option<RepoPath>,
    /// The path inside the folder.
    pub name: RepoPath,
    /// The text.
    pub text: String,
}

/// What a file is to a policy set, told by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A policy, or a library that policies use: `*.rego`.
    Policy,
    /// Unit tests: `*_test.rego`. Evaluation never sees them.
    Test,
    /// `data.json` or `data.yaml`: mounted in `data` at the place of its folder, as in an OPA bundle.
    Data,
    /// `name.yaml`: the settings of the package in `name.rego` beside it.
    Settings,
    /// Nothing of ours.
    Other,
}

impl PolicyFile {
    /// The path by which findings name the file.
    pub fn path(&self) -> RepoPath {
        let joined = self.folder.as_ref().map(|folder| format!("{folder}/{}", self.name));
        joined.and_then(|path| path.parse().ok()).unwrap_or_else(|| self.name.clone())
    }

    /// Whether a policy set has a use for a file of this name.
    pub fn is_wanted(name: &RepoPath) -> bool {
        kind_of(name) != FileKind::Other
    }

    pub(super) fn kind(&self) -> FileKind {
        kind_of(&self.name)
    }

    /// The path without its extension, which is how a policy and its settings find each other.
    pub(super) fn stem(&self) -> String {
        let path = self.path();
        let stem = path.as_str().rsplit_once('.').map(|(stem, _)| stem);
        stem.unwrap_or(path.as_str()).to_owned()
    }
}

fn kind_of(name: &RepoPath) -> FileKind {
    let file = name.file_name();
    match file.rsplit_once('.') {
        Some((stem, "rego")) if stem.ends_with("_test") => FileKind::Test,
        Some((_, "rego")) => FileKind::Policy,
        Some(("data", "json" | "yaml" | "yml")) => FileKind::Data,
        Some((_, "yaml" | "yml")) => FileKind::Settings,
        _ => FileKind::Other,
    }
}

/// The digest of a policy set: of all paths and texts, in the order of the paths.
pub fn digest_of(files: &[PolicyFile]) -> Digest {
    let mut fields: Vec<(RepoPath, &str)> = files.iter().map(|file| (file.path(), file.text.as_str())).collect();
    fields.sort();
    Digest::of_fields(fields.iter().flat_map(|(path, text)| [path.as_str(), text]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> PolicyFile {
        PolicyFile { folder: None, name: name.parse().unwrap(), text: text.to_owned() }
    }

    #[test]
    fn the_digest_depends_on_names_and_texts_and_not_on_order() {
        let (a, b) = (file("a.rego", "package a"), file("b.rego", "package b"));
        assert_eq!(digest_of(&[a.clone(), b.clone()]), digest_of(&[b.clone(), a.clone()]));
        assert_ne!(digest_of(&[a.clone(), b.clone()]), digest_of(std::slice::from_ref(&a)));
        let swapped = [file("a.rego", "package b"), file("b.rego", "package a")];
        assert_ne!(digest_of(&[a, b]), digest_of(&swapped));
    }

    #[test]
    fn names_tell_what_a_file_is() {
        for (name, kind) in [
            ("a.rego", FileKind::Policy),
            ("x/a_test.rego", FileKind::Test),
            ("x/data.yaml", FileKind::Data),
            ("data.json", FileKind::Data),
            ("a.yaml", FileKind::Settings),
            ("README.md", FileKind::Other),
            ("input.json", FileKind::Other),
            ("rego", FileKind::Other),
        ] {
            assert_eq!(kind_of(&name.parse().unwrap()), kind, "{name}");
        }
    }
}

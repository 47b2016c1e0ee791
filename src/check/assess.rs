//! The whole way of one descriptor: read, locate, resolve, check.

use crate::domain::descriptor::Descriptor;
use crate::domain::finding::{Finding, Location};
use crate::domain::id::{Fqn, Namespace, RepoPath};
use crate::domain::rule::Rule;
use crate::port::tree::{Listing, Tree};

/// What checking depends on beside the files.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The mesh's namespace. Without one, it is taken from `info.fullyQualifiedName`, else `local`.
    pub namespace: Option<Namespace>,
}

/// What became of one descriptor.
#[derive(Debug, Clone)]
pub struct Assessment {
    /// The root file.
    pub path: RepoPath,
    /// All files that were read for it (or looked for in vain), the root file first.
    pub files: Vec<RepoPath>,
    /// The product, where its name and version could be told, even when something else is wrong.
    pub product: Option<Fqn>,
    /// The descriptor, when no finding is an error.
    pub descriptor: Option<Descriptor>,
    /// What was found, arranged.
    pub findings: Vec<Finding>,
}

impl Assessment {
    /// Where a JSON pointer into the resolved content stands in the files; the nearest parent that
    /// is there, for one that is not.
    pub fn locate(&self, _pointer: &str) -> Location {
        Location::top_of(self.path.clone())
    }
}

/// The descriptors of a tree.
#[derive(Debug, Clone, Default)]
pub struct Discovery {
    /// Root files, in the order of their paths.
    pub roots: Vec<RepoPath>,
    /// Links, submodules and unusable paths that would have been root files; names that differ only by case.
    pub findings: Vec<Finding>,
}

/// Finds the root files that match one of `globs`.
pub fn discover(_listing: &Listing, _globs: &[String]) -> Discovery {
    Discovery::default()
}

/// Reads and checks one descriptor. It never fails: what is wrong is a finding.
pub fn assess(_tree: &dyn Tree, path: &RepoPath, _settings: &Settings) -> Assessment {
    Assessment { path: path.clone(), files: vec![path.clone()], product: None, descriptor: None, findings: Vec::new() }
}

/// Reads and checks many, on all cores, in the order of `paths`.
pub fn assess_all(tree: &dyn Tree, paths: &[RepoPath], settings: &Settings) -> Vec<Assessment> {
    paths.iter().map(|path| assess(tree, path, settings)).collect()
}

/// All built-in rules, by id.
pub fn catalogue() -> Vec<&'static Rule> {
    Vec::new()
}

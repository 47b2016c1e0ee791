//! What validating came to: made by the verb, written by the renderers. Paths in it are relative to
//! the tree's top, which is where annotations and code scanning look for files.

use crate::check::fix::Fix;
use crate::domain::finding::Finding;
use crate::domain::id::{Digest, Fqn, RepoPath};

use super::render::Counts;

/// What became of one descriptor.
#[derive(Debug, Clone)]
pub struct ValidatedDescriptor {
    /// The root file.
    pub path: RepoPath,
    /// The product, where it could be told.
    pub product: Option<Fqn>,
    /// The version, of a descriptor without errors.
    pub version: Option<String>,
    /// The content's digest, of a descriptor without errors.
    pub digest: Option<Digest>,
    /// What was found, by weight.
    pub counts: Counts,
}

/// What became of a place that a rule knows how to mend.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// The place, and what belongs there.
    pub fix: Fix,
    /// What became of it.
    pub outcome: FixOutcome,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FixOutcome {
    /// The file was written.
    Mended,
    /// It would be mended.
    Proposed,
    /// It stays as it is; why.
    Left(String),
}

/// What validation came to.
#[derive(Debug, Clone, Default)]
pub struct Validation {
    /// By path.
    pub descriptors: Vec<ValidatedDescriptor>,
    /// Arranged.
    pub findings: Vec<Finding>,
    /// Why something that was asked for could not be validated. Each is a failure.
    pub problems: Vec<String>,
    /// How many places could be mended.
    pub mendable: usize,
    /// What was mended; `None` when nobody asked for it.
    pub fixes: Option<Vec<Fixed>>,
}

impl Validation {
    /// Whether nothing refuses.
    pub fn is_fine(&self) -> bool {
        self.problems.is_empty() && !self.findings.iter().any(Finding::is_error)
    }
}

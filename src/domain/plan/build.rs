//! Making a plan: a pure function of its inputs.

use std::collections::BTreeMap;

use crate::domain::change::Change;
use crate::domain::descriptor::{Descriptor, VersionRef};
use crate::domain::finding::Location;
use crate::domain::id::{ContainerId, Digest, RepoPath, Revision, SourceName};
use crate::domain::stage::Platform;

use super::Plan;

/// A product as a revision wants it.
#[derive(Debug, Clone)]
pub struct Desired {
    /// Its descriptor.
    pub descriptor: Descriptor,
    /// The root file.
    pub path: RepoPath,
    /// What changed.
    pub change: Change,
    /// Whether a finding or a policy refuses it.
    pub refused: bool,
    /// Where the parts of the descriptor stand, by JSON pointer, for what planning finds.
    pub places: BTreeMap<String, Location>,
}

/// All that a plan depends on.
#[derive(Debug, Clone)]
pub struct PlanInputs<'a> {
    /// The source.
    pub source: &'a SourceName,
    /// The commit.
    pub revision: &'a Revision,
    /// How many plans were recorded for the source before.
    pub sequence: u64,
    /// The policies that were asked.
    pub policies: &'a Digest,
    /// Stages and executors.
    pub platform: &'a Platform,
    /// What the revision wants.
    pub desired: &'a [Desired],
    /// Products that left the source.
    pub retired: &'a [Change],
    /// What runs, as far as the record knows: of the desired products and of all they read from.
    pub running: &'a BTreeMap<ContainerId, VersionRef>,
}

/// Makes the plan.
pub fn plan(_inputs: &PlanInputs<'_>) -> Plan {
    unreachable!("written next")
}

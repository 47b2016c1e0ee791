//! Desired against recorded, for one product: what changed, in the descriptor's own terms.

mod place;
mod diff;
mod lists;
mod classify;
mod unified;
#[cfg(test)]
mod properties;

pub use diff::compare;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::compat::ProductCompatibility;
use super::descriptor::VersionRef;
use super::id::{Fqn, RepoPath};

/// What happened to a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// Not recorded before.
    Created,
    /// Recorded with other content.
    Updated,
    /// Recorded, and no longer in the source. Nothing is torn down because of it.
    Retired,
    /// Recorded with the same content.
    Unchanged,
}

/// Which part of a product a field belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldClass {
    /// What consumers see and rely on: ports, their promises, expectations and obligations.
    Interface,
    /// Components behind the ports.
    Internal,
    /// Stages and their tasks.
    Lifecycle,
    /// Names, descriptions, owners, tags.
    Metadata,
}

/// What a change of one thing means to those who rely on it. Whether a field's change is one is told by
/// `check::contract`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// Nobody needs to do anything.
    Compatible,
    /// It cannot be told; never to be shown as compatible.
    Unknown,
    /// Consumers break.
    Breaking,
}

/// What was done to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldOp {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another value.
    Replaced,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// In the descriptor's terms, list items by name: `outputPorts.trips.promises.api.definition.…`.
    pub path: String,
    /// A JSON pointer into the desired content (for a removed field, into its nearest remaining parent).
    pub pointer: String,
    /// What was done.
    pub op: FieldOp,
    /// The part of the product.
    pub class: FieldClass,
    /// The recorded value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<Value>,
    /// The desired value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Value>,
}

/// The difference of two contents.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Difference {
    /// Every field that differs, in the order of the desired content, removed ones last in their parent.
    pub fields: Vec<FieldChange>,
    /// The same as a unified diff of the two contents as YAML, at most 64 KiB.
    pub unified: String,
}

/// What happened to one product between the record and a revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The product's major version.
    pub product: Fqn,
    /// What happened.
    pub kind: ChangeKind,
    /// The root file of its descriptor.
    pub path: RepoPath,
    /// The latest recorded version: of this major, or for a new major of the one before it.
    pub from: Option<VersionRef>,
    /// The desired version; absent when retired.
    pub to: Option<VersionRef>,
    /// For a new major, the major whose latest version stands in `from`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub succeeds: Option<Fqn>,
    /// What differs between `from` and `to`, where both are there.
    pub difference: Difference,
    /// What that means to those who rely on the product, and which version it requires; where `from` and
    /// `to` are both there and differ.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub compatibility: Option<ProductCompatibility>,
}

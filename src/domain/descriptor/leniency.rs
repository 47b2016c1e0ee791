//! Forms of older descriptors, which DPDS does not allow and real files have. Each has a switch of its
//! own; nothing is changed in what was read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of a form that is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Leniency {
    /// It is an error.
    #[default]
    Off,
    /// It is a warning, and counts as what was meant.
    Warn,
    /// It counts as what was meant, and nothing is said.
    Accept,
}

/// The switches. All are off unless the configuration says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Compatibility {
    /// `$ref: '#components/templates/x'`, for `#/components/templates/x`.
    pub slashless_references: Leniency,
    /// `description: null`, for a field that is left out.
    pub explicit_nulls: Leniency,
    /// Templates of tasks without `name` or `version`.
    pub unnamed_templates: Leniency,
    /// `$href: '{azure-devops}'`, for `azure-devops`.
    pub executors_in_braces: Leniency,
    /// Names and ids as the first generation of Open Data Mesh computes them: `urn:{org}:dataproducts:{name}`, and
    /// ids of version 3.
    pub odm_identity: Leniency,
}

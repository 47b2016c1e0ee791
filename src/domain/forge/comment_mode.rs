//! When a pull request gets a comment.

use serde::{Deserialize, Serialize};

/// When a pull request gets the one comment. It is edited from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommentMode {
    /// Once there is something to say: a product changes, or something is wrong.
    #[default]
    OnChange,
    /// For every pull request.
    Always,
    /// Never: there are statuses and checks only.
    Never,
}

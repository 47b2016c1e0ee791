//! Who evaluates policies.

use async_trait::async_trait;

use crate::domain::id::Digest;
use crate::domain::policy::{Question, Verdict};

/// Policies that cannot be loaded. Until they can, every verdict is a refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policies cannot be loaded: {0}")]
pub struct PolicyLoadError(pub String);

/// Evaluates policies, apart from the daemon's own process.
#[async_trait]
pub trait Judge: Send + Sync {
    /// The digest of the policies that are loaded.
    fn policies(&self) -> Digest;

    /// Reads the policies again, and answers with their digest.
    async fn reload(&self) -> Result<Digest, PolicyLoadError>;

    /// Answers every question, in the order of the questions. It never fails: what cannot be
    /// evaluated is refused.
    async fn judge(&self, questions: Vec<Question>) -> Vec<Verdict>;
}

//! Where statuses go.

use async_trait::async_trait;

use crate::domain::report::Report;

/// Why a status could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// It may pass: try again, with growing pauses.
    #[error("the status could not be written for now: {0}")]
    Transient(String),
    /// It will not pass by itself (the commit or the repository is gone): show it and give up.
    #[error("the status cannot be written: {0}")]
    Permanent(String),
}

/// Shows the states of commits.
#[async_trait]
pub trait Forge: Send + Sync {
    /// Makes the forge show this report. When it returns, the forge shows it; doing it twice
    /// shows it once.
    async fn publish(&self, report: &Report) -> Result<(), ForgeError>;
}

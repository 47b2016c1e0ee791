//! Where statuses, check runs and comments go.

pub mod login;
pub mod redelivery;
pub mod reviews;

use async_trait::async_trait;

use crate::domain::id::SourceName;
use crate::domain::report::Report;
use crate::domain::time::Timestamp;

/// Why a forge did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// It may pass: try again, with growing pauses.
    #[error("the forge could not be reached for now: {0}")]
    Transient(String),
    /// The forge wants to be left alone until then, for all that goes through the same account.
    #[error("the forge wants no more requests until {until}: {message}")]
    Limited {
        /// When to come back.
        until: Timestamp,
        /// What it said.
        message: String,
    },
    /// We have made as much of what people are notified of as the forge lets us make for now, through the same
    /// account. All else may go on.
    #[error("the forge lets us make no more until {until}: {message}")]
    Crowded {
        /// When to come back.
        until: Timestamp,
        /// What there is too much of.
        message: String,
    },
    /// We may not: the credentials are wrong, a permission is missing, the repository is archived. It
    /// is a condition of the source, until somebody changes it.
    #[error("the forge does not allow it: {0}")]
    Denied(String),
    /// It will not pass by itself (the commit or the repository is gone): show it and give up.
    #[error("the forge refuses it: {0}")]
    Permanent(String),
}

/// What a forge can show beside commit statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abilities {
    /// Check runs.
    pub checks: bool,
    /// Comments on pull requests.
    pub comments: bool,
    /// Deployments and their statuses.
    pub deployments: bool,
}

/// Shows the states of commits.
#[async_trait]
pub trait Forge: Send + Sync {
    /// What it can show beside commit statuses. Reports of other sorts are not given to it.
    fn abilities(&self) -> Abilities;

    /// The account through which reports of this source go. Sources with one account share its limits,
    /// and their reports are written one after the other; a forge that says nothing has one account.
    fn account(&self, _source: &SourceName) -> String {
        String::new()
    }

    /// Makes the forge show this report. When it returns, the forge shows it; doing it twice shows
    /// it once.
    ///
    /// `external` is the forge's own id of what shows an earlier edition of the same report (a check
    /// run, a comment, a deployment), as an earlier call returned it; the id to remember comes back.
    async fn publish(&self, report: &Report, external: Option<&str>) -> Result<Option<String>, ForgeError>;

    /// Whether the forge still shows this report as it was published. What cannot be read back counts
    /// as shown.
    async fn shows(&self, report: &Report, external: Option<&str>) -> Result<bool, ForgeError>;
}

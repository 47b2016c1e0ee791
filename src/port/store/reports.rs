//! What publishing needs of the record: what forges should show, and what they were told.

use async_trait::async_trait;

use crate::domain::id::{Revision, SourceName};
use crate::domain::report::Report;
use crate::domain::time::Timestamp;

use super::StoreError;

/// A report that a forge does not show yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedReport {
    /// What it should show.
    pub report: Report,
    /// Grows whenever the wanted state changes; acknowledging an older one changes nothing.
    pub edition: u64,
    /// How often writing it failed in a row.
    pub failures: u32,
}

/// What publishing needs of the record.
#[async_trait]
pub trait ReportBook: Send + Sync {
    /// Reports whose wanted state is not shown and that are due at `now`, oldest first; only the newest
    /// state of each (source, revision, context).
    async fn unpublished(&self, now: Timestamp, limit: usize) -> Result<Vec<WantedReport>, StoreError>;

    /// The commits of the source of which `context` is wanted as pending, in the order of their ids.
    async fn pending(&self, source: &SourceName, context: &str) -> Result<Vec<Revision>, StoreError>;

    /// Wants these reports to be shown. Wanting what is wanted already changes nothing.
    async fn want(&self, reports: &[Report], at: Timestamp) -> Result<(), StoreError>;

    /// The forge shows this edition.
    async fn published(&self, report: &WantedReport, at: Timestamp) -> Result<(), StoreError>;

    /// The forge could not be made to show it. `again` is when to try next; `None` gives up.
    async fn failed(
        &self,
        report: &WantedReport,
        message: &str,
        again: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<(), StoreError>;
}

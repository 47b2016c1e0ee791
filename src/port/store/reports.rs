//! What publishing needs of the record: what forges should show, and what they were told.

use async_trait::async_trait;

use crate::domain::id::{Digest, Revision, SourceName, StageName};
use crate::domain::report::Report;
use crate::domain::time::Timestamp;

use super::{Basis, StoreError};

/// A report as it is wanted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedReport {
    /// What should be shown.
    pub report: Report,
    /// Grows whenever the wanted state changes; acknowledging an older one changes nothing.
    pub edition: u64,
    /// How often writing it failed in a row.
    pub failures: u32,
    /// The forge's own id of what shows an earlier edition.
    pub external: Option<String>,
}

/// Why nothing is written for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pause {
    /// The account is at its limit: nothing at all is written.
    Limited {
        /// What the forge said.
        message: String,
    },
    /// There were as many of this sort lately as the forge lets us make: others are written meanwhile.
    Crowded {
        /// See [`Report::sort`].
        sort: &'static str,
        /// What there is too much of.
        message: String,
    },
    /// We may not write reports of this sort. It is a condition of the source (`forge-denied`) until
    /// one of them was written.
    Denied {
        /// See [`Report::sort`].
        sort: &'static str,
        /// What the forge said.
        message: String,
    },
}

/// A stage of a commit at which something has changed since its reports were worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    /// The source.
    pub source: SourceName,
    /// The stage.
    pub stage: StageName,
    /// The commit.
    pub revision: Revision,
    /// The plan of the activity that changed last.
    pub plan: Digest,
}

/// What publishing needs of the record.
#[async_trait]
pub trait ReportBook: Send + Sync {
    /// Reports of these sources whose wanted state is not shown, that are due at `now` and not paused:
    /// statuses, then checks, then comments, then deployments, the oldest first; only the newest state of
    /// each (source, subject, sort, context).
    async fn unpublished(
        &self,
        sources: &[SourceName],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<WantedReport>, StoreError>;

    /// The sources of which something is wanted, not shown and not given up, by name.
    async fn sources_with_unpublished(&self) -> Result<Vec<SourceName>, StoreError>;

    /// The commits of the source of which the status `context` is wanted as pending, in the order of
    /// their ids.
    async fn pending(&self, source: &SourceName, context: &str) -> Result<Vec<Revision>, StoreError>;

    /// Wants these reports to be shown. Wanting what is wanted already changes nothing.
    async fn want(&self, reports: &[Report], at: Timestamp) -> Result<(), StoreError>;

    /// The stages of commits that are untold, by source, stage and commit. Whatever changes the status of an
    /// activity leaves its stage untold, in the same transaction, unless it brings the reports along.
    async fn untold(&self) -> Result<Vec<Untold>, StoreError>;

    /// Wants these reports of a stage of the basis' source, which were worked out upon the basis. The stage
    /// stays untold where the source stands otherwise by now: then the reports say how it stood, and have to
    /// be worked out once more. `Moved` where some that were worked out later are recorded: nothing is taken
    /// back.
    async fn tell(&self, stage: &StageName, basis: &Basis, reports: &[Report], at: Timestamp)
    -> Result<(), StoreError>;

    /// Has the checks of a commit written anew, though they are shown: a forge whose users asked for
    /// another run shows that they wait until they are written.
    async fn write_anew(&self, source: &SourceName, revision: &Revision, at: Timestamp) -> Result<(), StoreError>;

    /// The comment that is wanted on a pull request, if one is.
    async fn wanted_comment(&self, source: &SourceName, pull: u64) -> Result<Option<Report>, StoreError>;

    /// The forge shows this edition, and calls it `external`. What paused the source is over.
    async fn published(&self, report: &WantedReport, external: Option<&str>, at: Timestamp) -> Result<(), StoreError>;

    /// The forge could not be made to show it. `again` is when to try next; `None` gives up.
    async fn failed(
        &self,
        report: &WantedReport,
        message: &str,
        again: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Nothing of these sources, or nothing of a sort, is written before `until`. It counts as nobody's failure,
    /// and outlives a restart.
    async fn pause(
        &self,
        sources: &[SourceName],
        why: &Pause,
        until: Timestamp,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Reports of these sources that are shown and due to be read back, the longest due first. When that
    /// is, [`next_look`](crate::domain::report::next_look) says. What is paused is left out.
    async fn to_verify(
        &self,
        sources: &[SourceName],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<WantedReport>, StoreError>;

    /// The forge still shows this edition.
    async fn verified(&self, report: &WantedReport, at: Timestamp) -> Result<(), StoreError>;

    /// The forge does not show this edition any more: it is to be written again.
    async fn lost(&self, report: &WantedReport, at: Timestamp) -> Result<(), StoreError>;
}

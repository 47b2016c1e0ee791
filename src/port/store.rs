//! The record. Narrow roles; one adapter plays them all.

mod activities;
mod approvals;
mod deliveries;
mod history;
mod look;
mod passes;
mod proposals;
mod reports;

pub use activities::{ActivityBook, ActivityRecord, AppendError, LogLine, StageStanding};
pub use approvals::{ApprovalBook, Decision, Ruling};
pub use deliveries::{AnsweredCommand, DeliveryBook, PRESSED_AGAIN, Recorded, Retention};
pub use history::{History, HistoryBook, Kept};
pub use look::{
    ActivityRow, AuditRow, ContainerRow, DeliveryRow, FindingRow, Look, PassRow, ProductRow, ReportRow, SourceRow,
    VersionRow,
};
pub use passes::{
    ContainerRecord, DescriptorEntry, Pass, PassBook, RecordedVersion, SourceRecord, Standing, VerdictEntry,
    VersionEntry,
};
pub use proposals::{CLOSED_KEPT, ProposalBook, ProposalRecord, ProposalRow, ReviewInputs};
pub use reports::{Pause, ReportBook, WantedReport};

/// Why the record could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It may pass (locked, full disk, connection lost): try again.
    #[error("the record is not available for now: {0}")]
    Unavailable(String),
    /// It was written by a newer Meshwright.
    #[error(
        "the record has schema version {found}, and this binary understands at most {known}: use a newer meshwright"
    )]
    TooNew {
        /// The version found.
        found: i64,
        /// The latest version known.
        known: i64,
    },
    /// Nobody but a person can mend it (read-only file, corrupt page).
    #[error("the record cannot be used: {0}")]
    Unusable(String),
}

/// The whole record.
pub trait Store:
    PassBook + ActivityBook + ReportBook + ApprovalBook + ProposalBook + DeliveryBook + HistoryBook + Look
{
}

impl<T> Store for T where
    T: PassBook + ActivityBook + ReportBook + ApprovalBook + ProposalBook + DeliveryBook + HistoryBook + Look
{
}

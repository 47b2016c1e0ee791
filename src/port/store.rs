//! The record. Narrow roles; one adapter plays them all.

mod activities;
mod approvals;
mod bells;
mod deliveries;
mod history;
mod leases;
mod look;
mod passes;
mod proposals;
mod reports;
mod wakes;

pub use activities::{ActivityBook, ActivityRecord, AppendError, LogLine, StageStanding};
pub use approvals::{ApprovalBook, Decision, Ruling};
pub use bells::{Bell, Bells, Listener};
pub use deliveries::{AnsweredCommand, DeliveryBook, PRESSED_AGAIN, Recorded, Retention};
pub use history::{History, HistoryBook, Kept};
pub use leases::{Basis, Lease, LeaseBook, LeaseName, LeaseRow, Leased, Matter, Terms};
pub use look::{
    ActivityRow, AuditRow, ContainerRow, DeliveryRow, FindingRow, Look, PassRow, ProductRow, ReportRow, SourceRow,
    VersionRow,
};
pub use passes::{
    ContainerRecord, DescriptorEntry, Pass, PassBook, RecordedVersion, SourceRecord, Standing, VerdictEntry,
    VersionEntry,
};
pub use proposals::{CLOSED_KEPT, ProposalBook, ProposalRecord, ProposalRow, ReviewInputs};
pub use reports::{Pause, ReportBook, Untold, WantedReport};
pub use wakes::{Lane, LookEnd, TakeWake, TakenWake, Wake, WakeBook, WakeRow};

use std::fmt;

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
    /// Another holds the lease by now: stop at once, and write nothing more.
    #[error("another replica holds it by now")]
    Fenced,
    /// What this was worked out from has changed: work it out anew.
    #[error("the source stands otherwise by now")]
    Moved,
}

impl StoreError {
    /// Says which record it is about.
    pub fn about(self, place: impl fmt::Display) -> Self {
        match self {
            Self::Unavailable(why) => Self::Unavailable(format!("{place}: {why}")),
            Self::Unusable(why) => Self::Unusable(format!("{place}: {why}")),
            other @ (Self::TooNew { .. } | Self::Fenced | Self::Moved) => other,
        }
    }
}

/// The whole record.
pub trait Store:
    PassBook
    + ActivityBook
    + ReportBook
    + ApprovalBook
    + ProposalBook
    + DeliveryBook
    + HistoryBook
    + WakeBook
    + LeaseBook
    + Terms
    + Bells
    + Look
{
}

impl<T> Store for T where
    T: PassBook
        + ActivityBook
        + ReportBook
        + ApprovalBook
        + ProposalBook
        + DeliveryBook
        + HistoryBook
        + WakeBook
        + LeaseBook
        + Terms
        + Bells
        + Look
{
}

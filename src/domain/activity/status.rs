//! Where activities, tasks and their compensations stand.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CancelCause, FailureKind};
use crate::domain::time::Timestamp;

/// Where an activity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActivityStatus {
    /// Recorded, not begun.
    Waiting,
    /// Begun by a holder.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended with a failed task.
    Failed,
    /// Ended by policies.
    Refused,
    /// Never begun: what it waited for did not succeed.
    Skipped,
    /// Never begun: a person decided against it.
    Rejected,
    /// A person decided against it, before it had begun or while it ran.
    Cancelled,
    /// A later commit wants something else: never begun, or stopped for it.
    Superseded,
}

impl ActivityStatus {
    /// All of them.
    pub const ALL: [ActivityStatus; 9] = [
        ActivityStatus::Waiting,
        ActivityStatus::Running,
        ActivityStatus::Succeeded,
        ActivityStatus::Failed,
        ActivityStatus::Refused,
        ActivityStatus::Skipped,
        ActivityStatus::Rejected,
        ActivityStatus::Cancelled,
        ActivityStatus::Superseded,
    ];

    /// Whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        !matches!(self, ActivityStatus::Waiting | ActivityStatus::Running)
    }

    /// The word, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            ActivityStatus::Waiting => "waiting",
            ActivityStatus::Running => "running",
            ActivityStatus::Succeeded => "succeeded",
            ActivityStatus::Failed => "failed",
            ActivityStatus::Refused => "refused",
            ActivityStatus::Skipped => "skipped",
            ActivityStatus::Rejected => "rejected",
            ActivityStatus::Cancelled => "cancelled",
            ActivityStatus::Superseded => "superseded",
        }
    }
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum TaskStatus {
    /// Not begun.
    Planned,
    /// Handed to its executor.
    Running {
        /// From 1.
        attempt: u32,
        /// How the executor finds it again.
        handle: Option<String>,
        /// When the attempt is over; logs of old do not say.
        deadline: Option<Timestamp>,
    },
    /// An attempt failed, another will follow.
    Retrying {
        /// How many attempts failed.
        attempts: u32,
        /// The last reason.
        message: String,
        /// Not before then.
        again: Option<Timestamp>,
    },
    /// Ended well.
    Succeeded {
        /// What it returned.
        results: Value,
    },
    /// Failed for good.
    Failed {
        /// What kind of failure it was.
        kind: FailureKind,
        /// The reason.
        message: String,
    },
}

/// Where the undoing of a task stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum CompensationStatus {
    /// Handed to its executor.
    Running {
        /// From 1.
        attempt: u32,
        /// How the executor finds it again.
        handle: Option<String>,
        /// When the attempt is over.
        deadline: Timestamp,
    },
    /// An attempt failed, another will follow.
    Retrying {
        /// How many attempts failed.
        attempts: u32,
        /// The last reason.
        message: String,
        /// Not before then.
        again: Timestamp,
    },
    /// The task is undone.
    Succeeded,
    /// It is not, and will not be by us.
    Failed {
        /// The reason.
        message: String,
    },
}

impl CompensationStatus {
    /// Whether nothing more will happen.
    pub const fn is_final(&self) -> bool {
        matches!(self, CompensationStatus::Succeeded | CompensationStatus::Failed { .. })
    }
}

/// That a person decided against an activity before it had begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rejected by {} at {}", self.by, self.at.strftime("%Y-%m-%d %H:%M UTC"))
    }
}

/// That an activity is to be stopped, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// Why.
    pub why: CancelCause,
    /// Since when that is known.
    pub at: Timestamp,
}

impl std::fmt::Display for Cancellation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.why {
            CancelCause::Person(by) => write!(f, "cancelled by {by} at {}", self.at.strftime("%Y-%m-%d %H:%M UTC")),
            CancelCause::Newer(id) => write!(f, "stopped for {id} of a later commit"),
        }
    }
}

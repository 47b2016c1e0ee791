//! What happens to an activity. Events are stored; status is folded from them, by one function.

mod backoff;
mod fold;
#[cfg(test)]
mod fold_tests;
mod status;

pub use backoff::Backoff;
pub use fold::{ActivityState, IllegalEvent, fold};
pub use status::{ActivityStatus, Cancellation, CompensationStatus, Rejection, TaskStatus};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::ActivityId;
use super::policy::Violation;
use super::time::Timestamp;

/// Proof of being the one holder of a container. A later holder has a greater token; the store
/// refuses what comes with a smaller one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FencingToken(pub u64);

/// What kind of failure it was: it decides what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureKind {
    /// It may pass: try again.
    Transient,
    /// Trying again will not help.
    Permanent,
    /// Its executor will not do it, by its own rules: somebody has to want something else.
    Refused,
    /// It took too long and was stopped.
    TimedOut,
    /// It was cancelled.
    Cancelled,
}

impl FailureKind {
    /// Whether another attempt may help, as far as the kind alone says so.
    pub const fn may_pass(self) -> bool {
        matches!(self, FailureKind::Transient)
    }
}

/// Why something that runs is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CancelCause {
    /// A person has decided so.
    Person(String),
    /// This activity of a later commit waits for its container.
    Newer(ActivityId),
}

/// One thing that happened to an activity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum ActivityEvent {
    /// A holder took it up, for the first time or after a crash.
    Claimed {
        /// The holder's token.
        token: FencingToken,
    },
    /// A task was handed to its executor, or is about to be: written before the effect.
    TaskStarted {
        /// Its place in the plan.
        task: usize,
        /// From 1.
        attempt: u32,
        /// When the attempt is over, whoever is there to see it. A crash in between does not move it.
        /// Logs that were written before deadlines were recorded have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline: Option<Timestamp>,
    },
    /// The executor said how the running task is found again after a crash.
    TaskCheckpointed {
        /// Its place in the plan.
        task: usize,
        /// The executor's own handle.
        handle: String,
    },
    /// A task ended well.
    TaskSucceeded {
        /// Its place in the plan.
        task: usize,
        /// What it returned; an object.
        results: Value,
    },
    /// An attempt of a task failed.
    TaskFailed {
        /// Its place in the plan.
        task: usize,
        /// The attempt, from 1.
        attempt: u32,
        /// What kind of failure it was.
        kind: FailureKind,
        /// What is known of the reason.
        message: String,
        /// Whether it will be tried again.
        retry: bool,
        /// Not before then. Older logs do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again: Option<Timestamp>,
    },
    /// What runs is to be stopped. Nothing of it begins any more; it ends with `Cancelled` or `Superseded`.
    CancelRequested {
        /// Why.
        why: CancelCause,
        /// When.
        at: Timestamp,
    },
    /// Policies refused, and what was begun is undone before the activity ends with `Refused`.
    Refusing {
        /// What they hold against it.
        violations: Vec<Violation>,
    },
    /// Undoing a task was handed to its executor, or is about to be: written before the effect.
    CompensationStarted {
        /// The task's place in the plan.
        task: usize,
        /// From 1.
        attempt: u32,
        /// When the attempt is over.
        deadline: Timestamp,
    },
    /// The executor said how the running compensation is found again after a crash.
    CompensationCheckpointed {
        /// The task's place in the plan.
        task: usize,
        /// The executor's own handle.
        handle: String,
    },
    /// The task is undone.
    CompensationSucceeded {
        /// The task's place in the plan.
        task: usize,
    },
    /// An attempt to undo a task failed.
    CompensationFailed {
        /// The task's place in the plan.
        task: usize,
        /// The attempt, from 1.
        attempt: u32,
        /// What is known of the reason.
        message: String,
        /// When it is tried again; for good when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again: Option<Timestamp>,
    },
    /// Policies refused: before a phase, or on a result.
    Refused {
        /// What they hold against it.
        violations: Vec<Violation>,
    },
    /// All tasks ended well and policies agreed.
    Succeeded,
    /// It ended with a failed task.
    Failed,
    /// It never began, and will not: what it waited for did not succeed.
    Skipped {
        /// What it waited for.
        because: ActivityId,
    },
    /// It never began, and will not: a person decided against it.
    Rejected {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// A person decided against it: it never began, or it was stopped.
    Cancelled {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// A later commit wants another version: it never began, or it was stopped.
    Superseded {
        /// The activity that takes its place: a later one, or the one that brought there what the later commit has;
        /// absent when the product is refused or gone.
        by: Option<ActivityId>,
    },
}

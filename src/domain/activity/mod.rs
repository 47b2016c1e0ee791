//! What happens to an activity. Events are stored; status is folded from them, by one function.

mod fold;

pub use fold::{ActivityState, ActivityStatus, IllegalEvent, Rejection, TaskStatus, fold};

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
    /// It took too long and was stopped.
    TimedOut,
    /// It was cancelled.
    Cancelled,
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
    /// It never began, and will not: a later commit wants another version.
    Superseded {
        /// The activity that takes its place; absent when the product is refused or gone.
        by: Option<ActivityId>,
    },
}

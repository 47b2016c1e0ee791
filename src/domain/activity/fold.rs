//! The one place that knows which event may follow which.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ActivityEvent, FailureKind, FencingToken};

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
    /// Never begun: a later commit wants something else.
    Superseded,
}

impl ActivityStatus {
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
    },
    /// An attempt failed, another will follow.
    Retrying {
        /// How many attempts failed.
        attempts: u32,
        /// The last reason.
        message: String,
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

/// The state that events fold into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivityState {
    /// Where the activity stands.
    pub status: ActivityStatus,
    /// Who holds it, or held it last.
    pub token: Option<FencingToken>,
    /// Where each task stands, in the plan's order.
    pub tasks: Vec<TaskStatus>,
}

/// An event that cannot follow.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the event {event:?} cannot follow in the state {state:?}")]
pub struct IllegalEvent {
    /// The state before.
    pub state: Box<ActivityState>,
    /// The event.
    pub event: Box<ActivityEvent>,
}

impl ActivityState {
    /// An activity with this many tasks, to which nothing has happened.
    pub fn new(tasks: usize) -> Self {
        Self { status: ActivityStatus::Waiting, token: None, tasks: vec![TaskStatus::Planned; tasks] }
    }

    /// The state after `event`.
    pub fn after(mut self, event: &ActivityEvent) -> Result<Self, IllegalEvent> {
        use ActivityEvent as E;
        use ActivityStatus as S;

        let legal = match (self.status, event) {
            (S::Waiting, E::Claimed { token }) => {
                self.status = S::Running;
                self.token = Some(*token);
                true
            }
            (S::Running, E::Claimed { token }) => {
                let later = self.token.is_none_or(|held| held < *token);
                self.token = Some(*token);
                later
            }
            (S::Waiting, E::Skipped { .. }) => {
                self.status = S::Skipped;
                true
            }
            (S::Waiting, E::Superseded { .. }) => {
                self.status = S::Superseded;
                true
            }
            // A crash between the two events of a task repeats it: started may follow started.
            (S::Running, E::TaskStarted { task, attempt }) => match self.next_task(*task) {
                Some(slot @ (TaskStatus::Planned | TaskStatus::Retrying { .. })) => {
                    *slot = TaskStatus::Running { attempt: *attempt, handle: None };
                    true
                }
                Some(TaskStatus::Running { attempt: running, .. }) => *running == *attempt,
                _ => false,
            },
            (S::Running, E::TaskCheckpointed { task, handle: new }) => match self.next_task(*task) {
                Some(TaskStatus::Running { handle, .. }) => {
                    *handle = Some(new.clone());
                    true
                }
                _ => false,
            },
            (S::Running, E::TaskSucceeded { task, results }) => match self.next_task(*task) {
                Some(slot @ TaskStatus::Running { .. }) => {
                    *slot = TaskStatus::Succeeded { results: results.clone() };
                    true
                }
                _ => false,
            },
            (S::Running, E::TaskFailed { task, attempt, kind, message, retry }) => match self.next_task(*task) {
                Some(slot @ TaskStatus::Running { .. }) => {
                    *slot = if *retry {
                        TaskStatus::Retrying { attempts: *attempt, message: message.clone() }
                    } else {
                        TaskStatus::Failed { kind: *kind, message: message.clone() }
                    };
                    true
                }
                _ => false,
            },
            (S::Running, E::Refused { .. }) => {
                self.status = S::Refused;
                true
            }
            (S::Running, E::Succeeded) => {
                self.status = S::Succeeded;
                self.tasks.iter().all(|task| matches!(task, TaskStatus::Succeeded { .. }))
            }
            (S::Running, E::Failed) => {
                self.status = S::Failed;
                self.tasks.iter().any(|task| matches!(task, TaskStatus::Failed { .. }))
            }
            (S::Waiting, _) => false,
            (S::Running, E::Skipped { .. } | E::Superseded { .. }) => false,
            (S::Succeeded | S::Failed | S::Refused | S::Skipped | S::Superseded, _) => false,
        };
        if legal { Ok(self) } else { Err(IllegalEvent { state: Box::new(self), event: Box::new(event.clone()) }) }
    }

    /// The task at `index`, if all before it have succeeded.
    fn next_task(&mut self, index: usize) -> Option<&mut TaskStatus> {
        let before_done = self.tasks.get(..index)?.iter().all(|task| matches!(task, TaskStatus::Succeeded { .. }));
        if before_done { self.tasks.get_mut(index) } else { None }
    }
}

/// Folds a whole log.
pub fn fold<'a>(
    tasks: usize,
    events: impl IntoIterator<Item = &'a ActivityEvent>,
) -> Result<ActivityState, IllegalEvent> {
    events.into_iter().try_fold(ActivityState::new(tasks), ActivityState::after)
}

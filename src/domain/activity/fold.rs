//! The one place that knows which event may follow which.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ActivityEvent, FailureKind, FencingToken};
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
    /// Never begun: a later commit wants something else.
    Superseded,
}

impl ActivityStatus {
    /// All of them.
    pub const ALL: [ActivityStatus; 8] = [
        ActivityStatus::Waiting,
        ActivityStatus::Running,
        ActivityStatus::Succeeded,
        ActivityStatus::Failed,
        ActivityStatus::Refused,
        ActivityStatus::Skipped,
        ActivityStatus::Rejected,
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
    /// Who decided against it, if somebody did.
    pub rejection: Option<Rejection>,
}

/// That a person decided against an activity.
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
        Self { status: ActivityStatus::Waiting, token: None, tasks: vec![TaskStatus::Planned; tasks], rejection: None }
    }

    /// The state after `event`.
    pub fn after(self, event: &ActivityEvent) -> Result<Self, IllegalEvent> {
        let mut next = self.clone();
        if next.apply(event) {
            Ok(next)
        } else {
            Err(IllegalEvent { state: Box::new(self), event: Box::new(event.clone()) })
        }
    }

    /// Changes the state by `event`; `false`, with the state in disorder, when it cannot follow.
    fn apply(&mut self, event: &ActivityEvent) -> bool {
        use ActivityEvent as E;
        use ActivityStatus as S;

        match (self.status, event) {
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
            (S::Waiting, E::Rejected { by, at }) => {
                self.status = S::Rejected;
                self.rejection = Some(Rejection { by: by.clone(), at: *at });
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
            (S::Running, E::Skipped { .. } | E::Rejected { .. } | E::Superseded { .. }) => false,
            (S::Succeeded | S::Failed | S::Refused | S::Skipped | S::Rejected | S::Superseded, _) => false,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::ActivityId;
    use serde_json::json;

    fn token(number: u64) -> FencingToken {
        FencingToken(number)
    }

    fn started(task: usize, attempt: u32) -> ActivityEvent {
        ActivityEvent::TaskStarted { task, attempt }
    }

    fn succeeded(task: usize) -> ActivityEvent {
        ActivityEvent::TaskSucceeded { task, results: json!({}) }
    }

    fn failed(task: usize, attempt: u32, retry: bool) -> ActivityEvent {
        ActivityEvent::TaskFailed { task, attempt, kind: FailureKind::Transient, message: "m".to_owned(), retry }
    }

    fn claimed(number: u64) -> ActivityEvent {
        ActivityEvent::Claimed { token: token(number) }
    }

    #[test]
    fn a_whole_life_with_a_retry_and_a_crash() {
        let events = [
            claimed(1),
            started(0, 1),
            failed(0, 1, true),
            started(0, 2),
            claimed(2),
            started(0, 2),
            succeeded(0),
            started(1, 1),
            succeeded(1),
            ActivityEvent::Succeeded,
        ];
        let state = fold(2, &events).unwrap();
        assert_eq!(state.status, ActivityStatus::Succeeded);
        assert_eq!(state.token, Some(token(2)));
    }

    #[test]
    fn a_crash_keeps_the_handle_of_the_running_attempt() {
        let handle = "pid:1".to_owned();
        let events =
            [claimed(1), started(0, 1), ActivityEvent::TaskCheckpointed { task: 0, handle }, claimed(2), started(0, 1)];
        let state = fold(1, &events).unwrap();
        assert_eq!(state.tasks[0], TaskStatus::Running { attempt: 1, handle: Some("pid:1".to_owned()) });
    }

    #[test]
    fn what_cannot_follow_is_an_error_with_both_in_it() {
        let by = Some("act-0123456789abcdef".parse::<ActivityId>().unwrap());
        let illegal: Vec<Vec<ActivityEvent>> = vec![
            vec![started(0, 1)],
            vec![claimed(1), started(1, 1)],
            vec![claimed(1), succeeded(0)],
            vec![claimed(1), ActivityEvent::Succeeded],
            vec![claimed(1), ActivityEvent::Failed],
            vec![claimed(2), claimed(1)],
            vec![claimed(1), ActivityEvent::Superseded { by }],
            vec![claimed(1), rejected()],
            vec![rejected(), claimed(1)],
            vec![claimed(1), started(0, 1), succeeded(0), succeeded(0)],
            vec![claimed(1), started(0, 1), started(0, 2)],
            vec![claimed(1), started(0, 1), failed(0, 1, false), started(0, 2)],
            vec![claimed(1), ActivityEvent::Refused { violations: vec![] }, claimed(2)],
        ];
        for events in illegal {
            let error = fold(2, &events).unwrap_err();
            assert_eq!(*error.event, *events.last().unwrap());
            let before = fold(2, &events[..events.len() - 1]).unwrap();
            assert_eq!(*error.state, before, "the state in the error is the one before the event");
        }
    }

    fn rejected() -> ActivityEvent {
        ActivityEvent::Rejected { by: "ann (acme)".to_owned(), at: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn a_rejection_says_who_and_when() {
        let state = fold(1, &[rejected()]).unwrap();
        assert_eq!(state.status, ActivityStatus::Rejected);
        assert_eq!(state.rejection.unwrap().to_string(), "rejected by ann (acme) at 1970-01-01 00:00 UTC");
    }

    #[test]
    fn an_activity_without_tasks_may_succeed() {
        assert_eq!(fold(0, &[claimed(1), ActivityEvent::Succeeded]).unwrap().status, ActivityStatus::Succeeded);
    }
}

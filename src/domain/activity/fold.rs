//! The one place that knows which event may follow which.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    ActivityEvent, ActivityStatus, CancelCause, Cancellation, CompensationStatus, FailureKind, FencingToken, Rejection,
    TaskStatus,
};
use crate::domain::policy::Violation;
use crate::domain::time::Timestamp;

/// The state that events fold into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivityState {
    /// Where the activity stands.
    pub status: ActivityStatus,
    /// Who holds it, or held it last.
    pub token: Option<FencingToken>,
    /// Where each task stands, in the plan's order.
    pub tasks: Vec<TaskStatus>,
    /// Who decided against it before it had begun, if somebody did.
    pub rejection: Option<Rejection>,
    /// That it is to be stopped or was, if so.
    pub cancellation: Option<Cancellation>,
    /// What policies held against it, once they refused what had begun and has to be undone.
    pub refusal: Option<Vec<Violation>>,
    /// Where the undoing of tasks stands, by their place in the plan.
    pub compensations: BTreeMap<usize, CompensationStatus>,
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
        Self {
            status: ActivityStatus::Waiting,
            token: None,
            tasks: vec![TaskStatus::Planned; tasks],
            rejection: None,
            cancellation: None,
            refusal: None,
            compensations: BTreeMap::new(),
        }
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

    /// Whether what has begun goes on to its end no more: what can be undone is undone.
    pub fn is_ending(&self) -> bool {
        self.cancellation.is_some()
            || self.refusal.is_some()
            || self.tasks.iter().any(|task| matches!(task, TaskStatus::Failed { .. }))
    }

    /// Until when nothing is to be done, because an attempt has failed and the next one has its time.
    pub fn rests_until(&self) -> Option<Timestamp> {
        if self.status != ActivityStatus::Running {
            return None;
        }
        if self.is_ending() {
            return self.compensations.values().find_map(|undoing| match undoing {
                CompensationStatus::Retrying { again, .. } => Some(*again),
                _ => None,
            });
        }
        self.tasks.iter().find_map(|task| match task {
            TaskStatus::Retrying { again, .. } => *again,
            _ => None,
        })
    }

    /// Changes the state by `event`; `false`, with the state in disorder, when it cannot follow.
    fn apply(&mut self, event: &ActivityEvent) -> bool {
        match self.status {
            ActivityStatus::Waiting => self.apply_before(event),
            ActivityStatus::Running => self.apply_during(event),
            ActivityStatus::Succeeded
            | ActivityStatus::Failed
            | ActivityStatus::Refused
            | ActivityStatus::Skipped
            | ActivityStatus::Rejected
            | ActivityStatus::Cancelled
            | ActivityStatus::Superseded => false,
        }
    }

    /// What can happen to what has not begun.
    fn apply_before(&mut self, event: &ActivityEvent) -> bool {
        use ActivityEvent as E;
        use ActivityStatus as S;
        self.status = match event {
            E::Claimed { token } => {
                self.token = Some(*token);
                S::Running
            }
            E::Skipped { .. } => S::Skipped,
            E::Rejected { by, at } => {
                self.rejection = Some(Rejection { by: by.clone(), at: *at });
                S::Rejected
            }
            E::Cancelled { by, at } => {
                self.cancellation = Some(Cancellation { why: CancelCause::Person(by.clone()), at: *at });
                S::Cancelled
            }
            E::Superseded { .. } => S::Superseded,
            E::TaskStarted { .. }
            | E::TaskCheckpointed { .. }
            | E::TaskSucceeded { .. }
            | E::TaskFailed { .. }
            | E::CancelRequested { .. }
            | E::Refusing { .. }
            | E::CompensationStarted { .. }
            | E::CompensationCheckpointed { .. }
            | E::CompensationSucceeded { .. }
            | E::CompensationFailed { .. }
            | E::Refused { .. }
            | E::Succeeded
            | E::Failed => return false,
        };
        true
    }

    /// What can happen to what runs.
    fn apply_during(&mut self, event: &ActivityEvent) -> bool {
        use ActivityEvent as E;
        use ActivityStatus as S;
        match event {
            E::Claimed { token } => {
                let later = self.token.is_none_or(|held| held < *token);
                self.token = Some(*token);
                later
            }
            E::TaskStarted { .. } | E::TaskCheckpointed { .. } | E::TaskSucceeded { .. } | E::TaskFailed { .. } => {
                self.apply_to_task(event)
            }
            E::CompensationStarted { .. }
            | E::CompensationCheckpointed { .. }
            | E::CompensationSucceeded { .. }
            | E::CompensationFailed { .. } => self.apply_to_compensation(event),
            E::CancelRequested { why, at } => {
                let first = !self.is_ending();
                self.cancellation = Some(Cancellation { why: why.clone(), at: *at });
                first
            }
            E::Refusing { violations } => {
                let first = !self.is_ending();
                self.refusal = Some(violations.clone());
                first
            }
            E::Succeeded => {
                self.status = S::Succeeded;
                !self.is_ending() && self.tasks.iter().all(|task| matches!(task, TaskStatus::Succeeded { .. }))
            }
            E::Refused { violations } => {
                self.status = S::Refused;
                let as_said = self.refusal.as_ref().is_none_or(|said| said == violations);
                self.has_failed().is_none() && self.cancellation.is_none() && as_said && self.is_undone()
            }
            E::Failed => {
                self.status = S::Failed;
                self.has_failed().is_some() && self.cancellation.is_none() && self.is_undone()
            }
            E::Cancelled { by, at } => {
                self.status = S::Cancelled;
                let why = CancelCause::Person(by.clone());
                self.cancellation == Some(Cancellation { why, at: *at }) && self.is_stopped() && self.is_undone()
            }
            E::Superseded { by } => {
                self.status = S::Superseded;
                let newer = match &self.cancellation {
                    Some(Cancellation { why: CancelCause::Newer(id), .. }) => Some(id),
                    _ => None,
                };
                newer.is_some() && newer == by.as_ref() && self.is_stopped() && self.is_undone()
            }
            E::Skipped { .. } | E::Rejected { .. } => false,
        }
    }

    fn apply_to_task(&mut self, event: &ActivityEvent) -> bool {
        use ActivityEvent as E;
        // A result of what is being stopped is the truth all the same; but nothing begins any more.
        let begins = matches!(event, E::TaskStarted { .. });
        let (E::TaskStarted { task, .. }
        | E::TaskCheckpointed { task, .. }
        | E::TaskSucceeded { task, .. }
        | E::TaskFailed { task, .. }) = event
        else {
            return false;
        };
        if (begins && self.is_ending()) || self.refusal.is_some() || !self.compensations.is_empty() {
            return false;
        }
        let Some(slot) = self.next_task(*task) else { return false };
        match (&*slot, event) {
            (TaskStatus::Planned, E::TaskStarted { attempt: 1, deadline, .. }) => {
                *slot = TaskStatus::Running { attempt: 1, handle: None, deadline: *deadline };
            }
            (TaskStatus::Retrying { attempts, .. }, E::TaskStarted { attempt, deadline, .. })
                if attempts.checked_add(1) == Some(*attempt) =>
            {
                *slot = TaskStatus::Running { attempt: *attempt, handle: None, deadline: *deadline };
            }
            // A crash between the two events of a task repeats it: started may follow started, and the
            // attempt is not given its time anew.
            (
                TaskStatus::Running { attempt: running, handle, deadline: until },
                E::TaskStarted { attempt, deadline, .. },
            ) if running == attempt && (until.is_none() || deadline.is_none() || until == deadline) => {
                let deadline = until.or(*deadline);
                *slot = TaskStatus::Running { attempt: *attempt, handle: handle.clone(), deadline };
            }
            (TaskStatus::Running { attempt, deadline, .. }, E::TaskCheckpointed { handle, .. }) => {
                let (attempt, deadline) = (*attempt, *deadline);
                *slot = TaskStatus::Running { attempt, handle: Some(handle.clone()), deadline };
            }
            (TaskStatus::Running { .. }, E::TaskSucceeded { results, .. }) => {
                *slot = TaskStatus::Succeeded { results: results.clone() };
            }
            (
                TaskStatus::Running { attempt: running, .. },
                E::TaskFailed { attempt, kind, message, retry, again, .. },
            ) if running == attempt => {
                let message = message.clone();
                *slot = if *retry {
                    TaskStatus::Retrying { attempts: *attempt, message, again: *again }
                } else {
                    TaskStatus::Failed { kind: *kind, message }
                };
            }
            _ => return false,
        }
        true
    }

    /// Tasks are undone in the reverse of their order, each at most once, and only what has begun.
    fn apply_to_compensation(&mut self, event: &ActivityEvent) -> bool {
        use ActivityEvent as E;
        use CompensationStatus as C;
        let (E::CompensationStarted { task, .. }
        | E::CompensationCheckpointed { task, .. }
        | E::CompensationSucceeded { task }
        | E::CompensationFailed { task, .. }) = event
        else {
            return false;
        };
        let begun = self.tasks.get(*task).is_some_and(|task| !matches!(task, TaskStatus::Planned));
        let in_order =
            self.compensations.iter().all(|(other, status)| *other == *task || (*other > *task && status.is_final()));
        let may = self.is_ending() && (self.refusal.is_some() || self.is_stopped());
        if !begun || !in_order || !may {
            return false;
        }
        let next = match (self.compensations.get(task), event) {
            (None, E::CompensationStarted { attempt: 1, deadline, .. }) => {
                C::Running { attempt: 1, handle: None, deadline: *deadline }
            }
            (Some(C::Retrying { attempts, .. }), E::CompensationStarted { attempt, deadline, .. })
                if attempts.checked_add(1) == Some(*attempt) =>
            {
                C::Running { attempt: *attempt, handle: None, deadline: *deadline }
            }
            (
                Some(C::Running { attempt: running, handle, deadline: until }),
                E::CompensationStarted { attempt, deadline, .. },
            ) if running == attempt && until == deadline => {
                C::Running { attempt: *attempt, handle: handle.clone(), deadline: *until }
            }
            (Some(C::Running { attempt, deadline, .. }), E::CompensationCheckpointed { handle, .. }) => {
                C::Running { attempt: *attempt, handle: Some(handle.clone()), deadline: *deadline }
            }
            (Some(C::Running { .. }), E::CompensationSucceeded { .. }) => C::Succeeded,
            (Some(C::Running { attempt: running, .. }), E::CompensationFailed { attempt, message, again, .. })
                if running == attempt =>
            {
                let message = message.clone();
                match again {
                    Some(again) => C::Retrying { attempts: *attempt, message, again: *again },
                    None => C::Failed { message },
                }
            }
            _ => return false,
        };
        self.compensations.insert(*task, next);
        true
    }

    /// Why a task failed for good, if one did.
    pub fn has_failed(&self) -> Option<(FailureKind, &str)> {
        self.tasks.iter().find_map(|task| match task {
            TaskStatus::Failed { kind, message } => Some((*kind, message.as_str())),
            _ => None,
        })
    }

    /// Whether no attempt of a task is under way.
    fn is_stopped(&self) -> bool {
        !self.tasks.iter().any(|task| matches!(task, TaskStatus::Running { .. }))
    }

    /// Whether no undoing is under way.
    fn is_undone(&self) -> bool {
        self.compensations.values().all(CompensationStatus::is_final)
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

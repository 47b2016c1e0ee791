//! Ending what does not go on: what runs is stopped, what was begun is undone where its executor offers
//! that, and the end is recorded.
//!
//! Tasks are undone one after the other, the last begun first, each under a key of its own. The reason for
//! it is durable before the first of them (a failed task, a cancellation, a refusal), so that a crash in
//! between leads to the same end. What cannot be undone is recorded as such, the others are undone all the
//! same, and the activity ends for its first cause.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::activity::{
    ActivityEvent, CancelCause, Cancellation, CompensationStatus, FailureKind, FencingToken, TaskStatus,
};
use crate::domain::plan::PlannedTask;
use crate::domain::policy::Verdict;
use crate::domain::time::Timestamp;
use crate::port::executor::TaskError;
use crate::port::store::ActivityRecord;

use super::super::Engine;
use super::super::tenure::Tenure;
use super::call::{Attempt, Surroundings};
use super::drive::{DriveError, Stops, Went};
use super::progress::TaskProgress;

/// An attempt to undo is given at least so long after a crash, because leaving things half undone is worse
/// than being late.
const LEAST: Duration = Duration::from_secs(60);

impl Engine {
    /// Policies are against it. Where something has to be undone first, only the refusal is recorded.
    pub(super) async fn refuse(
        &self,
        record: &mut ActivityRecord,
        token: FencingToken,
        verdict: Verdict,
    ) -> Result<(), DriveError> {
        let first = verdict.violations.first().map(|violation| violation.message.as_str()).unwrap_or_default();
        warn!(activity = %record.planned.id, "refused by policies: {first}");
        let violations = verdict.violations;
        if (0..record.planned.tasks.len()).any(|index| self.can_undo(record, index)) {
            return Ok(self.append(record, token, ActivityEvent::Refusing { violations }).await?);
        }
        Ok(self.append_and_tell(record, Some(token), ActivityEvent::Refused { violations }).await?)
    }

    /// Brings what goes no further to its end.
    pub(super) async fn wind_up(
        &self,
        record: &mut ActivityRecord,
        surroundings: Result<&Surroundings, &str>,
        token: FencingToken,
        stops: Stops<'_>,
    ) -> Result<(), DriveError> {
        if record.state.status.is_final() {
            return Ok(());
        }
        if stops.cancel.is_cancelled()
            && record.state.cancellation.is_none()
            && let Some(now) = self.ports.store.activity(&record.planned.id).await?
        {
            record.state = now.state;
        }
        if record.state.refusal.is_none() {
            self.stop_what_runs(record, surroundings, token).await?;
        }
        for index in (0..record.planned.tasks.len()).rev() {
            let is_begun = self.can_undo(record, index) || record.state.compensations.contains_key(&index);
            let is_over = record.state.compensations.get(&index).is_some_and(CompensationStatus::is_final);
            if !is_begun || is_over {
                continue;
            }
            match self.undo(record, surroundings, token, index, stops.tenure).await? {
                Went::Stopped | Went::Resting => return Ok(()),
                Went::Through | Went::Ending => {}
            }
        }
        self.close(record, token).await
    }

    /// Whether a task has begun whose executor can undo it.
    fn can_undo(&self, record: &ActivityRecord, index: usize) -> bool {
        let has_begun = !matches!(record.state.tasks.get(index), None | Some(TaskStatus::Planned));
        let executor = record.planned.tasks.get(index).and_then(|task| self.executor_of(task));
        has_begun && executor.is_some_and(|executor| executor.compensates())
    }

    /// Undoes one task, attempt after attempt.
    async fn undo(
        &self,
        record: &mut ActivityRecord,
        surroundings: Result<&Surroundings, &str>,
        token: FencingToken,
        index: usize,
        tenure: &Tenure,
    ) -> Result<Went, DriveError> {
        let Some(task) = record.planned.tasks.get(index).cloned() else { return Ok(Went::Through) };
        let key = task.key.compensation();
        let (mut number, mut begin_at, mut left) = match record.state.compensations.get(&index) {
            Some(CompensationStatus::Running { attempt, handle, deadline }) => {
                (*attempt, None, Some((handle.clone(), *deadline)))
            }
            Some(CompensationStatus::Retrying { attempts, again, .. }) => (attempts + 1, Some(*again), None),
            _ => (1, None, None),
        };
        loop {
            if let Some(until) = begin_at.take() {
                if self.is_long_until(until) {
                    return Ok(Went::Resting);
                }
                tokio::select! {
                    biased;
                    () = self.sleep_until(until) => {}
                    () = tenure.over().cancelled() => return Ok(Went::Stopped),
                }
            }
            let (handle, deadline) = left.take().unwrap_or_else(|| (None, self.deadline_of(&task)));
            let event = ActivityEvent::CompensationStarted { task: index, attempt: number, deadline };
            self.append(record, token, event).await?;
            info!(activity = %record.planned.id, task = %task.name, attempt = number, "undoing");
            let attempt = Attempt { token, number, handle, deadline: self.no_sooner(deadline), undoing: true };
            // We may have been stopped for so long that it is another's by now.
            if tenure.is_over() {
                return Ok(Went::Stopped);
            }
            let outcome = tokio::select! {
                biased;
                outcome = self.attempt_to_undo(record, surroundings, index, &task, attempt) => outcome,
                () = tenure.over().cancelled() => return Ok(Went::Stopped),
            };
            let error = match outcome {
                Ok(()) => {
                    self.append(record, token, ActivityEvent::CompensationSucceeded { task: index }).await?;
                    return Ok(Went::Through);
                }
                Err(_) if tenure.is_over() => return Ok(Went::Stopped),
                Err(error) => error,
            };
            // Being late is better than being half undone.
            let may_pass = error.kind.may_pass() || error.kind == FailureKind::TimedOut;
            let again = (may_pass && number < task.attempts).then(|| self.next_attempt(&key, number));
            warn!(
                activity = %record.planned.id, task = %task.name, attempt = number, again = ?again,
                "it could not be undone: {}", error.message
            );
            let message = error.message;
            let event = ActivityEvent::CompensationFailed { task: index, attempt: number, message, again };
            self.append(record, token, event).await?;
            if again.is_none() {
                return Ok(Went::Through);
            }
            begin_at = again;
            number += 1;
        }
    }

    async fn attempt_to_undo(
        &self,
        record: &ActivityRecord,
        surroundings: Result<&Surroundings, &str>,
        index: usize,
        task: &PlannedTask,
        attempt: Attempt,
    ) -> Result<(), TaskError> {
        let surroundings = surroundings.map_err(TaskError::permanent)?;
        let executor = self.executor_of(task).filter(|executor| executor.compensates());
        let executor = executor.ok_or_else(|| TaskError::permanent("its executor undoes nothing any more"))?;
        let progress = TaskProgress::new(self, record.planned.id.clone(), index, &attempt);
        let cancel = CancellationToken::new();
        let call = self.call(record, surroundings, index, task, attempt, &cancel)?;
        let outcome = self.within_its_time(task, &call, executor.compensate(&call, &progress)).await;
        progress.flush().await;
        outcome
    }

    fn no_sooner(&self, deadline: Timestamp) -> Timestamp {
        let least = self.ports.clock.now().checked_add(LEAST).unwrap_or(deadline);
        deadline.max(least)
    }

    /// Records of all undoing that is under way that it is given up.
    pub(super) async fn leave_undone(
        &self,
        record: &mut ActivityRecord,
        token: FencingToken,
        message: &str,
    ) -> Result<(), DriveError> {
        for (task, status) in record.state.compensations.clone() {
            let attempt = match status {
                CompensationStatus::Running { attempt, .. } => attempt,
                CompensationStatus::Retrying { attempts, again, .. } => {
                    let attempt = attempts + 1;
                    let event = ActivityEvent::CompensationStarted { task, attempt, deadline: again };
                    self.append(record, token, event).await?;
                    attempt
                }
                CompensationStatus::Succeeded | CompensationStatus::Failed { .. } => continue,
            };
            let message = message.to_owned();
            let event = ActivityEvent::CompensationFailed { task, attempt, message, again: None };
            self.append(record, token, event).await?;
        }
        Ok(())
    }

    /// Records the end, for its first cause.
    pub(super) async fn close(&self, record: &mut ActivityRecord, token: FencingToken) -> Result<(), DriveError> {
        if record.state.status.is_final() {
            return Ok(());
        }
        let event = match (&record.state.cancellation, &record.state.refusal) {
            (Some(Cancellation { why: CancelCause::Person(by), at }), _) => {
                ActivityEvent::Cancelled { by: by.clone(), at: *at }
            }
            (Some(Cancellation { why: CancelCause::Newer(id), .. }), _) => {
                ActivityEvent::Superseded { by: Some(id.clone()) }
            }
            (None, Some(violations)) => ActivityEvent::Refused { violations: violations.clone() },
            (None, None) => ActivityEvent::Failed,
        };
        Ok(self.append_and_tell(record, Some(token), event).await?)
    }
}

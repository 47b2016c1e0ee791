//! Running one task, attempt after attempt.
//!
//! Which failures are followed by another attempt, while the task has attempts left: those that may pass
//! (transient), and attempts whose time ran out while nobody was there, because it was not theirs to use.
//! What is permanent, refused by its executor or by policies, or cancelled is not; and what hung before our
//! eyes is not either, because the next attempt would most likely hang as long. When the next one is made is part
//! of the event, so that a restart neither hurries nor forgets it; and so that nobody has to hold the activity
//! until then: it is handed back, and others have its place.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::activity::{ActivityEvent, Backoff, FailureKind, FencingToken, TaskStatus};
use crate::domain::plan::{PlannedTask, TaskKey};
use crate::domain::policy::PolicyEvent;
use crate::domain::time::Timestamp;
use crate::port::executor::{Executor, TaskCall, TaskError, TaskOutcome, Whereabouts};
use crate::port::store::ActivityRecord;

use super::super::Engine;
use super::asking::activity_json;
use super::call::{Attempt, Surroundings};
use super::drive::{DriveError, Stops, Went};
use super::progress::TaskProgress;

/// A shorter pause than this is waited for where one is: to let go and to claim anew takes a while, too.
const WORTH_LETTING_GO: Duration = Duration::from_millis(500);
/// Executors keep to the time and to cancellation themselves; one that does not is given so much more.
const PATIENCE: Duration = Duration::from_secs(30);

impl Engine {
    /// Runs one task, asking policies before its phase and on its result.
    pub(super) async fn run_task(
        &self,
        record: &mut ActivityRecord,
        surroundings: &Surroundings,
        token: FencingToken,
        index: usize,
        stops: Stops<'_>,
    ) -> Result<Went, DriveError> {
        let Some(task) = record.planned.tasks.get(index).cloned() else { return Ok(Went::Through) };
        let mut left = None;
        let (mut number, mut begin_at) = match record.state.tasks.get(index) {
            Some(TaskStatus::Succeeded { .. }) => return Ok(Went::Through),
            Some(TaskStatus::Failed { .. }) => return Ok(Went::Ending),
            Some(TaskStatus::Running { attempt, handle, deadline }) => {
                left = Some(LeftRunning { handle: handle.clone(), deadline: *deadline });
                (*attempt, None)
            }
            Some(TaskStatus::Retrying { attempts, again, .. }) => (attempts + 1, *again),
            Some(TaskStatus::Planned) | None => (1, None),
        };
        if self.begins_phase(record, index) && self.refused_before_phase(record, surroundings, token, &task).await? {
            return Ok(Went::Ending);
        }
        loop {
            if let Some(until) = begin_at.take() {
                if self.is_long_until(until) {
                    return Ok(Went::Resting);
                }
                tokio::select! {
                    biased;
                    () = stops.cancel.cancelled() => {}
                    () = self.sleep_until(until) => {}
                    () = stops.stop.cancelled() => return Ok(Went::Stopped),
                    () = stops.tenure.over().cancelled() => return Ok(Went::Stopped),
                }
            }
            let known = match &left {
                Some(left) => self.known_of(record, surroundings, token, index, number, left).await?,
                None => None,
            };
            if known.is_none() && stops.cancel.is_cancelled() {
                return Ok(Went::Ending);
            }
            let outcome = match known {
                Some(outcome) => outcome,
                None => {
                    let left = left.take().unwrap_or_default();
                    let deadline = left.deadline.unwrap_or_else(|| self.deadline_of(&task));
                    let event = ActivityEvent::TaskStarted { task: index, attempt: number, deadline: Some(deadline) };
                    self.append(record, token, event).await?;
                    // We may have been stopped for so long that it is another's by now.
                    if stops.tenure.is_over() {
                        return Ok(Went::Stopped);
                    }
                    let attempt = Attempt { token, number, handle: left.handle, deadline, undoing: false };
                    tokio::select! {
                        biased;
                        outcome = self.attempt(record, surroundings, index, &task, attempt, stops.cancel) => outcome,
                        () = stops.tenure.over().cancelled() => return Ok(Went::Stopped),
                    }
                }
            };
            let was_alone = left.take().is_some();
            let error = match outcome {
                Ok(outcome) => return self.accept(record, token, index, &task, outcome).await,
                Err(_) if stops.tenure.is_over() => return Ok(Went::Stopped),
                Err(error) => error,
            };
            if stops.cancel.is_cancelled() {
                self.end_attempt(record, token, FailureKind::Cancelled, &error.message).await?;
                return Ok(Went::Ending);
            }
            let may_pass = error.kind.may_pass() || (was_alone && error.kind == FailureKind::TimedOut);
            let again = (may_pass && number < task.attempts).then(|| self.next_attempt(&task.key, number));
            warn!(
                activity = %record.planned.id, task = %task.name, attempt = number, again = ?again, "{}", error.message
            );
            let TaskError { kind, message } = error;
            let retry = again.is_some();
            let event = ActivityEvent::TaskFailed { task: index, attempt: number, kind, message, retry, again };
            self.append(record, token, event).await?;
            if !retry {
                return Ok(Went::Ending);
            }
            begin_at = again;
            number += 1;
        }
    }

    /// What is known of an attempt that was under way when its caller crashed, when it is not to be gone on
    /// with: how it ended, or that its time is over.
    async fn known_of(
        &self,
        record: &ActivityRecord,
        surroundings: &Surroundings,
        token: FencingToken,
        index: usize,
        number: u32,
        left: &LeftRunning,
    ) -> Result<Option<Result<TaskOutcome, TaskError>>, DriveError> {
        let Some(task) = record.planned.tasks.get(index) else { return Ok(None) };
        let Some(executor) = self.executor_of(task) else { return Ok(None) };
        let deadline = left.deadline.unwrap_or_else(|| self.deadline_of(task));
        let attempt = Attempt { token, number, handle: left.handle.clone(), deadline, undoing: false };
        let never = CancellationToken::new();
        let Ok(call) = self.call(record, surroundings, index, task, attempt, &never) else { return Ok(None) };
        match self.whereabouts(executor, &call).await {
            Whereabouts::Ended(outcome) => {
                info!(activity = %record.planned.id, task = %task.name, "it has ended while nobody was there");
                Ok(Some(outcome))
            }
            Whereabouts::GoesOn | Whereabouts::Unknown if self.ports.clock.now() < deadline => Ok(None),
            Whereabouts::GoesOn | Whereabouts::Unknown => {
                self.abandon(executor, &call).await?;
                Ok(Some(Err(timed_out(task))))
            }
        }
    }

    /// Asks an executor, within bounds; no answer is no knowledge.
    async fn whereabouts(&self, executor: &dyn Executor, call: &TaskCall) -> Whereabouts {
        match tokio::time::timeout(PATIENCE, executor.whereabouts(call)).await {
            Ok(Ok(whereabouts)) => whereabouts,
            Ok(Err(error)) => {
                warn!(activity = %call.activity, task = %call.task, %error, "what became of it cannot be told");
                Whereabouts::Unknown
            }
            Err(_) => Whereabouts::Unknown,
        }
    }

    /// Has an attempt ended that is not taken up again. As long as that cannot be done, it is not recorded as
    /// ended.
    async fn abandon(&self, executor: &dyn Executor, call: &TaskCall) -> Result<(), DriveError> {
        let ended = tokio::time::timeout(PATIENCE, executor.abandon(call)).await;
        let ended = ended.unwrap_or_else(|_| Err(TaskError::transient("its executor does not answer")));
        ended.map_err(DriveError::LeftRunning)
    }

    /// Sees to it that nothing runs of the task that the record has as running, and records how it ended.
    pub(super) async fn stop_what_runs(
        &self,
        record: &mut ActivityRecord,
        surroundings: Result<&Surroundings, &str>,
        token: FencingToken,
    ) -> Result<(), DriveError> {
        let running = record.state.tasks.iter().enumerate().find_map(|(index, status)| match status {
            TaskStatus::Running { attempt, handle, .. } => Some((index, *attempt, handle.clone())),
            _ => None,
        });
        let Some((index, number, handle)) = running else { return Ok(()) };
        let Some(task) = record.planned.tasks.get(index).cloned() else { return Ok(()) };
        if let (Ok(surroundings), Some(executor)) = (surroundings, self.executor_of(&task)) {
            let deadline = self.deadline_of(&task);
            let attempt = Attempt { token, number, handle, deadline, undoing: false };
            let never = CancellationToken::new();
            if let Ok(call) = self.call(record, surroundings, index, &task, attempt, &never) {
                if let Whereabouts::Ended(Ok(outcome)) = self.whereabouts(executor, &call).await {
                    let results = Value::Object(outcome.results);
                    return Ok(self
                        .append(record, token, ActivityEvent::TaskSucceeded { task: index, results })
                        .await?);
                }
                self.abandon(executor, &call).await?;
            }
        }
        self.end_attempt(record, token, FailureKind::Cancelled, "it was stopped").await
    }

    /// Records that the attempt that the record has as running failed for good; nothing when there is none.
    pub(super) async fn end_attempt(
        &self,
        record: &mut ActivityRecord,
        token: FencingToken,
        kind: FailureKind,
        message: &str,
    ) -> Result<(), DriveError> {
        let running = record.state.tasks.iter().enumerate().find_map(|(task, status)| match status {
            TaskStatus::Running { attempt, .. } => Some((task, *attempt)),
            _ => None,
        });
        // Of a refused result nothing runs any more.
        let Some((task, attempt)) = running.filter(|_| record.state.refusal.is_none()) else { return Ok(()) };
        let message = message.to_owned();
        let event = ActivityEvent::TaskFailed { task, attempt, kind, message, retry: false, again: None };
        Ok(self.append(record, token, event).await?)
    }

    /// One attempt, within its time.
    async fn attempt(
        &self,
        record: &ActivityRecord,
        surroundings: &Surroundings,
        index: usize,
        task: &PlannedTask,
        attempt: Attempt,
        cancel: &CancellationToken,
    ) -> Result<TaskOutcome, TaskError> {
        let Some(name) = &task.executor else { return Ok(TaskOutcome::default()) };
        let Some(executor) = self.executor_of(task) else {
            return Err(TaskError::permanent(format!("the configuration has no executor '{name}' any more")));
        };
        let progress = TaskProgress::new(self, record.planned.id.clone(), index, &attempt);
        let call = self.call(record, surroundings, index, task, attempt, cancel)?;
        let outcome = self.within_its_time(task, &call, executor.run(&call, &progress)).await;
        progress.flush().await;
        outcome
    }

    /// Waits for a call; longer than its time only as far as the executor needs to end it.
    pub(super) async fn within_its_time<T>(
        &self,
        task: &PlannedTask,
        call: &TaskCall,
        running: impl Future<Output = Result<T, TaskError>>,
    ) -> Result<T, TaskError> {
        let too_late = async {
            tokio::select! {
                biased;
                () = call.cancel.cancelled() => {}
                () = tokio::time::sleep(call.timeout) => {}
            }
            tokio::time::sleep(PATIENCE).await;
        };
        let outcome = tokio::select! {
            biased;
            outcome = running => outcome,
            () = too_late => Err(timed_out(task)),
        };
        // An executor knows what was left of the time, and not how much it was.
        outcome.map_err(|error| if error.kind == FailureKind::TimedOut { timed_out(task) } else { error })
    }

    /// Asks policies about a result before it is recorded as done.
    async fn accept(
        &self,
        record: &mut ActivityRecord,
        token: FencingToken,
        index: usize,
        task: &PlannedTask,
        outcome: TaskOutcome,
    ) -> Result<Went, DriveError> {
        let results = Value::Object(outcome.results);
        let state = json!({
            "activity": activity_json(record),
            "task": {"name": task.name, "phase": task.phase, "executor": task.executor, "status": "PROCESSED", "results": results},
        });
        let verdict = self.ask(record, PolicyEvent::TaskExecutionResult, Some(state), None).await;
        if !verdict.allows() {
            self.refuse(record, token, verdict).await?;
            return Ok(Went::Ending);
        }
        self.append(record, token, ActivityEvent::TaskSucceeded { task: index, results }).await?;
        Ok(Went::Through)
    }

    /// The executor of a task, if it has one that is configured.
    pub(super) fn executor_of(&self, task: &PlannedTask) -> Option<&dyn Executor> {
        self.ports.executors.get(task.executor.as_ref()?).map(AsRef::as_ref)
    }

    /// When an attempt is over that begins now.
    pub(super) fn deadline_of(&self, task: &PlannedTask) -> Timestamp {
        let now = self.ports.clock.now();
        now.checked_add(Duration::from_secs(task.timeout_seconds)).unwrap_or(Timestamp::MAX)
    }

    /// When the attempt after this one is made.
    pub(super) fn next_attempt(&self, key: &TaskKey, failed: u32) -> Timestamp {
        let backoff = Backoff { first: self.settings.retry_pause, longest: self.settings.longest_pause };
        let now = self.ports.clock.now();
        now.checked_add(backoff.after(key, failed)).unwrap_or(now)
    }

    /// Whether the pause until then is long enough for others to have the place meanwhile.
    pub(super) fn is_long_until(&self, moment: Timestamp) -> bool {
        let left = Duration::try_from(moment.duration_since(self.ports.clock.now()));
        left.is_ok_and(|left| left >= WORTH_LETTING_GO) && self.is_within_a_pause(moment)
    }

    /// Whether the moment is one that a pause can end at which has begun. No pause is longer than the longest:
    /// where it seems so, the clock was set back.
    pub(super) fn is_within_a_pause(&self, moment: Timestamp) -> bool {
        let left = Duration::try_from(moment.duration_since(self.ports.clock.now()));
        left.is_ok_and(|left| left <= self.settings.longest_pause)
    }

    /// Sleeps until a moment that was recorded; never longer than the longest pause, because a clock that was
    /// set back must not keep anything waiting for ever.
    pub(super) async fn sleep_until(&self, moment: Timestamp) {
        let left = moment.duration_since(self.ports.clock.now());
        let left = Duration::try_from(left).unwrap_or_default();
        tokio::time::sleep(left.min(self.settings.longest_pause)).await;
    }
}

/// What a crash left of an attempt.
#[derive(Debug, Default)]
struct LeftRunning {
    handle: Option<String>,
    deadline: Option<Timestamp>,
}

fn timed_out(task: &PlannedTask) -> TaskError {
    let message = format!("the task took longer than {}s and was stopped", task.timeout_seconds);
    TaskError { kind: FailureKind::TimedOut, message }
}

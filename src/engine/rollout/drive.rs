//! Driving one activity to its end.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::activity::{ActivityEvent, ActivityStatus, FailureKind, FencingToken, TaskStatus};
use crate::domain::plan::{ActivityId, PlannedTask};
use crate::domain::policy::{PolicyEvent, Question, Verdict};
use crate::port::executor::{TaskError, TaskOutcome};
use crate::port::source::FetchError;
use crate::port::store::{ActivityRecord, AppendError, Lease, Leased, StoreError};

use super::super::Engine;
use super::super::tenure::Tenure;
use super::call::{Attempt, Surroundings, SurroundingsError, results_so_far};
use super::progress::TaskProgress;

/// Why an activity is not driven further for now. It is unfinished in the record, so the next look
/// takes it up again, unless somebody else holds it.
#[derive(Debug, thiserror::Error)]
pub(super) enum DriveError {
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("its commit cannot be had for now: {0}")]
    Fetch(#[from] FetchError),
}

/// How a task ended, for the activity.
enum TaskEnd {
    Succeeded,
    /// The activity has ended with it.
    Ended,
    /// The daemon stops; the record still has the task as running.
    Stopped,
}

impl Engine {
    /// Claims an activity and brings it to its end. After `stop` no further task is begun; at `halt` the one
    /// that runs is broken off. What has not ended is handed back.
    pub(super) async fn drive(
        &self,
        id: &ActivityId,
        stop: &CancellationToken,
        halt: &CancellationToken,
    ) -> Result<(), DriveError> {
        let Some((mut record, tenure)) = self.take_container(id, halt).await? else { return Ok(()) };
        let outcome = self.drive_claimed(&mut record, &tenure, stop).await;
        if !record.state.status.is_final() {
            tenure.hand_back().await;
        }
        outcome
    }

    /// Claims an activity, unless people keep it from beginning or another holds its container.
    async fn take_container(
        &self,
        id: &ActivityId,
        halt: &CancellationToken,
    ) -> Result<Option<(ActivityRecord, Tenure)>, DriveError> {
        let Some(before) = self.ports.store.activity(id).await? else { return Ok(None) };
        // Because a pass that supersedes what waits reports it as superseded, and because people may have
        // decided otherwise since it was chosen.
        let mut standing = self.stand(&before.source).await?;
        let (claimed, until, is_first) = loop {
            let Some(before) = self.ports.store.activity(id).await? else { return Ok(None) };
            if self.is_kept(&before).await? {
                return Ok(None);
            }
            let is_first = self.is_first_of_stage(&before).await?;
            let now = self.ports.clock.now();
            let until = self.end_of_lease(now);
            match standing.store.claim(id, &self.settings.holder, now, until).await {
                Ok(claimed) => break (claimed, until, is_first),
                Err(error) if standing.moved(&error).await? => {}
                Err(error) => return Err(error.into()),
            }
        };
        drop(standing);
        let Some(token) = claimed else { return Ok(None) };
        let lease = Lease { what: Leased::Container(before.planned.container), token };
        let tenure = self.keep(lease, until, halt);
        let Some(record) = self.ports.store.activity(id).await? else { return Ok(None) };
        if is_first {
            self.report_beginning(&record).await?;
        }
        Ok(Some((record, tenure)))
    }

    async fn drive_claimed(
        &self,
        record: &mut ActivityRecord,
        tenure: &Tenure,
        stop: &CancellationToken,
    ) -> Result<(), DriveError> {
        let (id, token) = (record.planned.id.clone(), tenure.lease().token);
        info!(
            source = %record.source, revision = %record.revision.short(), activity = %id,
            container = %record.planned.container, version = %record.planned.to.version, "rolling out"
        );
        let surroundings = match self.surroundings(record).await {
            Ok(surroundings) => surroundings,
            Err(SurroundingsError::Store(error)) => return Err(error.into()),
            Err(SurroundingsError::Fetch(error)) => return Err(error.into()),
            Err(SurroundingsError::Gone(message)) => return self.fail_next(record, token, message).await,
        };
        for index in 0..record.planned.tasks.len() {
            if stop.is_cancelled() || tenure.is_over() {
                return Ok(());
            }
            match self.run_task(record, &surroundings, tenure, index).await? {
                TaskEnd::Succeeded => {}
                TaskEnd::Ended | TaskEnd::Stopped => return Ok(()),
            }
        }
        self.finish(record, &surroundings, token).await
    }

    /// Whether people keep the activity from beginning. What has begun goes on.
    async fn is_kept(&self, record: &ActivityRecord) -> Result<bool, StoreError> {
        let is_waiting = record.state.status == ActivityStatus::Waiting;
        Ok(is_waiting && self.gates().await?.before_activity(record).await?.is_some())
    }

    /// Ends an activity over which our own code panicked: it would do so again.
    pub(super) async fn give_up(&self, id: &ActivityId) -> Result<(), DriveError> {
        let now = self.ports.clock.now();
        let until = self.end_of_lease(now);
        let Some(token) = self.ports.store.claim(id, &self.settings.holder, now, until).await? else {
            return Ok(());
        };
        let Some(mut record) = self.ports.store.activity(id).await? else { return Ok(()) };
        self.fail_next(&mut record, token, "an error of Meshwright itself; its log has the details".to_owned()).await
    }

    /// Runs one task, attempt after attempt, asking policies before its phase and on its result.
    async fn run_task(
        &self,
        record: &mut ActivityRecord,
        surroundings: &Surroundings,
        tenure: &Tenure,
        index: usize,
    ) -> Result<TaskEnd, DriveError> {
        let (token, stop) = (tenure.lease().token, tenure.over());
        let Some(task) = record.planned.tasks.get(index).cloned() else { return Ok(TaskEnd::Succeeded) };
        let (mut number, mut handle) = match record.state.tasks.get(index) {
            Some(TaskStatus::Succeeded { .. }) => return Ok(TaskEnd::Succeeded),
            // A crash came between a task's failure and the activity's.
            Some(TaskStatus::Failed { .. }) => {
                self.append_and_report(record, Some(token), ActivityEvent::Failed).await?;
                return Ok(TaskEnd::Ended);
            }
            Some(TaskStatus::Running { attempt, handle }) => (*attempt, handle.clone()),
            Some(TaskStatus::Retrying { attempts, .. }) => (attempts + 1, None),
            Some(TaskStatus::Planned) | None => (1, None),
        };
        if self.begins_phase(record, index) && self.refused_before_phase(record, surroundings, token, &task).await? {
            return Ok(TaskEnd::Ended);
        }
        loop {
            self.append(record, token, ActivityEvent::TaskStarted { task: index, attempt: number }).await?;
            // We may have been stopped for so long that it is another's by now.
            if tenure.is_over() {
                return Ok(TaskEnd::Stopped);
            }
            let attempt = Attempt { token, number, handle: handle.take(), cancel: stop };
            let outcome = tokio::select! {
                biased;
                outcome = self.attempt(record, surroundings, index, &task, attempt) => outcome,
                () = stop.cancelled() => return Ok(TaskEnd::Stopped),
            };
            match outcome {
                Ok(outcome) => return self.accept(record, token, index, &task, outcome).await,
                Err(_) if stop.is_cancelled() => return Ok(TaskEnd::Stopped),
                Err(error) => {
                    let retry = error.kind == FailureKind::Transient && number < task.attempts;
                    warn!(activity = %record.planned.id, task = %task.name, attempt = number, retry, "{}", error.message);
                    let event = ActivityEvent::TaskFailed {
                        task: index,
                        attempt: number,
                        kind: error.kind,
                        message: error.message,
                        retry,
                    };
                    self.append(record, token, event).await?;
                    if !retry {
                        self.append_and_report(record, Some(token), ActivityEvent::Failed).await?;
                        return Ok(TaskEnd::Ended);
                    }
                    tokio::select! {
                        biased;
                        () = tokio::time::sleep(self.pause_before(number)) => {}
                        () = stop.cancelled() => return Ok(TaskEnd::Stopped),
                    }
                    number += 1;
                }
            }
        }
    }

    /// One attempt, within its time.
    async fn attempt(
        &self,
        record: &ActivityRecord,
        surroundings: &Surroundings,
        index: usize,
        task: &PlannedTask,
        attempt: Attempt<'_>,
    ) -> Result<TaskOutcome, TaskError> {
        let Some(name) = &task.executor else { return Ok(TaskOutcome::default()) };
        let Some(executor) = self.ports.executors.get(name) else {
            return Err(TaskError::permanent(format!("the configuration has no executor '{name}' any more")));
        };
        let (token, number) = (attempt.token, attempt.number);
        let mut call = self.call(record, surroundings, index, task, attempt)?;
        // Cancelling the attempt must not cancel the daemon.
        call.cancel = call.cancel.child_token();
        let progress = TaskProgress::new(self, record.planned.id.clone(), token, index, number);
        // The executor keeps to the time itself; this is for one that does not.
        let patience = call.timeout + std::time::Duration::from_secs(30);
        let outcome = tokio::time::timeout(patience, executor.run(&call, &progress)).await;
        progress.flush().await;
        outcome.unwrap_or_else(|_| {
            let message = format!("the task took longer than {} s and was stopped", task.timeout_seconds);
            Err(TaskError { kind: FailureKind::TimedOut, message })
        })
    }

    /// Asks policies about a result before it is recorded as done.
    async fn accept(
        &self,
        record: &mut ActivityRecord,
        token: FencingToken,
        index: usize,
        task: &PlannedTask,
        outcome: TaskOutcome,
    ) -> Result<TaskEnd, DriveError> {
        let results = Value::Object(outcome.results);
        let state = json!({
            "activity": activity_json(record),
            "task": {"name": task.name, "phase": task.phase, "executor": task.executor, "status": "PROCESSED", "results": results},
        });
        let verdict = self.ask(record, PolicyEvent::TaskExecutionResult, Some(state), None).await;
        if !verdict.allows() {
            self.refuse(record, token, verdict).await?;
            return Ok(TaskEnd::Ended);
        }
        self.append(record, token, ActivityEvent::TaskSucceeded { task: index, results }).await?;
        Ok(TaskEnd::Succeeded)
    }

    /// All tasks have ended well: asks policies once more, and records what runs now.
    async fn finish(
        &self,
        record: &mut ActivityRecord,
        surroundings: &Surroundings,
        token: FencingToken,
    ) -> Result<(), DriveError> {
        let state = json!({
            "activity": activity_json(record),
            "dataProductVersion": *surroundings.descriptor,
        });
        let verdict = self.ask(record, PolicyEvent::ActivityExecutionResult, Some(state), None).await;
        if !verdict.allows() {
            return self.refuse(record, token, verdict).await;
        }
        self.append_and_report(record, Some(token), ActivityEvent::Succeeded).await?;
        info!(
            source = %record.source, revision = %record.revision.short(), activity = %record.planned.id,
            container = %record.planned.container, version = %record.planned.to.version, "running"
        );
        Ok(())
    }

    /// Whether the task is the first of its phase, and nothing of the phase was begun yet.
    fn begins_phase(&self, record: &ActivityRecord, index: usize) -> bool {
        let phase_of = |index: usize| record.planned.tasks.get(index).map(|task| task.phase);
        let first = index == 0 || phase_of(index - 1) != phase_of(index);
        first && matches!(record.state.tasks.get(index), Some(TaskStatus::Planned))
    }

    async fn refused_before_phase(
        &self,
        record: &mut ActivityRecord,
        surroundings: &Surroundings,
        token: FencingToken,
        task: &PlannedTask,
    ) -> Result<bool, DriveError> {
        let stage = record.planned.container.stage.to_string();
        let current = json!({"lifecycle": record.planned.from.as_ref().map(|_| &stage)});
        let tasks: Vec<Value> = record.planned.tasks.iter().map(task_json).collect();
        let after = json!({
            "lifecycle": stage,
            "activity": activity_json(record),
            "tasks": tasks,
            "phase": task.phase,
            "dataProductVersion": *surroundings.descriptor,
        });
        let verdict = self.ask(record, PolicyEvent::ActivityStageTransition, Some(current), Some(after)).await;
        if verdict.allows() {
            return Ok(false);
        }
        self.refuse(record, token, verdict).await?;
        Ok(true)
    }

    async fn ask(
        &self,
        record: &ActivityRecord,
        event: PolicyEvent,
        current_state: Option<Value>,
        after_state: Option<Value>,
    ) -> Verdict {
        let question = Question {
            event,
            current_state: current_state.map(Arc::new),
            after_state: after_state.map(Arc::new),
            change: None,
            stage: Some(record.planned.container.stage.clone()),
            source: Some(record.source.clone()),
        };
        let answers = self.ports.judge.judge(vec![question]).await;
        answers
            .into_iter()
            .next()
            .unwrap_or_else(|| Verdict::not_evaluated(self.ports.judge.policies(), "the policies gave no answer"))
    }

    async fn refuse(
        &self,
        record: &mut ActivityRecord,
        token: FencingToken,
        verdict: Verdict,
    ) -> Result<(), DriveError> {
        let first = verdict.violations.first().map(|violation| violation.message.as_str()).unwrap_or_default();
        warn!(activity = %record.planned.id, "refused by policies: {first}");
        let event = ActivityEvent::Refused { violations: verdict.violations };
        Ok(self.append_and_report(record, Some(token), event).await?)
    }

    /// Fails the next task that is to run, and the activity with it.
    async fn fail_next(
        &self,
        record: &mut ActivityRecord,
        token: FencingToken,
        message: String,
    ) -> Result<(), DriveError> {
        let next = record.state.tasks.iter().position(|task| !matches!(task, TaskStatus::Succeeded { .. }));
        if let Some(task) = next {
            let attempt = match record.state.tasks.get(task) {
                Some(TaskStatus::Running { attempt, .. }) => *attempt,
                Some(TaskStatus::Retrying { attempts, .. }) => attempts + 1,
                _ => 1,
            };
            self.append(record, token, ActivityEvent::TaskStarted { task, attempt }).await?;
            let kind = FailureKind::Permanent;
            let event = ActivityEvent::TaskFailed { task, attempt, kind, message, retry: false };
            self.append(record, token, event).await?;
        }
        Ok(self.append_and_report(record, Some(token), ActivityEvent::Failed).await?)
    }

    fn pause_before(&self, failed_attempt: u32) -> std::time::Duration {
        let doubled =
            self.settings.retry_pause.saturating_mul(2_u32.saturating_pow(failed_attempt.saturating_sub(1).min(16)));
        doubled.min(self.settings.longest_pause)
    }
}

/// An activity as Open Data Mesh's policies see it.
fn activity_json(record: &ActivityRecord) -> Value {
    let planned = &record.planned;
    json!({
        "id": planned.id,
        "dataProductId": planned.container.product.id().to_string(),
        "dataProductFqn": planned.container.product,
        "dataProductVersion": planned.to.version.to_string(),
        "stage": planned.container.stage,
        "status": "PROCESSING",
        "results": results_so_far(record),
    })
}

fn task_json(task: &PlannedTask) -> Value {
    json!({
        "name": task.name,
        "phase": task.phase,
        "executor": task.executor,
        "template": task.template,
        "configurations": task.configurations,
    })
}

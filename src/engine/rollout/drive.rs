//! Driving one activity to its end.

use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::domain::activity::{ActivityEvent, ActivityStatus, FailureKind, FencingToken, TaskStatus};
use crate::domain::plan::ActivityId;
use crate::domain::policy::{PolicyEvent, Verdict};
use crate::port::executor::TaskError;
use crate::port::source::FetchError;
use crate::port::store::{ActivityRecord, AppendError, Lease, Leased, Matter, StoreError};

use super::super::Engine;
use super::super::tenure::Tenure;
use super::asking::activity_json;
use super::call::{Surroundings, SurroundingsError};

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
    /// What was left running could not be ended.
    #[error("what an earlier process left running could not be ended: {0}")]
    LeftRunning(TaskError),
}

/// How far an activity came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Went {
    /// All that was to be done is done.
    Through,
    /// It goes no further: it has ended, or what it did is to be undone.
    Ending,
    /// The daemon stops; the record has it as running.
    Stopped,
    /// An attempt has failed, and the next one has its time: until then others have its place.
    Resting,
}

/// How far an activity was driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Driven {
    /// As far as it goes for now.
    AsFarAsItGoes,
    /// Until the pause before the next attempt.
    ToAPause,
    /// Not at all: it is another's by now, or has ended, or people keep it.
    NotByUs,
}

/// What stops a drive.
#[derive(Clone, Copy)]
pub(super) struct Stops<'a> {
    /// The daemon stops: no further task is begun.
    pub stop: &'a CancellationToken,
    /// When it is over, what runs is left as it is: the daemon has stopped for good, or another goes on with it.
    pub tenure: &'a Tenure,
    /// The activity is cancelled: what runs is ended, and what it did is undone.
    pub cancel: &'a CancellationToken,
}

impl Engine {
    /// Claims an activity and brings it to its end. After `stop` no further task is begun; at `halt` the one
    /// that runs is broken off. What has not ended is handed back.
    pub(super) async fn drive(
        &self,
        id: &ActivityId,
        stop: &CancellationToken,
        halt: &CancellationToken,
    ) -> Result<Driven, DriveError> {
        let Some((mut record, tenure)) = self.take_container(id, halt).await? else {
            return Ok(Driven::NotByUs);
        };
        let outcome = self.drive_claimed(&mut record, &tenure, stop).await;
        if !record.state.status.is_final() {
            tenure.hand_back().await;
        }
        outcome?;
        Ok(if record.state.rests_until().is_some() { Driven::ToAPause } else { Driven::AsFarAsItGoes })
    }

    /// Claims an activity, unless people keep it from beginning or another holds its container.
    async fn take_container(
        &self,
        id: &ActivityId,
        halt: &CancellationToken,
    ) -> Result<Option<(ActivityRecord, Tenure)>, DriveError> {
        let Some(before) = self.ports.store.activity(id).await? else { return Ok(None) };
        // Because people may have decided otherwise since it was chosen.
        let mut standing = self.stand(&before.source, Matter::Decisions).await?;
        let (claimed, until) = loop {
            let Some(before) = self.ports.store.activity(id).await? else { return Ok(None) };
            if self.is_kept(&before).await? {
                return Ok(None);
            }
            let now = self.ports.clock.now();
            let until = self.end_of_lease(now);
            match standing.store.claim(id, &self.settings.holder, now, until).await {
                Ok(claimed) => break (claimed, until),
                Err(error) if standing.moved(&error).await? => {}
                Err(error) => return Err(error.into()),
            }
        };
        drop(standing);
        let Some(token) = claimed else { return Ok(None) };
        let lease = Lease { what: Leased::Container(before.planned.container), token };
        let tenure = self.keep(lease, until, halt);
        let Some(record) = self.ports.store.activity(id).await? else { return Ok(None) };
        self.telling.note(&record.source, &record.planned.container.stage);
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
        let cancel = CancellationToken::new();
        let stops = Stops { stop, tenure, cancel: &cancel };
        tokio::select! {
            biased;
            outcome = self.bring_to_its_end(record, token, stops) => outcome,
            never = self.watch_for_cancellation(&id, &cancel) => match never {},
        }
    }

    async fn bring_to_its_end(
        &self,
        record: &mut ActivityRecord,
        token: FencingToken,
        stops: Stops<'_>,
    ) -> Result<(), DriveError> {
        let surroundings = match self.surroundings(record).await {
            Ok(surroundings) => Ok(surroundings),
            Err(SurroundingsError::Store(error)) => return Err(error.into()),
            Err(SurroundingsError::Fetch(error)) => return Err(error.into()),
            Err(SurroundingsError::Gone(message)) => Err(message),
        };
        let went = match &surroundings {
            Ok(surroundings) => self.go_on(record, surroundings, token, stops).await,
            Err(_) if record.state.is_ending() => Ok(Went::Ending),
            Err(message) => self.fail_next(record, token, message).await.map(|()| Went::Ending),
        };
        match went {
            Ok(Went::Through | Went::Stopped | Went::Resting) => return Ok(()),
            Ok(Went::Ending) => {}
            // Somebody has decided between two of our events.
            Err(DriveError::Append(AppendError::Illegal(illegal))) => {
                let now = self.ports.store.activity(&record.planned.id).await?;
                match now.filter(|now| now.state.cancellation.is_some() && now.state.token == Some(token)) {
                    Some(now) => *record = now,
                    None => return Err(AppendError::Illegal(illegal).into()),
                }
            }
            Err(error) => return Err(error),
        }
        self.wind_up(record, surroundings.as_ref().map_err(String::as_str), token, stops).await
    }

    /// Runs what is left of the tasks, and records what runs now.
    async fn go_on(
        &self,
        record: &mut ActivityRecord,
        surroundings: &Surroundings,
        token: FencingToken,
        stops: Stops<'_>,
    ) -> Result<Went, DriveError> {
        for index in 0..record.planned.tasks.len() {
            if record.state.is_ending() {
                return Ok(Went::Ending);
            }
            if stops.stop.is_cancelled() || stops.tenure.is_over() {
                return Ok(Went::Stopped);
            }
            match self.run_task(record, surroundings, token, index, stops).await? {
                Went::Through => {}
                other => return Ok(other),
            }
        }
        if record.state.is_ending() {
            return Ok(Went::Ending);
        }
        self.finish(record, surroundings, token).await
    }

    /// Whether people keep the activity from beginning. What has begun goes on.
    async fn is_kept(&self, record: &ActivityRecord) -> Result<bool, StoreError> {
        let is_waiting = record.state.status == ActivityStatus::Waiting;
        Ok(is_waiting && self.gates().await?.before_activity(record).await?.is_some())
    }

    /// Ends an activity over which our own code panicked: it would do so again. Nothing more is undone of it.
    pub(super) async fn give_up(&self, id: &ActivityId) -> Result<(), DriveError> {
        let now = self.ports.clock.now();
        let until = self.end_of_lease(now);
        let Some(token) = self.ports.store.claim(id, &self.settings.holder, now, until).await? else {
            return Ok(());
        };
        let Some(mut record) = self.ports.store.activity(id).await? else { return Ok(()) };
        const WHY: &str = "an error of Meshwright itself; its log has the details";
        if !record.state.is_ending() {
            self.fail_next(&mut record, token, WHY).await?;
        }
        self.end_attempt(&mut record, token, FailureKind::Permanent, WHY).await?;
        self.leave_undone(&mut record, token, WHY).await?;
        self.close(&mut record, token).await
    }

    /// All tasks have ended well: asks policies once more, and records what runs now.
    async fn finish(
        &self,
        record: &mut ActivityRecord,
        surroundings: &Surroundings,
        token: FencingToken,
    ) -> Result<Went, DriveError> {
        let state = json!({
            "activity": activity_json(record),
            "dataProductVersion": *surroundings.descriptor,
        });
        let verdict = self.ask(record, PolicyEvent::ActivityExecutionResult, Some(state), None).await;
        if !verdict.allows() {
            self.refuse(record, token, verdict).await?;
            return Ok(Went::Ending);
        }
        self.append_and_tell(record, Some(token), ActivityEvent::Succeeded).await?;
        info!(
            source = %record.source, revision = %record.revision.short(), activity = %record.planned.id,
            container = %record.planned.container, version = %record.planned.to.version, "running"
        );
        Ok(Went::Through)
    }

    /// Fails the next task that is to run.
    async fn fail_next(
        &self,
        record: &mut ActivityRecord,
        token: FencingToken,
        message: &str,
    ) -> Result<(), DriveError> {
        let next = record.state.tasks.iter().position(|task| !matches!(task, TaskStatus::Succeeded { .. }));
        let Some(task) = next else {
            // No task is left that could fail; what is missing is the last word of the policies.
            let verdict = Verdict::not_evaluated(self.ports.judge.policies(), message);
            return self.refuse(record, token, verdict).await;
        };
        let attempt = match record.state.tasks.get(task) {
            Some(TaskStatus::Running { attempt, .. }) => *attempt,
            Some(TaskStatus::Retrying { attempts, .. }) => attempts + 1,
            _ => 1,
        };
        self.append(record, token, ActivityEvent::TaskStarted { task, attempt, deadline: None }).await?;
        self.end_attempt(record, token, FailureKind::Permanent, message).await
    }
}

//! The services that provision, build and deploy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::domain::activity::{FailureKind, FencingToken};
use crate::domain::descriptor::VersionRef;
use crate::domain::id::{ContainerId, Fqn, RepoPath, Revision, SourceName};
use crate::domain::plan::{ActivityId, TaskKey};
use crate::domain::stage::Phase;

use super::tree::Tree;

/// What an upstream product's container offers at the same stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upstream {
    /// The output port that is read.
    pub port: Fqn,
    /// The results of the tasks that made what runs there, by task name.
    pub results: Map<String, Value>,
}

/// A task, ready to be run: nothing in it is left to be decided.
#[derive(Clone)]
pub struct TaskCall {
    /// The same for every attempt and after every crash.
    pub key: TaskKey,
    /// The holder's proof.
    pub token: FencingToken,
    /// The activity.
    pub activity: ActivityId,
    /// The container that is moved.
    pub container: ContainerId,
    /// Where it moves to.
    pub version: VersionRef,
    /// The task's name.
    pub task: String,
    /// Its phase.
    pub phase: Phase,
    /// From 1.
    pub attempt: u32,
    /// The template, as written.
    pub template: Value,
    /// The configurations, placeholders filled in.
    pub configurations: Value,
    /// The product version's published content.
    pub descriptor: Arc<Value>,
    /// The source.
    pub source: SourceName,
    /// The commit.
    pub revision: Revision,
    /// The commit's files.
    pub tree: Arc<dyn Tree>,
    /// The folder in which the descriptor stands; `None` at the top.
    pub folder: Option<RepoPath>,
    /// By input port.
    pub upstream: BTreeMap<String, Upstream>,
    /// How long this attempt may still take: after a crash, what is left of its time.
    pub timeout: Duration,
    /// Where a crashed run of the same attempt is found again.
    pub handle: Option<String>,
    /// When this call undoes a task: the key under which that task ran.
    pub undoes: Option<TaskKey>,
    /// Cancelled when the attempt is to be stopped.
    pub cancel: CancellationToken,
}

impl std::fmt::Debug for TaskCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskCall").field("key", &self.key).field("task", &self.task).finish_non_exhaustive()
    }
}

/// What a task returned.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskOutcome {
    /// Named results, for later tasks and for policies.
    pub results: Map<String, Value>,
}

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TaskError {
    /// What is done next.
    pub kind: FailureKind,
    /// The reason, for people. No secrets.
    pub message: String,
}

impl TaskError {
    /// Trying again will not help.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Permanent, message: message.into() }
    }

    /// The executor's own rules are against it.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Refused, message: message.into() }
    }

    /// It may pass.
    pub fn transient(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Transient, message: message.into() }
    }
}

/// Where a running task tells how it goes. Neither call fails the task.
#[async_trait]
pub trait Progress: Send + Sync {
    /// Adds a line to the task's log; long lines and long logs are cut.
    async fn log(&self, line: &str);

    /// Makes durable how this attempt is found again after a crash; returns when it is durable.
    async fn checkpoint(&self, handle: &str);
}

/// What an executor knows of an attempt that was under way when its caller crashed.
#[derive(Debug, Clone, PartialEq)]
pub enum Whereabouts {
    /// It has ended, and this came of it.
    Ended(Result<TaskOutcome, TaskError>),
    /// It goes on; `run` with the same handle waits for it.
    GoesOn,
    /// Nobody knows: it has to be run again, under the same key.
    Unknown,
}

/// Runs tasks.
///
/// The life of one attempt: `run` is called; it makes durable by [`Progress::checkpoint`] how the attempt
/// is found again; it returns when the attempt has ended. After a crash of the caller, the record says that
/// the attempt is under way. The caller then asks `whereabouts`, with the handle that was recorded last:
///
/// - what has ended is recorded as it ended, even when the attempt's time is over by now;
/// - otherwise, when its time is over, `abandon` is called, and the attempt has timed out;
/// - otherwise `run` is called again with the same key, attempt and handle and what is left of the time.
///   An attempt that goes on is taken up; one of which nothing is known begins anew, and must come to the
///   same effect as if it had run once.
///
/// When the future of `run` is dropped or `cancel` is cancelled or the time is over, nothing of the attempt
/// goes on running. `token` grows with each holder; an executor that remembers the greatest it has seen
/// refuses calls with a smaller one.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Runs one attempt of a task to its end.
    async fn run(&self, call: &TaskCall, progress: &dyn Progress) -> Result<TaskOutcome, TaskError>;

    /// What became of an attempt that was under way when the caller crashed. Changes nothing. An error
    /// counts as `Unknown`.
    async fn whereabouts(&self, _call: &TaskCall) -> Result<Whereabouts, TaskError> {
        Ok(Whereabouts::Unknown)
    }

    /// Ends what still runs of an attempt that is not taken up again. Nothing of it runs when this returns.
    async fn abandon(&self, _call: &TaskCall) -> Result<(), TaskError> {
        Ok(())
    }

    /// Whether it can undo what its tasks did.
    fn compensates(&self) -> bool {
        false
    }

    /// Undoes what a task did, as far as it did anything: the task may have ended well, failed half-way, or
    /// never come to its executor. `call` is the task's, with a key of its own and the task's key in
    /// `undoes`. What was there before the activity stays. The same rules hold as for `run`; repeating it
    /// changes nothing.
    async fn compensate(&self, _call: &TaskCall, _progress: &dyn Progress) -> Result<(), TaskError> {
        Err(TaskError::permanent("this executor undoes nothing"))
    }

    /// What exists for a container, in the executor's own view; `None` when there is nothing, or
    /// when this executor keeps nothing.
    async fn observe(&self, container: &ContainerId) -> Result<Option<Value>, TaskError>;
}

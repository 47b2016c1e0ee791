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
    /// How long this attempt may take.
    pub timeout: Duration,
    /// Where a crashed run of the same attempt is found again.
    pub handle: Option<String>,
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

/// Runs tasks.
///
/// `run` is called again with the same key after a crash, and must come to the same effect as if
/// it had been called once. It returns when the attempt has ended; when its future is dropped or
/// `cancel` is cancelled or the time is over, nothing of the attempt goes on running.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Runs one attempt of a task to its end.
    async fn run(&self, call: &TaskCall, progress: &dyn Progress) -> Result<TaskOutcome, TaskError>;

    /// What exists for a container, in the executor's own view; `None` when there is nothing, or
    /// when this executor keeps nothing.
    async fn observe(&self, container: &ContainerId) -> Result<Option<Value>, TaskError>;
}

//! The `command` executor: a program of the platform's runs in a private folder that holds the
//! commit's files of one product.
//!
//! One attempt: clear away what a crashed run left → private folder with the files → spawn in an
//! own process group → make durable how it is found again → stream its output → it ends, or is
//! ended → kill what is left of it → read its result → keep its artifacts → remove the folder.
//!
//! Needs: nothing of an attempt goes on running when `run` has returned or its future is dropped;
//! a program can neither block nor fill the daemon; secrets do not come out. Named races:
//!
//! * *The leader ends and its number is given to another process before we kill its group.* We
//!   look for the leader's end without reaping it (`WNOWAIT`). As long as it is not reaped, its
//!   number, which is the group's, is taken.
//! * *The leader ends while a child of it keeps the pipes open.* The group is killed when the
//!   leader has ended; reading goes on for two seconds at most.
//! * *A process leaves the group (`setsid`).* Each process inherits `MESHWRIGHT_RUN`; all that
//!   carry it are killed through a pidfd, which cannot hit another process. One that both leaves
//!   the group and clears its environment escapes: confine the daemon in a cgroup.
//! * *The daemon dies between spawn and checkpoint.* The private folder is named like the run and
//!   locked by the daemon that made it. `sweep` finds folders nobody locks, kills what carries
//!   the run's name and removes them.
//! * *The number of a process in a handle belongs to another one by now.* The handle has its start
//!   time as well.
//! * *The future is dropped.* No async code runs then: the group gets `SIGKILL` at once, without a
//!   grace, and a thread removes the folder.
//!
//! After a crash a program that had ended well is not run again: its results stand beside its artifacts.
//! Otherwise what still runs of it is ended, and it runs again with the same key: at least once, so programs that touch
//! the world use `MESHWRIGHT_TASK_KEY` to do it once.

mod environment;
mod group;
mod output;
mod result;
mod strays;
mod workspace;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::config::SecretRef;
use crate::domain::id::ContainerId;
use crate::port::executor::{Executor, Progress, TaskCall, TaskError, TaskOutcome, Whereabouts};

use super::artifacts::{self, ArtifactStore};
use super::mask::Mask;
use super::stop::Stop;
use environment::Environment;
use group::{Ended, Group, Handle};
use workspace::Workspace;

/// How long a program may go on after `SIGTERM`.
const GRACE: Duration = Duration::from_secs(2);

/// How long output is waited for after all known processes have ended.
const DRAIN: Duration = Duration::from_secs(2);

/// How long the log is waited for after the last line was read.
const LOG_PATIENCE: Duration = Duration::from_secs(60);

/// One `command` executor of the configuration.
#[derive(Debug, Clone)]
pub struct CommandSpec {
    /// Its name, for messages.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Names of the daemon's environment variables that the program gets.
    pub env: Vec<String>,
    /// Variables whose values are secrets.
    pub secrets: BTreeMap<String, SecretRef>,
    /// How much output of one attempt is logged, in bytes.
    pub max_output: u64,
    /// The program that undoes what a task did, with its arguments. Without one, nothing is undone.
    pub compensate: Option<Vec<String>>,
}

/// Runs a program per task.
#[derive(Debug)]
pub struct CommandExecutor {
    spec: CommandSpec,
    artifacts: ArtifactStore,
    work_root: PathBuf,
}

impl CommandExecutor {
    /// Nothing is touched until a task runs. `work_root` holds the private folders; several
    /// executors and daemons may share it.
    pub fn new(spec: CommandSpec, artifacts: ArtifactStore, work_root: PathBuf) -> Self {
        Self { spec, artifacts, work_root }
    }

    /// Removes the private folders of runs whose daemon is dead, with what still runs of them.
    /// Answers how many it removed. Called once at start-up.
    pub fn sweep(&self) -> usize {
        workspace::sweep(&self.work_root)
    }

    fn secrets(&self) -> Result<Vec<(String, String)>, TaskError> {
        let resolve = |(name, secret): (&String, &SecretRef)| match secret.resolve() {
            Ok(value) => Ok((name.clone(), value)),
            Err(error) => Err(TaskError::permanent(format!("the secret {name} cannot be had: {error}"))),
        };
        self.spec.secrets.iter().map(resolve).collect()
    }

    /// Writes the private folder on a thread where blocking is fine.
    async fn prepare(&self, call: &TaskCall, stop: &Stop) -> Result<Prepared, TaskError> {
        let (root, artifacts, stop) = (self.work_root.clone(), self.artifacts.clone(), stop.clone());
        let (tree, folder, upstream) = (Arc::clone(&call.tree), call.folder.clone(), call.upstream.clone());
        blocking(move || {
            let workspace = Workspace::create(&root)?;
            let written = workspace.write_tree(tree.as_ref(), folder.as_ref(), &stop).and_then(|skipped| {
                let inputs = workspace.write_inputs(&upstream, &artifacts, &stop)?;
                Ok((skipped, inputs))
            });
            match written {
                Ok((skipped, inputs)) => Ok(Prepared { workspace, skipped, inputs }),
                Err(error) => {
                    workspace.remove();
                    Err(error)
                }
            }
        })
        .await
    }

    async fn attempt(
        &self,
        call: &TaskCall,
        progress: &dyn Progress,
        stop: &Stop,
        prepared: &Prepared,
        (mask, secrets): (&Mask, Vec<(String, String)>),
    ) -> Result<TaskOutcome, TaskError> {
        let Prepared { workspace, inputs, .. } = prepared;
        let command = self.command_of(call)?;
        let environment = Environment::of(call, &self.spec.env, secrets, workspace, inputs);
        workspace.write_task(&environment::task_json(call, workspace, inputs))?;
        let mut group = Group::spawn(command, &environment, workspace, stop).await?;
        let mut outputs = output::Outputs::new(self.spec.max_output, mask);
        let ended = group.follow(&mut outputs, progress, stop).await?;
        match ended {
            Ended::Stopped(error) => Err(error),
            Ended::Exited(status) => {
                let program = command.first().cloned().unwrap_or_default();
                let path = workspace.result();
                let stdout = outputs.last_line_of_stdout();
                let said = blocking(move || Ok(result::read(&path, stdout))).await?;
                let mut results = result::judge(&program, status, said, &outputs.last_lines_of_stderr(), mask)?;
                if call.undoes.is_some() {
                    return Ok(TaskOutcome::default());
                }
                let (store, key, owner) = (self.artifacts.clone(), call.key.clone(), call.container.product.clone());
                let output = workspace.output();
                let kept = blocking(move || store.keep(&key, &owner, &output).map_err(TaskError::from)).await?;
                // A program cannot claim artifacts that it has not made.
                results.shift_remove("artifacts");
                results.shift_remove("files");
                if !kept.is_empty() {
                    results.extend(artifacts::results(&kept));
                }
                Ok(TaskOutcome { results })
            }
        }
    }

    /// The program that does what the call asks for.
    fn command_of(&self, call: &TaskCall) -> Result<&[String], TaskError> {
        match (&call.undoes, &self.spec.compensate) {
            (None, _) => Ok(&self.spec.command),
            (Some(_), Some(command)) => Ok(command),
            (Some(_), None) => Err(TaskError::permanent("the executor has no program that undoes")),
        }
    }

    /// Runs the program of a call, from clearing away what a crash left to removing the folder.
    async fn run_program(&self, call: &TaskCall, progress: &dyn Progress) -> Result<TaskOutcome, TaskError> {
        let stop = Stop::after(call.timeout, &call.cancel);
        // When this future is dropped, blocking work that goes on elsewhere ends soon.
        let _dropped = stop.cancel.clone().drop_guard();
        if let Some(handle) = call.handle.as_deref().and_then(Handle::parse) {
            let root = self.work_root.clone();
            stop.unless(group::clear_previous(handle, root, progress)).await?;
        }
        let secrets = self.secrets()?;
        let mask = Mask::of(secrets.iter().map(|(_, value)| value.as_str()));
        let prepared = stop.unless(self.prepare(call, &stop)).await?;
        for line in &prepared.skipped {
            progress.log(line).await;
        }
        let outcome = self.attempt(call, progress, &stop, &prepared, (&mask, secrets)).await;
        let workspace = prepared.workspace;
        let _ = tokio::task::spawn_blocking(move || workspace.remove()).await;
        outcome.map_err(|error| TaskError { message: mask.text(&error.message), ..error })
    }
}

/// A private folder, ready for the program.
struct Prepared {
    workspace: Workspace,
    skipped: Vec<String>,
    inputs: Vec<workspace::Input>,
}

#[async_trait]
impl Executor for CommandExecutor {
    async fn run(&self, call: &TaskCall, progress: &dyn Progress) -> Result<TaskOutcome, TaskError> {
        let outcome = self.run_program(call, progress).await?;
        // Between the program's end and its record a crash may come: then this says how it ended.
        let (artifacts, key, results) = (self.artifacts.clone(), call.key.clone(), outcome.results.clone());
        let noted = blocking(move || artifacts.note_end(&key, &results).map_err(TaskError::from)).await;
        if let Err(error) = noted {
            tracing::warn!(task = %call.key, %error, "a crash right now would run the program again");
        }
        Ok(outcome)
    }

    /// A program whose daemon has died is not waited for, because its output and its exit code are lost with
    /// the pipes. What is known is whether it had ended well before.
    async fn whereabouts(&self, call: &TaskCall) -> Result<Whereabouts, TaskError> {
        let (artifacts, key) = (self.artifacts.clone(), call.key.clone());
        let noted = blocking(move || artifacts.noted_end(&key).map_err(TaskError::from)).await?;
        Ok(noted.map_or(Whereabouts::Unknown, |results| Whereabouts::Ended(Ok(TaskOutcome { results }))))
    }

    async fn abandon(&self, call: &TaskCall) -> Result<(), TaskError> {
        match call.handle.as_deref().and_then(Handle::parse) {
            Some(handle) => group::clear_previous(handle, self.work_root.clone(), &Silent).await,
            None => Ok(()),
        }
    }

    fn compensates(&self) -> bool {
        self.spec.compensate.is_some()
    }

    async fn compensate(&self, call: &TaskCall, progress: &dyn Progress) -> Result<(), TaskError> {
        self.run_program(call, progress).await.map(|_| ())
    }

    async fn observe(&self, _container: &ContainerId) -> Result<Option<Value>, TaskError> {
        // A program keeps nothing that we could ask for.
        Ok(None)
    }
}

/// Nobody listens.
struct Silent;

#[async_trait]
impl Progress for Silent {
    async fn log(&self, _line: &str) {}

    async fn checkpoint(&self, _handle: &str) {}
}

/// Runs what blocks on a thread of its own kind.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TaskError> + Send + 'static,
) -> Result<T, TaskError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(TaskError::transient(format!("a worker thread of the executor ended: {error}"))),
    }
}

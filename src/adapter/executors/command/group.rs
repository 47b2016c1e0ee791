//! The processes of one attempt: spawned into an own group, followed to their end, killed as a whole.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::domain::id::RepoPath;
use crate::port::executor::{Progress, TaskError};

use super::super::{files, stop::Stop};
use super::environment::Environment;
use super::output::Outputs;
use super::workspace::{self, Workspace};
use super::{DRAIN, GRACE, LOG_PATIENCE, blocking, strays};

/// How a run is found again by another daemon process; the text of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Handle {
    /// The run's name: that of its private folder, and the value of `MESHWRIGHT_RUN`.
    run: String,
    /// The leader's process number, which is the group's.
    pid: i32,
    /// When the leader was started, in the kernel's ticks since boot: tells it from a later
    /// process with the same number. Absent where the kernel does not say.
    start: Option<u64>,
}

impl Handle {
    /// Reads a checkpoint; `None` when it is none of ours.
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|handle: &Self| workspace::is_run(&handle.run) && handle.pid > 1)
    }
}

/// How an attempt ended.
pub(super) enum Ended {
    /// The program ended by itself.
    Exited(ExitStatus),
    /// It was ended, for this reason.
    Stopped(TaskError),
}

/// A running program with all that it has started.
pub(super) struct Group {
    child: Child,
    pid: Pid,
    handle: Handle,
    /// Set when the whole group is known to be dead and its leader is reaped.
    over: bool,
}

impl Group {
    /// Starts the program. When this returns it runs, and dropping the value kills it.
    pub(super) async fn spawn(
        command: &[String],
        environment: &Environment,
        workspace: &Workspace,
        stop: &Stop,
    ) -> Result<Self, TaskError> {
        let (name, arguments) = command
            .split_first()
            .ok_or_else(|| TaskError::permanent("the executor's configuration names no program"))?;
        let program = locate(name, environment, &workspace.product())?;
        for round in 0.. {
            if let Some(error) = stop.reached() {
                return Err(error);
            }
            let task = files::open_regular(&workspace.task())
                .map_err(|error| TaskError::transient(format!("the task cannot be read: {error}")))?;
            match start(&program, arguments, environment, &workspace.product(), task) {
                Ok(child) => return Self::of(child, workspace.run()),
                // A fork elsewhere in the daemon may hold a just written program open for a moment.
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy && round < 40 => {
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                Err(error) => return Err(not_started(name, &error)),
            }
        }
        Err(TaskError::transient("the program stayed busy"))
    }

    fn of(child: Child, run: &str) -> Result<Self, TaskError> {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let Some((id, pid)) = id.and_then(|id| Some((id, Pid::from_raw(id)?))) else {
            return Err(TaskError::transient("the program has no process number"));
        };
        let handle = Handle { run: run.to_owned(), pid: id, start: start_time(id) };
        Ok(Self { child, pid, handle, over: false })
    }

    /// Follows the program to its end: makes the handle durable, streams the output, waits, ends
    /// it when its time is over. When this returns, nothing of it runs.
    pub(super) async fn follow(
        &mut self,
        outputs: &mut Outputs<'_>,
        progress: &dyn Progress,
        stop: &Stop,
    ) -> Result<Ended, TaskError> {
        let (Some(stdout), Some(stderr)) = (self.child.stdout.take(), self.child.stderr.take()) else {
            return Err(TaskError::transient("the program has no pipes"));
        };
        let handle = serde_json::to_string(&self.handle).unwrap_or_default();
        let (sender, mut lines) = mpsc::unbounded_channel();
        let mut reading = Box::pin(async move { outputs.stream(stdout, stderr, &sender).await });
        let mut writing = std::pin::pin!(async {
            progress.checkpoint(&handle).await;
            while let Some(line) = lines.recv().await {
                let line: String = line;
                progress.log(&line).await;
            }
        });
        let (mut read, mut written) = (false, false);
        let mut leader = leader_exit(self.pid);
        let stopped = loop {
            tokio::select! {
                biased;
                _ = &mut leader => break None,
                error = stop.wait() => break Some(error),
                () = &mut reading, if !read => read = true,
                () = &mut writing, if !written => written = true,
            }
        };
        let mut end = std::pin::pin!(self.end(stopped.is_some().then_some(leader)));
        let status = loop {
            tokio::select! {
                status = &mut end => break status,
                () = &mut reading, if !read => read = true,
                () = &mut writing, if !written => written = true,
            }
        };
        if !read && tokio::time::timeout(DRAIN, &mut reading).await.is_err() {
            tracing::warn!(handle, "a process that left its group keeps the output open; it is no longer read");
        }
        // The sender goes with it, so the writing ends with the last line.
        drop(reading);
        if !written && tokio::time::timeout(LOG_PATIENCE, &mut writing).await.is_err() {
            tracing::warn!(handle, "the task's log is too slow; its last lines are lost");
        }
        match (stopped, status) {
            (Some(error), _) => Ok(Ended::Stopped(error)),
            (None, Ok(status)) => Ok(Ended::Exited(status)),
            (None, Err(error)) => Err(TaskError::transient(format!("the program's end was not seen: {error}"))),
        }
    }

    /// Ends all processes. With `leader` still to end, it is asked first.
    async fn end(&mut self, leader: Option<JoinHandle<()>>) -> std::io::Result<ExitStatus> {
        if let Some(mut leader) = leader {
            let _ = kill_process_group(self.pid, Signal::TERM);
            if tokio::time::timeout(GRACE, &mut leader).await.is_err() {
                let _ = kill_process_group(self.pid, Signal::KILL);
                let _ = leader.await;
            }
        }
        // The leader has ended and is not reaped: the group's number is still its own.
        let _ = kill_process_group(self.pid, Signal::KILL);
        let run = self.handle.run.clone();
        let _ = blocking(move || Ok(strays::kill(&run))).await;
        let status = self.child.wait().await;
        self.over = true;
        status
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.over {
            let _ = kill_process_group(self.pid, Signal::KILL);
            strays::kill(&self.handle.run);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where programs of the configuration are started")]
fn start(
    program: &Path,
    arguments: &[String],
    environment: &Environment,
    folder: &Path,
    task: std::fs::File,
) -> std::io::Result<Child> {
    Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(environment.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::from(task))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// Where the program is: in the product's folder for a relative path, in PATH for a bare name,
/// else as it is written. Folders of PATH that are relative or locked do not count.
fn locate(name: &str, environment: &Environment, product: &Path) -> Result<PathBuf, TaskError> {
    if name.starts_with('/') {
        return Ok(PathBuf::from(name));
    }
    if !name.contains('/') {
        let path = environment.variables.iter().rev().find(|(variable, _)| variable == "PATH");
        let folders = path.into_iter().flat_map(|(_, path)| std::env::split_paths(path));
        let mut places = folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join(name));
        return places
            .find(|place| is_executable(place))
            .ok_or_else(|| TaskError::permanent(format!("there is no program '{name}' in PATH")));
    }
    let relative = name.split('/').filter(|part| *part != ".").collect::<Vec<_>>().join("/");
    let relative: RepoPath = relative
        .parse()
        .map_err(|_| TaskError::permanent(format!("the program '{name}' is not a path inside the product's folder")))?;
    Ok(product.join(relative.as_str()))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn not_started(name: &str, error: &std::io::Error) -> TaskError {
    let message = match error.kind() {
        std::io::ErrorKind::NotFound if name.starts_with('/') => format!("there is no program '{name}'"),
        std::io::ErrorKind::NotFound => {
            format!("there is no program '{name}' in the product's folder, or its interpreter is missing")
        }
        std::io::ErrorKind::PermissionDenied => {
            format!("the program '{name}' cannot be executed: a script has to begin with '#!'")
        }
        _ => return TaskError::transient(format!("the program '{name}' could not be started: {error}")),
    };
    TaskError::permanent(message)
}

/// Waits on a thread of its own until the leader has ended, without reaping it.
fn leader_exit(pid: Pid) -> JoinHandle<()> {
    tokio::task::spawn_blocking(move || {
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        {
        }
    })
}

/// When a process was started, in ticks since boot: field 22 of `/proc/<pid>/stat` (proc(5)).
/// `None` for one that is dead, also when nobody has reaped it yet.
fn start_time(pid: i32) -> Option<u64> {
    let bytes = match files::read_bounded(Path::new(&format!("/proc/{pid}/stat")), 4096).ok()? {
        files::Bounded::All(bytes) => bytes,
        files::Bounded::TooLarge => return None,
    };
    let text = String::from_utf8_lossy(&bytes);
    // The second field is the program's name in parentheses and may hold anything; the rest is numbers.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    if matches!(fields.next(), Some("Z" | "X")) {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Whether the process of a handle is still that process.
fn lives(handle: &Handle) -> bool {
    handle.start.is_some() && start_time(handle.pid) == handle.start
}

/// Ends what a crashed daemon left running of the same attempt, and removes its folder.
pub(super) async fn clear_previous(handle: Handle, root: PathBuf, progress: &dyn Progress) -> Result<(), TaskError> {
    if lives(&handle) {
        progress.log("a crashed run of this attempt still runs; it is ended first").await;
        if let Some(pid) = Pid::from_raw(handle.pid) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        // It is not our child, so its end is only seen by looking.
        for _ in 0..500 {
            if !lives(&handle) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    blocking(move || {
        strays::kill(&handle.run);
        workspace::sweep_one(&root, &handle.run);
        Ok(())
    })
    .await
}

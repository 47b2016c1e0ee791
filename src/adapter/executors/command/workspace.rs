//! The private folder of one attempt.
//!
//! ```text
//! <work root>/run-<random>/   0700, its name is the run's
//!   lock          held while the daemon that made it lives
//!   product/      the commit's files of the product; the program's current folder
//!   inputs/<port> copies of upstream artifacts, read-only
//!   output/       what the program leaves here becomes artifacts
//!   home/ tmp/    HOME and TMPDIR
//!   task.json     the program's standard input
//!   result.json   where the program may write its result
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde_json::Value;

use crate::domain::id::RepoPath;
use crate::port::executor::{TaskError, Upstream};
use crate::port::tree::{EntryKind, ReadError, Tree};

use super::super::artifacts::{self, ArtifactStore};
use super::super::stop::Stop;
use super::super::{files, names};
use super::strays;

/// How many files of a product are written.
const MOST_FILES: usize = 20_000;

/// How many bytes of a product are written: 1 GiB.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

/// What the names of private folders begin with.
const PREFIX: &str = "run-";

/// A private folder. It is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Workspace {
    folder: PathBuf,
    run: String,
    /// Locked as long as it is open. The kernel unlocks it when the daemon dies.
    _lock: File,
}

/// Where an input port's artifacts lie.
#[derive(Debug, Clone)]
pub(super) struct Input {
    /// The input port's name.
    pub(super) port: String,
    /// The environment variable that names the folder.
    pub(super) variable: String,
    /// The folder.
    pub(super) folder: PathBuf,
}

impl Workspace {
    /// Makes the folder and its inner folders.
    pub(super) fn create(root: &Path) -> Result<Self, TaskError> {
        let disk = |error: io::Error| TaskError::transient(format!("no private folder could be made: {error}"));
        files::make_private_folder(root).map_err(disk)?;
        // The program's paths must not depend on the daemon's current folder.
        let root = root.canonicalize().map_err(disk)?;
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .rand_bytes(16)
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .tempdir_in(root)
            .map_err(disk)?
            .keep();
        let run = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let workspace = match lock(&folder.join("lock"), true) {
            Ok(lock) => Self { folder, run, _lock: lock },
            Err(error) => {
                let _ = files::remove_tree(&folder);
                return Err(disk(error));
            }
        };
        for inner in [workspace.product(), workspace.output(), workspace.home(), workspace.temporary()] {
            files::make_private_folder(&inner).map_err(disk)?;
        }
        Ok(workspace)
    }

    /// The run's name: unique, and never used again.
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    pub(super) fn product(&self) -> PathBuf {
        self.folder.join("product")
    }

    pub(super) fn output(&self) -> PathBuf {
        self.folder.join("output")
    }

    pub(super) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    pub(super) fn task(&self) -> PathBuf {
        self.folder.join("task.json")
    }

    pub(super) fn result(&self) -> PathBuf {
        self.folder.join("result.json")
    }

    /// Writes the task for the program's standard input.
    pub(super) fn write_task(&self, task: &Value) -> Result<(), TaskError> {
        files::write_new(&self.task(), task.to_string().as_bytes(), 0o600)
            .map_err(|error| TaskError::transient(format!("the task could not be written: {error}")))
    }

    /// Writes the commit's files below `folder`. Answers with a line for each entry that was left out.
    pub(super) fn write_tree(
        &self,
        tree: &dyn Tree,
        folder: Option<&RepoPath>,
        stop: &Stop,
    ) -> Result<Vec<String>, TaskError> {
        let listing = tree.list(folder).map_err(unreadable)?;
        let mut skipped: Vec<String> =
            listing.unusable.iter().map(|path| format!("left out: {path:?} has an unusable name")).collect();
        let prefix = folder.map(|folder| format!("{folder}/")).unwrap_or_default();
        let (mut count, mut left) = (0_usize, MOST_BYTES);
        for entry in &listing.entries {
            if let Some(error) = stop.reached() {
                return Err(error);
            }
            let Some(relative) = entry.path.as_str().strip_prefix(&prefix) else { continue };
            let reason = match entry.kind {
                EntryKind::Symlink => Some("it is a symbolic link"),
                EntryKind::Submodule => Some("it is a submodule"),
                EntryKind::File if relative.split('/').any(|part| part.eq_ignore_ascii_case(".git")) => {
                    Some("programs would take it for a Git repository")
                }
                EntryKind::File => None,
            };
            if let Some(reason) = reason {
                skipped.push(format!("left out: '{}': {reason}", entry.path));
                continue;
            }
            count += 1;
            if count > MOST_FILES {
                return Err(TaskError::permanent("the product's folder has more than 20,000 files"));
            }
            let bytes = tree.read(&entry.path, left).map_err(unreadable)?;
            left = left.saturating_sub(bytes.len() as u64);
            // A tree does not tell which files are executable; a file that names its interpreter is meant to be.
            let mode = if bytes.starts_with(b"#!") { 0o755 } else { 0o644 };
            let to = self.product().join(relative);
            let parent = to.parent().map_or_else(|| self.product(), Path::to_path_buf);
            files::make_private_folder(&parent)
                .and_then(|()| files::write_new(&to, &bytes, mode))
                .map_err(|error| TaskError::transient(format!("'{relative}' could not be written: {error}")))?;
        }
        Ok(skipped)
    }

    /// Copies the artifacts of upstream containers. A copy, because a program could change what a
    /// link leads to. Where several tasks made a file of one name, the last one's is taken.
    pub(super) fn write_inputs(
        &self,
        upstream: &BTreeMap<String, Upstream>,
        artifacts: &ArtifactStore,
        stop: &Stop,
    ) -> Result<Vec<Input>, TaskError> {
        let mut inputs = Vec::with_capacity(upstream.len());
        let mut variables = BTreeSet::new();
        for (port, offer) in upstream {
            let variable = format!("MESHWRIGHT_INPUT_{}", names::upper_snake(port));
            if !variables.insert(variable.clone()) {
                let message = format!("two input ports are both called {variable}: rename '{port}'");
                return Err(TaskError::permanent(message));
            }
            let folder = self.folder.join("inputs").join(names::snake(port));
            let disk = |error: io::Error| {
                TaskError::transient(format!("the input port '{port}' could not be filled: {error}"))
            };
            files::make_private_folder(&folder).map_err(disk)?;
            for (name, uri) in offered(offer) {
                if let Some(error) = stop.reached() {
                    return Err(error);
                }
                let lacking = |why: &str| {
                    let message = format!("the input port '{port}' reads {} and lacks '{name}': {why}", offer.port);
                    TaskError::permanent(message)
                };
                let owner = offer.port.owner().ok_or_else(|| lacking("the port belongs to no product"))?;
                let relative: RepoPath = name.parse().map_err(|_| lacking("the name is no plain relative path"))?;
                let from = artifacts.resolve_owned(uri, &owner).map_err(|error| lacking(&error.to_string()))?;
                copy_read_only(&from, &folder.join(relative.as_str())).map_err(disk)?;
            }
            inputs.push(Input { port: port.clone(), variable, folder });
        }
        Ok(inputs)
    }

    /// Removes the folder now.
    pub(super) fn remove(self) {
        if let Err(error) = files::remove_tree(&self.folder) {
            tracing::warn!(folder = %self.folder.display(), %error, "a private folder could not be removed");
        }
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let folder = std::mem::take(&mut self.folder);
        if !folder.exists() {
            return;
        }
        // A drop may happen on a thread that must not block; when there is no thread to be had, it does.
        let work = {
            let folder = folder.clone();
            move || drop(files::remove_tree(&folder))
        };
        if std::thread::Builder::new().name("remove-workspace".to_owned()).spawn(work).is_err() {
            let _ = files::remove_tree(&folder);
        }
    }
}

/// The artifacts of an upstream container that are kept here, by name; a later task's before an earlier one's.
fn offered(offer: &Upstream) -> BTreeMap<&str, &str> {
    let mut all = BTreeMap::new();
    for results in offer.results.values() {
        let named = results.get("artifacts").and_then(Value::as_object);
        for (name, uri) in named.into_iter().flatten() {
            // What other executors keep elsewhere (`s3://…`) is in the task's JSON, for the program to fetch.
            if let Some(uri) = uri.as_str().filter(|uri| uri.starts_with(artifacts::SCHEME)) {
                all.insert(name.as_str(), uri);
            }
        }
    }
    all
}

fn copy_read_only(from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(parent) = to.parent() {
        files::make_private_folder(parent)?;
    }
    let mut target = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o444).open(to)?;
    io::copy(&mut files::open_regular(from)?, &mut target)?;
    Ok(())
}

fn unreadable(error: ReadError) -> TaskError {
    match error {
        ReadError::Broken { .. } => TaskError::transient(error.to_string()),
        ReadError::TooLarge { path, .. } => {
            TaskError::permanent(format!("the product's files have more than 1 GiB in all, at '{path}'"))
        }
        ReadError::NotFound(_) | ReadError::Symlink(_) | ReadError::Submodule(_) | ReadError::Folder(_) => {
            TaskError::permanent(error.to_string())
        }
    }
}

/// Opens and locks the file, without waiting.
fn lock(path: &Path, create: bool) -> io::Result<File> {
    let file = std::fs::OpenOptions::new().read(true).write(true).create_new(create).open(path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// Removes what dead daemons left. A folder without a lock file is being made; it is left alone.
pub(super) fn sweep(root: &Path) -> usize {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let runs = entries.filter_map(|entry| entry.file_name().into_string().ok());
    runs.filter(|run| sweep_one(root, run)).count()
}

/// Removes one run's folder, with what still runs of it, when no living daemon holds it.
pub(super) fn sweep_one(root: &Path, run: &str) -> bool {
    if !is_run(run) {
        return false;
    }
    let folder = root.join(run);
    let Ok(_held) = lock(&folder.join("lock"), false) else { return false };
    strays::kill(run);
    files::remove_tree(&folder).is_ok()
}

/// Whether a text has the form of a run's name; others are never looked for on the disk.
pub(super) fn is_run(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

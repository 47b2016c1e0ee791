//! Artifacts: the files that a task made, kept for later tasks and for downstream products.
//!
//! A task's artifacts lie in `<folder>/<task key>/`, beside a small file that names the product
//! they belong to. They are known by a URI, `artifact:<task key>/<relative path>`, which says
//! nothing about where the folder is.
//!
//! Named races. *Two attempts of one task end at once*: the engine runs one at a time, and the
//! exchange of folders is one system call, so a reader sees the one or the other as a whole.
//! *A crash between copy and exchange*: the new folder has a temporary name and is not seen; the
//! next attempt makes a new one. *A program that still writes*: artifacts are taken after the
//! whole process group was killed.
//!
//! What nobody needs any more is removed by upkeep (`keep_only`), but nothing that is younger than a day: a
//! task may have made it after it was asked what is needed.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::domain::id::{Fqn, RepoPath};
use crate::domain::plan::TaskKey;
use crate::port::artifacts::Artifacts;
use crate::port::executor::TaskError;

use super::files;

/// How many files a task may leave.
pub const MOST_FILES: usize = 1_000;

/// How many bytes a task may leave: 2 GiB.
pub const MOST_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// The file that says to whom the artifacts beside it belong. No artifact has this name.
const OWNER_FILE: &str = ".meshwright-owner";

/// Nothing younger than this is removed.
const YOUNG: Duration = Duration::from_secs(24 * 3_600);

/// The folder of notes on how tasks ended.
const ENDED: &str = ".ended";

/// The largest note that is read, in bytes.
const LARGEST_NOTE: u64 = 4 * 1024 * 1024;

/// What every URI begins with.
pub(super) const SCHEME: &str = "artifact:";

/// Why artifacts cannot be kept or had.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The text is no URI of an artifact.
    #[error("'{uri}' is not an artifact: {rule}")]
    NotAnArtifact {
        /// The text, cut to 200 characters.
        uri: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// There is no such artifact.
    #[error("there is no '{uri}': the task that makes it has not run, or made no such file")]
    Missing {
        /// The URI.
        uri: String,
    },
    /// It belongs to another product.
    #[error("'{uri}' does not belong to {wanted}")]
    Foreign {
        /// The URI.
        uri: String,
        /// The product that should own it.
        wanted: Fqn,
    },
    /// Something in the output folder cannot be kept.
    #[error("the output '{name}' cannot be kept: {rule}")]
    Unfit {
        /// Its path in the output folder.
        name: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// Our own disk failed.
    #[error("the artifacts cannot be {operation}: {source}")]
    Disk {
        /// What was tried ("kept", "read").
        operation: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl From<ArtifactError> for TaskError {
    fn from(error: ArtifactError) -> Self {
        match error {
            ArtifactError::Disk { .. } => TaskError::transient(error.to_string()),
            _ => TaskError::permanent(error.to_string()),
        }
    }
}

/// One kept file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its path in the output folder.
    pub name: String,
    /// How it is found again.
    pub uri: String,
}

/// Keeps artifacts in one folder of the machine.
#[derive(Debug, Clone)]
pub struct ArtifactStore {
    folder: PathBuf,
}

impl ArtifactStore {
    /// Keeps them below `folder`, which is made when it is needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Takes all files below `output` as the artifacts of a task, in place of those it had. When
    /// this returns they are there as a whole; when it fails, those from before are.
    pub fn keep(&self, key: &TaskKey, owner: &Fqn, output: &Path) -> Result<Vec<Artifact>, ArtifactError> {
        let disk = |source| ArtifactError::Disk { operation: "kept", source };
        // The folder itself could have been put aside for a link to another one.
        if !std::fs::symlink_metadata(output).map_err(disk)?.is_dir() {
            return Err(ArtifactError::Unfit { name: shown(output), rule: "the output folder is no folder any more" });
        }
        let found = files::walk(output, MOST_FILES).map_err(disk)?;
        let mut artifacts = Vec::with_capacity(found.len());
        let mut bytes = 0_u64;
        for file in &found {
            let unfit = |rule| ArtifactError::Unfit { name: shown(&file.path), rule };
            if !file.regular {
                return Err(unfit("only regular files are kept, no links, pipes or devices"));
            }
            if artifacts.len() >= MOST_FILES {
                return Err(unfit("a task may leave at most 1,000 files"));
            }
            bytes = bytes.saturating_add(file.size);
            if bytes > MOST_BYTES {
                return Err(unfit("a task may leave at most 2 GiB"));
            }
            let name: RepoPath = file
                .path
                .to_str()
                .and_then(|name| name.parse().ok())
                .ok_or_else(|| unfit("its name has control characters, backslashes or is not UTF-8"))?;
            if name.as_str() == OWNER_FILE {
                return Err(unfit("the name is reserved"));
            }
            artifacts.push(Artifact { name: name.to_string(), uri: format!("{SCHEME}{key}/{name}") });
        }
        let place = self.folder.join(key.as_str());
        if artifacts.is_empty() {
            files::remove_tree(&place).map_err(disk)?;
            return Ok(artifacts);
        }
        files::make_private_folder(&self.folder).map_err(disk)?;
        let fresh = tempfile::Builder::new().prefix(".new-").tempdir_in(&self.folder).map_err(disk)?;
        for artifact in &artifacts {
            take(&output.join(&artifact.name), &fresh.path().join(&artifact.name)).map_err(disk)?;
        }
        files::write_new(&fresh.path().join(OWNER_FILE), owner.as_str().as_bytes(), 0o400).map_err(disk)?;
        exchange(fresh.path(), &place).map_err(disk)?;
        // What stands under the temporary name now are the artifacts from before, or nothing.
        files::remove_tree(&fresh.keep()).map_err(disk)?;
        Ok(artifacts)
    }

    /// Notes how a task ended, for whoever comes after a crash; in place of what was noted before.
    pub(super) fn note_end(&self, key: &TaskKey, results: &Map<String, Value>) -> Result<(), ArtifactError> {
        let disk = |source| ArtifactError::Disk { operation: "kept", source };
        let folder = self.folder.join(ENDED);
        files::make_private_folder(&folder).map_err(disk)?;
        let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(disk)?;
        serde_json::to_writer(&mut file, results).map_err(|error| disk(error.into()))?;
        file.persist(folder.join(key.as_str())).map_err(|error| disk(error.error))?;
        Ok(())
    }

    /// The results of a task that ended well, as far as that was noted.
    pub(super) fn noted_end(&self, key: &TaskKey) -> Result<Option<Map<String, Value>>, ArtifactError> {
        let disk = |source| ArtifactError::Disk { operation: "read", source };
        match files::read_bounded(&self.folder.join(ENDED).join(key.as_str()), LARGEST_NOTE) {
            Ok(files::Bounded::All(bytes)) => Ok(serde_json::from_slice(&bytes).ok()),
            Ok(files::Bounded::TooLarge) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(disk(error)),
        }
    }

    /// The file of an artifact. It is there, and it is a regular file.
    pub fn resolve(&self, uri: &str) -> Result<PathBuf, ArtifactError> {
        self.locate(uri).map(|(_, file)| file)
    }

    /// The file of an artifact that belongs to `owner`: what a descriptor names is only taken
    /// from the product that it is about.
    pub fn resolve_owned(&self, uri: &str, owner: &Fqn) -> Result<PathBuf, ArtifactError> {
        let (folder, file) = self.locate(uri)?;
        match files::read_bounded(&folder.join(OWNER_FILE), 4096) {
            Ok(files::Bounded::All(bytes)) if bytes == owner.as_str().as_bytes() => Ok(file),
            _ => Err(ArtifactError::Foreign { uri: cut(uri), wanted: owner.clone() }),
        }
    }

    fn locate(&self, uri: &str) -> Result<(PathBuf, PathBuf), ArtifactError> {
        let refused = |rule| ArtifactError::NotAnArtifact { uri: cut(uri), rule };
        let missing = || ArtifactError::Missing { uri: cut(uri) };
        let rest = uri.strip_prefix(SCHEME).ok_or_else(|| refused("it does not begin with 'artifact:'"))?;
        let (key, path) = rest.split_once('/').ok_or_else(|| refused("it names no file"))?;
        let hex = key.strip_prefix("task-").unwrap_or_default();
        if hex.len() != 32 || !hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
            return Err(refused("it does not begin with a task key"));
        }
        let path: RepoPath = path.parse().map_err(|_| refused("its path is not a plain relative path"))?;
        if path.as_str() == OWNER_FILE {
            return Err(missing());
        }
        let folder = self.folder.join(key);
        let mut place = folder.clone();
        let mut kind = std::fs::symlink_metadata(&place).map_err(|_| missing())?.file_type();
        for part in path.as_str().split('/') {
            if !kind.is_dir() {
                return Err(missing());
            }
            place.push(part);
            kind = std::fs::symlink_metadata(&place).map_err(|_| missing())?.file_type();
        }
        if kind.is_file() { Ok((folder, place)) } else { Err(missing()) }
    }
}

#[async_trait]
impl Artifacts for ArtifactStore {
    async fn keep_only(&self, tasks: BTreeSet<TaskKey>, dry_run: bool) -> Result<u64, TaskError> {
        let folder = self.folder.clone();
        let work = tokio::task::spawn_blocking(move || {
            let names: BTreeSet<&str> = tasks.iter().map(TaskKey::as_str).collect();
            let notes = remove_others(&folder.join(ENDED), &names, dry_run)?;
            remove_others(&folder, &names, dry_run).map(|gone| gone + notes)
        });
        match work.await {
            Ok(gone) => Ok(gone.map_err(|source| ArtifactError::Disk { operation: "removed", source })?),
            Err(error) => Err(TaskError::transient(format!("a worker thread ended: {error}"))),
        }
    }
}

/// Removes what lies in a folder under other names and is not young; says how much it was.
fn remove_others(folder: &Path, names: &BTreeSet<&str>, dry_run: bool) -> io::Result<u64> {
    let listing = match std::fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut gone = 0;
    for entry in listing {
        let entry = entry?;
        let name = entry.file_name();
        let is_kept = name.to_str().is_none_or(|name| name == ENDED || names.contains(name));
        let metadata = entry.metadata()?;
        let age = metadata.modified()?.elapsed().unwrap_or_default();
        if is_kept || age < YOUNG {
            continue;
        }
        gone += 1;
        match (dry_run, metadata.is_dir()) {
            (true, _) => {}
            (false, true) => files::remove_tree(&entry.path())?,
            (false, false) => std::fs::remove_file(entry.path())?,
        }
    }
    Ok(gone)
}

/// The results that tell of artifacts: `artifacts` by file name, and `files` by a name that can
/// stand in a placeholder path, without the ending (`daily_orders.csv` is `files.daily_orders`).
/// Where two files differ only in their ending, the ending stays (`daily_orders_csv`); where they
/// do not even differ then, neither has a name here.
pub fn results(artifacts: &[Artifact]) -> Map<String, Value> {
    let mut by_name = Map::new();
    let mut by_stem = Map::new();
    let stem = |name: &str| {
        let path = Path::new(name);
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or(name);
        let folder = path.parent().and_then(Path::to_str).unwrap_or_default();
        if folder.is_empty() { plain(stem) } else { plain(&format!("{folder}/{stem}")) }
    };
    for artifact in artifacts {
        by_name.insert(artifact.name.clone(), Value::String(artifact.uri.clone()));
        let alone = |form: &dyn Fn(&str) -> String| {
            let key = form(&artifact.name);
            let others = artifacts.iter().filter(|other| form(&other.name) == key).count() > 1;
            (!others).then_some(key)
        };
        if let Some(key) = alone(&stem).or_else(|| alone(&plain)) {
            by_stem.insert(key, Value::String(artifact.uri.clone()));
        }
    }
    let mut results = Map::new();
    results.insert("artifacts".to_owned(), Value::Object(by_name));
    results.insert("files".to_owned(), Value::Object(by_stem));
    results
}

fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

fn shown(path: &Path) -> String {
    cut(&path.to_string_lossy().replace(char::is_control, "?"))
}

/// Moves a file, or copies it when it lies on another file system.
fn take(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(parent) = to.parent() {
        files::make_private_folder(parent)?;
    }
    if std::fs::rename(from, to).is_err() {
        io::copy(
            &mut files::open_regular(from)?,
            &mut std::fs::OpenOptions::new().write(true).create_new(true).open(to)?,
        )?;
    }
    std::fs::set_permissions(to, Permissions::from_mode(0o444))
}

/// Puts `fresh` in the place of `place`, whether something stands there or not.
fn exchange(fresh: &Path, place: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => std::fs::rename(fresh, place),
        Err(error) => Err(error),
        Ok(_) => swap(fresh, place),
    }
}

#[cfg(target_os = "linux")]
fn swap(fresh: &Path, place: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, fresh, CWD, place, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        // Some network file systems cannot exchange.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => replace(fresh, place),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn swap(fresh: &Path, place: &Path) -> io::Result<()> {
    replace(fresh, place)
}

fn replace(fresh: &Path, place: &Path) -> io::Result<()> {
    files::remove_tree(place)?;
    std::fs::rename(fresh, place)
}

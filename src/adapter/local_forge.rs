//! The forge that always works: statuses as git notes of a local repository, under
//! `refs/notes/meshwright`.
//!
//! A commit has one note with all its contexts, sorted, one line each, so that
//! `git log --notes=meshwright` shows what a forge's page would show:
//!
//! ```text
//! success  meshwright/policy    12 policies asked, none objects
//! failure  meshwright/validate  2 errors in retail/orders
//!          https://mesh.example.com/passes/17
//! ```
//!
//! # Races, and what was decided
//!
//! * *Two reports of this process for one repository.* One at a time: a mutex per repository.
//! * *Another process writes notes too.* The new note is prepared on a ref of our own, which stands
//!   where the notes stood when they were read, and `refs/notes/meshwright` is moved only if it still
//!   stands there. Otherwise all is read and merged again.
//! * *Killed between.* A ref under `refs/meshwright/` stays behind, and is overwritten by the next
//!   process with the same number; the notes are as they were.
//! * *Killed while a ref was locked.* The lock's file stays behind, and would keep everybody out for
//!   ever. A ref is locked for milliseconds: a lock on one of our refs that is older than
//!   [`STALE_LOCK`] has no holder any more, and is removed. Locks of other refs are not ours.
//! * *The same report twice.* The note is there as it should be, and nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use git2::{ErrorCode, Oid, Repository, Signature};

use crate::adapter::clock::SystemClock;
use crate::domain::id::{Revision, SourceName};
use crate::domain::report::{Report, ReportState, one_line};
use crate::port::clock::Clock;
use crate::port::forge::{Abilities, Forge, ForgeError};

/// Where the notes are: `git log --notes=meshwright`.
pub const NOTES_REF: &str = "refs/notes/meshwright";

/// How often a note is merged anew because somebody else was faster, or holds a lock.
const ATTEMPTS: u32 = 12;

/// How old a lock on one of our refs has to be, to be taken for one that a killed process left.
const STALE_LOCK: Duration = Duration::from_secs(5);

/// Writes statuses as git notes.
#[derive(Debug)]
pub struct LocalForge {
    repositories: BTreeMap<SourceName, Arc<NotedRepository>>,
}

#[derive(Debug)]
struct NotedRepository {
    path: PathBuf,
    /// Several sources may read one repository, and then one commit has a status of each.
    is_shared: bool,
    /// The ref on which notes are prepared; nobody else has it.
    ours: String,
    turn: Mutex<()>,
}

/// Tells the repositories of this process apart.
static REPOSITORIES: AtomicU64 = AtomicU64::new(0);

/// One status, as a note shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedStatus {
    /// The context; `<context>@<source>` where several sources read one repository.
    pub context: String,
    /// The state.
    pub state: ReportState,
    /// The line for people.
    pub description: String,
    /// Where more is to be read.
    pub target_url: Option<String>,
}

impl LocalForge {
    /// Writes the statuses of each source into the repository at its path, bare or not.
    pub fn new(repositories: BTreeMap<SourceName, PathBuf>) -> Self {
        let mut by_path: BTreeMap<PathBuf, Arc<NotedRepository>> = BTreeMap::new();
        let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
        let (mut seen, mut shared) = (BTreeSet::new(), BTreeSet::new());
        for path in repositories.values().map(real) {
            if !seen.insert(path.clone()) {
                shared.insert(path);
            }
        }
        let mut noted = BTreeMap::new();
        for (source, path) in repositories {
            let key = real(&path);
            let is_shared = shared.contains(&key);
            let repository = by_path.entry(key).or_insert_with(|| {
                let number = REPOSITORIES.fetch_add(1, Ordering::Relaxed);
                let ours = format!("refs/meshwright/notes-of-{}-{number}", std::process::id());
                Arc::new(NotedRepository { path, is_shared, ours, turn: Mutex::default() })
            });
            noted.insert(source, Arc::clone(repository));
        }
        Self { repositories: noted }
    }

    /// The statuses that a commit's note shows, by context; none when it has no note.
    pub fn read(repository: &Path, revision: &Revision) -> Result<Vec<NotedStatus>, ForgeError> {
        let repository = open(repository)?;
        let note = note_at(&repository, NOTES_REF, commit_id(revision)?)?;
        Ok(Note::parse(&note).statuses.into_values().collect())
    }
}

#[async_trait]
impl Forge for LocalForge {
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    async fn publish(&self, report: &Report, _: Option<&str>) -> Result<Option<String>, ForgeError> {
        let Some(repository) = self.repositories.get(&report.source) else {
            return Err(ForgeError::Permanent(format!("the source '{}' has no local repository", report.source)));
        };
        let (repository, report) = (Arc::clone(repository), report.clone());
        let outcome = tokio::task::spawn_blocking(move || repository.publish(&report)).await;
        outcome.unwrap_or_else(|error| Err(ForgeError::Transient(error.to_string()))).map(|()| None)
    }

    /// Nobody but ourselves writes to our notes; what somebody removed by hand stays removed.
    async fn shows(&self, _: &Report, _: Option<&str>) -> Result<bool, ForgeError> {
        Ok(true)
    }
}

impl NotedRepository {
    fn publish(&self, report: &Report) -> Result<(), ForgeError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let context = one_word(&report.context);
        let context = if self.is_shared { format!("{context}@{}", report.source) } else { context };
        let status = NotedStatus {
            context,
            state: report.state,
            description: one_line(&report.description, usize::MAX).trim().to_owned(),
            target_url: report.target_url.as_deref().map(one_word).filter(|url| !url.is_empty()),
        };
        let repository = open(&self.path)?;
        let commit = commit_id(&report.revision)?;
        if let Err(error) = repository.find_commit(commit) {
            return Err(match error.code() {
                ErrorCode::NotFound => ForgeError::Permanent(format!(
                    "the commit {} is not in {}",
                    report.revision.short(),
                    self.path.display()
                )),
                _ => transient(&error),
            });
        }
        for reference in [NOTES_REF, &self.ours] {
            remove_stale_lock(&repository, reference);
        }
        let mut pause = Duration::from_millis(2);
        for attempt in 1..=ATTEMPTS {
            match show(&repository, commit, &status, &self.ours) {
                Ok(was_written) => {
                    tracing::debug!(
                        source = %report.source, revision = report.revision.short(), context = status.context,
                        state = status.state.as_str(), description = status.description, was_written, "status noted"
                    );
                    return Ok(());
                }
                Err(error) if attempt < ATTEMPTS && somebody_was_faster(&error) => {
                    std::thread::sleep(pause.mul_f64(0.5 + fastrand::f64()));
                    pause = (pause * 2).min(Duration::from_millis(100));
                }
                Err(error) => return Err(transient(&error)),
            }
        }
        Err(ForgeError::Transient("the notes are written by others all the time".to_owned()))
    }
}

/// Removes the lock of a ref when nobody can hold it any more.
fn remove_stale_lock(repository: &Repository, reference: &str) {
    let path = repository.commondir().join(format!("{reference}.lock"));
    let age = path.symlink_metadata().and_then(|lock| lock.modified()).ok().and_then(|since| since.elapsed().ok());
    if age.is_some_and(|age| age > STALE_LOCK) {
        match std::fs::remove_file(&path) {
            Ok(()) => tracing::warn!(lock = %path.display(), "a lock that a killed process left was removed"),
            Err(error) => tracing::warn!(lock = %path.display(), %error, "a stale lock cannot be removed"),
        }
    }
}

/// Makes the commit's note show the status; false when it does already.
fn show(repository: &Repository, commit: Oid, status: &NotedStatus, ours: &str) -> Result<bool, git2::Error> {
    let before = match repository.refname_to_id(NOTES_REF) {
        Ok(id) => Some(id),
        Err(error) if error.code() == ErrorCode::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Ok(mut left_behind) = repository.find_reference(ours) {
        left_behind.delete()?;
    }
    if let Some(before) = before {
        repository.reference(ours, before, true, "meshwright: prepare a note")?;
    }
    let outcome = write_note(repository, commit, status, ours, before);
    if let Ok(mut reference) = repository.find_reference(ours) {
        reference.delete()?;
    }
    outcome
}

fn write_note(
    repository: &Repository,
    commit: Oid,
    status: &NotedStatus,
    ours: &str,
    before: Option<Oid>,
) -> Result<bool, git2::Error> {
    let found = match repository.find_note(Some(ours), commit) {
        Ok(note) => String::from_utf8_lossy(note.message_bytes()).into_owned(),
        Err(error) if error.code() == ErrorCode::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let mut note = Note::parse(&found);
    note.statuses.insert(status.context.clone(), status.clone());
    let wanted = note.to_string();
    if wanted == found {
        return Ok(false);
    }
    let time = git2::Time::new(SystemClock.now().as_second(), 0);
    let signature = Signature::new("Meshwright", "meshwright@localhost", &time)?;
    // The library finds the note's place in the tree of notes; its commit says nothing, so the tree
    // is committed once more, with a message for people.
    repository.note(&signature, &signature, Some(ours), commit, &wanted, true)?;
    let tree = repository.find_reference(ours)?.peel_to_tree()?;
    let parent = before.map(|id| repository.find_commit(id)).transpose()?;
    let message = format!("{} {} on {commit}\n", status.state.as_str(), status.context);
    let parents: Vec<_> = parent.iter().collect();
    let id = repository.commit(None, &signature, &signature, &message, &tree, &parents)?;
    let log = "meshwright: status noted";
    match before {
        Some(before) => repository.reference_matching(NOTES_REF, id, true, before, log)?,
        None => repository.reference(NOTES_REF, id, false, log)?,
    };
    Ok(true)
}

/// A note, read. Lines that are not ours are kept below ours.
#[derive(Debug, Default)]
struct Note {
    statuses: BTreeMap<String, NotedStatus>,
    foreign: Vec<String>,
}

impl Note {
    fn parse(text: &str) -> Self {
        let mut note = Note::default();
        let mut last: Option<String> = None;
        for line in text.lines() {
            if let Some(status) = parse_line(line) {
                last = Some(status.context.clone());
                note.statuses.insert(status.context.clone(), status);
                continue;
            }
            let status = last.take().and_then(|context| note.statuses.get_mut(&context));
            match status {
                Some(status) if line.starts_with(' ') && is_one_word(line.trim()) => {
                    status.target_url = Some(line.trim().to_owned());
                }
                _ => note.foreign.push(line.to_owned()),
            }
        }
        note
    }
}

fn parse_line(line: &str) -> Option<NotedStatus> {
    let (state, rest) = line.split_once(' ')?;
    let state = [ReportState::Pending, ReportState::Success, ReportState::Failure, ReportState::Error]
        .into_iter()
        .find(|known| known.as_str() == state)?;
    let rest = rest.trim_start();
    let (context, description) = rest.split_once(' ').unwrap_or((rest, ""));
    if !context.starts_with("meshwright/") {
        return None;
    }
    Some(NotedStatus {
        context: context.to_owned(),
        state,
        description: description.trim().to_owned(),
        target_url: None,
    })
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = self.statuses.keys().map(|context| context.chars().count()).max().unwrap_or(0);
        for status in self.statuses.values() {
            let line = format!("{:<7}  {:<width$}  {}", status.state.as_str(), status.context, status.description);
            writeln!(f, "{}", line.trim_end())?;
            if let Some(url) = &status.target_url {
                writeln!(f, "         {url}")?;
            }
        }
        self.foreign.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn is_one_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

fn one_word(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control()).collect::<Vec<_>>().join("")
}

fn note_at(repository: &Repository, notes: &str, commit: Oid) -> Result<String, ForgeError> {
    match repository.find_note(Some(notes), commit) {
        Ok(note) => Ok(String::from_utf8_lossy(note.message_bytes()).into_owned()),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(String::new()),
        Err(error) => Err(transient(&error)),
    }
}

fn open(path: &Path) -> Result<Repository, ForgeError> {
    Repository::open(path).map_err(|error| match error.code() {
        ErrorCode::NotFound => ForgeError::Permanent(format!("there is no Git repository at {}", path.display())),
        ErrorCode::Owner => ForgeError::Permanent(format!(
            "the repository {} belongs to another user; give it to the user that runs meshwright, or add it to Git's safe.directory",
            path.display()
        )),
        _ => transient(&error),
    })
}

fn commit_id(revision: &Revision) -> Result<Oid, ForgeError> {
    Oid::from_str(revision.as_str())
        .map_err(|_| ForgeError::Permanent(format!("{revision} is not the name of a SHA-1 commit")))
}

fn somebody_was_faster(error: &git2::Error) -> bool {
    matches!(error.code(), ErrorCode::Modified | ErrorCode::Locked | ErrorCode::Exists | ErrorCode::NotFound)
}

fn transient(error: &git2::Error) -> ForgeError {
    ForgeError::Transient(error.message().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let text = "\
success  meshwright/policy    12 policies asked,  none objects
failure  meshwright/validate  2 errors in retail/orders
         https://mesh.example.com/passes/17
pending  meshwright/zone
a person's remark
  with a second line
";
        let note = Note::parse(text);
        assert_eq!(note.to_string(), text);
        assert_eq!(note.statuses.len(), 3);
        let validate = &note.statuses["meshwright/validate"];
        assert_eq!(validate.state, ReportState::Failure);
        assert_eq!(validate.target_url.as_deref(), Some("https://mesh.example.com/passes/17"));
        assert_eq!(note.statuses["meshwright/policy"].description, "12 policies asked,  none objects");
    }

    #[test]
    fn what_others_wrote_is_not_taken_for_ours() {
        let note = Note::parse("success is near\nsuccess  other/context  x\n\n");
        assert!(note.statuses.is_empty());
        assert_eq!(note.foreign, ["success is near", "success  other/context  x", ""]);
    }
}

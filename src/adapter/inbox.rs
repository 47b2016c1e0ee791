//! What people ask for on this machine: a folder beside the record, with one file for each request.
//!
//! One process writes to the record, and while the daemon runs it is the daemon. So whoever asks for
//! something leaves it here; the daemon answers it, or the next `reconcile`. Who may write to the folder
//! (its owner: mode 0700) may ask for everything, as they may write to the record itself. The name that
//! they give is what they say it is.
//!
//! # Races, and what was decided
//!
//! * *Read while it is written.* A request is written under another name, brought to the disk, and renamed.
//! * *A crash after the decision and before the answer.* The request is still there, and is found decided.
//! * *A crash after the answer and before the request is removed.* An answered request is not open: it is
//!   removed at the next look.
//! * *Nobody waits for the answer any more.* Answers are removed after a day.

#![expect(clippy::disallowed_methods, reason = "files of our own folder are read and removed here")]

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::domain::forge::Person;
use crate::domain::id::{Digest, SourceName};
use crate::domain::time::Timestamp;
use crate::port::requests::{Action, Origin, Request, Requests};
use crate::port::store::StoreError;

/// How the person's way is called.
const VIA: &str = "command line";
/// A request has at most so many bytes; ours have a few hundred.
const MOST_BYTES: u64 = 16 * 1024;
/// At most so many files are looked at.
const MOST_FILES: usize = 10_000;
/// For how long an answer is kept for whoever waits for it.
const ANSWER_KEPT: Duration = Duration::from_secs(24 * 3_600);

const REQUEST: &str = ".request";
const ANSWER: &str = ".answer";

/// A request, as it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The source.
    pub source: SourceName,
    /// What is asked for.
    pub action: Action,
    /// The plan that is meant.
    pub plan: Option<Digest>,
    /// Who asks.
    pub name: String,
    /// When.
    pub at: Timestamp,
}

/// The answer, as it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Whether it was done.
    pub done: bool,
    /// What was done, or why not.
    pub text: String,
}

/// A folder of requests.
#[derive(Debug, Clone)]
pub struct Inbox {
    folder: PathBuf,
}

impl Inbox {
    /// The inbox in this folder, which is made when something is put into it.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Leaves a request; says under which name it stands. It is on the disk when this returns.
    pub fn put(&self, note: &Note) -> io::Result<String> {
        match DirBuilder::new().recursive(true).mode(0o700).create(&self.folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let mut file = tempfile::Builder::new().prefix("r-").suffix(".new").rand_bytes(16).tempfile_in(&self.folder)?;
        serde_json::to_writer(&mut file, note)?;
        file.as_file().sync_all()?;
        let stem = file.path().file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        file.persist_noclobber(self.folder.join(format!("{stem}{REQUEST}"))).map_err(|error| error.error)?;
        File::open(&self.folder)?.sync_all()?;
        Ok(stem)
    }

    /// Takes the answer to a request, if it is there.
    pub fn take_answer(&self, name: &str) -> io::Result<Option<Answered>> {
        let path = self.folder.join(format!("{name}{ANSWER}"));
        let answer = match read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        fs::remove_file(&path)?;
        Ok(Some(answer))
    }

    /// Takes a request back that nobody has answered.
    pub fn take_back(&self, name: &str) -> io::Result<()> {
        remove(&self.folder.join(format!("{name}{REQUEST}")))
    }

    /// The requests without an answer, the oldest first.
    fn requests(&self) -> io::Result<Vec<Request>> {
        let listing = match fs::read_dir(&self.folder) {
            Ok(listing) => listing,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut requests = Vec::new();
        for entry in listing.take(MOST_FILES) {
            let path = entry?.path();
            let Some(file) = path.file_name().and_then(|file| file.to_str()) else { continue };
            if let Some(name) = file.strip_suffix(REQUEST) {
                if self.folder.join(format!("{name}{ANSWER}")).exists() {
                    remove(&path)?;
                } else if let Some(request) = request(&path, name)? {
                    requests.push(request);
                }
            } else if file.ends_with(ANSWER) && is_old(&path) {
                remove(&path)?;
            }
        }
        requests.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        Ok(requests)
    }

    fn write_answer(&self, name: &str, answer: &Answered) -> io::Result<()> {
        let path = self.folder.join(format!("{name}{ANSWER}"));
        if !path.exists() {
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            serde_json::to_writer(&mut file, answer)?;
            file.flush()?;
            file.persist(&path).map_err(|error| error.error)?;
        }
        remove(&self.folder.join(format!("{name}{REQUEST}")))
    }
}

/// Reads a request. One that cannot be read was not left by us, and is put aside.
fn request(path: &Path, name: &str) -> io::Result<Option<Request>> {
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        // Somebody took it back meanwhile.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        // Another user left it so that only he can read it: it holds up nobody else.
        Err(error) => {
            warn!(file = %path.display(), %error, "a request cannot be read, and is passed over");
            return Ok(None);
        }
    };
    let note: Note = match serde_json::from_slice(&bytes) {
        Ok(note) => note,
        Err(error) => {
            warn!(file = %path.display(), %error, "a request cannot be read, and is put aside");
            fs::rename(path, path.with_extension("unreadable"))?;
            return Ok(None);
        }
    };
    Ok(Some(Request {
        id: format!("machine/{name}"),
        source: note.source,
        action: Ok(note.action),
        origin: Origin::Machine { plan: note.plan },
        by: Person { name: note.name, via: VIA.to_owned() },
        at: note.at,
    }))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Removes a file; one that is gone is fine.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn is_old(path: &Path) -> bool {
    let written = path.metadata().and_then(|metadata| metadata.modified());
    written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > ANSWER_KEPT))
}

#[async_trait]
impl Requests for Inbox {
    async fn open(&self, limit: usize, except: &[SourceName]) -> Result<Vec<Request>, StoreError> {
        let mut requests = self.requests().map_err(|error| failed(&self.folder, &error))?;
        requests.retain(|request| !except.contains(&request.source));
        requests.truncate(limit);
        Ok(requests)
    }

    async fn answer(&self, request: &Request, answer: Result<&str, &str>, _: Timestamp) -> Result<(), StoreError> {
        let Some(name) = request.id.strip_prefix("machine/") else { return Ok(()) };
        let answered = Answered { done: answer.is_ok(), text: answer.unwrap_or_else(|why| why).to_owned() };
        self.write_answer(name, &answered).map_err(|error| failed(&self.folder, &error))
    }
}

fn failed(folder: &Path, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("the inbox {}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn note(second: i64) -> Note {
        Note {
            source: "retail".parse().unwrap(),
            action: Action::Approve("prod".parse().unwrap()),
            plan: None,
            name: "ann".to_owned(),
            at: Timestamp::from_second(second).unwrap(),
        }
    }

    #[tokio::test]
    async fn what_is_left_is_answered_once_and_the_answer_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::new(folder.path().join("inbox"));
        assert_eq!(inbox.open(9, &[]).await.unwrap(), []);
        let later = inbox.put(&note(2)).unwrap();
        let first = inbox.put(&note(1)).unwrap();
        let mode = fs::metadata(folder.path().join("inbox")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);

        let open = inbox.open(9, &[]).await.unwrap();
        let ids: Vec<&str> = open.iter().map(|request| request.id.as_str()).collect();
        assert_eq!(ids, [format!("machine/{first}"), format!("machine/{later}")]);
        assert_eq!(open[0].action, Ok(Action::Approve("prod".parse().unwrap())));
        assert_eq!(inbox.open(1, &[]).await.unwrap().len(), 1);
        assert_eq!(inbox.open(9, std::slice::from_ref(&open[0].source)).await.unwrap(), [], "they wait elsewhere");
        assert_eq!(inbox.take_answer(&first).unwrap(), None);

        inbox.answer(&open[0], Ok("approved"), Timestamp::UNIX_EPOCH).await.unwrap();
        inbox.answer(&open[0], Err("too late"), Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(inbox.open(9, &[]).await.unwrap().len(), 1);
        let answered = Answered { done: true, text: "approved".to_owned() };
        assert_eq!(inbox.take_answer(&first).unwrap(), Some(answered));
        assert_eq!(inbox.take_answer(&first).unwrap(), None);
        inbox.take_back(&later).unwrap();
        inbox.take_back(&later).unwrap();
        assert_eq!(inbox.open(9, &[]).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_crash_between_answer_and_removal_asks_nobody_again() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::new(folder.path().to_path_buf());
        let name = inbox.put(&note(1)).unwrap();
        let request = fs::read(folder.path().join(format!("{name}{REQUEST}"))).unwrap();
        let open = inbox.open(9, &[]).await.unwrap();
        inbox.answer(&open[0], Err("no"), Timestamp::UNIX_EPOCH).await.unwrap();
        fs::write(folder.path().join(format!("{name}{REQUEST}")), request).unwrap();
        assert_eq!(inbox.open(9, &[]).await.unwrap(), []);
        assert!(!inbox.take_answer(&name).unwrap().unwrap().done);
    }

    #[tokio::test]
    async fn what_cannot_be_read_keeps_nobody_from_asking() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::new(folder.path().to_path_buf());
        for (name, text) in [("a", "{"), ("b", r#"{"source":"../x","action":"retry"}"#), ("c", &"x".repeat(99_999))] {
            fs::write(folder.path().join(format!("{name}{REQUEST}")), text).unwrap();
        }
        inbox.put(&note(1)).unwrap();
        assert_eq!(inbox.open(9, &[]).await.unwrap().len(), 1);
        assert_eq!(inbox.open(9, &[]).await.unwrap().len(), 1);
    }
}

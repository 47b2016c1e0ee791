//! One bare mirror: looking where a branch stands, and bringing its objects here. The races are
//! named in the room's `mod.rs`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::config::{BranchName, RepositoryUrl, Transport};
use crate::domain::id::{Digest, Revision};
use crate::domain::source::Head;
use crate::port::source::FetchError;

use super::access::{self, Access, Entry};
use super::folder::{MirrorFolder, Size, WriteLock, was_cut};
use super::message::{Trouble, tell, trouble};
use super::objects::{self, Objects};
use super::program::{Finished, GitCall, RunError, check_version, run};
use super::proposals::{Guest, known_format};

/// After this many fetches in a row that failed though the repository can be reached, the mirror
/// itself is taken for the reason.
const FAILURES_BEFORE_A_FRESH_CLONE: u32 = 3;

/// More packs than this are rolled up: every look-up of an object asks all of them.
const MOST_PACKS: usize = 24;
/// More objects than this in no pack are rolled up: each is a file.
const MOST_LOOSE: usize = 4_000;

/// The mirror of one repository.
#[derive(Debug)]
pub(super) struct Mirror {
    url: RepositoryUrl,
    pub(super) folder: MirrorFolder,
    pub(super) objects: Arc<Objects>,
    pub(super) largest: u64,
    failures: AtomicU32,
    /// By ref: the revision that is not let in, and why. It is not transferred again to be refused again.
    pub(super) refused: std::sync::Mutex<BTreeMap<String, (Revision, FetchError)>>,
    /// When several proposals could not be brought at once.
    pub(super) failed_together: std::sync::Mutex<Option<Instant>>,
    /// The turn, and the last look of each branch.
    pub(super) turn: Mutex<Vec<Looked>>,
}

/// What one source wants of the mirror.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    /// The branch.
    pub(super) branch: &'a BranchName,
    /// How to get in.
    pub(super) credentials: Option<&'a Entry>,
    /// How long all of it may take, once it is our turn.
    pub(super) timeout: Duration,
}

#[derive(Debug)]
pub(super) struct Looked {
    branch: BranchName,
    credentials: Option<Entry>,
    began: Instant,
    pub(super) outcome: Result<Head, FetchError>,
}

impl Looked {
    pub(super) fn is_of(&self, wish: &Wish<'_>) -> bool {
        self.branch == *wish.branch && self.credentials.as_ref() == wish.credentials
    }
}

/// One look, with all that its steps share.
pub(super) struct Look {
    access: Access,
    deadline: Instant,
    timeout: Duration,
    /// The ref over there.
    pub(super) remote: String,
    /// The ref in the mirror. Of a branch, its name is a digest: branches `a` and `a/b`, or `a` and
    /// `A`, may follow one another, and must not be in each other's way.
    reference: String,
    /// Set when it is a proposal that is looked at.
    pub(super) guest: Option<Guest>,
}

/// Why a look did not bring what it saw over there.
pub(super) enum Missed {
    /// It is gone since we looked.
    Gone(FetchError),
    /// Anything else.
    Failed(FetchError),
}

/// Why objects did not come.
pub(super) enum Failure {
    /// What git said was the matter.
    Git(Trouble, String),
    /// Anything else.
    Other(FetchError),
}

impl Mirror {
    /// Nothing is touched yet. `largest` is the mirror's limit in bytes.
    pub(super) fn new(mirrors: &Path, url: &RepositoryUrl, largest: u64) -> Self {
        let folder = MirrorFolder::new(mirrors, url);
        let objects = Arc::new(Objects::new(&folder.repository));
        Self {
            url: url.clone(),
            folder,
            objects,
            largest,
            failures: AtomicU32::new(0),
            refused: std::sync::Mutex::default(),
            failed_together: std::sync::Mutex::default(),
            turn: Mutex::default(),
        }
    }

    /// How the repository is reached.
    pub(super) fn transport(&self) -> Transport {
        self.url.transport()
    }

    /// What reads the mirror's objects.
    pub(super) fn objects(&self) -> &Arc<Objects> {
        &self.objects
    }

    /// Where the branch stands; its objects are here when this returns.
    pub(super) async fn look(&self, wish: Wish<'_>) -> Result<Head, FetchError> {
        let asked = Instant::now();
        let mut last = self.turn.lock().await;
        if let Some(looked) = last.iter().find(|looked| looked.is_of(&wish) && looked.began >= asked) {
            return looked.outcome.clone();
        }
        last.retain(|looked| !looked.is_of(&wish));
        let began = Instant::now();
        let outcome = self.look_now(&wish, began).await;
        last.push(Looked {
            branch: wish.branch.clone(),
            credentials: wish.credentials.cloned(),
            began,
            outcome: outcome.clone(),
        });
        outcome
    }

    async fn look_now(&self, wish: &Wish<'_>, began: Instant) -> Result<Head, FetchError> {
        let look = self.begin(wish, began, wish.branch.full(), branch_reference(wish.branch)).await?;
        let mut is_second_look = false;
        loop {
            let there = match self.remote_standing(&look).await? {
                Ok(there) => there,
                Err(head) => return Ok(head),
            };
            match self.attempt(&look, there).await {
                Ok(revision) => return Ok(Head::At { revision }),
                Err(Missed::Gone(_)) if !is_second_look => is_second_look = true,
                Err(Missed::Gone(error) | Missed::Failed(error)) => return Err(error),
            }
        }
    }

    /// Begins a look at `remote`, which stands as `reference` in the mirror.
    pub(super) async fn begin(
        &self,
        wish: &Wish<'_>,
        began: Instant,
        remote: String,
        reference: String,
    ) -> Result<Look, FetchError> {
        let look = Look {
            access: access::open(&self.url, wish.credentials).await?,
            deadline: began + wish.timeout,
            timeout: wish.timeout,
            remote,
            reference,
            guest: None,
        };
        self.folder.write_configuration(&self.url).map_err(|error| local(&error))?;
        check_version(self.call(&look)).await.map_err(|error| failed(&look, error))?;
        Ok(look)
    }

    /// Brings what stands over there, unless it was refused before.
    pub(super) async fn attempt(&self, look: &Look, there: Revision) -> Result<Revision, Missed> {
        if let Some(refusal) = self.refusal(look, &there) {
            return Err(Missed::Failed(refusal));
        }
        let failure = match self.bring(look, &there).await {
            Ok(revision) => {
                self.failures.store(0, Ordering::Relaxed);
                return Ok(revision);
            }
            Err(failure) => failure,
        };
        if let Failure::Git(Trouble::BranchGone, _) = failure {
            return Err(Missed::Gone(self.explain(failure)));
        }
        // Whoever proposes something does not make us take the mirror for the reason.
        if matches!(failure, Failure::Git(Trouble::Unreachable, _)) && look.guest.is_none() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        let error = match (&look.guest, failure) {
            (Some(guest), Failure::Git(Trouble::TooLarge, _)) => guest.too_large(),
            (_, failure) => self.explain(failure),
        };
        if let FetchError::Refused(_) = error {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            refused.insert(look.reference.clone(), (there, error.clone()));
        }
        Err(Missed::Failed(error))
    }

    fn refusal(&self, look: &Look, there: &Revision) -> Option<FetchError> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(&look.reference).filter(|(revision, _)| revision == there).map(|(_, error)| error.clone())
    }

    /// The revision of the branch over there, or the head that says why there is none.
    async fn remote_standing(&self, look: &Look) -> Result<Result<Revision, Head>, FetchError> {
        // Patterns match the ends of names as well, so the name is compared in full.
        let listed = self.list_remote(look, &[&look.remote]).await?;
        if let Some((revision, _)) = listed.into_iter().find(|(_, name)| *name == look.remote) {
            return known_format(revision).map(Ok);
        }
        let is_empty = self.list_remote(look, &[]).await?.is_empty();
        Ok(Err(if is_empty { Head::EmptyRepository } else { Head::NoSuchBranch }))
    }

    /// The refs over there that match one of the patterns; all of them, without one.
    pub(super) async fn list_remote(
        &self,
        look: &Look,
        patterns: &[&str],
    ) -> Result<Vec<(Revision, String)>, FetchError> {
        let mut arguments: Vec<OsString> = ["ls-remote", "--quiet", "--", self.url.as_str()].map(Into::into).into();
        arguments.extend(patterns.iter().map(Into::into));
        let finished = self.git(look, arguments, None, self.largest).await.map_err(|error| failed(look, error))?;
        if !finished.success {
            let told = tell(&finished.standard_error, &look.access.secrets);
            return Err(self.explain(not_the_mirror(Failure::Git(trouble(&finished.standard_error), told))));
        }
        let listed = String::from_utf8_lossy(&finished.output);
        let nonsense = || FetchError::Unreachable("the server's list of branches makes no sense".into());
        // Of a long list the end is missing, and the last line may be cut.
        let whole = listed.rfind('\n').and_then(|end| listed.get(..end)).unwrap_or_default();
        let named = whole.lines().filter_map(|line| line.split_once('\t'));
        named.map(|(id, name)| Ok((id.parse().map_err(|_| nonsense())?, name.to_owned()))).collect()
    }

    /// Makes sure that the branch's objects are here, and says where it stands in the mirror.
    async fn bring(&self, look: &Look, there: &Revision) -> Result<Revision, Failure> {
        let here = self.mirror_standing(look).await;
        let is_suspect = self.objects.is_suspect() || here.is_err();
        if !is_suspect && here.as_ref().is_ok_and(|here| here.as_ref() == Some(there)) {
            return Ok(there.clone());
        }
        let lock = match self.folder.lock(look.deadline).await {
            Ok(Some(lock)) => lock,
            Ok(None) => {
                let message = "another process has held the mirror until the time was over".to_owned();
                return Err(Failure::Other(FetchError::Local(message)));
            }
            Err(error) => return Err(Failure::Other(local(&error))),
        };
        self.folder.tidy(&lock);
        let stands = self.folder.repository.symlink_metadata().is_ok();
        if !stands {
            return self.clone_anew(look, &lock).await.map_err(not_the_mirror);
        }
        let failures = self.failures.load(Ordering::Relaxed);
        let (is_corrupt, why) = if is_suspect {
            (true, "it cannot be read".to_owned())
        } else if look.guest.is_none()
            && failures % (FAILURES_BEFORE_A_FRESH_CLONE + 1) == FAILURES_BEFORE_A_FRESH_CLONE
        {
            (false, format!("{failures} fetches have failed"))
        } else {
            match self.fetch(look, &lock).await {
                Ok(revision) => return Ok(revision),
                Err(failure) => {
                    self.folder.tidy(&lock);
                    match failure {
                        Failure::Git(Trouble::CorruptMirror, message) => (true, message),
                        Failure::Git(Trouble::TooLarge, message) if self.is_full(look) => (false, message),
                        failure => return Err(failure),
                    }
                }
            }
        };
        tracing::warn!(url = %self.url, why, "the mirror is cloned again");
        self.clone_anew(look, &lock).await.map_err(|failure| match failure {
            Failure::Git(Trouble::CorruptMirror | Trouble::Unreachable, message) if is_corrupt => {
                Failure::Other(FetchError::CorruptMirror(message))
            }
            failure => not_the_mirror(failure),
        })
    }

    /// Where the branch stands in the mirror; an error when the mirror cannot be read.
    pub(super) async fn mirror_standing(&self, look: &Look) -> Result<Option<Revision>, git2::Error> {
        if !self.folder.repository.exists() {
            return Ok(None);
        }
        let (objects, reference) = (Arc::clone(&self.objects), look.reference.clone());
        let id = blocking(move || objects.with(|repository| objects::standing(repository, &reference))).await?;
        Ok(id.and_then(|id| id.to_string().parse().ok()))
    }

    /// Whether it was the mirror that had no room, and not a proposal that brought too much.
    fn is_full(&self, look: &Look) -> bool {
        let room = self.largest.saturating_sub(self.folder.size().bytes);
        look.guest.as_ref().is_none_or(|guest| room < guest.share)
    }

    /// Fetches into the mirror that stands.
    pub(super) async fn fetch(&self, look: &Look, lock: &WriteLock) -> Result<Revision, Failure> {
        let room = self.largest.saturating_sub(self.folder.size().bytes);
        if room == 0 {
            return Err(Failure::Git(Trouble::TooLarge, "it has reached its limit".to_owned()));
        }
        let room = look.guest.as_ref().map_or(room, |guest| room.min(guest.share));
        self.fetch_into(&self.folder.repository, look, lock, room, None).await?;
        let corrupt = |message: String| Failure::Git(Trouble::CorruptMirror, message);
        let revision = self.mirror_standing(look).await.map_err(|error| corrupt(error.message().to_owned()))?;
        let revision = revision.ok_or_else(|| corrupt("the fetched branch is not there".to_owned()))?;
        self.roll_up(look, lock).await;
        Ok(revision)
    }

    /// Clones beside the mirror, and puts the clone into its place when it is whole.
    async fn clone_anew(&self, look: &Look, lock: &WriteLock) -> Result<Revision, Failure> {
        let outcome = self.clone_beside(look, lock).await;
        if outcome.is_err() {
            self.folder.discard_fresh(lock);
            return outcome;
        }
        self.folder.replace(lock).map_err(|error| Failure::Other(local(&error)))?;
        self.objects.replaced();
        outcome
    }

    async fn clone_beside(&self, look: &Look, lock: &WriteLock) -> Result<Revision, Failure> {
        let mut init: Vec<OsString> =
            ["init", "--quiet", "--bare", "--template=", "--object-format=sha1"].map(Into::into).into();
        init.push(self.folder.fresh.clone().into());
        let made = self
            .git(look, init, Some(lock), self.largest)
            .await
            .map_err(|error| Failure::Other(failed(look, error)))?;
        if !made.success {
            return Err(Failure::Other(FetchError::Local(tell(&made.standard_error, &look.access.secrets))));
        }
        let beside = look.guest.as_ref().map(|guest| guest.beside.as_str());
        self.fetch_into(&self.folder.fresh, look, lock, self.largest, beside).await?;
        let (path, reference) = (self.folder.fresh.clone(), look.reference.clone());
        let id = blocking(move || objects::standing(&objects::open(&path)?, &reference)).await;
        let corrupt = |message: &str| Failure::Git(Trouble::CorruptMirror, message.to_owned());
        let id = id.map_err(|error| corrupt(error.message()))?.ok_or_else(|| corrupt("the branch did not come"))?;
        id.to_string().parse().map_err(|_| corrupt("the branch did not come"))
    }

    async fn fetch_into(
        &self,
        repository: &Path,
        look: &Look,
        lock: &WriteLock,
        room: u64,
        beside: Option<&str>,
    ) -> Result<(), Failure> {
        let mut arguments = vec![git_dir(repository)];
        arguments.extend(
            [
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--no-recurse-submodules",
                "--no-auto-maintenance",
                "--no-show-forced-updates",
                "--",
                self.url.as_str(),
            ]
            .map(OsString::from),
        );
        arguments.extend(beside.map(Into::into));
        arguments.extend(look.guest.iter().flat_map(|guest| &guest.along).map(Into::into));
        arguments.push(format!("+{}:{}", look.remote, look.reference).into());
        let finished =
            self.git(look, arguments, Some(lock), room).await.map_err(|error| Failure::Other(failed(look, error)))?;
        if finished.success {
            return Ok(());
        }
        let told = tell(&finished.standard_error, &look.access.secrets);
        let trouble = if was_cut(repository, room) { Trouble::TooLarge } else { trouble(&finished.standard_error) };
        Err(Failure::Git(trouble, told))
    }

    /// Makes one pack of many small ones, and of what merges have written. Nothing depends on its success.
    async fn roll_up(&self, look: &Look, lock: &WriteLock) {
        let Size { packs, loose, .. } = self.folder.size();
        if packs <= MOST_PACKS && loose <= MOST_LOOSE {
            return;
        }
        let mut arguments = vec![git_dir(&self.folder.repository)];
        arguments.extend(["repack", "--geometric=2", "-d", "-q"].map(OsString::from));
        let why = match self.git(look, arguments, Some(lock), u64::MAX).await {
            Ok(finished) if finished.success => {
                tracing::debug!(url = %self.url, packs, "small packs were rolled up");
                return;
            }
            Ok(finished) => tell(&finished.standard_error, &[]),
            Err(error) => error.to_string(),
        };
        tracing::warn!(url = %self.url, packs, why, "small packs were not rolled up");
    }

    async fn git(
        &self,
        look: &Look,
        arguments: Vec<OsString>,
        lock: Option<&WriteLock>,
        largest_file: u64,
    ) -> Result<Finished, RunError> {
        let lock = lock.map(|lock| &lock.file);
        run(GitCall { arguments, lock, largest_file, ..self.call(look) }).await
    }

    /// A call without arguments, lock and limit.
    fn call<'a>(&'a self, look: &'a Look) -> GitCall<'a> {
        GitCall {
            arguments: Vec::new(),
            transport: self.url.transport(),
            configuration: &self.folder.configuration,
            home: &self.folder.home,
            access: &look.access,
            deadline: look.deadline,
            lock: None,
            largest_file: self.largest,
        }
    }

    fn explain(&self, failure: Failure) -> FetchError {
        match failure {
            Failure::Other(error) => error,
            Failure::Git(Trouble::Unreachable | Trouble::BranchGone, message) => FetchError::Unreachable(message),
            Failure::Git(Trouble::Refused, message) => FetchError::Refused(message),
            Failure::Git(Trouble::CorruptMirror, message) => FetchError::CorruptMirror(message),
            Failure::Git(Trouble::Redirected, message) => FetchError::Refused(format!(
                "redirects are not followed; configure the URL that is redirected to ({message})"
            )),
            Failure::Git(Trouble::TooLarge, _) => {
                let limit = self.largest >> 20;
                FetchError::Refused(format!("the repository has more than {limit} MiB, which is the limit of a mirror"))
            }
        }
    }
}

/// No mirror was asked: what sounds like a corrupt one is the other side's repository.
fn not_the_mirror(failure: Failure) -> Failure {
    match failure {
        Failure::Git(Trouble::CorruptMirror, message) => Failure::Git(Trouble::Unreachable, message),
        other => other,
    }
}

fn git_dir(repository: &Path) -> OsString {
    let mut argument = OsString::from("--git-dir=");
    argument.push(repository);
    argument
}

/// The ref of a branch in the mirror.
pub(super) fn branch_reference(branch: &BranchName) -> String {
    format!("refs/meshwright/branch/{}", Digest::of(branch.as_str().as_bytes()).short())
}

fn failed(look: &Look, error: RunError) -> FetchError {
    match error {
        RunError::TimedOut => FetchError::TimedOut { seconds: look.timeout.as_secs().max(1) },
        RunError::NotStarted(message) => FetchError::Local(message),
    }
}

pub(super) fn local(error: &io::Error) -> FetchError {
    FetchError::Local(error.to_string())
}

/// Runs git2 where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, git2::Error> + Send + 'static,
) -> Result<T, git2::Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(git2::Error::from_str(&error.to_string())))
}

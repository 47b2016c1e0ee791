//! What stands on disk for one mirror: its folder, its lock, its configuration, and what killed
//! processes left behind.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::config::RepositoryUrl;
use crate::domain::id::Digest;

/// The paths of one mirror.
#[derive(Debug)]
pub(super) struct MirrorFolder {
    /// The bare repository; there is nothing, or a whole one.
    pub(super) repository: PathBuf,
    /// Where a clone is made.
    pub(super) fresh: PathBuf,
    /// The configuration that git reads.
    pub(super) configuration: PathBuf,
    /// HOME, and git's working folder; empty.
    pub(super) home: PathBuf,
    lock: PathBuf,
    retired: PathBuf,
}

/// The right to write into the mirror, in all processes. It is given back when it is dropped and
/// every git that has it as its standard input has ended.
#[derive(Debug)]
pub(super) struct WriteLock {
    /// What git is given.
    pub(super) file: File,
}

/// How much a mirror's objects are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Bytes of all files.
    pub(super) bytes: u64,
    /// Packs.
    pub(super) packs: usize,
    /// Objects in no pack: what merges have written.
    pub(super) loose: usize,
}

/// The file of a loose object is named by 38 of its digits; the first two name its folder.
const LOOSE_NAME: usize = 38;

impl MirrorFolder {
    /// The paths for a URL below `mirrors`, which is absolute.
    pub(super) fn new(mirrors: &Path, url: &RepositoryUrl) -> Self {
        let digest = Digest::of(url.as_str().as_bytes());
        // 128 bits: enough that nobody finds two URLs with the same folder.
        let name = digest.as_str().get(7..39).unwrap_or_default();
        Self {
            repository: mirrors.join(format!("{name}.git")),
            fresh: mirrors.join(format!("{name}.git.new")),
            retired: mirrors.join(format!("{name}.git.old")),
            configuration: mirrors.join(format!("{name}.gitconfig")),
            lock: mirrors.join(format!("{name}.lock")),
            home: mirrors.join("home"),
        }
    }

    /// Writes the configuration, unless it stands there already. Its content depends on the URL
    /// alone, so that processes which share the mirrors write the same.
    #[expect(clippy::disallowed_methods, reason = "the mirror's own configuration")]
    pub(super) fn write_configuration(&self, url: &RepositoryUrl) -> io::Result<()> {
        let wanted = configuration(url);
        if fs::read(&self.configuration).is_ok_and(|found| found == wanted.as_bytes()) {
            return Ok(());
        }
        let folder = self.configuration.parent().unwrap_or(Path::new("/"));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(wanted.as_bytes())?;
        file.persist(&self.configuration)?;
        Ok(())
    }

    /// Waits for the lock until the deadline; `None` when another process still has it.
    pub(super) async fn lock(&self, deadline: Instant) -> io::Result<Option<WriteLock>> {
        let file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(&self.lock)?;
        let mut pause = Duration::from_millis(5);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(WriteLock { file })),
                Err(TryLockError::WouldBlock) if Instant::now() + pause < deadline => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(200));
                }
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Removes what killed writers left behind. The lock proves that none of them lives.
    pub(super) fn tidy(&self, _lock: &WriteLock) {
        for left in [&self.fresh, &self.retired] {
            remove_folder(left);
        }
        remove_leftovers(&self.repository, &|name| name.ends_with(".lock"), 0);
        remove_leftovers(&self.repository.join("refs"), &|name| name.ends_with(".lock"), 16);
        let temporary = |name: &str| name.starts_with("tmp_") || name.ends_with(".keep") || name.ends_with(".lock");
        remove_leftovers(&self.repository.join("objects"), &temporary, 2);
    }

    /// Removes a clone that was not finished.
    pub(super) fn discard_fresh(&self, _lock: &WriteLock) {
        remove_folder(&self.fresh);
    }

    /// Puts the finished clone into the mirror's place.
    pub(super) fn replace(&self, _lock: &WriteLock) -> io::Result<()> {
        if self.repository.symlink_metadata().is_ok() {
            fs::rename(&self.repository, &self.retired)?;
        }
        fs::rename(&self.fresh, &self.repository)?;
        remove_folder(&self.retired);
        Ok(())
    }

    /// How much the mirror's objects are.
    pub(super) fn size(&self) -> Size {
        let mut size = Size { bytes: 0, packs: 0, loose: 0 };
        let mut folders = vec![self.repository.join("objects")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.metadata() {
                    Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                    Ok(metadata) => {
                        size.bytes += metadata.len();
                        size.packs += usize::from(entry.path().extension().is_some_and(|name| name == "pack"));
                        size.loose += usize::from(entry.file_name().len() == LOOSE_NAME);
                    }
                    Err(_) => {}
                }
            }
        }
        size
    }
}

/// Whether a pack that did not become whole was cut at `limit` bytes: git does not say so itself.
pub(super) fn was_cut(repository: &Path, limit: u64) -> bool {
    fs::read_dir(repository.join("objects/pack"))
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.metadata().is_ok_and(|metadata| metadata.len() >= limit))
}

/// Makes a folder that only its owner may enter: mirrors may hold what is not for everybody.
pub(super) fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[expect(clippy::disallowed_methods, reason = "removes mirrors, which this room has made")]
fn remove_folder(path: &Path) {
    let outcome = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => return,
    };
    if let Err(error) = outcome {
        tracing::warn!(path = %path.display(), %error, "a mirror that is of no more use cannot be removed");
    }
}

fn remove_leftovers(folder: &Path, wanted: &dyn Fn(&str) -> bool, depth: u32) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let hit = name.to_str().is_some_and(wanted);
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && hit => remove_folder(&entry.path()),
            Ok(kind) if kind.is_dir() && depth > 0 => remove_leftovers(&entry.path(), wanted, depth - 1),
            Ok(kind) if !kind.is_dir() && hit => {
                tracing::info!(path = %entry.path().display(), "a killed git left this behind; it is removed");
                let _ = fs::remove_file(entry.path());
            }
            _ => {}
        }
    }
}

/// Objects that git's check refuses though they do us no harm: real histories are full of crooked
/// names and dates, and a repository that could not be fetched for one bad path could never be
/// mended. Paths that climb, links and submodules are seen by who reads the tree.
const LET_THROUGH: [&str; 36] = [
    "badDate",
    "badDateOverflow",
    "badEmail",
    "badFilemode",
    "badName",
    "badTimezone",
    "emptyName",
    "fullPathname",
    "gitattributesBlob",
    "gitattributesLarge",
    "gitattributesLineLength",
    "gitattributesMissing",
    "gitattributesSymlink",
    "gitignoreSymlink",
    "gitmodulesBlob",
    "gitmodulesLarge",
    "gitmodulesMissing",
    "gitmodulesName",
    "gitmodulesParse",
    "gitmodulesPath",
    "gitmodulesSymlink",
    "gitmodulesUpdate",
    "gitmodulesUrl",
    "hasDot",
    "hasDotdot",
    "hasDotgit",
    "largePathname",
    "mailmapSymlink",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "multipleAuthors",
    "nullSha1",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
];

const SETTINGS: &str = "\
# Written by meshwright. No other configuration is read for this mirror.
[core]
\thooksPath = /dev/null
\tfsmonitor = false
\tbigFileThreshold = 16m
\tlogAllRefUpdates = false
\tsymlinks = false
[protocol]
\tallow = never
[protocol \"ext\"]
\tallow = never
[transfer]
\tfsckObjects = true
\tcredentialsInUrl = die
\tbundleURI = false
[fetch]
\tunpackLimit = 1
\trecurseSubmodules = false
\twriteCommitGraph = false
[submodule]
\trecurse = false
[http]
\tfollowRedirects = false
\tlowSpeedLimit = 1000
\tlowSpeedTime = 30
\tsslVerify = true
[credential]
\thelper =
\tinteractive = never
[gc]
\tauto = 0
[maintenance]
\tauto = false
[pack]
\tthreads = 2
\twindowMemory = 256m
[repack]
\twriteBitmaps = false
";

fn configuration(url: &RepositoryUrl) -> String {
    let mut text = SETTINGS.to_owned();
    text.push_str("[fetch \"fsck\"]\n");
    for id in LET_THROUGH {
        text.push_str(&format!("\t{id} = ignore\n"));
    }
    if let Some(path) = url.local_path() {
        text.push_str("[safe]\n");
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        for path in [path.to_owned(), path.join(".git"), real.clone(), real.join(".git")] {
            let Some(path) = path.to_str().filter(|path| !path.chars().any(char::is_control)) else { continue };
            let escaped = path.replace('\\', "\\\\").replace('"', "\\\"");
            text.push_str(&format!("\tdirectory = \"{escaped}\"\n"));
        }
    }
    text
}

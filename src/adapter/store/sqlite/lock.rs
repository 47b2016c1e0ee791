//! Keeps two writing processes from using one file.
//!
//! SQLite itself would let them take turns; but each of them would run the same activities under
//! the same holder's name. The lock is the operating system's: it ends with the process, however
//! that ends, and programs that it starts do not inherit it.
//!
//! Between a fork and the program that follows it, a child has the lock as well. Where the process was killed in
//! that moment, the lock outlives it by the blink of an eye, or a second on a machine that is very busy.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use crate::port::store::StoreError;

/// How long a lock is waited for whose process is gone.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is asked for meanwhile.
const PAUSE: Duration = Duration::from_millis(20);

/// Proof that this process is the only one that writes to a record, until it is freed or dropped.
#[derive(Debug)]
pub struct StateLock {
    /// The lock lasts as long as this file is open.
    file: File,
}

impl StateLock {
    /// Takes the lock of the record at `path`: at once or not at all while its holder lives, and after a
    /// short while when that is gone. The file `<path>.lock` is made
    /// where it is missing, holds the number of the process for people, and stays: to delete it
    /// would let a third process lock another file of the same name.
    pub async fn take(path: &Path) -> Result<Self, StoreError> {
        let beside = beside(path);
        let failed = |what: &str, error: &dyn std::fmt::Display| {
            StoreError::Unusable(format!("{}: the lock file cannot be {what}: {error}", beside.display()))
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&beside)
            .map_err(|error| failed("opened", &error))?;
        let began = Instant::now();
        while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error != Errno::WOULDBLOCK {
                return Err(failed("locked", &error));
            }
            let holder = holder(&mut file);
            if holder.is_none_or(is_alive) || began.elapsed() >= PATIENCE {
                return Err(held(path, holder));
            }
            tokio::time::sleep(PAUSE).await;
        }
        let noted =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        if let Err(error) = noted {
            // The lock is what counts; the number in it is for people.
            tracing::debug!(%error, "the number of the process could not be noted in the lock file");
        }
        Ok(Self { file })
    }

    /// Lets others have it, though this value may live on.
    pub fn free(&self) {
        if let Err(error) = flock(&self.file, FlockOperation::Unlock) {
            tracing::warn!(%error, "the lock of the record could not be freed before the process ends");
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// The process that noted its number.
fn holder(file: &mut File) -> Option<Pid> {
    let mut noted = String::new();
    file.rewind().ok()?;
    file.take(16).read_to_string(&mut noted).ok()?;
    Pid::from_raw(noted.trim().parse().ok()?)
}

/// Whether there is such a process, though it may be somebody else's.
fn is_alive(process: Pid) -> bool {
    test_kill_process(process) != Err(Errno::SRCH)
}

fn held(path: &Path, holder: Option<Pid>) -> StoreError {
    let holder = match holder {
        Some(process) => format!("another meshwright (process {process})"),
        None => "another meshwright".to_owned(),
    };
    StoreError::Unavailable(format!("{}: {holder} is using it: stop that one first", path.display()))
}

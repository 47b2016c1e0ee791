//! Keeps two writing processes from using one file.
//!
//! SQLite itself would let them take turns; but each of them would run the same activities under
//! the same holder's name. The lock is the operating system's: it ends with the process, however
//! that ends, and child processes do not inherit it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::port::store::StoreError;

/// Proof that this process is the only one that writes to a record, until it is freed or dropped.
#[derive(Debug)]
pub struct StateLock {
    /// The lock lasts as long as this file is open.
    file: File,
}

impl StateLock {
    /// Takes the lock of the record at `path`, at once or not at all. The file `<path>.lock` is made
    /// where it is missing, holds the number of the process for people, and stays: to delete it
    /// would let a third process lock another file of the same name.
    pub fn take(path: &Path) -> Result<Self, StoreError> {
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
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(held(path, &mut file)),
            Err(error) => return Err(failed("locked", &error)),
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

fn held(path: &Path, file: &mut File) -> StoreError {
    let mut noted = String::new();
    let holder = match file.take(16).read_to_string(&mut noted).ok().and_then(|_| noted.trim().parse::<u32>().ok()) {
        Some(process) => format!("another meshwright (process {process})"),
        None => "another meshwright".to_owned(),
    };
    StoreError::Unavailable(format!("{}: {holder} is using it: stop that one first", path.display()))
}

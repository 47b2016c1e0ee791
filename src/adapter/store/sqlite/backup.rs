//! Copies of the file, and putting one back.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions, Connection};

use crate::domain::time::{Timestamp, to_millis};
use crate::port::store::StoreError;

use crate::adapter::store::failure::DAMAGED;

use super::SqliteOptions;
use super::lock::StateLock;
use super::migrations::{self, Found};
use super::open::base;

/// Writes a copy of the record as it stands at one moment to a file that is not there yet (mode 0600), while
/// others read it and the daemon writes to it. The copy is one file, checked, and on the disk when this returns.
pub async fn backup(record: &Path, copy: &Path) -> Result<(), StoreError> {
    let made = async {
        copy_into(record, copy).await?;
        check(copy).await?;
        sync(copy)
    };
    let made = made.await;
    if made.is_err() && !is_taken(&made) {
        // A half copy is none.
        let _ = fs::remove_file(copy);
    }
    made
}

/// Puts a copy in the record's place, after it was found to be whole. What was there is kept beside it, under the
/// name that is returned; nothing is when there was nothing. A record that somebody writes to is `Unavailable`.
pub async fn restore(record: &Path, copy: &Path, at: Timestamp) -> Result<Option<PathBuf>, StoreError> {
    if let Some(folder) = record.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| failed(folder, "cannot be made", &error))?;
    }
    let lock = StateLock::take(record).await?;
    let next = beside(record, "restoring");
    let _ = fs::remove_file(&next);
    let prepared = async {
        copy_into(copy, &next).await?;
        check(&next).await?;
        sync(&next)
    };
    if let Err(error) = prepared.await {
        let _ = fs::remove_file(&next);
        return Err(error);
    }
    let aside = record.exists().then(|| beside(record, &format!("before-{}", to_millis(at))));
    if let Some(aside) = &aside {
        // Its log goes with it: a log beside another file would be taken for that file's.
        for ending in ["-wal", "-shm", ""] {
            let (from, to) = (with_ending(record, ending), with_ending(aside, ending));
            if from.exists() {
                fs::rename(&from, &to).map_err(|error| failed(&from, "cannot be put aside", &error))?;
            }
        }
    }
    fs::rename(&next, record).map_err(|error| failed(record, "cannot be put in its place", &error))?;
    sync(record)?;
    lock.free();
    Ok(aside)
}

async fn copy_into(from: &Path, to: &Path) -> Result<(), StoreError> {
    if !from.exists() {
        return Err(StoreError::Unusable(format!("{}: there is no such file", from.display())));
    }
    // SQLite takes an empty file as one that is not there, and so it has our mode.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(|error| {
        let taken = error.kind() == io::ErrorKind::AlreadyExists;
        if taken {
            StoreError::Unusable(format!("{}: {TAKEN}", to.display()))
        } else {
            failed(to, "cannot be made", &error)
        }
    })?;
    let copied = async {
        let mut connection = base(from, &SqliteOptions::default()).read_only(true).connect().await?;
        migrations::inspect(&mut connection).await?;
        let target = to.display().to_string();
        sqlx::query("VACUUM INTO ?").bind(target).execute(&mut connection).await?;
        connection.close().await?;
        Ok::<_, StoreError>(())
    };
    copied.await.map_err(|error: StoreError| error.about(from.display()))
}

/// Reads all of a record: whether it is one that this binary can use, and whole. Others may write to it meanwhile.
pub async fn check(record: &Path) -> Result<(), StoreError> {
    let checked = async {
        let mut connection = base(record, &SqliteOptions::default()).read_only(true).connect().await?;
        if migrations::inspect(&mut connection).await? == Found::Empty {
            return Err(StoreError::Unusable("nothing has been recorded in it yet".to_owned()));
        }
        let said: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_all(&mut connection).await?;
        let loose = sqlx::query("PRAGMA foreign_key_check").fetch_optional(&mut connection).await?;
        connection.close().await?;
        if said != ["ok"] || loose.is_some() {
            return Err(StoreError::Unusable(DAMAGED.to_owned()));
        }
        Ok(())
    };
    checked.await.map_err(|error: StoreError| error.about(record.display()))
}

const TAKEN: &str = "it is there already; a copy takes a name that is free";

fn is_taken(made: &Result<(), StoreError>) -> bool {
    matches!(made, Err(StoreError::Unusable(why)) if why.ends_with(TAKEN))
}

/// Brings a file and its name to the disk.
fn sync(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for each in [path, folder] {
        let opened = OpenOptions::new().read(true).open(each);
        opened.and_then(|file| file.sync_all()).map_err(|error| failed(each, "cannot be written", &error))?;
    }
    Ok(())
}

fn beside(path: &Path, what: &str) -> PathBuf {
    with_ending(path, &format!(".{what}"))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn failed(path: &Path, what: &str, error: &io::Error) -> StoreError {
    StoreError::Unusable(format!("{} {what}: {error}", path.display()))
}

//! What is particular to a file: who may open it, and what becomes of one that is broken.

#![expect(clippy::disallowed_methods, reason = "these tests break files past the store")]

use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use meshwright::adapter::store::SqlStore;
use meshwright::adapter::store::sqlite::SqliteOptions;
use meshwright::port::store::{ActivityBook, Look, PassBook, ReportBook, Store, StoreError};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::Room;
use crate::support::samples::{self, PassSample, at, product};

/// A folder with one file in it.
pub struct SqliteRoom {
    folder: TempDir,
    opened: Mutex<Option<SqlStore>>,
}

impl Room for SqliteRoom {
    async fn new() -> Option<Self> {
        Some(Self { folder: tempfile::tempdir().unwrap(), opened: Mutex::new(None) })
    }

    async fn open(&self) -> Arc<dyn Store> {
        let mut opened = self.opened.lock().await;
        if let Some(before) = opened.take() {
            before.close().await;
        }
        let store = SqlStore::open(&self.folder.path().join("state.db")).await.unwrap();
        *opened = Some(store.clone());
        Arc::new(store)
    }
}

/// Another program's connection to the file.
async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

/// Runs a statement on the file, past the store.
async fn tamper(path: &Path, statement: &'static str) {
    let mut connection = connect(path).await;
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// A closed record with one product in it.
async fn recorded(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("state.db");
    let store = SqlStore::open(&path).await.unwrap();
    store.record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    store.close().await;
    path
}

fn unusable(result: Result<SqlStore, StoreError>, why: &str) {
    match result {
        Err(StoreError::Unusable(said)) => assert!(said.contains(why) && said.contains("state.db"), "{said}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn folders_and_file_are_made_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/state.db");
    let store = SqlStore::open(&path).await.unwrap();
    store.want(&[], at(1)).await.unwrap();
    for (path, mode) in
        [(path.clone(), 0o600), (path.with_extension("db-wal"), 0o600), (folder.path().join("a"), 0o700)]
    {
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
}

#[tokio::test]
async fn a_second_writer_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let first = SqlStore::open(&path).await.unwrap();
    match SqlStore::open(&path).await {
        Err(StoreError::Unavailable(why)) => {
            assert!(why.contains(&format!("process {}", std::process::id())) && why.contains("state.db"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    let clone = first.clone();
    drop(first);
    assert!(SqlStore::open(&path).await.is_err());
    drop(clone);
    let second = SqlStore::open(&path).await.unwrap();
    let clone = second.clone();
    second.close().await;
    SqlStore::open(&path).await.unwrap();
    assert!(matches!(clone.sources().await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn one_looks_while_another_writes_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    unusable(SqlStore::open_read_only(&path).await, "there is no record yet");
    assert!(!path.exists());
    let writer = SqlStore::open(&path).await.unwrap();
    let reader = SqlStore::open_read_only(&path).await.unwrap();
    assert_eq!(reader.products().await.unwrap(), []);
    writer.record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    assert_eq!(reader.products().await.unwrap().len(), 1);
    let refused = reader.note_condition(&samples::source(), "u", "b", None, at(1)).await;
    assert!(matches!(refused, Err(StoreError::Unusable(_))), "{refused:?}");
    writer.close().await;
    drop(writer);
    // Nobody writes now, and what was written is there.
    let reader = SqlStore::open_read_only(&path).await.unwrap();
    assert_eq!(reader.latest_versions(&[product("trips", 1)]).await.unwrap().len(), 1);
}

/// What a killed process leaves: the file, and a log that nobody has moved into it.
#[tokio::test]
async fn what_was_committed_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = recorded(folder.path()).await;
    let store = SqlStore::open(&path).await.unwrap();
    store.record_pass(&PassSample::new(2, 1).version("trips", "1.1.0", "b").build()).await.unwrap();
    for (number, look_first) in [(1, true), (2, false)] {
        let left = folder.path().join(format!("killed-{number}.db"));
        std::fs::copy(&path, &left).unwrap();
        std::fs::copy(path.with_extension("db-wal"), left.with_extension("db-wal")).unwrap();
        if look_first {
            let reader = SqlStore::open_read_only(&left).await.unwrap();
            assert_eq!(reader.versions(None).await.unwrap().len(), 2);
        }
        let next = SqlStore::open(&left).await.unwrap();
        assert_eq!(next.source(&samples::source()).await.unwrap().unwrap().sequence, 2);
    }
}

#[tokio::test]
async fn a_newer_record_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = recorded(folder.path()).await;
    tamper(
        &path,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (4711, 'from the future', TRUE, x'00', 0)",
    )
    .await;
    let before = std::fs::read(&path).unwrap();
    for result in [SqlStore::open(&path).await, SqlStore::open_read_only(&path).await] {
        assert!(matches!(result, Err(StoreError::TooNew { found: 4711, .. })), "{result:?}");
    }
    assert!(before == std::fs::read(&path).unwrap());
}

#[tokio::test]
async fn what_is_no_record_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    std::fs::write(&path, "# Notes\n".repeat(2000)).unwrap();
    unusable(SqlStore::open(&path).await, "no SQLite database");
    unusable(SqlStore::open_read_only(&path).await, "no SQLite database");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "# Notes\n".repeat(2000));

    std::fs::remove_file(&path).unwrap();
    tamper(&path, "CREATE TABLE songs (name TEXT)").await;
    let before = std::fs::read(&path).unwrap();
    unusable(SqlStore::open(&path).await, "another program");
    unusable(SqlStore::open_read_only(&path).await, "another program");
    assert!(before == std::fs::read(&path).unwrap());

    let folder_with_the_name = folder.path().join("folder/state.db");
    std::fs::create_dir_all(&folder_with_the_name).unwrap();
    unusable(SqlStore::open(&folder_with_the_name).await, "folder");
}

#[tokio::test]
async fn an_empty_file_becomes_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    std::fs::write(&path, "").unwrap();
    unusable(SqlStore::open_read_only(&path).await, "nothing has been recorded");
    SqlStore::open(&path).await.unwrap();
    SqlStore::open_read_only(&path).await.unwrap();
}

#[tokio::test]
async fn a_damaged_file_is_unusable() {
    let folder = tempfile::tempdir().unwrap();
    let path = recorded(folder.path()).await;
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let pages = file.metadata().unwrap().len() / 4096;
    for page in 2..pages {
        file.write_all_at(&[0xa5; 4096], page * 4096).unwrap();
    }
    let looked = async {
        let store = SqlStore::open(&path).await?;
        store.products().await?;
        store.unfinished().await
    };
    let error = looked.await.unwrap_err();
    assert!(matches!(&error, StoreError::Unusable(why) if why.contains("damaged")), "{error}");
}

#[tokio::test]
async fn a_row_that_nobody_could_have_written_is_unusable() {
    let folder = tempfile::tempdir().unwrap();
    let path = recorded(folder.path()).await;
    tamper(&path, "UPDATE contents SET body = '{\"info\": '").await;
    let store = SqlStore::open(&path).await.unwrap();
    let error = store.latest_versions(&[product("trips", 1)]).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unusable(why) if why.contains("cannot be read")), "{error}");
    // What is whole goes on being read and written.
    assert_eq!(store.products().await.unwrap().len(), 1);
    store.record_pass(&PassSample::new(2, 1).version("fares", "1.0.0", "a").build()).await.unwrap();
}

/// A header whose write version is unknown makes SQLite open the file for reading only, whoever
/// asks; the mode of a file does not stop the superuser.
#[tokio::test]
async fn a_read_only_file_is_unusable() {
    let folder = tempfile::tempdir().unwrap();
    let path = recorded(folder.path()).await;
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&[3], 18).unwrap();
    unusable(SqlStore::open(&path).await, "read-only");
    file.write_all_at(&[2], 18).unwrap();
    let store = SqlStore::open(&path).await.unwrap();
    assert_eq!(store.products().await.unwrap().len(), 1);
    drop(store);

    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    if std::fs::OpenOptions::new().write(true).open(&path).is_err() {
        unusable(SqlStore::open(&path).await, "cannot be opened for writing");
    }
}

#[tokio::test]
async fn a_locked_file_passes() {
    let folder = tempfile::tempdir().unwrap();
    let path = recorded(folder.path()).await;
    let options = SqliteOptions { busy_timeout: Duration::from_millis(50), ..SqliteOptions::default() };
    let store = SqlStore::open_with(&path, &options).await.unwrap();
    let mut other = connect(&path).await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let pass = PassSample::new(2, 1).version("trips", "1.1.0", "b").build();
    let error = store.record_pass(&pass).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(why) if why == "another process has locked it"), "{error}");
    assert_eq!(store.products().await.unwrap().len(), 1);
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    store.record_pass(&pass).await.unwrap();
    assert_eq!(store.versions(None).await.unwrap().len(), 2);
}

/// A process that is killed while it starts another leaves its lock to that one for a moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_whose_process_is_gone_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = recorded(folder.path()).await;
    let mut gone = std::process::Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let lock = folder.path().join("state.db.lock");
    assert!(lock.exists());
    let held = |process: u32| {
        std::fs::write(&lock, format!("{process}\n")).unwrap();
        let file = std::fs::File::open(&lock).unwrap();
        file.lock().unwrap();
        file
    };
    let left = held(gone.id());
    let opening = tokio::spawn({
        let path = path.clone();
        async move { SqlStore::open(&path).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!opening.is_finished(), "it waits for the lock");
    drop(left);
    opening.await.unwrap().unwrap().close().await;
    // Who lives is not waited for.
    let kept = held(std::process::id());
    let error = SqlStore::open(&path).await.unwrap_err();
    assert!(error.to_string().contains("is using it"), "{error}");
    drop(kept);
}

/// Who keeps all connections keeps others waiting, and not for ever.
#[tokio::test]
async fn a_call_that_gets_no_connection_says_so_and_the_next_one_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = recorded(folder.path()).await;
    let options = SqliteOptions { busy_timeout: Duration::from_millis(50), readers: 1 };
    let store = SqlStore::open_with(&path, &options).await.unwrap();
    let kept = store.read().await.unwrap();
    let refused = store.products().await.unwrap_err();
    assert_eq!(refused, StoreError::Unavailable("no connection became free in time".to_owned()));
    // Writing has a connection of its own.
    store.record_pass(&PassSample::new(2, 1).version("trips", "1.1.0", "b").build()).await.unwrap();
    drop(kept);
    assert_eq!(store.versions(None).await.unwrap().len(), 2);
    store.close().await;
}

/// A caller may be cancelled anywhere; what it asked for is then done as a whole or not at all,
/// and the next one is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_call_leaves_nothing_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&folder.path().join("state.db")).await.unwrap();
    let mut recorded = 0;
    for number in 1..40 {
        let sample = (0..30).fold(PassSample::new(number, recorded), |sample, product| {
            let (name, version) = (format!("p{product}"), format!("1.{number}.0"));
            sample.version(&name, &version, "x").activity(&name, "dev", &version, "x")
        });
        let pass = sample.build();
        let patience = Duration::from_micros(number * 150);
        let _ = tokio::time::timeout(patience, store.record_pass(&pass)).await;
        let source = store.source(&samples::source()).await.unwrap();
        // The transaction of a dropped call may still be on its way to its end; writing waits for it.
        store.want(&[], at(1)).await.unwrap();
        let plan = store.plan(&pass.plan.digest).await.unwrap();
        recorded = store.source(&samples::source()).await.unwrap().map_or(0, |source| source.sequence);
        assert!(source.map_or(0, |source| source.sequence) <= recorded);
        match plan {
            Some(plan) => assert_eq!((plan.activities.len(), recorded), (30, pass.plan.sequence + 1)),
            None => assert_eq!(recorded, pass.plan.sequence),
        }
        assert_eq!(store.unfinished().await.unwrap().len(), if recorded == 0 { 0 } else { 30 });
    }
}

//! Opening the file: for one writer, or for those who only look.

use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use crate::adapter::store::sql::{Database, SqlStore};
use crate::port::store::StoreError;

use super::connections::Connections;
use super::lock::StateLock;
use super::migrations::{self, Found};
use super::{File, Writer};

/// A call waits for those before it so long at the least: then it is `Unavailable`.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(1);

/// So many statements stay prepared on a connection: more than we have.
const MOST_STATEMENTS: usize = 400;

/// What may be set when the file is opened.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// How long a statement waits for another process' lock. A call waits four times as long for the calls before
    /// it.
    pub busy_timeout: Duration,
    /// How many reads may run at once.
    pub readers: u32,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(10), readers: 4 }
    }
}

impl SqlStore {
    /// Opens the record at `path` for reading and writing; see [`SqlStore::open_with`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, &SqliteOptions::default()).await
    }

    /// Opens the record at `path` for reading and writing. A missing file (mode 0600) and missing
    /// folders above it (mode 0700) are made, and the schema is brought up to date.
    ///
    /// Another writer in this or another process makes it `Unavailable`; a record of a newer binary
    /// is `TooNew`; a file that is no record of ours, or cannot be written, is `Unusable`.
    pub async fn open_with(path: &Path, options: &SqliteOptions) -> Result<Self, StoreError> {
        make_file(path)?;
        let lock = Arc::new(StateLock::take(path).await?);
        let opened = async {
            inspect(path, options, false).await?;
            let connect = to_write(path, options);
            let mut connection = connect.connect().await?;
            migrations::run(&mut connection).await?;
            // On a file that is read-only, nothing above need have failed: this takes the lock for
            // writing, and changes nothing.
            sqlx::query("DELETE FROM audit_events WHERE id = -1").execute(&mut connection).await?;
            let connections = Connections::with(connection, connect, 1, patience(options));
            let readers = connect_readers(path, options).await?;
            Ok(Self::new(Database::Sqlite(File { readers, writer: Some(Writer { connections, lock }) })))
        };
        opened.await.map_err(|error: StoreError| error.about(path.display()))
    }

    /// Opens an existing record for looking. It works while another process writes to it; every
    /// attempt to write is `Unusable`.
    pub async fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteOptions::default();
        if !path.exists() {
            let advice = "run 'meshwright reconcile' or 'meshwright serve' first";
            return Err(StoreError::Unusable(format!("{}: there is no record yet: {advice}", path.display())));
        }
        let opened = async {
            match inspect(path, &options, true).await? {
                Found::Version(version) if version == migrations::KNOWN => {}
                Found::Version(_) => {
                    let why =
                        "it was written by an older meshwright: run 'meshwright db migrate' to bring it up to date";
                    return Err(StoreError::Unusable(why.to_owned()));
                }
                Found::Empty => return Err(StoreError::Unusable("nothing has been recorded in it yet".to_owned())),
            }
            let readers = connect_readers(path, &options).await?;
            Ok(Self::new(Database::Sqlite(File { readers, writer: None })))
        };
        opened.await.map_err(|error: StoreError| error.about(path.display()))
    }

    /// What is found in a file, without any change: the schema version, or `None` where nothing was recorded yet.
    pub async fn look_at_file(path: &Path) -> Result<Option<i64>, StoreError> {
        if !path.exists() {
            return Ok(None);
        }
        match inspect(path, &SqliteOptions::default(), true)
            .await
            .map_err(|error: StoreError| error.about(path.display()))?
        {
            Found::Empty => Ok(None),
            Found::Version(version) => Ok(Some(version)),
        }
    }
}

/// Makes what is missing, and finds out whether this process may write to what is there.
fn make_file(path: &Path) -> Result<(), StoreError> {
    let unusable = |why: String| StoreError::Unusable(format!("{}: {why}", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| unusable(format!("its folder cannot be made: {error}")))?;
    }
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    match opened {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::IsADirectory => Err(unusable("it is a folder".to_owned())),
        Err(error) => Err(unusable(format!("the file cannot be opened for writing: {error}"))),
    }
}

/// Looks into the file before anything of it is changed: the write-ahead log is a property of the
/// file, and a foreign database does not get it.
async fn inspect(path: &Path, options: &SqliteOptions, read_only: bool) -> Result<Found, StoreError> {
    let mut connection = base(path, options).read_only(read_only).connect().await?;
    let found = migrations::inspect(&mut connection).await;
    connection.close().await?;
    found
}

fn to_write(path: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    // A pass over a large source makes the log large once; it does not have to stay so.
    base(path, options)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("journal_size_limit", "67108864")
}

async fn connect_readers(path: &Path, options: &SqliteOptions) -> Result<Arc<Connections>, StoreError> {
    let connect = base(path, options).read_only(true);
    Ok(Connections::with(connect.connect().await?, connect, options.readers.max(1), patience(options)))
}

pub(super) fn base(path: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    // Statements and their durations are no business of the log: what fails is logged by its meaning.
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(options.busy_timeout)
        .statement_cache_capacity(MOST_STATEMENTS)
        .disable_statement_logging()
}

/// As long as some calls before it may take, each of which may wait for another process.
fn patience(options: &SqliteOptions) -> Duration {
    (options.busy_timeout * 4).max(SHORTEST_PATIENCE)
}

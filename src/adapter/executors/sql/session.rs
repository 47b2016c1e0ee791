//! One connection for one task, and one transaction on it.
//!
//! Named races. *Two activities change one schema at once*: on PostgreSQL a transaction-scoped
//! advisory lock per schema, taken in the order of their names; on SQLite `BEGIN IMMEDIATE`. *The
//! task is cancelled, or its future dropped*: the connection is dropped, and what was not
//! committed is rolled back; on SQLite a statement that runs is interrupted by a progress
//! handler; on PostgreSQL the statement time-out ends it. *The answer to a commit is lost*: the
//! task is tried again, and finds everything done.
//!
//! With several schemas on SQLite (a template with `{schema}`) each file is committed by itself:
//! a power cut between two of them is mended by the next attempt.

use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use crate::domain::id::Digest;
use crate::port::executor::TaskError;

use super::super::files;
use super::super::mask::Mask;
use super::super::stop::Stop;
use super::dialect::{Dialect, list, quoted};
use super::place::{Database, Place};

/// The most schemas that one container has on SQLite (`SQLITE_MAX_ATTACHED`).
const MOST_ATTACHED: usize = 10;

/// How long SQLite itself waits for a lock before we look whether to go on waiting.
const BUSY: Duration = Duration::from_millis(250);

/// How long we wait before we try a locked database again.
const PAUSE: Duration = Duration::from_millis(20);

/// A row, as texts.
pub(super) type Row = Vec<Option<String>>;

/// A value for a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Text(String),
}

/// A connection that sees a container's schemas.
pub(super) struct Session {
    connection: Connection,
    mask: Mask,
    stop: Stop,
}

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Session {
    /// Connects. On SQLite the schemas' files are attached; they are made when `create`, else
    /// those that are not there are left out.
    pub(super) async fn open(place: &Place, schemas: &[String], create: bool, stop: &Stop) -> Result<Self, TaskError> {
        let connection = match &place.database {
            Database::Sqlite(folder) => {
                Connection::Sqlite(open_sqlite(folder, schemas, create, stop, &place.mask).await?)
            }
            Database::Postgres(options) => Connection::Postgres(open_postgres(options, &place.mask).await?),
        };
        Ok(Self { connection, mask: place.mask.clone(), stop: stop.clone() })
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self.connection {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Begins the transaction of a task that changes these schemas, and waits until it is the only one.
    pub(super) async fn begin_write(&mut self, schemas: &[String]) -> Result<(), TaskError> {
        match self.dialect() {
            Dialect::Sqlite => loop {
                match self.run("BEGIN IMMEDIATE", &[]).await {
                    Ok(_) => return Ok(()),
                    Err(error) if is_busy(&error) => {
                        if let Some(error) = self.stop.reached() {
                            return Err(error);
                        }
                        tokio::time::sleep(PAUSE).await;
                    }
                    Err(error) => return Err(self.failure("begin", &error)),
                }
            },
            Dialect::Postgres => {
                self.execute("BEGIN").await?;
                self.limit_statements().await?;
                let mut sorted: Vec<&String> = schemas.iter().collect();
                sorted.sort();
                for schema in sorted {
                    let key = lock_key(schema);
                    self.execute(&format!("SELECT pg_advisory_xact_lock({key})")).await?;
                }
                Ok(())
            }
        }
    }

    /// Begins a transaction in which nothing can be written, and in which names are looked for in
    /// these schemas.
    pub(super) async fn begin_read(&mut self, schemas: &[String]) -> Result<(), TaskError> {
        match self.dialect() {
            Dialect::Sqlite => {
                self.execute("PRAGMA query_only = ON").await?;
                self.execute("BEGIN").await
            }
            Dialect::Postgres => {
                self.execute("BEGIN READ ONLY").await?;
                self.limit_statements().await?;
                self.search_in(schemas).await
            }
        }
    }

    /// Lets unqualified names be looked for in these schemas; SQLite does so by itself.
    pub(super) async fn search_in(&mut self, schemas: &[String]) -> Result<(), TaskError> {
        match self.dialect() {
            Dialect::Sqlite => Ok(()),
            Dialect::Postgres => {
                let path = list(schemas.iter().map(String::as_str));
                self.execute(&format!("SET LOCAL search_path TO {path}")).await
            }
        }
    }

    async fn limit_statements(&mut self) -> Result<(), TaskError> {
        let left = self.stop.remaining().as_millis().clamp(1, 2_000_000_000);
        self.execute(&format!("SET LOCAL statement_timeout = {left}")).await
    }

    /// Commits, and closes the connection.
    pub(super) async fn commit(mut self) -> Result<(), TaskError> {
        self.execute("COMMIT").await?;
        self.close().await;
        Ok(())
    }

    /// Closes the connection; what is not committed is rolled back.
    pub(super) async fn close(self) {
        let closed = match self.connection {
            Connection::Sqlite(connection) => connection.close().await,
            Connection::Postgres(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "a connection did not close in order");
        }
    }

    /// Runs one statement that has no values in it but quoted names.
    pub(super) async fn execute(&mut self, sql: &str) -> Result<(), TaskError> {
        self.execute_with(sql, &[]).await.map(|_| ())
    }

    /// Runs one statement with values; answers how many rows it touched.
    pub(super) async fn execute_with(&mut self, sql: &str, cells: &[Cell]) -> Result<u64, TaskError> {
        match self.run(sql, cells).await {
            Ok(rows) => Ok(rows),
            Err(error) => Err(self.failure(first_words(sql), &error)),
        }
    }

    async fn run(&mut self, sql: &str, cells: &[Cell]) -> Result<u64, sqlx::Error> {
        // All texts that come here are made in this room, of quoted names and checked queries.
        let sql = AssertSqlSafe(sql.to_owned());
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let mut query = sqlx::query::<sqlx::Sqlite>(sql).persistent(!cells.is_empty());
                for cell in cells {
                    query = match cell {
                        Cell::Null => query.bind(None::<String>),
                        Cell::Boolean(value) => query.bind(i64::from(*value)),
                        Cell::Integer(value) => query.bind(*value),
                        Cell::Real(value) => query.bind(*value),
                        Cell::Text(value) => query.bind(value.clone()),
                    };
                }
                query.execute(connection).await.map(|done| done.rows_affected())
            }
            Connection::Postgres(connection) => {
                let mut query = sqlx::query::<sqlx::Postgres>(sql).persistent(!cells.is_empty());
                for cell in cells {
                    query = query.bind(match cell {
                        Cell::Null => None,
                        Cell::Boolean(value) => Some(value.to_string()),
                        Cell::Integer(value) => Some(value.to_string()),
                        Cell::Real(value) => Some(value.to_string()),
                        Cell::Text(value) => Some(value.clone()),
                    });
                }
                query.execute(connection).await.map(|done| done.rows_affected())
            }
        }
    }

    /// Fetches rows of texts. On PostgreSQL every column has to be a text already.
    pub(super) async fn rows(&mut self, sql: &str, values: &[&str]) -> Result<Vec<Row>, TaskError> {
        let safe = AssertSqlSafe(sql.to_owned());
        let fetched = match &mut self.connection {
            Connection::Sqlite(connection) => {
                let mut query = sqlx::query::<sqlx::Sqlite>(safe).persistent(false);
                for value in values {
                    query = query.bind((*value).to_owned());
                }
                let rows = query.fetch_all(connection).await;
                rows.and_then(|rows| rows.iter().map(sqlite_row).collect())
            }
            Connection::Postgres(connection) => {
                let mut query = sqlx::query::<sqlx::Postgres>(safe).persistent(false);
                for value in values {
                    query = query.bind((*value).to_owned());
                }
                let rows = query.fetch_all(connection).await;
                rows.and_then(|rows| rows.iter().map(postgres_row).collect())
            }
        };
        fetched.map_err(|error| self.failure(first_words(sql), &error))
    }

    /// One number.
    pub(super) async fn number(&mut self, sql: &str, values: &[&str]) -> Result<u64, TaskError> {
        let rows = self.rows(sql, values).await?;
        let text = rows.into_iter().next().and_then(|row| row.into_iter().next().flatten());
        Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// The names of the columns that a query has; it is not run.
    pub(super) async fn columns_of(&mut self, sql: &str) -> Result<Vec<String>, TaskError> {
        use sqlx::{Column as _, Executor as _, SqlSafeStr as _, Statement as _};
        let safe = AssertSqlSafe(sql.to_owned()).into_sql_str();
        let columns = match &mut self.connection {
            Connection::Sqlite(connection) => connection
                .prepare(safe)
                .await
                .map(|statement| statement.columns().iter().map(|column| column.name().to_owned()).collect()),
            Connection::Postgres(connection) => connection
                .prepare(safe)
                .await
                .map(|statement| statement.columns().iter().map(|column| column.name().to_owned()).collect()),
        };
        columns.map_err(|error| self.failure("prepare", &error))
    }

    /// A database's error as a task's: what it says about the place and the reason, no secrets.
    fn failure(&self, doing: &str, error: &sqlx::Error) -> TaskError {
        if let Some(stopped) = self.stop.reached() {
            return stopped;
        }
        failure(doing, error, &self.mask)
    }
}

/// The first words of a statement, for messages.
fn first_words(sql: &str) -> &str {
    let end = sql.char_indices().nth(60).map_or(sql.len(), |(end, _)| end);
    sql.get(..end).unwrap_or_default()
}

async fn open_sqlite(
    folder: &Path,
    schemas: &[String],
    create: bool,
    stop: &Stop,
    mask: &Mask,
) -> Result<SqliteConnection, TaskError> {
    if schemas.len() > MOST_ATTACHED {
        return Err(TaskError::permanent("on SQLite a container has at most 10 schemas"));
    }
    if create {
        files::make_private_folder(folder).map_err(|error| {
            TaskError::transient(format!("the database's folder '{}' cannot be made: {error}", folder.display()))
        })?;
    }
    // The main database is empty and in memory; the in-memory flag would also hold for the attached files.
    let options = SqliteConnectOptions::new()
        .filename(":memory:")
        .create_if_missing(true)
        .busy_timeout(BUSY)
        .disable_statement_logging();
    let mut connection =
        options.pragma("legacy_alter_table", "ON").connect().await.map_err(|error| failure("open", &error, mask))?;
    for schema in schemas {
        let file = folder.join(format!("{schema}.db"));
        if !create && !file.exists() {
            continue;
        }
        attach(&mut connection, &file, schema, stop, mask).await?;
    }
    let (cancel, deadline) = (stop.cancel.clone(), stop.deadline);
    let go_on = move || !cancel.is_cancelled() && tokio::time::Instant::now() < deadline;
    let mut handle = connection.lock_handle().await.map_err(|error| failure("open", &error, mask))?;
    handle.set_progress_handler(10_000, go_on);
    drop(handle);
    Ok(connection)
}

/// Attaches a schema's file; attaching reads it, so it waits for who has locked it.
async fn attach(
    connection: &mut SqliteConnection,
    file: &Path,
    schema: &str,
    stop: &Stop,
    mask: &Mask,
) -> Result<(), TaskError> {
    loop {
        let sql = AssertSqlSafe(format!("ATTACH DATABASE $1 AS {}", quoted(schema)));
        let query = sqlx::query::<sqlx::Sqlite>(sql).bind(file.to_string_lossy().into_owned());
        match query.execute(&mut *connection).await {
            Ok(_) => return Ok(()),
            Err(error) if is_busy(&error) => match stop.reached() {
                Some(error) => return Err(error),
                None => tokio::time::sleep(PAUSE).await,
            },
            Err(error) => return Err(failure("attach", &error, mask)),
        }
    }
}

async fn open_postgres(options: &PgConnectOptions, mask: &Mask) -> Result<PgConnection, TaskError> {
    let options = options.clone().disable_statement_logging();
    let mut connection = options.connect().await.map_err(|error| failure("connect", &error, mask))?;
    // What is quoted is read as we wrote it, and notices are nobody's business.
    for setting in ["SET standard_conforming_strings = on", "SET client_min_messages = warning"] {
        sqlx::query::<sqlx::Postgres>(setting)
            .execute(&mut connection)
            .await
            .map_err(|error| failure("connect", &error, mask))?;
    }
    Ok(connection)
}

/// A number that stands for a schema in PostgreSQL's space of advisory locks.
fn lock_key(schema: &str) -> i64 {
    let digest = Digest::of_fields(["meshwright-schema", schema]);
    let hex = digest.as_str().get(7..23).unwrap_or_default();
    u64::from_str_radix(hex, 16).unwrap_or(0).cast_signed()
}

fn sqlite_row(row: &SqliteRow) -> Result<Row, sqlx::Error> {
    // SQLite makes a text of any value; a blob that is none is shown as such.
    let text = |index| match row.try_get_unchecked::<Option<String>, _>(index) {
        Ok(text) => Ok(text),
        Err(sqlx::Error::ColumnDecode { .. }) => Ok(Some("(binary)".to_owned())),
        Err(error) => Err(error),
    };
    (0..row.len()).map(text).collect()
}

fn postgres_row(row: &PgRow) -> Result<Row, sqlx::Error> {
    (0..row.len()).map(|index| row.try_get_unchecked::<Option<String>, _>(index)).collect()
}

fn code_of(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(std::borrow::Cow::into_owned)
}

fn is_sqlite(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some())
}

/// SQLite's primary result code: the low byte of the extended one.
fn sqlite_code(error: &sqlx::Error) -> Option<i32> {
    is_sqlite(error).then(|| code_of(error)?.parse::<i32>().ok()).flatten().map(|code| code & 0xff)
}

fn is_busy(error: &sqlx::Error) -> bool {
    // SQLITE_BUSY, SQLITE_LOCKED
    matches!(sqlite_code(error), Some(5 | 6))
}

/// Whether it may pass: the connection was lost or refused, something is locked or full.
fn is_transient(error: &sqlx::Error) -> bool {
    if let Some(code) = sqlite_code(error) {
        // BUSY, LOCKED, NOMEM, INTERRUPT, IOERR, FULL, PROTOCOL
        return matches!(code, 5 | 6 | 7 | 9 | 10 | 13 | 15);
    }
    if let Some(code) = code_of(error) {
        // Appendix A of PostgreSQL's manual: connection, transaction rollback, resources, operator intervention.
        let classes = ["08", "40", "53", "57", "58"];
        return classes.iter().any(|class| code.starts_with(class)) || code == "55P03";
    }
    matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_)
    )
}

fn failure(doing: &str, error: &sqlx::Error, mask: &Mask) -> TaskError {
    let transient = is_transient(error);
    let said = match error {
        sqlx::Error::Database(database) => database.message().to_owned(),
        other => other.to_string(),
    };
    let message = mask.text(&format!("the database refused ({doing}): {said}"));
    if transient { TaskError::transient(message) } else { TaskError::permanent(message) }
}

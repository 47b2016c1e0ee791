//! What a database's error means for the caller. The database's own words (statements, table and
//! column names) go to the log and not to people.

use sqlx::migrate::MigrateError;

use crate::port::store::{AppendError, StoreError};

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let meaning = match &error {
            sqlx::Error::Database(inner) => of_sqlite(inner.code().as_deref().and_then(|code| code.parse().ok())),
            sqlx::Error::PoolTimedOut => unavailable("no connection became free in time"),
            sqlx::Error::PoolClosed => unavailable("it was closed"),
            sqlx::Error::WorkerCrashed => unavailable("its worker thread has ended"),
            sqlx::Error::Io(_) => unavailable("reading or writing the file failed"),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                unusable("a column has a value of another kind")
            }
            _ => unusable("a statement could not be run"),
        };
        tracing::warn!(error = &error as &dyn std::error::Error, %meaning, "a statement of the record failed");
        meaning
    }
}

impl From<sqlx::Error> for AppendError {
    fn from(error: sqlx::Error) -> Self {
        AppendError::Store(error.into())
    }
}

/// What a failed migration means.
pub fn of_migration(error: MigrateError, known: i64) -> StoreError {
    match error {
        MigrateError::Execute(inner) | MigrateError::ExecuteMigration(inner, _) => inner.into(),
        MigrateError::VersionMissing(found) => StoreError::TooNew { found, known },
        MigrateError::VersionMismatch(version) => {
            StoreError::Unusable(format!("its schema version {version} is not the one of this binary"))
        }
        MigrateError::Dirty(version) => {
            StoreError::Unusable(format!("the change to schema version {version} broke off"))
        }
        other => {
            tracing::error!(
                error = &other as &dyn std::error::Error,
                "the record's schema cannot be brought up to date"
            );
            unusable("its schema cannot be brought up to date")
        }
    }
}

/// What an extended result code of SQLite means (<https://www.sqlite.org/rescode.html>).
fn of_sqlite(code: Option<i32>) -> StoreError {
    match code.map(|code| code & 0xff) {
        Some(5 | 6) => unavailable("another process has locked it"),
        Some(7) => unavailable("there is not enough memory"),
        Some(9) => unavailable("the statement was interrupted"),
        Some(10) => unavailable("reading or writing the file failed"),
        Some(13) => unavailable("the disk is full"),
        Some(14) => unavailable("the file cannot be opened"),
        Some(15) => unavailable("another process is changing its lock files"),
        Some(3 | 8) => unusable("the file is read-only"),
        Some(11) => unusable("the file is damaged"),
        Some(26) => unusable("the file is no SQLite database"),
        Some(18) => unusable("a value is larger than the database takes"),
        Some(19) => unusable("what should be recorded does not fit what is recorded"),
        _ => unusable("a statement could not be run"),
    }
}

fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(why.to_owned())
}

fn unusable(why: &str) -> StoreError {
    StoreError::Unusable(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        // SQLITE_BUSY_SNAPSHOT, SQLITE_IOERR_WRITE, SQLITE_FULL
        for code in [5 | (2 << 8), 10 | (3 << 8), 13] {
            assert!(matches!(of_sqlite(Some(code)), StoreError::Unavailable(_)), "{code}");
        }
        // SQLITE_READONLY_DIRECTORY, SQLITE_CORRUPT_INDEX, SQLITE_NOTADB, SQLITE_CONSTRAINT_FOREIGNKEY
        for code in [8 | (6 << 8), 11 | (3 << 8), 26, 19 | (3 << 8)] {
            assert!(matches!(of_sqlite(Some(code)), StoreError::Unusable(_)), "{code}");
        }
    }
}

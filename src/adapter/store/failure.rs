//! What a database's error means for the caller. The database's own words (statements, table and
//! column names) go to the log and not to people.

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;

use crate::port::store::{AppendError, StoreError};

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let meaning = match &error {
            sqlx::Error::Database(inner) => match inner.try_downcast_ref::<PgDatabaseError>() {
                Some(error) => of_postgres(error.code()),
                None => of_sqlite(inner.code().as_deref().and_then(|code| code.parse().ok())),
            },
            sqlx::Error::PoolTimedOut => unavailable("no connection became free in time"),
            sqlx::Error::PoolClosed => unavailable("it was closed"),
            sqlx::Error::WorkerCrashed => unavailable("its worker thread has ended"),
            // What is said of a certificate is about a name or a date, and certificates are renewed.
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => unavailable(&format!(
                "the connection to the server cannot be encrypted: {error} ('sslmode' and 'sslrootcert' of its URL say \
                 which certificates are accepted)"
            )),
            sqlx::Error::Io(_) => unavailable("its file or its server cannot be reached"),
            sqlx::Error::Tls(_) => unusable("no encrypted connection to the server can be made"),
            sqlx::Error::Protocol(_) => unavailable("the connection to the server broke"),
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

/// What is said of a file in which SQLite finds what it cannot have written.
pub(super) const DAMAGED: &str = "the file is damaged; 'meshwright db restore' puts a copy in its place";

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
        Some(11) => unusable(DAMAGED),
        Some(26) => unusable("the file is no SQLite database"),
        Some(18) => unusable("a value is larger than the database takes"),
        Some(19) => unusable("what should be recorded does not fit what is recorded"),
        _ => unusable("a statement could not be run"),
    }
}

/// What a SQLSTATE of PostgreSQL means (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn of_postgres(code: &str) -> StoreError {
    match code {
        "40001" | "40P01" => unavailable("another replica was writing the same"),
        "55P03" => unavailable("another replica has locked it for too long"),
        "57014" => unavailable("the server ended the statement, because it took too long"),
        "57P01" | "57P02" => unavailable("the server is being stopped"),
        "57P03" => unavailable("the server is starting or stopping"),
        "25P03" => unavailable("the server ended the transaction, because it was idle for too long"),
        "25006" => unavailable("the server takes no writes: it is a standby, or was made read-only"),
        "53100" => unavailable("the server's disk is full"),
        "53200" => unavailable("the server has not enough memory"),
        "53300" => unavailable("the server has no connection left"),
        "28000" | "28P01" => unusable("the server refuses the login"),
        "3D000" => unusable("the server has no such database"),
        "42501" => unusable("the server's account may not do what is needed"),
        "42P01" | "42703" | "42883" | "3F000" => unusable("a table or a column of it is missing"),
        code => match code.get(..2) {
            Some("08") => unavailable("the connection to the server broke"),
            Some("53" | "57" | "58") => unavailable("the server cannot do it for now"),
            Some("22" | "54") => unusable("a value is not one that the database takes"),
            Some("23") => unusable("what should be recorded does not fit what is recorded"),
            Some("XX") => unusable("the server says that its data is damaged"),
            _ => unusable("a statement could not be run"),
        },
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
    fn a_certificate_that_is_not_accepted_is_told_as_that() {
        let of =
            |kind| StoreError::from(sqlx::Error::Io(std::io::Error::new(kind, "invalid peer certificate: Expired")));
        let told = of(std::io::ErrorKind::InvalidData).to_string();
        assert!(told.contains("certificate: Expired") && told.contains("'sslrootcert'"), "{told}");
        let told = of(std::io::ErrorKind::ConnectionRefused).to_string();
        assert!(told.ends_with("its file or its server cannot be reached"), "{told}");
    }

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
        for code in ["40P01", "55P03", "57P03", "25006", "53100", "53300", "08006", "58030"] {
            assert!(matches!(of_postgres(code), StoreError::Unavailable(_)), "{code}");
        }
        for code in ["28P01", "3D000", "42501", "23505", "22021", "XX001", "42601", ""] {
            assert!(matches!(of_postgres(code), StoreError::Unusable(_)), "{code}");
        }
    }
}

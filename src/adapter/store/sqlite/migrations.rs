//! The schema's versions, embedded in the binary. They only ever grow: a version that was shipped
//! is never changed.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqliteConnection};

use crate::adapter::store::failure;
use crate::port::store::StoreError;

/// What marks a database as ours (`PRAGMA application_id`): the letters 'mesh'.
const APPLICATION_ID: i64 = 1_835_365_224;

/// The latest schema version that this binary understands.
pub const KNOWN: i64 = 9;

/// What is found in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing yet.
    Empty,
    /// A record with this schema version.
    Version(i64),
}

/// Looks what is in a database, and writes nothing. A foreign one, and one that a newer binary
/// wrote, is an error.
pub async fn inspect(connection: &mut SqliteConnection) -> Result<Found, StoreError> {
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *connection).await?;
    if tables == 0 {
        return Ok(Found::Empty);
    }
    let begun: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut *connection)
        .await?;
    let application: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
    if begun == 1 && tables <= 2 && application == 0 {
        // A first start that broke off before the first version was in place (the table of versions
        // and its index come first).
        return Ok(Found::Empty);
    }
    if application != APPLICATION_ID || begun == 0 {
        return Err(StoreError::Unusable("it is a database of another program".to_owned()));
    }
    let version: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
        .fetch_one(&mut *connection)
        .await?;
    if version > KNOWN { Err(StoreError::TooNew { found: version, known: KNOWN }) } else { Ok(Found::Version(version)) }
}

/// Brings the schema to the version that this binary knows; each step is one transaction.
pub async fn run(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    migrator().run_direct(None, connection, false).await.map_err(|error| failure::of_migration(error, KNOWN))
}

/// Every step, in order. A step that was released never changes.
const STEPS: &[(i64, &str, &str)] = &[
    (1, "record", include_str!("../../../../migrations/sqlite/0001_record.sql")),
    (2, "deliveries", include_str!("../../../../migrations/sqlite/0002_deliveries.sql")),
    (3, "proposals", include_str!("../../../../migrations/sqlite/0003_proposals.sql")),
    (4, "reports", include_str!("../../../../migrations/sqlite/0004_reports.sql")),
    (5, "approvals", include_str!("../../../../migrations/sqlite/0005_approvals.sql")),
    (6, "answers", include_str!("../../../../migrations/sqlite/0006_answers.sql")),
    (7, "sharing", include_str!("../../../../migrations/sqlite/0007_sharing.sql")),
    (8, "history", include_str!("../../../../migrations/sqlite/0008_history.sql")),
    (9, "telling", include_str!("../../../../migrations/sqlite/0009_telling.sql")),
];

fn migrator() -> Migrator {
    up_to(KNOWN)
}

/// What brings a database to this version and no further.
pub fn up_to(last: i64) -> Migrator {
    let wanted = STEPS.iter().filter(|(version, _, _)| *version <= last);
    let migration = |(version, name, text): &(i64, &'static str, &'static str)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, (*text).into_sql_str(), false)
    };
    Migrator::with_migrations(wanted.map(migration).collect())
}

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::*;

    async fn connect() -> SqliteConnection {
        SqliteConnection::connect("sqlite::memory:").await.unwrap()
    }

    /// Writes down what a step has to carry over, once the schema stands at the version before it.
    async fn carry(before: i64, rows: &'static str, question: &'static str, answer: &str) {
        let mut connection = connect().await;
        up_to(before).run_direct(None, &mut connection, false).await.unwrap();
        sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
        assert_eq!(inspect(&mut connection).await.unwrap(), Found::Version(before));
        run(&mut connection).await.unwrap();
        assert_eq!(inspect(&mut connection).await.unwrap(), Found::Version(KNOWN));
        let found: String = sqlx::query_scalar(question).fetch_one(&mut connection).await.unwrap();
        assert_eq!(found, answer);
    }

    #[tokio::test]
    async fn deliveries_come_to_a_record_that_has_sources() {
        carry(
            1,
            "INSERT INTO sources (name, url, branch, revision, seen_at) VALUES ('retail', 'u', 'main', 'abc', 1)",
            "SELECT name || ' ' || revision || ' ' || (SELECT count(*) FROM deliveries) FROM sources",
            "retail abc 0",
        )
        .await;
    }

    #[test]
    fn the_known_version_is_the_last_one() {
        assert_eq!(migrator().iter().map(|migration| migration.version).max(), Some(KNOWN));
    }
}

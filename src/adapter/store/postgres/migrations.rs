//! The schema's versions on a server. They go by the numbers of those on SQLite, and begin with the fifth.
//!
//! Replicas of two editions run beside each other while one takes the other's place. So a step only adds:
//! tables, indexes, and columns that may be absent or have a default; what a binary no longer needs is taken
//! away by a later release at the earliest. A replica that runs goes on over a newer schema; one that starts
//! over it is told `TooNew`.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, PgConnection, SqlSafeStr};

use crate::adapter::store::failure;
use crate::port::store::StoreError;

/// The latest schema version that this binary understands.
pub const KNOWN: i64 = 9;

/// The description of the first step, by which a record is told from another program's tables.
const FIRST: &str = "the record of meshwright";

/// Every step, in order. A step that was released never changes.
const STEPS: &[(i64, &str, &str)] = &[
    (5, FIRST, include_str!("../../../../migrations/postgres/0005_record.sql")),
    (6, "answers", include_str!("../../../../migrations/postgres/0006_answers.sql")),
    (7, "sharing", include_str!("../../../../migrations/postgres/0007_sharing.sql")),
    (8, "history", include_str!("../../../../migrations/postgres/0008_history.sql")),
    (9, "telling", include_str!("../../../../migrations/postgres/0009_telling.sql")),
];

/// What is found in a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No record yet, and nothing else.
    Empty,
    /// A record with this schema version.
    Version(i64),
}

/// Looks what is in the schema, and writes nothing. One with another program's tables, and a record that a
/// newer binary wrote, is an error.
pub async fn inspect(connection: &mut PgConnection, schema: &str) -> Result<Found, StoreError> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::TEXT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
    )
    .bind(schema)
    .fetch_all(&mut *connection)
    .await?;
    let others = || StoreError::Unusable("the schema holds what another program has made".to_owned());
    if !tables.iter().any(|table| table == "_sqlx_migrations") {
        return if tables.is_empty() { Ok(Found::Empty) } else { Err(others()) };
    }
    let steps: Vec<(i64, String)> =
        sqlx::query_as("SELECT version, description FROM _sqlx_migrations ORDER BY version")
            .fetch_all(&mut *connection)
            .await?;
    match (steps.first(), steps.last()) {
        // A first start that broke off before the first step was in place.
        (None, None) if tables.len() == 1 => Ok(Found::Empty),
        (Some((_, first)), Some((last, _))) if first == FIRST => {
            if *last > KNOWN {
                Err(StoreError::TooNew { found: *last, known: KNOWN })
            } else {
                Ok(Found::Version(*last))
            }
        }
        _ => Err(others()),
    }
}

/// Brings the schema to the version that this binary knows. Whoever comes meanwhile waits, and then finds
/// nothing left to be done; the lock ends with the connection.
pub async fn run(connection: &mut PgConnection, schema: &str) -> Result<(), StoreError> {
    let lock = "SELECT pg_advisory_lock(hashtextextended($1 || '/migrations', 0))";
    sqlx::query(lock).bind(schema).execute(&mut *connection).await?;
    let is_there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
        .bind(schema)
        .fetch_one(&mut *connection)
        .await?;
    if !is_there {
        // The name is one that needs no quotes; see `PostgresOptions`.
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&mut *connection).await?;
    }
    inspect(connection, schema).await?;
    migrator().run_direct(None, connection, false).await.map_err(|error| failure::of_migration(error, KNOWN))?;
    let unlock = "SELECT pg_advisory_unlock(hashtextextended($1 || '/migrations', 0))";
    sqlx::query(unlock).bind(schema).execute(&mut *connection).await?;
    Ok(())
}

fn migrator() -> Migrator {
    let migration = |(version, name, text): &(i64, &'static str, &'static str)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, (*text).into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(STEPS.iter().map(migration).collect());
    // Ours tells schemas apart; sqlx' own is for the whole database.
    migrator.set_locking(false);
    migrator
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::store::sqlite;

    #[test]
    fn both_databases_stand_at_the_same_version() {
        assert_eq!(migrator().iter().map(|step| step.version).max(), Some(KNOWN));
        assert_eq!(KNOWN, sqlite::KNOWN);
    }
}

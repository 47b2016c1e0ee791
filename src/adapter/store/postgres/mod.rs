//! The record on a PostgreSQL server.
//!
//! # Needs
//!
//! Several replicas decide and act at once; the record outlives all of their machines; it is kept where an
//! organisation keeps its other records, with its backups and its standbys.
//!
//! # Shape
//!
//! * A schema of its own, `meshwright` unless the URL says `?schema=…`; every name in a statement is found there.
//! * Reads are one snapshot (REPEATABLE READ, READ ONLY). Writes run at READ COMMITTED under explicit locks,
//!   all of which stand in [`locks`] with their order and the races that they decide. SERIALIZABLE was refused: it
//!   fails what could have waited, and every caller would have to begin anew.
//! * A commit is durable when a call returns, as far as the server's `synchronous_commit` promises; where that is
//!   off, it is on for us.
//! * The server ends statements, waits for locks and forgotten transactions by limits of ours (`open`), and a call
//!   gives up on a server that is silent for longer than these.
//! * No state is kept in the process: when a connection breaks or the server starts again, the call is `Unavailable`
//!   and the next one gets another connection.
//!
//! # Named races
//!
//! Those of [`sql`](super::sql), and:
//!
//! * **Many replicas start at once.** One brings the schema up to date under a lock; the others wait for it.
//! * **A deadlock, or a lock that is not given in time.** The order of locks leaves none that we know of; should the
//!   server find one, its victim is `Unavailable`, has written nothing, and is tried again by whoever called.
//! * **The connection breaks during a commit.** Nobody knows whether it happened: it is `Unavailable`, and what the
//!   caller does again is known by its digest, its token or its id.

pub mod bells;
pub mod locks;
mod migrations;
mod open;
mod options;

#[cfg(test)]
mod query_plans;

pub use migrations::KNOWN;
pub use options::PostgresOptions;

use std::sync::Arc;

use sqlx::PgPool;

use crate::adapter::store::sql::Scope;
use crate::adapter::store::sql::connection::{Transaction, answered};
use crate::port::store::StoreError;

use bells::Wire;

/// A server that is connected to.
#[derive(Debug, Clone)]
pub struct Server {
    pool: PgPool,
}

impl Server {
    /// The way to others on the same record.
    pub fn wire(&self) -> Arc<Wire> {
        Wire::over(self.pool.clone())
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins to write, under the locks of the scope.
    pub async fn write(&self, scope: Scope<'_>) -> Result<Transaction, StoreError> {
        let begun = answered(self.pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")).await?;
        let mut transaction = Transaction::on_postgres(begun);
        locks::take(&mut transaction, scope).await?;
        Ok(transaction)
    }

    /// Begins to read from one state of the database.
    pub async fn read(&self) -> Result<Transaction, StoreError> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
        Ok(Transaction::on_postgres(answered(self.pool.begin_with(begin)).await?))
    }
}

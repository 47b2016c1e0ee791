//! The record, as statements: each of them once, for a file and for a server.
//!
//! # Shape
//!
//! * Every call is one transaction. What it reads cannot change before it writes: on SQLite because
//!   nobody else writes ([`sqlite`](super::sqlite)), on PostgreSQL because the [`Scope`] of the
//!   write is locked ([`postgres`](super::postgres)).
//! * Each read is one snapshot: of several statements because they are one transaction.
//! * Deliveries of webhooks come by the thousand: all that wait while a transaction is written share
//!   the next one (`deliveries::batch`).
//!
//! # Named races
//!
//! * **Two passes of one source.** The later commit was planned against a record that the earlier
//!   one has changed. Decision: a plan whose `sequence` is behind the source's is not recorded and
//!   the caller is told to try again; it will plan anew.
//! * **The answer to a commit is lost** (the caller was cancelled, or died). Decision: passes are
//!   known by their plan's digest and may be recorded again; a claim may be taken again by the same
//!   holder; an event that was recorded already is illegal the second time, and the caller finds it
//!   in the state that it reads after a restart.
//! * **Two claims of one container.** The second sees the first's row and gets nothing. After a crash
//!   the same holder takes over with a greater token.
//! * **A holder that was thought dead goes on.** Its token is smaller than the container's: whatever
//!   it appends is fenced, together with the reports that came with it.
//! * **A claim and a pass that supersedes.** Whoever commits first wins: a claimed activity is running
//!   and is not superseded; a superseded one has ended and cannot be claimed.
//! * **A version's content is replaced while an activity rolls out the old content** (it was not
//!   released yet). Decision: the new content stays recorded and is not marked as released by that
//!   activity; the container's row says by digest what runs; the audit event says so.
//! * **A report changes while its older state is being published.** Editions: acknowledging the older
//!   one leaves the newer pending.
//! * **A call's future is dropped.** Its transaction is rolled back as a whole before the connection
//!   is used again.
//!
//! Absent here: retries. `StoreError` says whether trying again makes sense; the engine tries.

/// Whether a row of `containers` is disturbed: something has begun to move it elsewhere, and did not succeed.
macro_rules! is_disturbed {
    () => {
        "EXISTS (
             SELECT 1 FROM activities AS later
             WHERE later.product = containers.product AND later.stage = containers.stage
                 AND later.number > (SELECT number FROM activities WHERE id = containers.activity)
                 AND later.status IN ('failed', 'refused', 'cancelled', 'superseded')
                 AND EXISTS (
                     SELECT 1 FROM activity_events WHERE activity = later.id AND kind = 'task-started'))"
    };
}

pub mod activities;
pub mod approvals;
mod audit;
pub mod connection;
pub mod deliveries;
mod history;
mod look;
pub mod passes;
pub mod proposals;
pub mod reports;
mod scope;
pub mod sharing;
pub mod telling;
pub mod upkeep;

pub use scope::Scope;

use std::sync::Arc;

use crate::port::store::StoreError;

use super::postgres::Server;
use super::sqlite::File;
use connection::Transaction;

/// The record. Cloning it is cheap, and gives the same record.
#[derive(Debug, Clone)]
pub struct SqlStore {
    database: Database,
    deliveries: Arc<deliveries::Batches>,
    belfry: sharing::bells::Belfry,
    terms: sharing::terms::OnTerms,
}

/// Where the record is.
#[derive(Debug, Clone)]
pub enum Database {
    /// In a file.
    Sqlite(File),
    /// On a server.
    Postgres(Server),
}

impl SqlStore {
    /// The record in this database.
    pub fn new(database: Database) -> Self {
        let belfry = sharing::bells::Belfry::of(&database);
        Self { database, deliveries: Arc::default(), belfry, terms: sharing::terms::OnTerms::default() }
    }

    /// Closes all connections, after those calls that are under way. Dropping the store instead is safe.
    ///
    /// Clones are closed with it: whatever they are asked is `Unavailable`. Another writer may open
    /// a file from then on.
    pub async fn close(&self) {
        match &self.database {
            Database::Sqlite(file) => file.close().await,
            Database::Postgres(server) => server.close().await,
        }
    }

    /// Begins to write. What is read within the scope is what will still be so at the commit.
    /// What terms were made is checked first.
    async fn write(&self, scope: Scope<'_>) -> Result<Transaction, StoreError> {
        let mut transaction = match &self.database {
            // There is one writer, whatever it writes.
            Database::Sqlite(file) => file.write().await?,
            Database::Postgres(server) => server.write(scope).await?,
        };
        self.terms.check(&mut transaction).await?;
        Ok(transaction)
    }

    /// The same record, without any terms.
    fn plain(&self) -> Self {
        Self { terms: sharing::terms::OnTerms::default(), ..self.clone() }
    }

    /// Begins to read by one statement, which sees one state by itself.
    async fn read_once(&self) -> Result<Transaction, StoreError> {
        match &self.database {
            Database::Sqlite(file) => file.read_once().await,
            // A transaction says that it is for reading only, which is worth its trip.
            Database::Postgres(server) => server.read().await,
        }
    }

    /// Begins to read: all statements within see the same state.
    pub async fn read(&self) -> Result<Transaction, StoreError> {
        match &self.database {
            Database::Sqlite(file) => file.read().await,
            Database::Postgres(server) => server.read().await,
        }
    }
}

//! The record in one SQLite file.
//!
//! # Needs
//!
//! Intent has to be durable before the first effect, and a decision before anybody is told of it;
//! people look at the record while it is being written; one file serves one daemon.
//!
//! # Shape
//!
//! * Write-ahead log, `synchronous = FULL`: a commit has reached the disk when a call returns, so
//!   it outlives a power cut and not only a crash. That costs one `fsync` per call (0.1 to 10 ms,
//!   by disk). With `NORMAL` the last commits before a power cut would be gone, and a task could
//!   run again under a claim that nobody remembers.
//! * One connection writes; every call is one transaction that begins with `BEGIN IMMEDIATE`, so
//!   that what it reads cannot change before it writes. A few read-only connections serve reads;
//!   each multi-statement read is one snapshot.
//! * Deliveries of webhooks come by the thousand: all that wait while a transaction is written share
//!   the next one (`deliveries::batch`).
//! * An advisory lock beside the file keeps a second writing process out for as long as the first
//!   lives. Readers (`meshwright get`) do not take it.
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
//! * **Two claims of one container.** Both transactions are immediate: the second sees the first's
//!   row and gets nothing. After a crash the same holder takes over with a greater token.
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

mod activities;
mod approvals;
mod audit;
mod bulk;
mod deliveries;
mod lock;
mod look;
mod migrations;
mod open;
mod passes;
mod proposals;
mod reports;
mod rows;

#[cfg(test)]
mod query_plans;

pub use open::SqliteOptions;

use std::sync::Arc;

use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::port::store::StoreError;

use lock::StateLock;

/// The record in one SQLite file. Cloning it is cheap, and gives the same record.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    readers: SqlitePool,
    /// Absent when it was opened for reading only.
    writer: Option<Writer>,
}

/// The one connection that writes, and the proof that no other process does.
#[derive(Debug, Clone)]
struct Writer {
    pool: SqlitePool,
    lock: Arc<StateLock>,
    deliveries: Arc<deliveries::Batches>,
}

impl SqliteStore {
    /// Closes all connections, after those calls that are under way, and moves the log into the file.
    /// Dropping the store instead is safe; the next one to open it does that work.
    ///
    /// Clones are closed with it: whatever they are asked is `Unavailable`. Another writer may open
    /// the file from then on.
    pub async fn close(&self) {
        self.readers.close().await;
        if let Some(writer) = &self.writer {
            writer.pool.close().await;
            writer.lock.free();
        }
    }

    /// Begins to write. What is read within is what will still be so at the commit.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer()?.pool.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// The connection that writes, unless the file was opened for reading only.
    fn writer(&self) -> Result<&Writer, StoreError> {
        self.writer.as_ref().ok_or_else(|| StoreError::Unusable("it was opened for reading only".to_owned()))
    }

    /// Begins to read: all statements within see the same state.
    async fn read(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.readers.begin().await?)
    }
}

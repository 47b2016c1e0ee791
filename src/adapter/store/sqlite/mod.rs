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
//!   that what it reads cannot change before it writes. A few read-only connections serve reads: one of several
//!   statements is one snapshot, and one of a single statement needs no transaction for that.
//! * An advisory lock beside the file keeps a second writing process out for as long as the first
//!   lives. Readers (`meshwright get`) do not take it.

mod backup;
mod connections;
mod lock;
mod migrations;
mod open;

#[cfg(test)]
mod query_plans;

pub use backup::{backup, check, restore};
pub use connections::Lent;
pub use migrations::KNOWN;
pub use open::SqliteOptions;

use std::sync::Arc;

use crate::adapter::store::sql::connection::Transaction;
use crate::port::store::StoreError;

use connections::Connections;
use lock::StateLock;

/// A file that is open.
#[derive(Debug, Clone)]
pub struct File {
    readers: Arc<Connections>,
    /// Absent when it was opened for reading only.
    writer: Option<Writer>,
}

/// The one connection that writes, and the proof that no other process does.
#[derive(Debug, Clone)]
struct Writer {
    connections: Arc<Connections>,
    lock: Arc<StateLock>,
}

impl File {
    /// Closes it, and moves the log into the file; the next one to open it does that work otherwise.
    pub async fn close(&self) {
        self.readers.close().await;
        if let Some(writer) = &self.writer {
            writer.connections.close().await;
            writer.lock.free();
        }
    }

    /// Begins to write, alone.
    pub async fn write(&self) -> Result<Transaction, StoreError> {
        let read_only = || StoreError::Unusable("it was opened for reading only".to_owned());
        let writer = self.writer.as_ref().ok_or_else(read_only)?;
        Ok(Transaction::on_sqlite(writer.connections.begin("BEGIN IMMEDIATE").await?))
    }

    /// Begins to read from one state of the file.
    pub async fn read(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction::on_sqlite(self.readers.begin("BEGIN").await?))
    }

    /// Begins to read by one statement, which sees one state of the file by itself.
    pub async fn read_once(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction::on_sqlite(self.readers.lend().await?))
    }
}

//! What people do with the record as a whole: they look how it stands, and carry it from one database to
//! another. Tables and columns are read from the database itself, so that a table that is new is carried too.

mod export;
mod import;
mod tables;

pub use export::export;
pub use import::import;

use std::io;

use crate::domain::time::Timestamp;
use crate::port::store::StoreError;

use super::SqlStore;
use super::connection::{Forked, query};

/// How a record stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// How much room it takes, in bytes.
    pub bytes: u64,
    /// Its tables by name, and how many rows each has.
    pub rows: Vec<(String, u64)>,
    /// How many activities have not ended.
    pub unfinished: u64,
    /// When the oldest of them was planned.
    pub oldest_unfinished: Option<Timestamp>,
}

/// Why a record could not be carried over.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file.
    #[error("{0}")]
    File(#[from] io::Error),
    /// What stands in the file.
    #[error("line {line}: {why}")]
    Stream {
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The record that should take it in.
    #[error("{0}")]
    Target(String),
}

/// What was carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// How many tables.
    pub tables: usize,
    /// How many rows.
    pub rows: u64,
}

const SIZE: Forked = Forked {
    sqlite: "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()",
    postgres: "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::BIGINT AS bytes
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = current_schema() AND c.relkind = 'r'",
};

/// How the record stands now.
pub async fn standing(store: &SqlStore) -> Result<Standing, StoreError> {
    let mut transaction = store.read().await?;
    let connection = &mut *transaction;
    let bytes = query(SIZE.on(connection)).fetch_one(connection).await?.count("bytes")?;
    let mut rows = Vec::new();
    for table in tables::all(connection).await? {
        let count = table.count(connection).await?;
        rows.push((table.name, count));
    }
    rows.sort();
    let open = query(
        "SELECT count(*) AS unfinished, min(planned_at) AS oldest FROM activities WHERE status IN ('waiting', 'running')",
    )
    .fetch_one(connection)
    .await?;
    let oldest = open.number_or_none("oldest")?.map(crate::domain::time::from_millis);
    Ok(Standing { bytes, rows, unfinished: open.count("unfinished")?, oldest_unfinished: oldest })
}

//! A connection to the record's database, whichever it is.
//!
//! Needs: every statement stands once, and runs on SQLite and on PostgreSQL. sqlx has a connection of
//! its own for "any" database, but it knows no types of values that are absent, and PostgreSQL has to.
//!
//! Shape: a [`Connection`] is one transaction on either. A statement's parameters are `$1`, `$2` …;
//! its values are whole numbers, texts, bytes, or the absence of one of these ([`Value`]). Booleans
//! stand as 0 and 1, times as milliseconds, and all else as text. Statements may use what both databases
//! understand alike, and the functions `json_each` and `json_extract`, which the migrations of
//! PostgreSQL define as SQLite has them, for lists of texts.
//!
//! Absent here: how a transaction begins, which is the business of `sqlite` and `postgres`.

mod bulk;
mod query;
mod row;
mod value;

pub use bulk::Bulk;
pub use query::{Query, query, query_scalar};
pub use row::Row;
pub use value::Value;

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::Postgres;

use crate::adapter::store::sqlite::Lent;
use crate::port::store::StoreError;

/// Where statements run: within a transaction of one database or of the other.
#[derive(Debug)]
pub enum Connection {
    /// A transaction on a file, or one of its statements alone.
    Sqlite(Lent),
    /// A transaction on a server.
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// A statement of which there have to be two.
#[derive(Debug, Clone, Copy)]
pub struct Forked {
    /// As SQLite needs it.
    pub sqlite: &'static str,
    /// As PostgreSQL needs it.
    pub postgres: &'static str,
}

impl Forked {
    /// The one for this connection.
    pub fn on(&self, connection: &Connection) -> &'static str {
        match connection {
            Connection::Sqlite(_) => self.sqlite,
            Connection::Postgres(_) => self.postgres,
        }
    }
}

/// A transaction that is under way, or a single statement that reads. Dropping it rolls it back.
#[derive(Debug)]
pub struct Transaction(Connection);

impl Transaction {
    /// The transaction that was begun on a file, or what reads from it by one statement.
    pub fn on_sqlite(lent: Lent) -> Self {
        Self(Connection::Sqlite(lent))
    }

    /// The transaction that was begun on a server.
    pub fn on_postgres(transaction: sqlx::Transaction<'static, Postgres>) -> Self {
        Self(Connection::Postgres(transaction))
    }

    /// Makes what was written durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.0 {
            Connection::Sqlite(lent) => lent.commit().await?,
            Connection::Postgres(transaction) => answered(transaction.commit()).await?,
        }
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

/// Longer than the server lets a statement run, or a call wait for a connection.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);

/// A server that is gone without a word would be waited for as long as the operating system likes.
pub async fn answered<T>(call: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER_WITHIN, call).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(StoreError::Unavailable("the server does not answer".to_owned())),
    }
}

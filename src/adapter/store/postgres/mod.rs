//! The record on a PostgreSQL server.

use sqlx::PgPool;

use crate::adapter::store::sql::Scope;
use crate::adapter::store::sql::connection::Transaction;
use crate::port::store::StoreError;

/// A server that is connected to.
#[derive(Debug, Clone)]
pub struct Server {
    pool: PgPool,
}

impl Server {
    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins to write within a scope.
    pub async fn write(&self, _scope: Scope<'_>) -> Result<Transaction, StoreError> {
        Ok(Transaction::on_postgres(self.pool.begin().await?))
    }

    /// Begins to read from one state of the database.
    pub async fn read(&self) -> Result<Transaction, StoreError> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
        Ok(Transaction::on_postgres(self.pool.begin_with(begin).await?))
    }
}

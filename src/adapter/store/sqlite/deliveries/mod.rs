//! The ledger of deliveries, and what people asked for.

mod batch;
pub(super) mod commands;
pub(super) mod write;

pub(super) use batch::Batches;

use async_trait::async_trait;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::adapter::store::encode::to_column;
use crate::domain::forge::delivery::{CommandRequest, Delivery};
use crate::domain::id::SourceName;
use crate::domain::time::{Timestamp, to_millis};
use crate::port::store::{AnsweredCommand, DeliveryBook, DeliveryRow, Recorded, Retention, StoreError};

use super::SqliteStore;
use super::rows::Columns;

/// How many deliveries are forgotten in one transaction.
const BITE: i64 = 1_000;

/// Of the oldest, those that are not to be kept. Numbers grow with time and without gaps, so the oldest
/// have the smallest, and the difference to the greatest is a count.
pub const FORGET: &str = "DELETE FROM deliveries WHERE number IN (
         SELECT number FROM (SELECT number, received_at FROM deliveries ORDER BY number LIMIT ?3)
         WHERE received_at < ?2 OR number <= (SELECT max(number) FROM deliveries) - ?1)";

#[async_trait]
impl DeliveryBook for SqliteStore {
    async fn record_delivery(&self, delivery: Delivery) -> Result<Recorded, StoreError> {
        batch::record(self, delivery).await
    }

    async fn open_commands(&self, limit: usize, except: &[SourceName]) -> Result<Vec<CommandRequest>, StoreError> {
        commands::open(&mut *self.read().await?, limit, except).await
    }

    async fn answered_commands(
        &self,
        source: &SourceName,
        pull: u64,
        limit: usize,
    ) -> Result<Vec<AnsweredCommand>, StoreError> {
        commands::answered(&mut *self.read().await?, source, pull, limit).await
    }

    async fn asked_elsewhere(&self, command: &CommandRequest) -> Result<Vec<Option<String>>, StoreError> {
        commands::elsewhere(&mut *self.read().await?, command).await
    }

    async fn command_done(&self, command: &CommandRequest, outcome: &str, at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        commands::done(&mut transaction, command, outcome, at).await?;
        Ok(transaction.commit().await?)
    }

    async fn forget_deliveries(&self, keep: &Retention) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        let forgotten = sqlx::query(FORGET)
            .bind(to_column(keep.most))
            .bind(to_millis(keep.since))
            .bind(BITE)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        commands::forget(&mut transaction, keep.commands_since).await?;
        transaction.commit().await?;
        Ok(forgotten)
    }
}

/// The newest deliveries, newest first.
pub async fn rows(connection: &mut SqliteConnection, limit: usize) -> Result<Vec<DeliveryRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT forge, delivery, event, action, repository, reference, head, received_at, times, verdict, woke
         FROM deliveries ORDER BY number DESC LIMIT ?1",
    )
    .bind(to_column(limit as u64))
    .fetch_all(connection)
    .await?;
    let each = |row: &SqliteRow| {
        Ok(DeliveryRow {
            forge: row.name("forge")?,
            delivery: row.text("delivery")?,
            event: row.text("event")?,
            action: row.text_or_none("action")?,
            repository: row.text_or_none("repository")?,
            reference: row.text_or_none("reference")?,
            head: row.name_or_none("head")?,
            received_at: row.time("received_at")?.to_string(),
            times: row.count("times")?,
            verdict: row.text("verdict")?,
            woke: row.json("woke")?,
        })
    };
    rows.iter().map(each).collect()
}

//! The ledger of deliveries, and what people asked for.

mod batch;
pub mod commands;
pub mod write;

pub use batch::Batches;

use async_trait::async_trait;

use crate::adapter::store::encode::to_column;
use crate::adapter::store::sql::connection::{Connection, Row, query};
use crate::domain::forge::delivery::{CommandRequest, Delivery};
use crate::domain::id::SourceName;
use crate::domain::time::{Timestamp, to_millis};
use crate::port::store::{AnsweredCommand, DeliveryBook, DeliveryRow, Recorded, Retention, StoreError};

use super::{Scope, SqlStore};

/// How many deliveries are forgotten in one transaction.
const BITE: i64 = 1_000;

/// Of the oldest, those that are not to be kept. Numbers grow with time and without gaps, so the oldest
/// have the smallest, and the difference to the greatest is a count.
pub const FORGET: &str = "DELETE FROM deliveries WHERE number IN (
         SELECT number FROM (SELECT number, received_at FROM deliveries ORDER BY number LIMIT $3) AS oldest
         WHERE received_at < $2 OR number <= (SELECT max(number) FROM deliveries) - $1)";

#[async_trait]
impl DeliveryBook for SqlStore {
    async fn record_delivery(&self, delivery: Delivery) -> Result<Recorded, StoreError> {
        batch::record(self, delivery).await
    }

    async fn open_commands(&self, limit: usize, except: &[SourceName]) -> Result<Vec<CommandRequest>, StoreError> {
        commands::open(&mut *self.read_once().await?, limit, except).await
    }

    async fn answered_commands(
        &self,
        source: &SourceName,
        pull: u64,
        limit: usize,
    ) -> Result<Vec<AnsweredCommand>, StoreError> {
        commands::answered(&mut *self.read_once().await?, source, pull, limit).await
    }

    async fn asked_elsewhere(&self, command: &CommandRequest) -> Result<Vec<Option<String>>, StoreError> {
        commands::elsewhere(&mut *self.read_once().await?, command).await
    }

    async fn command_done(&self, command: &CommandRequest, outcome: &str, at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Rows).await?;
        commands::done(&mut transaction, command, outcome, at).await?;
        Ok(transaction.commit().await?)
    }

    async fn forget_deliveries(&self, keep: &Retention) -> Result<u64, StoreError> {
        self.deliveries.quiet().await;
        let mut transaction = self.write(Scope::Deliveries).await?;
        let forgotten = query(FORGET)
            .bind(to_column(keep.most))
            .bind(to_millis(keep.since))
            .bind(BITE)
            .execute(&mut transaction)
            .await?;
        commands::forget(&mut transaction, keep.commands_since).await?;
        transaction.commit().await?;
        Ok(forgotten)
    }
}

/// The newest deliveries, newest first.
pub async fn rows(connection: &mut Connection, limit: usize) -> Result<Vec<DeliveryRow>, StoreError> {
    let rows = query(
        "SELECT forge, delivery, event, action, repository, reference, head, received_at, times, verdict, woke
         FROM deliveries ORDER BY number DESC LIMIT $1",
    )
    .bind(to_column(limit as u64))
    .fetch_all(connection)
    .await?;
    let each = |row: &Row| {
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

//! What receiving webhooks needs of the record: the ledger of deliveries, and what people asked for.

use async_trait::async_trait;

use crate::domain::forge::delivery::{CommandRequest, Delivery, DeliveryVerdict};
use crate::domain::time::Timestamp;

use super::StoreError;

/// What the record says of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was not there, and is now.
    New(DeliveryVerdict),
    /// Its id was there already. Nothing else of it was recorded now; whatever it woke was woken then.
    Duplicate,
}

/// What of the ledger is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// At most so many deliveries, the newest.
    pub most: u64,
    /// None that came before.
    pub since: Timestamp,
    /// No command that was done before. It is later than any command may still be replayed.
    pub commands_since: Timestamp,
}

/// What receiving webhooks needs of the record.
#[async_trait]
pub trait DeliveryBook: Send + Sync {
    /// Records a delivery with its commands and with wakes of its targets (see
    /// [`WakeBook`](super::WakeBook)), in one transaction. When it returns, all are durable. A command whose
    /// origin has asked its source before is not recorded again.
    async fn record_delivery(&self, delivery: Delivery) -> Result<Recorded, StoreError>;

    /// Commands that nobody has done yet, oldest first, at most `limit`.
    async fn open_commands(&self, limit: usize) -> Result<Vec<CommandRequest>, StoreError>;

    /// The command was done, or refused: `outcome` says which, in a sentence. Doing so twice keeps the
    /// first outcome.
    async fn command_done(&self, command: &CommandRequest, outcome: &str, at: Timestamp) -> Result<(), StoreError>;

    /// Forgets what is not to be kept, oldest first and at most 1,000 deliveries at a time, so that nobody
    /// waits long; says how many deliveries were forgotten. Open commands stay.
    async fn forget_deliveries(&self, keep: &Retention) -> Result<u64, StoreError>;
}

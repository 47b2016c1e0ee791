//! What receiving webhooks needs of the record: the ledger of deliveries, and what people asked for.

use async_trait::async_trait;

use jiff::SignedDuration;

use crate::domain::forge::delivery::{Asked, CommandRequest, Delivery, DeliveryVerdict};
use crate::domain::id::SourceName;
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

/// How long after it was pressed first a button counts again. What it sends may be the same to the byte,
/// and what was signed once could be sent again by whoever came by it, so there is an end to it.
pub const PRESSED_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// A command under a pull request, or a button of its commits, that was done or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredCommand {
    /// Who asked.
    pub author: String,
    /// What for.
    pub asked: Asked,
    /// Whether a button asked for it.
    pub is_pressed: bool,
    /// What became of it: a sentence, which begins with `refused:` where nothing did.
    pub outcome: String,
}

/// What receiving webhooks needs of the record.
#[async_trait]
pub trait DeliveryBook: Send + Sync {
    /// Records a delivery with its commands and with wakes of its targets (see
    /// [`WakeBook`](super::WakeBook)), in one transaction. When it returns, all are durable. A command whose
    /// origin has asked its source before is not recorded again; but a button, once what it asked for was
    /// done, counts again for [`PRESSED_AGAIN`] from when it was pressed first.
    async fn record_delivery(&self, delivery: Delivery) -> Result<Recorded, StoreError>;

    /// Commands that nobody has done yet, oldest first, at most `limit`; without those of the sources
    /// `except`.
    async fn open_commands(&self, limit: usize, except: &[SourceName]) -> Result<Vec<CommandRequest>, StoreError>;

    /// What became of the commands under a pull request, the newest first, at most `limit`; without those
    /// that are open.
    async fn answered_commands(
        &self,
        source: &SourceName,
        pull: u64,
        limit: usize,
    ) -> Result<Vec<AnsweredCommand>, StoreError>;

    /// What became of the same comment or button at other sources; `None` for one that is open.
    async fn asked_elsewhere(&self, command: &CommandRequest) -> Result<Vec<Option<String>>, StoreError>;

    /// The command was done, or refused: `outcome` says which, in a sentence. Doing so twice keeps the
    /// first outcome. A button belongs to the pull request of the command from then on, if that has one.
    async fn command_done(&self, command: &CommandRequest, outcome: &str, at: Timestamp) -> Result<(), StoreError>;

    /// Forgets what is not to be kept, oldest first and at most 1,000 deliveries at a time, so that nobody
    /// waits long; says how many deliveries were forgotten. Open commands stay.
    async fn forget_deliveries(&self, keep: &Retention) -> Result<u64, StoreError>;
}

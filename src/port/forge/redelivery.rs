//! Deliveries that a forge has made and we have not got.

use async_trait::async_trait;

use crate::domain::time::Timestamp;

use super::ForgeError;

/// One attempt of a forge's to deliver something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The attempt's own id, by which it is asked for again.
    pub id: u64,
    /// The delivery's id: all attempts of one delivery have the same.
    pub delivery: String,
    /// When it was made.
    pub at: Timestamp,
    /// Whether it was answered by a 2xx.
    pub arrived: bool,
}

/// What one look brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attempts {
    /// The newest first.
    pub attempts: Vec<Attempt>,
    /// Whether there are older ones that were not looked at, because there are too many.
    pub is_cut: bool,
}

/// Asks a forge for its deliveries.
#[async_trait]
pub trait Redelivery: Send + Sync {
    /// The attempts since then, at most some hundreds.
    async fn attempts(&self, since: Timestamp) -> Result<Attempts, ForgeError>;

    /// Asks for one to be made again; it comes in as any other delivery does.
    async fn redeliver(&self, attempt: u64) -> Result<(), ForgeError>;
}

//! Keeping the ledger within its limits, and telling now and then what came.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::id::ForgeName;
use crate::port::clock::Clock;
use crate::port::store::{DeliveryBook, Retention, StoreError};

use super::counters::{Counters, Counts};

/// How often the ledger is looked at.
const EVERY: Duration = Duration::from_secs(60);
/// The pause between two bites, in which others write.
const PAUSE: Duration = Duration::from_millis(20);
/// How long it is remembered that a command was done. A comment is no command after three days, and a button
/// of a check leads to a plan that is decided long before.
const COMMANDS_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What of the ledger is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// At most so many deliveries.
    pub most: u64,
    /// Each for so long at the most.
    pub age: SignedDuration,
}

impl Default for Keep {
    fn default() -> Self {
        Self { most: 100_000, age: SignedDuration::from_hours(14 * 24) }
    }
}

/// Tells what came, every minute until told to stop.
pub async fn tell_counts(counters: Arc<Counters>, stop: CancellationToken) {
    let mut told = BTreeMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        tell(&counters, &mut told);
    }
}

/// Forgets what is too old or too much, every minute until told to stop. Once for each record is enough.
pub async fn keep_up(book: Arc<dyn DeliveryBook>, clock: Arc<dyn Clock>, keep: Keep, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = forget(&*book, &*clock, keep, &stop).await {
            warn!(%error, "the ledger of deliveries could not be cut");
        }
    }
}

async fn forget(
    book: &dyn DeliveryBook,
    clock: &dyn Clock,
    keep: Keep,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let now = clock.now();
    let ago = |length: SignedDuration| now.checked_sub(length).unwrap_or(now);
    let keep = Retention { most: keep.most, since: ago(keep.age), commands_since: ago(COMMANDS_FOR) };
    while book.forget_deliveries(&keep).await? > 0 && !stop.is_cancelled() {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Writes the counters that have changed into the log: whoever has a wrong secret should see it.
fn tell(counters: &Counters, told: &mut BTreeMap<ForgeName, Counts>) {
    let now = counters.read();
    for (forge, counts) in &now {
        if told.get(forge).copied().unwrap_or_default() != *counts {
            let Counts { accepted, duplicates, ignored, unknown, refused, malformed, dropped, failed } = counts;
            info!(
                %forge, accepted, duplicates, ignored, unknown, refused, malformed, dropped, failed,
                "deliveries since the start"
            );
        }
    }
    *told = now;
}

//! All loops of a replica, from its start to its end.
//!
//! # The end
//!
//! 1. Told to stop, nothing new is begun. Looks and tasks under way may end, for as long as settings let them.
//! 2. What has not ended by then is broken off, and what is leased for it is handed back, so that another
//!    replica goes on at once, under the same keys.
//! 3. How stages stand by then is told, and what forges should show is written, for a few seconds; the leases of the accounts are handed
//!    back, and last of all the presence.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::port::store::{LeaseName, StoreError};

use super::Engine;

impl Engine {
    /// What has to be in order before anything is begun: an earlier run of the same replica is gone, and what
    /// is unfinished can be read.
    pub async fn recover(&self) -> Result<(), StoreError> {
        let left = self.ports.store.recover(&self.settings.holder, self.ports.clock.now()).await?;
        let unfinished = self.ports.store.unfinished().await?.len();
        info!(holder = self.settings.holder, looks = left, unfinished, "recovered");
        Ok(())
    }

    /// Runs all loops until told to stop, and then until everything has ended or is handed back.
    pub async fn run_until(self: &Arc<Self>, stop: &CancellationToken) {
        let last = CancellationToken::new();
        let (own, ending) = (Arc::clone(self), last.clone());
        let presence = tokio::spawn(async move {
            let name = LeaseName::replica(&own.settings.holder);
            own.alone(&name, &ending, |_| ending.cancelled()).await;
        });
        let (own, ending) = (Arc::clone(self), last.clone());
        let hearing = tokio::spawn(async move { own.hear_until(&ending).await });
        let flush = CancellationToken::new();
        let (own, flushing) = (Arc::clone(self), flush.clone());
        let publishing = tokio::spawn(async move { own.publish_until(&flushing).await });
        tokio::join!(self.pass_until(stop), self.roll_out_until(stop), self.answer_until(stop));
        flush.cancel();
        let published = publishing.await;
        last.cancel();
        for ended in [published, presence.await, hearing.await] {
            if let Err(panic) = ended {
                tracing::error!(%panic, "a loop ended early");
            }
        }
    }
}

//! Making forges show what the record wants them to show.
//!
//! It is its own small reconciler: what is wanted and not shown is written, until it is shown.
//! A crash between the writing and the note of it writes the same state once more, which forges
//! show once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::time::Timestamp;
use crate::port::forge::ForgeError;
use crate::port::store::{StoreError, WantedReport};

use super::Engine;

/// How many reports are read at once.
const BATCH: usize = 100;
/// How often the loop looks without being rung.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

impl Engine {
    /// Writes what is due until nothing is; returns how many reports were written.
    pub async fn publish_due(&self) -> Result<usize, StoreError> {
        let mut written = 0;
        loop {
            let due = self.ports.store.unpublished(self.ports.clock.now(), BATCH).await?;
            if due.is_empty() {
                return Ok(written);
            }
            for wanted in due {
                written += usize::from(self.publish_one(&wanted).await?);
            }
        }
    }

    /// Publishes whenever there is something, until told to stop.
    pub async fn publish_until(&self, stop: &CancellationToken) {
        loop {
            let rung = self.publish_bell.notified();
            if let Err(error) = self.publish_due().await {
                warn!(%error, "reports could not be read; trying again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = rung => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn publish_one(&self, wanted: &WantedReport) -> Result<bool, StoreError> {
        let report = &wanted.report;
        let Some(forge) = self.ports.forges.get(&report.source) else {
            let message = format!("the source '{}' has no forge", report.source);
            self.ports.store.failed(wanted, &message, None, self.ports.clock.now()).await?;
            return Ok(false);
        };
        let outcome = forge.publish(report, None).await;
        let now = self.ports.clock.now();
        match outcome {
            Ok(_) => {
                info!(source = %report.source, revision = %report.revision.short(), context = %report.context,
                    state = report.state.as_str(), "{}", report.description);
                self.ports.store.published(wanted, now).await?;
                Ok(true)
            }
            Err(ForgeError::Transient(message)) => {
                let again = self.pause_after(wanted.failures, now);
                warn!(source = %report.source, context = %report.context, %message, "a status was not written; trying again");
                self.ports.store.failed(wanted, &message, Some(again), now).await?;
                Ok(false)
            }
            Err(ForgeError::Limited { until, message }) => {
                self.ports.store.failed(wanted, &message, Some(until), now).await?;
                Ok(false)
            }
            Err(ForgeError::Permanent(message) | ForgeError::Denied(message)) => {
                warn!(source = %report.source, context = %report.context, %message, "a status cannot be written");
                self.ports.store.failed(wanted, &message, None, now).await?;
                Ok(false)
            }
        }
    }

    fn pause_after(&self, failures: u32, now: Timestamp) -> Timestamp {
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(self.settings.longest_pause);
        now.checked_add(pause).unwrap_or(now)
    }
}

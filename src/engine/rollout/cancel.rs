//! How a decision to stop something that runs reaches whoever drives it: by the record, so that it may be
//! another process.

use std::convert::Infallible;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::activity::{ActivityEvent, CancelCause};
use crate::domain::plan::ActivityId;
use crate::port::store::Bell;

use super::super::Engine;
use super::choose::Replaced;

/// How often the record is looked at without being rung.
const LOOK_EVERY: Duration = Duration::from_secs(2);

impl Engine {
    /// Cancels `cancel` once the record says that the activity is to be stopped; never returns.
    pub(super) async fn watch_for_cancellation(&self, id: &ActivityId, cancel: &CancellationToken) -> Infallible {
        loop {
            let rung = self.cancel_bell.notified();
            match self.ports.store.activity(id).await {
                Ok(Some(record)) => {
                    if let Some(cancellation) = &record.state.cancellation {
                        info!(activity = %id, "stopping: {cancellation}");
                        cancel.cancel();
                        return std::future::pending().await;
                    }
                }
                Ok(None) => {}
                Err(error) => warn!(activity = %id, %error, "it could not be seen whether it is cancelled"),
            }
            tokio::select! {
                biased;
                () = rung => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Records that something that runs is to be stopped for what waits behind it.
    pub(super) async fn stop_for(&self, replaced: &Replaced) {
        let at = self.ports.clock.now();
        let event = ActivityEvent::CancelRequested { why: CancelCause::Newer(replaced.by.clone()), at };
        match self.ports.store.append(&replaced.id, None, &event, at).await {
            Ok(_) => {
                self.cancel_bell.notify_waiters();
                // Where it rests between two attempts, nobody waits for that.
                self.bells.ring(Bell::Rollouts);
            }
            // It has ended meanwhile, or the record is not available: the next look decides.
            Err(error) => warn!(activity = %replaced.id, %error, "it could not be stopped for a later commit for now"),
        }
    }
}

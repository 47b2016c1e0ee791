//! Letting go of history: by age and by number, in small batches, and never what the present is explained
//! by (`port/store/history.rs` says what that is). Each batch decides anew what may go, so that upkeep can
//! be stopped at any point, and done by several at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::time::Timestamp;
use crate::port::artifacts::Artifacts;
use crate::port::store::{History, Kept, Store, StoreError};

use super::Engine;

/// How often history is looked at.
const EVERY: Duration = Duration::from_secs(3_600);
/// The first look comes some time after the start, when there is more to do.
const FIRST: Duration = Duration::from_secs(300);
/// So many things go at once.
const BATCH: usize = 200;
/// The pause between two batches, in which others write.
const PAUSE: Duration = Duration::from_millis(20);

/// How much history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retain {
    /// Activities that have ended, plans and reports.
    pub rollouts_for: Duration,
    /// At most so many activities.
    pub activities: u64,
    /// Contents of versions that are not the newest and run nowhere.
    pub contents_for: Duration,
    /// Audit events.
    pub audit_for: Duration,
    /// At most so many audit events.
    pub audit: u64,
}

/// What was let go of, or would be: how many things, by what they are.
pub type Pruned = BTreeMap<&'static str, u64>;

/// Lets go of what is too old or too much, until nothing is left of it. With `dry_run` it is only counted,
/// as far as it can go right now: what goes may make way for more.
pub async fn prune(
    store: &dyn Store,
    now: Timestamp,
    retain: &Retain,
    artifacts: Option<&dyn Artifacts>,
    dry_run: bool,
    stop: &CancellationToken,
) -> Result<Pruned, StoreError> {
    let ago = |length: Duration| now.checked_sub(length).unwrap_or(now);
    let kept = Kept {
        rollouts_since: ago(retain.rollouts_for),
        activities: retain.activities,
        contents_since: ago(retain.contents_for),
        audit_since: ago(retain.audit_for),
        audit: retain.audit,
    };
    let mut pruned = Pruned::new();
    for part in History::ALL {
        let mut all = 0;
        loop {
            let gone = store.prune(part, &kept, BATCH, dry_run).await?;
            all += gone;
            if gone == 0 || dry_run || stop.is_cancelled() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        pruned.insert(part.as_str(), all);
    }
    if let Some(artifacts) = artifacts.filter(|_| !stop.is_cancelled()) {
        let needed = store.needed_tasks().await?.into_iter().collect();
        match artifacts.keep_only(needed, dry_run).await {
            Ok(gone) => {
                pruned.insert("artifacts", gone);
            }
            Err(error) => warn!(%error, "artifacts that nobody needs could not be removed"),
        }
    }
    Ok(pruned)
}

impl Engine {
    /// Prunes every hour, until told to stop.
    pub async fn prune_until(&self, retain: &Retain, artifacts: Arc<dyn Artifacts>, stop: &CancellationToken) {
        let mut pause = FIRST;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => pause = EVERY,
            }
            let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
            match prune(store, now, retain, Some(artifacts.as_ref()), false, stop).await {
                Ok(pruned) if pruned.values().any(|gone| *gone > 0) => info!(?pruned, "history was let go of"),
                Ok(_) => {}
                Err(error) => warn!(%error, "history could not be let go of; trying again"),
            }
        }
    }
}

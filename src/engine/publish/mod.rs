//! Making forges show what the record wants them to show.
//!
//! It is its own small reconciler: what is wanted and not shown is written, until it is shown.
//!
//! Needs: every report comes to be shown once the forge lets us; a slow or limited forge holds up no
//! other; a forge is never pressed.
//!
//! Decisions:
//! - *One queue for each account of a forge.* Limits are an account's, and so are the pauses; what one
//!   account waits for, no other waits for.
//! - *The record is the queue.* Only the newest state of a report is in it, so what changes faster than
//!   it can be written is written once. Few are read at a time, for what is read grows old.
//! - *Pauses are in the record*: a limit is honoured by the next process too.
//! - *One replica for each account*, by a lease: two that write through one account would press the forge, and
//!   an older state could come after a newer one. What the old one of two notes is fenced.
//!
//! Named races:
//! - *A crash between the writing and the note of it* writes the same state once more, which forges
//!   show once.
//! - *Another state is wanted while the older one is written*: editions; the newer one stays wanted, and
//!   the forge's id of what was written is kept for it.
//! - *A ring of the bell while the queue is worked off*: who waits for the bell does so from before it
//!   reads the queue.

mod account;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::domain::id::SourceName;
use crate::domain::time::Timestamp;
use crate::port::store::{LeaseName, StoreError, WantedReport};

use super::Engine;
use super::pause::spread;
use super::tenure::AbortOnDrop;
use account::Account;

/// How many reports are read at once.
const BATCH: usize = 8;
/// How many reports without a forge are given up at one look.
const MOST_HOMELESS: usize = 1_000;
/// How often a queue is looked at without being rung for.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long reports are still written after the stop.
const FLUSH: Duration = Duration::from_secs(5);
/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

impl Engine {
    /// Writes what is due until nothing is; returns how many reports were written. What another replica
    /// writes is left to it.
    pub async fn publish_due(self: &Arc<Self>) -> Result<usize, StoreError> {
        self.give_up_homeless().await?;
        let mut queues = JoinSet::new();
        for account in self.accounts() {
            let engine = Arc::clone(self);
            queues.spawn(async move {
                let (name, halt) = (LeaseName::publisher(&account.name), CancellationToken::new());
                let Some((leased, tenure)) = engine.lease_now(&name, &halt).await? else { return Ok(0) };
                let written = leased.work_off(&account).await;
                tenure.hand_back().await;
                written
            });
        }
        let mut written = 0;
        while let Some(joined) = queues.join_next().await {
            match joined {
                Ok(count) => written += count?,
                Err(panic) => error!(%panic, "writing reports panicked"),
            }
        }
        Ok(written)
    }

    /// Publishes whenever there is something, until told to stop, and looks from time to time whether
    /// forges still show what they were told. Of several replicas, one writes through an account. At the
    /// stop, what is due by then is written for a few seconds; what is being written after that is written
    /// anew at the next start.
    pub async fn publish_until(self: &Arc<Self>, stop: &CancellationToken) {
        let bell = Arc::new(Notify::new());
        let mut queues = JoinSet::new();
        for account in self.accounts() {
            let (engine, bell, stop) = (Arc::clone(self), Arc::clone(&bell), stop.clone());
            queues.spawn(async move {
                let name = LeaseName::publisher(&account.name);
                engine.alone(&name, &stop, |engine| engine.serve_account(account.clone(), &bell, &stop)).await;
            });
        }
        loop {
            let rung = self.bells.reports.notified();
            if let Err(error) = self.give_up_homeless().await {
                warn!(%error, "reports could not be read; trying again");
            }
            bell.notify_waiters();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = rung => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        while queues.join_next().await.is_some() {}
    }

    async fn serve_account(self: Arc<Self>, account: Account, bell: &Notify, stop: &CancellationToken) {
        let given_up = async {
            stop.cancelled().await;
            tokio::time::sleep(FLUSH).await;
        };
        tokio::select! {
            biased;
            () = given_up => {}
            () = self.work_off_until(&account, bell, stop) => {}
        }
    }

    async fn work_off_until(self: &Arc<Self>, account: &Account, bell: &Notify, stop: &CancellationToken) {
        loop {
            let is_last = stop.is_cancelled();
            let rung = bell.notified();
            // On a task of its own, so that a panic over one report leaves the queue alive.
            let (engine, own) = (Arc::clone(self), account.clone());
            let worked = tokio::spawn(async move {
                engine.work_off(&own).await?;
                if is_last { Ok(0) } else { engine.read_back(&own).await }
            });
            match AbortOnDrop(worked).join().await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => warn!(%error, "reports could not be read; trying again"),
                Err(panic) => error!(%panic, "writing reports panicked"),
            }
            if is_last {
                return;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = rung => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Reports of sources that have no forge (any more) are given up.
    async fn give_up_homeless(&self) -> Result<(), StoreError> {
        let homeless: Vec<SourceName> = self
            .ports
            .store
            .sources_with_unpublished()
            .await?
            .into_iter()
            .filter(|source| !self.ports.forges.contains_key(source))
            .collect();
        if homeless.is_empty() {
            return Ok(());
        }
        let now = self.ports.clock.now();
        for wanted in self.ports.store.unpublished(&homeless, now, MOST_HOMELESS).await? {
            let message = format!("the source '{}' has no forge", wanted.report.source);
            self.ports.store.failed(&wanted, &message, None, now).await?;
        }
        Ok(())
    }

    /// When to try again what has failed so often before: after a pause that doubles, spread out.
    fn again_after(&self, wanted: &WantedReport, now: Timestamp) -> Timestamp {
        let (report, failures) = (&wanted.report, wanted.failures);
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(self.settings.longest_pause);
        let (subject, edition, failures) = (report.subject(), wanted.edition.to_string(), failures.to_string());
        let what = [report.source.as_str(), &subject, report.sort(), &report.context, &edition, &failures];
        now.checked_add(spread(pause, what)).unwrap_or(now)
    }
}

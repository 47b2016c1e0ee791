//! The queue of one account of a forge.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use crate::domain::id::SourceName;
use crate::domain::report::Report;
use crate::domain::time::Timestamp;
use crate::port::forge::{Abilities, Forge, ForgeError};
use crate::port::store::{Pause, StoreError, WantedReport};

use super::super::Engine;
use super::BATCH;

/// A forge that takes longer for one report is taken to hang.
const PATIENCE: Duration = Duration::from_secs(120);
/// After so many failures in a row the forge is left alone until the next look.
const MOST_FAILURES: u32 = 3;
/// How long nothing of a sort is written that we may not write: a person has to change it.
const DENIED_PAUSE: Duration = Duration::from_secs(10 * 60);
/// So much later than all others, what was denied is tried itself.
const DENIED_LAST: Duration = Duration::from_secs(30);
/// The longest pause that a forge can ask for.
const LONGEST_LIMIT: Duration = Duration::from_secs(24 * 3_600);
/// The shortest, so that a clock that goes wrong does not make us press it.
const SHORTEST_LIMIT: Duration = Duration::from_secs(1);

/// An account of a forge, and the sources whose reports go through it.
#[derive(Clone)]
pub(super) struct Account {
    /// Tells it from all other accounts: at each replica the same.
    pub name: String,
    pub forge: Arc<dyn Forge>,
    pub sources: Vec<SourceName>,
}

/// How an attempt ended, for the queue.
enum Attempt {
    Written,
    /// This one is given up, or rests.
    Aside,
    /// The forge could not do it for now.
    Failed,
    /// The record has a new pause: what was read before does not count any more.
    Paused,
}

impl Engine {
    /// The accounts of all forges.
    pub(super) fn accounts(&self) -> Vec<Account> {
        let mut accounts: BTreeMap<(usize, String), Account> = BTreeMap::new();
        for (source, forge) in &self.ports.forges {
            let which = Arc::as_ptr(forge).cast::<()>() as usize;
            accounts
                .entry((which, forge.account(source)))
                .or_insert_with(|| Account { name: String::new(), forge: Arc::clone(forge), sources: Vec::new() })
                .sources
                .push(source.clone());
        }
        let mut accounts: Vec<Account> = accounts.into_values().collect();
        for account in &mut accounts {
            // The first source names it: that one goes through this account alone.
            account.name = account.sources.first().map(ToString::to_string).unwrap_or_default();
        }
        accounts.sort_by(|one, other| one.name.cmp(&other.name));
        accounts
    }

    /// Writes what is due in one queue until nothing is, or until the forge wants to be left alone.
    pub(super) async fn work_off(&self, account: &Account) -> Result<usize, StoreError> {
        let (mut written, mut failures) = (0, 0);
        'read: loop {
            let due = self.ports.store.unpublished(&account.sources, self.ports.clock.now(), BATCH).await?;
            if due.is_empty() {
                return Ok(written);
            }
            let read_at = self.ports.clock.now();
            for wanted in due {
                // After a pause of our own, another replica may have shown a later state than the one read here.
                if self.ports.clock.now().duration_since(read_at).unsigned_abs() > self.settings.lease / 3 {
                    continue 'read;
                }
                match self.publish_one(account, &wanted).await? {
                    Attempt::Written => (written, failures) = (written + 1, 0),
                    Attempt::Aside => {}
                    Attempt::Failed => failures += 1,
                    Attempt::Paused => continue 'read,
                }
                if failures >= MOST_FAILURES {
                    return Ok(written);
                }
            }
        }
    }

    async fn publish_one(&self, account: &Account, wanted: &WantedReport) -> Result<Attempt, StoreError> {
        let (report, store) = (&wanted.report, &self.ports.store);
        if !can_show(account.forge.abilities(), report) {
            let message = format!("the forge shows no {}s", report.sort());
            store.failed(wanted, &message, None, self.ports.clock.now()).await?;
            return Ok(Attempt::Aside);
        }
        let writing = account.forge.publish(report, wanted.external.as_deref());
        let outcome = tokio::time::timeout(PATIENCE, writing)
            .await
            .unwrap_or_else(|_| Err(ForgeError::Transient(format!("no answer within {} s", PATIENCE.as_secs()))));
        let now = self.ports.clock.now();
        match outcome {
            Ok(external) => {
                info!(source = %report.source, revision = %report.revision.short(), context = %report.context,
                    state = report.state.as_str(), "{}", report.description);
                store.published(wanted, external.as_deref(), now).await?;
                Ok(Attempt::Written)
            }
            Err(ForgeError::Transient(message)) => {
                let again = self.again_after(wanted, now);
                warn!(source = %report.source, context = %report.context, %message, "a report was not written; trying again");
                store.failed(wanted, &message, Some(again), now).await?;
                Ok(Attempt::Failed)
            }
            Err(ForgeError::Limited { until, message }) => {
                self.honour_limit(account, until, message).await?;
                Ok(Attempt::Paused)
            }
            Err(ForgeError::Crowded { until, message }) => {
                let until = until.clamp(later(now, SHORTEST_LIMIT), later(now, LONGEST_LIMIT));
                info!(%until, sort = report.sort(), %message, "no more of this sort is written for now");
                let crowded = Pause::Crowded { sort: report.sort(), message: format!("{message}; until {until}") };
                store.pause(&account.sources, &crowded, until, now).await?;
                Ok(Attempt::Paused)
            }
            Err(ForgeError::Denied(message)) => {
                warn!(source = %report.source, sort = report.sort(), %message, "reports may not be written");
                // It may be this one alone (a locked pull request): the others come before it next time.
                store.failed(wanted, &message, Some(later(now, DENIED_PAUSE + DENIED_LAST)), now).await?;
                let denied = Pause::Denied { sort: report.sort(), message };
                store.pause(std::slice::from_ref(&report.source), &denied, later(now, DENIED_PAUSE), now).await?;
                Ok(Attempt::Paused)
            }
            Err(ForgeError::Permanent(message)) => {
                warn!(source = %report.source, context = %report.context, %message, "a report cannot be written");
                store.failed(wanted, &message, None, now).await?;
                Ok(Attempt::Aside)
            }
        }
    }

    /// The forge wants no more requests through this account until then.
    pub(super) async fn honour_limit(
        &self,
        account: &Account,
        until: Timestamp,
        message: String,
    ) -> Result<(), StoreError> {
        let now = self.ports.clock.now();
        let until = until.clamp(later(now, SHORTEST_LIMIT), later(now, LONGEST_LIMIT));
        info!(%until, sources = account.sources.len(), %message, "the forge wants no more requests for now");
        self.ports.store.pause(&account.sources, &Pause::Limited { message }, until, now).await
    }
}

/// Whether the forge shows reports of this sort at all.
fn can_show(abilities: Abilities, report: &Report) -> bool {
    match report.sort() {
        "check" => abilities.checks,
        "comment" => abilities.comments,
        "deployment" => abilities.deployments,
        _ => true,
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(now)
}

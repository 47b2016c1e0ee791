//! Reading back what forges show: a status that was lost (a forge restored from a copy, a check run that
//! somebody else overwrote) is written again.

use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, warn};

use crate::port::forge::ForgeError;
use crate::port::store::{Bell, StoreError};

use super::super::Engine;
use super::account::Account;

/// How many reports of one account are read back at each look, so that this never takes the place of
/// writing.
const MOST_AT_ONCE: usize = 5;
/// A forge that takes longer for one report is taken to hang.
const PATIENCE: Duration = Duration::from_secs(60);

impl Engine {
    /// Looks whether forges still show what they were told, as far as that is due now; returns how many
    /// reports were lost and are wanted again.
    pub async fn verify_due(self: &Arc<Self>) -> Result<usize, StoreError> {
        let mut lost = 0;
        for account in self.accounts() {
            lost += self.read_back(&account).await?;
        }
        Ok(lost)
    }

    pub(super) async fn read_back(&self, account: &Account) -> Result<usize, StoreError> {
        let store = &self.ports.store;
        let mut lost = 0;
        for wanted in store.to_verify(&account.sources, self.ports.clock.now(), MOST_AT_ONCE).await? {
            let report = &wanted.report;
            let reading = account.forge.shows(report, wanted.external.as_deref());
            let shown = tokio::time::timeout(PATIENCE, reading)
                .await
                .unwrap_or_else(|_| Err(ForgeError::Transient("no answer".to_owned())));
            let now = self.ports.clock.now();
            match shown {
                Ok(true) => store.verified(&wanted, now).await?,
                Ok(false) => {
                    warn!(source = %report.source, revision = %report.revision.short(), context = %report.context,
                        "the forge does not show a report any more; writing it again");
                    store.lost(&wanted, now).await?;
                    lost += 1;
                }
                Err(ForgeError::Limited { until, message }) => {
                    self.honour_limit(account, until, message).await?;
                    break;
                }
                // What cannot be read back counts as shown, and is looked at again in its time.
                Err(error) => {
                    debug!(source = %report.source, context = %report.context, %error, "a report was not read back");
                    store.verified(&wanted, now).await?;
                }
            }
        }
        if lost > 0 {
            self.ring(Bell::Reports);
        }
        Ok(lost)
    }
}

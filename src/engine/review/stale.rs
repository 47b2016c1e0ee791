//! Proposals that are to be looked at though nobody told of them: losing every webhook only costs
//! time.
//!
//! After each look at a source's branch, open proposals whose base, recorded state, policies or
//! platform are others by now are woken. From time to time the forge is asked for all that are open:
//! those that are not known or have another head are woken too, and so are those that it does not name
//! any more. All of them wait behind everything else, and few are looked at at once.
//!
//! What other sources record meanwhile, and what was rolled out, makes nothing stale: it would be said
//! of the branch after the merge, and whoever wants to know before asks for another look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tracing::warn;

use crate::domain::forge::{Proposal, PullRequest, ReviewVerdict};
use crate::domain::id::{Revision, SourceName};
use crate::domain::source::Target;
use crate::domain::time::Timestamp;
use crate::port::store::{Lane, ProposalRecord};

use super::super::Engine;
use super::super::pass::PassError;

/// How often a forge is asked for all open proposals of a source.
const LIST_EVERY: Duration = Duration::from_secs(5 * 60);
/// A listing of so many may not be all of them.
const LONGEST_LISTING: usize = 1_000;

/// When the forge was asked last, by source.
#[derive(Debug, Default)]
pub struct Listings(Mutex<BTreeMap<SourceName, Timestamp>>);

impl Listings {
    /// Whether it is time to ask; from then on it was asked.
    fn is_due(&self, source: &SourceName, now: Timestamp) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = asked.get(source).is_none_or(|last| now.duration_since(*last).unsigned_abs() >= LIST_EVERY);
        if is_due {
            asked.insert(source.clone(), now);
        }
        is_due
    }

    /// It could not be asked: next time it is due again.
    fn failed(&self, source: &SourceName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(source);
    }
}

impl Engine {
    /// The proposals of a source that are to be looked at, now that its branch stands at `base` (where
    /// that is known).
    pub async fn stale_proposals(
        &self,
        source: &SourceName,
        base: Option<&Revision>,
    ) -> Result<Vec<Proposal>, PassError> {
        let watched = self.watched(source)?;
        let Some(reviews) = self.ports.reviews.get(source) else { return Ok(Vec::new()) };
        let now = self.ports.clock.now();
        let listed = if self.listings.is_due(source, now) {
            match reviews.open_pull_requests(source, &watched.branch).await {
                Ok(listed) => Some(listed),
                Err(error) => {
                    self.listings.failed(source);
                    warn!(%source, %error, "the forge was not asked for open proposals");
                    None
                }
            }
        } else {
            None
        };
        let recorded = self.ports.store.source(source).await?.and_then(|record| record.revision);
        let policies = self.ports.judge.policies();
        let open = self.ports.store.open_proposals(source).await?;
        let mut stale = BTreeSet::new();
        for record in &open {
            let inputs = &record.inputs;
            // What failed is tried again by whoever saw it fail, after growing pauses; this is for what
            // nobody remembers. Where the branch stood then may not be known.
            let still_counts = if record.verdict == ReviewVerdict::NotEvaluated {
                now.duration_since(record.assessed_at).unsigned_abs() < self.settings.longest_pause
            } else {
                base.is_none_or(|base| *base == inputs.base) && inputs.recorded == recorded
            };
            let holds =
                still_counts && inputs.policies == policies && inputs.platform == watched.platform && record.again == 0;
            if !holds || listed.as_ref().is_some_and(|listed| !is_as_listed(record, listed)) {
                stale.insert(record.proposal.clone());
            }
        }
        let known: BTreeSet<&Proposal> = open.iter().map(|record| &record.proposal).collect();
        let new = listed.iter().flatten().map(|pull| Proposal::Pull(pull.number));
        stale.extend(new.filter(|proposal| !known.contains(proposal)));
        Ok(stale.into_iter().collect())
    }

    /// Wakes them, behind everything else.
    pub(in crate::engine) async fn wake_stale(&self, source: &SourceName, base: Option<&Revision>) {
        let woken = async {
            let stale = self.stale_proposals(source, base).await?;
            let stale: Vec<Target> =
                stale.into_iter().map(|proposal| Target::proposal(source.clone(), proposal)).collect();
            Ok::<(), PassError>(self.wake_in(&stale, Lane::Later).await?)
        };
        if let Err(error) = woken.await {
            warn!(%source, %error, "open proposals are not looked at");
        }
    }
}

/// Whether a proposal stands as the forge lists it. Merge groups are not listed: whether one is still
/// there is seen by looking.
fn is_as_listed(record: &ProposalRecord, listed: &[PullRequest]) -> bool {
    let Proposal::Pull(number) = record.proposal else { return false };
    match listed.iter().find(|pull| pull.number == number) {
        Some(pull) => pull.head == record.inputs.head,
        None => listed.len() >= LONGEST_LISTING,
    }
}

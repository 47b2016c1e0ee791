//! What keeps a rollout from beginning though nothing else does: a gate that people have not opened, or
//! somebody who holds it.
//!
//! Named races:
//! - *Held, rejected or no longer approved while chosen*: whoever is about to claim looks again, and claims only
//!   while nothing was decided since (`standing`).
//! - *Other policies than when it was approved*: approvals are counted for the policies of now, each time.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::activity::ActivityStatus;
use crate::domain::forge::{Hold, Person, approvers};
use crate::domain::id::{Digest, SourceName, StageName};
use crate::domain::plan::ActivityId;
use crate::port::store::{ActivityRecord, StoreError};

use super::Engine;
use super::reports::StageLine;
use super::rollout::with_followers;

/// For what a rollout waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Waits {
    /// For people.
    Approval {
        /// How many have approved.
        have: u32,
        /// How many have to.
        need: u32,
    },
    /// For whoever holds it to let it go.
    Hold(Person),
}

/// Looks at gates, and remembers what it saw: for one look at the record.
pub(super) struct Gates<'a> {
    engine: &'a Engine,
    policies: Digest,
    holds: Vec<Hold>,
    seen: BTreeMap<(Digest, StageName), u32>,
}

/// What of a source has not come to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// How many rollouts can go on by themselves.
    pub going_on: usize,
    /// How many wait for people, or for such a one.
    pub waiting_for_people: usize,
}

impl Engine {
    /// What of a source has not come to its end, and why.
    pub async fn unfinished_of(&self, source: &SourceName) -> Result<Unfinished, StoreError> {
        let mut open = self.ports.store.unfinished().await?;
        open.retain(|record| record.source == *source);
        let mut gates = self.gates().await?;
        let mut kept: BTreeSet<ActivityId> = BTreeSet::new();
        for record in open.iter().filter(|record| record.state.status == ActivityStatus::Waiting) {
            if gates.before_activity(record).await?.is_some() {
                kept.insert(record.planned.id.clone());
            }
        }
        let waits = open.iter().map(|record| (&record.planned.id, &record.planned.after));
        let kept = with_followers(kept, waits);
        Ok(Unfinished { going_on: open.len() - kept.len(), waiting_for_people: kept.len() })
    }

    pub(super) async fn gates(&self) -> Result<Gates<'_>, StoreError> {
        Ok(Gates {
            engine: self,
            policies: self.ports.judge.policies(),
            holds: self.ports.store.holds().await?,
            seen: BTreeMap::new(),
        })
    }
}

impl Gates<'_> {
    /// Whether any rollout can be kept from beginning at all.
    pub(super) fn are_there(&self) -> bool {
        !self.holds.is_empty() || self.engine.settings.platform.stages.iter().any(|stage| stage.gate.is_some())
    }

    /// What keeps activities of this plan from beginning at this stage.
    pub(super) async fn before(
        &mut self,
        source: &SourceName,
        plan: &Digest,
        stage: &StageName,
    ) -> Result<Option<Waits>, StoreError> {
        let holding = |hold: &&Hold| hold.source == *source && hold.plan.as_ref().is_none_or(|held| held == plan);
        if let Some(hold) = self.holds.iter().find(holding) {
            return Ok(Some(Waits::Hold(hold.by.clone())));
        }
        let Some(gate) = self.engine.settings.platform.gate(stage) else { return Ok(None) };
        let key = (plan.clone(), stage.clone());
        let have = match self.seen.get(&key) {
            Some(have) => *have,
            None => {
                let approvals = self.engine.ports.store.approvals(plan, stage).await?;
                let have = approvers(&approvals, &self.policies);
                self.seen.insert(key, have);
                have
            }
        };
        Ok((have < gate.approvals).then_some(Waits::Approval { have, need: gate.approvals }))
    }

    /// The same for an activity.
    pub(super) async fn before_activity(&mut self, record: &ActivityRecord) -> Result<Option<Waits>, StoreError> {
        self.before(&record.source, &record.plan, &record.planned.container.stage).await
    }

    /// Says of each line that waits what keeps it from beginning.
    pub(super) async fn tell(
        &mut self,
        source: &SourceName,
        stage: &StageName,
        lines: &mut [StageLine],
    ) -> Result<(), StoreError> {
        if !self.are_there() {
            return Ok(());
        }
        for line in lines.iter_mut().filter(|line| line.waits()) {
            if let Some(plan) = line.plan.clone() {
                line.before = self.before(source, &plan, stage).await?;
            }
        }
        Ok(())
    }
}

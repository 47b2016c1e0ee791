//! Which activities may begin.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::activity::{ActivityEvent, ActivityStatus};
use crate::domain::id::ContainerId;
use crate::domain::plan::ActivityId;
use crate::port::store::{ActivityRecord, StoreError};

use super::super::Engine;

/// What can be done now.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// May begin, or go on after a crash; at most one of each container.
    pub ready: Vec<ActivityId>,
    /// Will never begin: what they wait for did not succeed.
    pub skipped: Vec<Skipped>,
}

/// An activity that will never begin.
#[derive(Debug)]
pub(super) struct Skipped {
    pub record: ActivityRecord,
    pub because: ActivityId,
}

/// Where something that is waited for stands.
enum Prerequisite {
    Succeeded,
    Open(ActivityId),
    Lost(ActivityId),
}

/// Where all that is waited for stands.
enum Prerequisites {
    Succeeded,
    /// These have not ended.
    Open(Vec<ActivityId>),
    Lost(ActivityId),
}

/// What waits, oldest first: for what, and whether people keep it from beginning.
#[derive(Default)]
struct Waiting {
    order: Vec<ActivityId>,
    kept: BTreeSet<ActivityId>,
    others: BTreeMap<ActivityId, Vec<ActivityId>>,
}

impl Waiting {
    fn add(&mut self, id: ActivityId, kept: bool, others: Vec<ActivityId>) {
        self.order.push(id.clone());
        if kept {
            self.kept.insert(id.clone());
        }
        self.others.insert(id, others);
    }

    /// The oldest that neither is kept nor waits, over however many others, for what is kept.
    fn oldest_in_a_circle(mut self) -> Option<ActivityId> {
        loop {
            let before = self.kept.len();
            for (id, others) in &self.others {
                if others.iter().any(|other| self.kept.contains(other)) {
                    self.kept.insert(id.clone());
                }
            }
            if self.kept.len() == before {
                return self.order.into_iter().find(|id| !self.kept.contains(id));
            }
        }
    }
}

impl Engine {
    /// `running` are driven by this process now, `resting` are left alone until the next look, and what other
    /// replicas drive is left to them.
    pub(super) async fn choose(
        &self,
        running: &BTreeSet<ActivityId>,
        resting: &BTreeSet<ActivityId>,
    ) -> Result<Choice, StoreError> {
        let unfinished = self.ports.store.unfinished().await?;
        let open: BTreeSet<ActivityId> = unfinished.iter().map(|record| record.planned.id.clone()).collect();
        // What was begun before a crash goes first: it holds its container.
        let (begun, waiting): (Vec<_>, Vec<_>) =
            unfinished.into_iter().partition(|record| record.state.status == ActivityStatus::Running);
        let mut busy: BTreeSet<ContainerId> = BTreeSet::new();
        let mut choice = Choice::default();
        let now = self.ports.clock.now();
        let held = self.ports.store.held_by_others(&self.settings.holder, now).await?;
        let is_free = |id: &ActivityId| !running.contains(id) && !resting.contains(id) && !held.contains(id);
        for record in begun {
            busy.insert(record.planned.container);
            if is_free(&record.planned.id) {
                choice.ready.push(record.planned.id);
            }
        }
        let mut gates = self.gates().await?;
        let mut known = BTreeMap::new();
        let mut waits = Waiting::default();
        for record in waiting {
            if !is_free(&record.planned.id) || busy.contains(&record.planned.container) {
                busy.insert(record.planned.container);
                continue;
            }
            match self.prerequisites(&record, &open, &mut known).await? {
                Prerequisites::Lost(because) => choice.skipped.push(Skipped { record, because }),
                Prerequisites::Open(others) => {
                    let kept = gates.before_activity(&record).await?.is_some();
                    waits.add(record.planned.id, kept, others);
                }
                Prerequisites::Succeeded if gates.before_activity(&record).await?.is_some() => {
                    waits.add(record.planned.id, true, Vec::new());
                }
                Prerequisites::Succeeded => {
                    busy.insert(record.planned.container.clone());
                    choice.ready.push(record.planned.id);
                }
            }
        }
        // Products may come to wait for each other in a circle, commit after commit. When nothing else
        // can go on, the oldest that waits begins without what it waits for; but not what people keep from
        // beginning, nor what waits for that: there is no circle in it.
        // What rests and has ended is nothing to wait for.
        let nothing_goes_on = running.is_empty() && resting.is_disjoint(&open);
        if choice.ready.is_empty() && choice.skipped.is_empty() && nothing_goes_on {
            choice.ready.extend(waits.oldest_in_a_circle().filter(|_| busy.is_empty()));
        }
        Ok(choice)
    }

    async fn prerequisites(
        &self,
        record: &ActivityRecord,
        open: &BTreeSet<ActivityId>,
        known: &mut BTreeMap<ActivityId, Option<ActivityRecord>>,
    ) -> Result<Prerequisites, StoreError> {
        let mut others = Vec::new();
        for id in &record.planned.after {
            match self.prerequisite(id.clone(), open, known).await? {
                Prerequisite::Succeeded => {}
                Prerequisite::Open(other) => others.push(other),
                Prerequisite::Lost(because) => return Ok(Prerequisites::Lost(because)),
            }
        }
        Ok(if others.is_empty() { Prerequisites::Succeeded } else { Prerequisites::Open(others) })
    }

    /// Follows a superseded activity to the one that took its place.
    async fn prerequisite(
        &self,
        mut id: ActivityId,
        open: &BTreeSet<ActivityId>,
        known: &mut BTreeMap<ActivityId, Option<ActivityRecord>>,
    ) -> Result<Prerequisite, StoreError> {
        /// More than this many supersessions in a row are no longer followed.
        const LONGEST_CHAIN: usize = 1_000;
        for _ in 0..LONGEST_CHAIN {
            if open.contains(&id) {
                return Ok(Prerequisite::Open(id));
            }
            if !known.contains_key(&id) {
                known.insert(id.clone(), self.ports.store.activity(&id).await?);
            }
            let Some(Some(record)) = known.get(&id) else { return Ok(Prerequisite::Lost(id)) };
            match record.state.status {
                ActivityStatus::Succeeded => return Ok(Prerequisite::Succeeded),
                // It ended between the two readings; the next look sees it.
                ActivityStatus::Waiting | ActivityStatus::Running => return Ok(Prerequisite::Open(id)),
                ActivityStatus::Failed
                | ActivityStatus::Refused
                | ActivityStatus::Skipped
                | ActivityStatus::Rejected => {
                    return Ok(Prerequisite::Lost(id));
                }
                ActivityStatus::Superseded => match self.successor(&id).await? {
                    Some(by) => id = by,
                    None => return Ok(Prerequisite::Lost(id)),
                },
            }
        }
        Ok(Prerequisite::Lost(id))
    }

    async fn successor(&self, id: &ActivityId) -> Result<Option<ActivityId>, StoreError> {
        let events = self.ports.store.events(id).await?;
        Ok(events.into_iter().rev().find_map(|(_, event)| match event {
            ActivityEvent::Superseded { by } => by,
            _ => None,
        }))
    }
}

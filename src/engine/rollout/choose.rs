//! Which activities may begin.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::domain::activity::{ActivityEvent, ActivityStatus};
use crate::domain::id::ContainerId;
use crate::domain::plan::ActivityId;
use crate::domain::time::Timestamp;
use crate::port::store::{ActivityRecord, StoreError};

use super::super::Engine;

/// What can be done now.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// May begin, or go on after a crash; at most one of each container. In the order in which this replica
    /// tries them.
    pub ready: Vec<ActivityId>,
    /// Will never begin: what they wait for did not succeed.
    pub skipped: Vec<Skipped>,
    /// Run, and are to be stopped for what waits behind them.
    pub replaced: Vec<Replaced>,
    /// When the first of those that rest between two attempts may go on.
    pub again: Option<Timestamp>,
}

/// An activity that runs, and is to make way.
#[derive(Debug)]
pub(super) struct Replaced {
    pub id: ActivityId,
    /// For this one, which could begin.
    pub by: ActivityId,
}

/// An activity that will never begin.
#[derive(Debug)]
pub(super) struct Skipped {
    pub record: ActivityRecord,
    pub because: ActivityId,
}

/// What has ended and is waited for; it stays as it is, so it is read once.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<ActivityId, Settled>);

#[derive(Debug, Clone)]
enum Settled {
    Succeeded,
    Lost,
    ReplacedBy(ActivityId),
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
    fn oldest_in_a_circle(self) -> Option<ActivityId> {
        let kept = with_followers(self.kept, &self.others);
        self.order.into_iter().find(|id| !kept.contains(id))
    }
}

/// The same, with this replica's share first. Were all to begin at the same end, each would ask for what
/// another has just taken. Of the others' shares it takes the last first, because they begin at the first.
fn shared(ready: Vec<ActivityId>, holder: &str, present: &[String]) -> Vec<ActivityId> {
    let Some(own) = present.iter().position(|present| present == holder) else { return ready };
    let of_whom = |id: &ActivityId| {
        let hash = id.as_str().bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
        usize::try_from(hash).unwrap_or_default() % present.len()
    };
    let (mut ours, mut theirs): (Vec<_>, Vec<_>) = ready.into_iter().partition(|id| of_whom(id) == own);
    theirs.reverse();
    ours.append(&mut theirs);
    ours
}

/// These, and all that wait for one of them, over however many others. `waits_for` says of each for what it
/// waits. Each is looked at once.
pub(in crate::engine) fn with_followers<'a>(
    first: BTreeSet<ActivityId>,
    waits_for: impl IntoIterator<Item = (&'a ActivityId, &'a Vec<ActivityId>)>,
) -> BTreeSet<ActivityId> {
    let mut followers: BTreeMap<&ActivityId, Vec<&ActivityId>> = BTreeMap::new();
    for (id, others) in waits_for {
        for other in others {
            followers.entry(other).or_default().push(id);
        }
    }
    let mut open: VecDeque<ActivityId> = first.iter().cloned().collect();
    let mut all = first;
    while let Some(id) = open.pop_front() {
        for follower in followers.get(&id).into_iter().flatten() {
            if all.insert((*follower).clone()) {
                open.push_back((*follower).clone());
            }
        }
    }
    all
}

impl Engine {
    /// `running` are driven by this process now, `resting` are left alone until the next look, and what other
    /// replicas drive is left to them.
    pub(super) async fn choose(
        &self,
        running: &BTreeSet<ActivityId>,
        resting: &BTreeSet<ActivityId>,
        before: &mut Known,
    ) -> Result<Choice, StoreError> {
        let unfinished = self.ports.store.unfinished().await?;
        let open: BTreeSet<ActivityId> = unfinished.iter().map(|record| record.planned.id.clone()).collect();
        // What was begun before a crash goes first: it holds its container.
        let (begun, waiting): (Vec<_>, Vec<_>) =
            unfinished.into_iter().partition(|record| record.state.status == ActivityStatus::Running);
        let mut busy: BTreeSet<ContainerId> = BTreeSet::new();
        let mut in_the_way: BTreeMap<ContainerId, ActivityId> = BTreeMap::new();
        let mut choice = Choice::default();
        let now = self.ports.clock.now();
        let held = self.ports.store.held_by_others(&self.settings.holder, now).await?;
        let is_free = |id: &ActivityId| !running.contains(id) && !resting.contains(id) && !held.contains(id);
        for record in begun {
            if !record.state.is_ending() && self.settings.platform.cancels(&record.planned.container.stage) {
                in_the_way.insert(record.planned.container.clone(), record.planned.id.clone());
            }
            busy.insert(record.planned.container);
            if !is_free(&record.planned.id) {
                continue;
            }
            match record.state.rests_until().filter(|until| *until > now && self.is_within_a_pause(*until)) {
                Some(until) => choice.again = Some(choice.again.map_or(until, |again| again.min(until))),
                None => choice.ready.push(record.planned.id),
            }
        }
        let begun = choice.ready.len();
        let mut gates = self.gates().await?;
        let mut known = Known::default();
        let mut waits = Waiting::default();
        for record in waiting {
            if let Some(id) = in_the_way.remove(&record.planned.container) {
                let prerequisites = self.prerequisites(&record, &open, (&*before, &mut known)).await?;
                if matches!(prerequisites, Prerequisites::Succeeded) && gates.before_activity(&record).await?.is_none()
                {
                    choice.replaced.push(Replaced { id, by: record.planned.id.clone() });
                }
            }
            if !is_free(&record.planned.id) || busy.contains(&record.planned.container) {
                busy.insert(record.planned.container);
                continue;
            }
            match self.prerequisites(&record, &open, (&*before, &mut known)).await? {
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
        *before = known;
        if choice.ready.len() > 1 {
            let present = self.ports.store.present(now).await?;
            let waiting = choice.ready.split_off(begun.min(choice.ready.len()));
            let begun = std::mem::take(&mut choice.ready);
            choice.ready =
                [begun, waiting].into_iter().flat_map(|part| shared(part, &self.settings.holder, &present)).collect();
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
        known: (&Known, &mut Known),
    ) -> Result<Prerequisites, StoreError> {
        let mut others = Vec::new();
        for id in &record.planned.after {
            match self.prerequisite(id.clone(), open, (known.0, known.1)).await? {
                Prerequisite::Succeeded => {}
                Prerequisite::Open(other) => others.push(other),
                Prerequisite::Lost(because) => return Ok(Prerequisites::Lost(because)),
            }
        }
        Ok(if others.is_empty() { Prerequisites::Succeeded } else { Prerequisites::Open(others) })
    }

    /// Follows a superseded activity to the one that took its place. What is known from the look `before` is
    /// not read again.
    async fn prerequisite(
        &self,
        mut id: ActivityId,
        open: &BTreeSet<ActivityId>,
        (before, known): (&Known, &mut Known),
    ) -> Result<Prerequisite, StoreError> {
        /// More than this many supersessions in a row are no longer followed.
        const LONGEST_CHAIN: usize = 1_000;
        for _ in 0..LONGEST_CHAIN {
            if open.contains(&id) {
                return Ok(Prerequisite::Open(id));
            }
            let settled = match known.0.get(&id).or_else(|| before.0.get(&id)) {
                Some(settled) => settled.clone(),
                None => match self.settled(&id).await? {
                    Some(settled) => settled,
                    // It ended between the two readings; the next look sees it.
                    None => return Ok(Prerequisite::Open(id)),
                },
            };
            known.0.insert(id.clone(), settled.clone());
            match settled {
                Settled::Succeeded => return Ok(Prerequisite::Succeeded),
                Settled::Lost => return Ok(Prerequisite::Lost(id)),
                Settled::ReplacedBy(by) => id = by,
            }
        }
        Ok(Prerequisite::Lost(id))
    }

    /// How an activity ended; `None` when it has not.
    async fn settled(&self, id: &ActivityId) -> Result<Option<Settled>, StoreError> {
        let Some(record) = self.ports.store.activity(id).await? else { return Ok(Some(Settled::Lost)) };
        Ok(match record.state.status {
            ActivityStatus::Waiting | ActivityStatus::Running => None,
            ActivityStatus::Succeeded => Some(Settled::Succeeded),
            ActivityStatus::Failed
            | ActivityStatus::Refused
            | ActivityStatus::Skipped
            | ActivityStatus::Rejected
            | ActivityStatus::Cancelled => Some(Settled::Lost),
            ActivityStatus::Superseded => Some(self.successor(id).await?.map_or(Settled::Lost, Settled::ReplacedBy)),
        })
    }

    async fn successor(&self, id: &ActivityId) -> Result<Option<ActivityId>, StoreError> {
        let events = self.ports.store.events(id).await?;
        Ok(events.into_iter().rev().find_map(|(_, event)| match event {
            ActivityEvent::Superseded { by } => by,
            _ => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn id(number: usize) -> ActivityId {
        format!("act-{number:016x}").parse().unwrap()
    }

    #[test]
    fn each_replica_begins_with_a_share_of_its_own() {
        let ready: Vec<ActivityId> = (0..600).map(id).collect();
        let present: Vec<String> = ["one", "three", "two"].map(str::to_owned).into();
        let orders: Vec<Vec<ActivityId>> =
            present.iter().map(|holder| shared(ready.clone(), holder, &present)).collect();
        let mut first = BTreeSet::new();
        for order in &orders {
            let mut all = order.clone();
            all.sort();
            assert_eq!(all, ready, "nothing is lost");
            first.extend(order[..150].iter().cloned());
            assert!(order[..150].is_sorted(), "its own come in the plan's order");
        }
        assert_eq!(first.len(), 450, "they do not meet for long");
        // Who is alone, or does not know who is there, goes by the plan.
        assert_eq!(shared(ready.clone(), "one", &["one".to_owned()]), ready);
        assert_eq!(shared(ready.clone(), "one", &[]), ready);
        assert_eq!(shared(ready.clone(), "one", &["two".to_owned()]), ready);
    }

    /// Each waits for the one before it, and they come in the order in which a naive search learns least.
    #[test]
    fn a_long_row_of_followers_is_walked_once() {
        const ROW: usize = 50_000;
        let began = Instant::now();
        let waits: Vec<(ActivityId, Vec<ActivityId>)> =
            (1..ROW).rev().map(|number| (id(number), vec![id(number - 1)])).collect();
        let all = with_followers(BTreeSet::from([id(0)]), waits.iter().map(|(id, others)| (id, others)));
        assert_eq!(all.len(), ROW);
        // A quadratic search takes hours for this.
        assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
        let other = with_followers(BTreeSet::from([id(ROW)]), waits.iter().map(|(id, others)| (id, others)));
        assert_eq!(other, BTreeSet::from([id(ROW)]));
    }
}

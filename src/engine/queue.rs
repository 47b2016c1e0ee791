//! Which targets are to be looked at, and in which order.
//!
//! Needs: every trigger goes through this one door; targets are looked at one pass at a time each,
//! several targets at once; a wake that arrives during a pass causes exactly one more. What somebody
//! waits for comes before what is looked at only to be sure, and no source, however many proposals it
//! has, keeps the others waiting.
//!
//! # Order
//!
//! There are three lanes ([`Lane`]), and within each the sources take turns. Every so often the last
//! lane that has something is served first, so that nothing waits for ever behind those that never
//! cease. Of one source, one proposal is looked at at a time: with more than one worker, no flood of
//! proposals keeps a branch waiting.
//!
//! # Named races, and the decision for each
//!
//! - *Woken while queued.* Nothing to do, but that it may move to a better lane: the pass that is still
//!   to come sees what the wake saw.
//! - *Woken while a pass runs.* The pass may have fetched before the commit came, so it must run
//!   again, once, however many wakes arrive: `Running { again }`.
//! - *Woken between the end of a pass and its being told.* Both are changes of the same map under
//!   the same lock, so the wake either finds `Running` (and sets `again`) or finds nothing (and
//!   queues).
//! - *Two workers take the same target.* Taking turns `Queued` into `Running` under the lock.
//! - *A ring of the bell that nobody waits for.* `Notify::notify_one` stores one permit, and a
//!   worker that takes or ends a target rings again when more are queued.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::domain::id::SourceName;
use crate::domain::source::Target;
use crate::port::door::WakeReason;

/// Each time this many targets were taken, the last lane is served first.
const LAST_FIRST_EVERY: u64 = 8;

/// How much somebody waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    /// Something has happened, or a person asks.
    Fresh,
    /// To be sure that nothing was missed.
    Resync,
    /// What was assessed already, and whose base has moved.
    Later,
}

const LANES: [Lane; 3] = [Lane::Fresh, Lane::Resync, Lane::Later];

/// Where a target stands; absent means idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Queued(Lane),
    Running { again: Option<Lane> },
}

/// What waits in one lane. A target that has moved to a better lane is left in this one, and passed
/// over when its turn comes.
#[derive(Debug, Default)]
struct Waiting {
    turns: VecDeque<SourceName>,
    of: BTreeMap<SourceName, VecDeque<Target>>,
}

#[derive(Debug, Default)]
struct Targets {
    slots: BTreeMap<Target, Slot>,
    lanes: [Waiting; LANES.len()],
    /// Sources of which a proposal is being looked at.
    reviewing: BTreeSet<SourceName>,
    taken: u64,
}

/// The queue of wakes.
#[derive(Debug, Default)]
pub struct WakeQueue {
    targets: Mutex<Targets>,
    bell: Notify,
}

impl WakeQueue {
    /// Wants one more pass over the target, before those that are looked at to be sure.
    pub fn wake(&self, target: &Target) {
        self.wake_in(target, Lane::Fresh);
    }

    /// Wants one more pass over the target, in the order that the reason deserves.
    pub fn wake_for(&self, target: &Target, reason: WakeReason) {
        let is_to_be_sure =
            matches!(reason, WakeReason::Poll | WakeReason::Schedule | WakeReason::StartUp | WakeReason::PolicyChange);
        self.wake_in(target, if is_to_be_sure { Lane::Resync } else { Lane::Fresh });
    }

    /// Wants one more pass over the target, behind everything else.
    pub fn wake_later(&self, target: &Target) {
        self.wake_in(target, Lane::Later);
    }

    fn wake_in(&self, target: &Target, lane: Lane) {
        let mut targets = self.lock();
        match targets.slots.get_mut(target) {
            Some(Slot::Queued(already)) if *already <= lane => return,
            Some(Slot::Running { again }) => {
                *again = Some(again.map_or(lane, |already| already.min(lane)));
                return;
            }
            Some(Slot::Queued(_)) | None => targets.queue(target, lane),
        }
        drop(targets);
        self.bell.notify_one();
    }

    /// Waits for a target and takes it. Whoever takes it must call [`done`](Self::done).
    pub async fn take(&self) -> Target {
        loop {
            let rung = self.bell.notified();
            if let Some(target) = self.try_take() {
                return target;
            }
            rung.await;
        }
    }

    /// The pass over a taken target has ended, well or not.
    pub fn done(&self, target: &Target) {
        let mut targets = self.lock();
        let slot = targets.slots.remove(target);
        if target.proposal.is_some() {
            targets.reviewing.remove(&target.source);
        }
        if let Some(Slot::Running { again: Some(lane) }) = slot {
            targets.queue(target, lane);
        }
        let more = targets.has_queued();
        drop(targets);
        if more {
            self.bell.notify_one();
        }
    }

    fn try_take(&self) -> Option<Target> {
        let mut targets = self.lock();
        let target = targets.next()?;
        let more = targets.has_queued();
        drop(targets);
        if more {
            self.bell.notify_one();
        }
        Some(target)
    }

    fn lock(&self) -> MutexGuard<'_, Targets> {
        // No code under the lock can panic half-way through a change.
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Targets {
    fn queue(&mut self, target: &Target, lane: Lane) {
        self.slots.insert(target.clone(), Slot::Queued(lane));
        let Some(waiting) = self.lanes.get_mut(lane as usize) else { return };
        let of_source = waiting.of.entry(target.source.clone()).or_default();
        if of_source.is_empty() {
            waiting.turns.push_back(target.source.clone());
        }
        of_source.push_back(target.clone());
    }

    fn has_queued(&self) -> bool {
        self.lanes.iter().any(|waiting| !waiting.turns.is_empty())
    }

    /// Takes the next target, and makes it run.
    fn next(&mut self) -> Option<Target> {
        let last_first = self.taken % LAST_FIRST_EVERY == LAST_FIRST_EVERY - 1;
        let order: [usize; LANES.len()] = if last_first { [2, 1, 0] } else { [0, 1, 2] };
        let target = order.into_iter().find_map(|lane| self.next_of(lane))?;
        self.taken = self.taken.wrapping_add(1);
        if target.proposal.is_some() {
            self.reviewing.insert(target.source.clone());
        }
        self.slots.insert(target.clone(), Slot::Running { again: None });
        Some(target)
    }

    /// The next target of a lane: of the first source that has one that may be looked at now.
    fn next_of(&mut self, number: usize) -> Option<Target> {
        let Self { slots, lanes, reviewing, .. } = self;
        let (waiting, lane) = (lanes.get_mut(number)?, *LANES.get(number)?);
        for _ in 0..waiting.turns.len() {
            let source = waiting.turns.pop_front()?;
            let Some(of_source) = waiting.of.get_mut(&source) else { continue };
            of_source.retain(|target| slots.get(target) == Some(&Slot::Queued(lane)));
            let is_free = |target: &Target| target.proposal.is_none() || !reviewing.contains(&source);
            let found = of_source.iter().position(is_free).and_then(|index| of_source.remove(index));
            if of_source.is_empty() {
                waiting.of.remove(&source);
            } else {
                waiting.turns.push_back(source);
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::forge::Proposal;

    fn target(name: &str) -> Target {
        Target::branch(name.parse().unwrap())
    }

    fn pull(name: &str, number: u64) -> Target {
        Target::proposal(name.parse().unwrap(), Proposal::Pull(number))
    }

    /// Takes until nothing may be taken, ending each at once.
    fn drain(queue: &WakeQueue) -> Vec<String> {
        let mut order = Vec::new();
        while let Some(target) = queue.try_take() {
            queue.done(&target);
            let proposal = target.proposal.map(|proposal| format!(" {proposal}")).unwrap_or_default();
            order.push(format!("{}{proposal}", target.source));
        }
        order
    }

    #[test]
    fn wakes_of_a_queued_target_are_one() {
        let queue = WakeQueue::default();
        queue.wake(&target("a"));
        queue.wake(&target("a"));
        assert_eq!(queue.try_take(), Some(target("a")));
        assert_eq!(queue.try_take(), None);
    }

    #[test]
    fn wakes_during_a_pass_cause_exactly_one_more() {
        let queue = WakeQueue::default();
        queue.wake(&target("a"));
        assert_eq!(queue.try_take(), Some(target("a")));
        for _ in 0..5 {
            queue.wake(&target("a"));
        }
        assert_eq!(queue.try_take(), None, "one pass per target at a time");
        queue.done(&target("a"));
        assert_eq!(queue.try_take(), Some(target("a")));
        queue.done(&target("a"));
        assert_eq!(queue.try_take(), None);
    }

    #[test]
    fn what_somebody_waits_for_comes_first_and_a_better_wake_moves_it() {
        let queue = WakeQueue::default();
        queue.wake_later(&pull("a", 1));
        queue.wake_later(&pull("a", 2));
        queue.wake_for(&target("a"), WakeReason::Poll);
        queue.wake_for(&pull("b", 3), WakeReason::Command);
        queue.wake_for(&pull("a", 2), WakeReason::Command);
        queue.wake_later(&pull("b", 3));
        assert_eq!(drain(&queue), ["b pull/3", "a pull/2", "a", "a pull/1"]);
    }

    #[test]
    fn sources_take_turns_however_many_proposals_one_has() {
        let queue = WakeQueue::default();
        for number in 1..=300 {
            queue.wake(&pull("many", number));
        }
        queue.wake(&pull("few", 1));
        queue.wake(&target("many"));
        queue.wake(&pull("few", 2));
        let order = drain(&queue);
        assert_eq!(order.len(), 303);
        assert!(order.iter().position(|taken| taken == "few pull/2").unwrap() < 4, "{:?}", order.get(..6));
    }

    #[test]
    fn of_one_source_one_proposal_is_looked_at_at_a_time() {
        let queue = WakeQueue::default();
        for number in 1..=3 {
            queue.wake(&pull("a", number));
        }
        queue.wake_for(&target("a"), WakeReason::Poll);
        assert_eq!(queue.try_take(), Some(pull("a", 1)));
        assert_eq!(queue.try_take(), Some(target("a")), "the branch goes on beside it");
        assert_eq!(queue.try_take(), None);
        queue.done(&pull("a", 1));
        assert_eq!(queue.try_take(), Some(pull("a", 2)));
    }

    #[test]
    fn nothing_waits_for_ever_behind_those_that_never_cease() {
        let queue = WakeQueue::default();
        queue.wake_later(&pull("later", 1));
        queue.wake_for(&target("sure"), WakeReason::Poll);
        let mut taken = Vec::new();
        for number in 0..20 {
            queue.wake(&pull("busy", number));
            let next = queue.try_take().unwrap();
            queue.done(&next);
            taken.push(next.source.to_string());
        }
        assert!(taken.contains(&"later".to_owned()) && taken.contains(&"sure".to_owned()), "{taken:?}");
    }

    #[tokio::test]
    async fn a_ring_before_the_waiting_is_not_lost() {
        let queue = WakeQueue::default();
        queue.wake(&target("a"));
        queue.wake(&target("b"));
        assert_eq!(queue.take().await, target("a"));
        assert_eq!(queue.take().await, target("b"));
    }

    #[tokio::test]
    async fn a_proposal_that_had_to_wait_is_taken_when_the_other_ends() {
        let queue = std::sync::Arc::new(WakeQueue::default());
        queue.wake(&pull("a", 1));
        queue.wake(&pull("a", 2));
        let first = queue.take().await;
        let waiting = {
            let queue = std::sync::Arc::clone(&queue);
            tokio::spawn(async move { queue.take().await })
        };
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        queue.done(&first);
        assert_eq!(waiting.await.unwrap(), pull("a", 2));
    }
}

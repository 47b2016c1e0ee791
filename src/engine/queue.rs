//! Which targets are to be looked at.
//!
//! Needs: every trigger goes through this one door; targets are looked at one pass at a time each,
//! several targets at once; a wake that arrives during a pass causes exactly one more.
//!
//! Named races, and the decision for each:
//! - *Woken while queued.* Nothing to do: the pass that is still to come sees what the wake saw.
//! - *Woken while a pass runs.* The pass may have fetched before the commit came, so it must run
//!   again, once, however many wakes arrive: `Running { again }`.
//! - *Woken between the end of a pass and its being told.* Both are changes of the same map under
//!   the same lock, so the wake either finds `Running` (and sets `again`) or finds nothing (and
//!   queues).
//! - *Two workers take the same target.* Taking turns `Queued` into `Running` under the lock.
//! - *A ring of the bell that nobody waits for.* `Notify::notify_one` stores one permit, and a
//!   worker that takes a target rings again when more are queued.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::domain::source::Target;

/// Where a target stands; absent means idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Queued,
    Running { again: bool },
}

#[derive(Debug, Default)]
struct Targets {
    slots: BTreeMap<Target, Slot>,
    order: VecDeque<Target>,
}

/// The queue of wakes.
#[derive(Debug, Default)]
pub struct WakeQueue {
    targets: Mutex<Targets>,
    bell: Notify,
}

impl WakeQueue {
    /// Wants one more pass over the target.
    pub fn wake(&self, target: &Target) {
        let mut targets = self.lock();
        match targets.slots.get_mut(target) {
            Some(Slot::Queued) => return,
            Some(Slot::Running { again }) => {
                *again = true;
                return;
            }
            None => {
                targets.slots.insert(target.clone(), Slot::Queued);
                targets.order.push_back(target.clone());
            }
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
        if let Some(Slot::Running { again: true }) = targets.slots.get(target) {
            targets.slots.insert(target.clone(), Slot::Queued);
            targets.order.push_back(target.clone());
            drop(targets);
            self.bell.notify_one();
        } else {
            targets.slots.remove(target);
        }
    }

    fn try_take(&self) -> Option<Target> {
        let mut targets = self.lock();
        let target = targets.order.pop_front()?;
        targets.slots.insert(target.clone(), Slot::Running { again: false });
        let more = !targets.order.is_empty();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str) -> Target {
        Target::branch(name.parse().unwrap())
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

    #[tokio::test]
    async fn a_ring_before_the_waiting_is_not_lost() {
        let queue = WakeQueue::default();
        queue.wake(&target("a"));
        queue.wake(&target("b"));
        assert_eq!(queue.take().await, target("a"));
        assert_eq!(queue.take().await, target("b"));
    }
}

//! Which targets are to be looked at, and in which order.
//!
//! Needs: every trigger goes through one door; targets are looked at one pass at a time each, several
//! targets at once. What somebody waits for comes before what is looked at only to be sure, and no source,
//! however many proposals it has, keeps the others waiting.
//!
//! The queue itself is in the record ([`WakeBook`](crate::port::store::WakeBook), which names the races): this
//! is who asks it, and in which order.
//!
//! # Order
//!
//! There are three lanes ([`Lane`]), and within each the sources take turns, in the order of their names.
//! Every so often the last lane that has something is served first, so that nothing waits for ever behind
//! those that never cease. Of one source, one proposal is looked at at a time: with more than one worker, no
//! flood of proposals keeps a branch waiting. Each replica takes turns by itself.

use std::sync::PoisonError;

use crate::domain::id::SourceName;
use crate::domain::source::Target;
use crate::port::door::WakeReason;
use crate::port::store::{Bell, Lane, StoreError, TakeWake, TakenWake, Wake};

use super::super::Engine;

/// Each time this many targets were taken, the last lane is served first.
const LAST_FIRST_EVERY: u64 = 8;

/// The lane that a reason deserves.
pub(super) const fn lane_of(reason: WakeReason) -> Lane {
    match reason {
        WakeReason::Poll | WakeReason::Schedule | WakeReason::StartUp | WakeReason::PolicyChange => Lane::Resync,
        WakeReason::FileChange | WakeReason::Webhook | WakeReason::Command => Lane::Fresh,
    }
}

/// Whose turn it is.
#[derive(Debug, Default)]
pub(in crate::engine) struct Turns {
    taken: u64,
    /// By lane, in the order of [`Lane::ALL`].
    served: [Option<SourceName>; Lane::ALL.len()],
}

impl Turns {
    fn order(&self) -> [(Lane, Option<SourceName>); Lane::ALL.len()] {
        let [fresh, resync, later] = self.served.clone();
        let mut order = [(Lane::Fresh, fresh), (Lane::Resync, resync), (Lane::Later, later)];
        if self.taken % LAST_FIRST_EVERY == LAST_FIRST_EVERY - 1 {
            order.reverse();
        }
        order
    }

    fn took(&mut self, lane: Lane, source: &SourceName) {
        self.taken = self.taken.wrapping_add(1);
        if let Some(served) = self.served.get_mut(lane as usize) {
            *served = Some(source.clone());
        }
    }
}

impl Engine {
    /// Wants one more look at the target, in the order that the reason deserves. When it returns, that is
    /// durable.
    pub async fn wake(&self, target: &Target, reason: WakeReason) -> Result<(), StoreError> {
        self.wake_in(std::slice::from_ref(target), lane_of(reason)).await
    }

    /// The same for several targets.
    pub(in crate::engine) async fn wake_in(&self, targets: &[Target], lane: Lane) -> Result<(), StoreError> {
        let due = self.ports.clock.now();
        let wakes: Vec<Wake> = targets.iter().map(|target| Wake { target: target.clone(), lane, due }).collect();
        self.wake_all(&wakes).await
    }

    pub(in crate::engine) async fn wake_all(&self, wakes: &[Wake]) -> Result<(), StoreError> {
        if wakes.is_empty() {
            return Ok(());
        }
        self.ports.store.wake(wakes).await?;
        self.ring(Bell::Wakes);
        Ok(())
    }

    /// Takes the target whose turn it is. Whoever takes it has to settle it.
    pub(super) async fn take_wake(&self) -> Result<Option<TakenWake>, StoreError> {
        let now = self.ports.clock.now();
        let order = self.turns.lock().unwrap_or_else(PoisonError::into_inner).order();
        let ask = TakeWake { holder: &self.settings.holder, order, now, until: self.end_of_lease(now) };
        let taken = self.ports.store.take_wake(&ask).await?;
        if let Some(taken) = &taken {
            self.turns.lock().unwrap_or_else(PoisonError::into_inner).took(taken.lane, &taken.target.source);
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_take_turns_in_each_lane() {
        let mut turns = Turns::default();
        turns.took(Lane::Fresh, &"b".parse().unwrap());
        turns.took(Lane::Later, &"a".parse().unwrap());
        let served = |name: &str| Some(name.parse::<SourceName>().unwrap());
        assert_eq!(turns.order(), [(Lane::Fresh, served("b")), (Lane::Resync, None), (Lane::Later, served("a"))]);
    }

    #[test]
    fn each_eighth_time_the_last_lane_is_served_first() {
        let mut turns = Turns::default();
        let first: Vec<Lane> = (0..16)
            .map(|_| {
                let first = turns.order()[0].0;
                turns.took(first, &"a".parse().unwrap());
                first
            })
            .collect();
        let later: Vec<usize> = (0..16).filter(|index| first[*index] == Lane::Later).collect();
        assert_eq!(later, [7, 15]);
    }

    #[test]
    fn what_a_person_waits_for_is_fresh() {
        assert_eq!(lane_of(WakeReason::Webhook), Lane::Fresh);
        assert_eq!(lane_of(WakeReason::Command), Lane::Fresh);
        assert_eq!(lane_of(WakeReason::Poll), Lane::Resync);
        assert_eq!(lane_of(WakeReason::StartUp), Lane::Resync);
    }
}

//! The one door: from those who wake to the record.
//!
//! Needs: whoever wakes is not kept waiting, and does not hear of trouble; what was woken comes into the
//! record, also when that is not available for a while.
//!
//! Wakes stand here until they are in the record, each target once. What stands here is lost when the
//! process ends early: triggers wake again at the next start. What must not be lost is in the record before
//! anybody knocks: deliveries come with their wakes, in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::domain::id::{Revision, SourceName};
use crate::domain::source::Target;
use crate::port::door::{Door, WakeReason};
use crate::port::store::{Bell, Lane, StoreError, Wake};

use super::super::Engine;
use super::queue::lane_of;

/// The pause after the record was not available; it doubles with each further time.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// More targets than this do not stand at the door: those that come then are left to the next poll.
const MOST: usize = 100_000;

/// What is wanted of a target.
#[derive(Debug, Clone, Copy)]
struct Knock {
    lane: Lane,
    anew: bool,
}

/// The door to an engine.
#[derive(Debug)]
pub struct EngineDoor {
    engine: Arc<Engine>,
    knocks: Mutex<BTreeMap<Target, Knock>>,
    /// Commits whose checks are to run again.
    reruns: Mutex<BTreeSet<(SourceName, Revision)>>,
    bell: Notify,
    policies: Notify,
}

impl EngineDoor {
    /// A door at which wakes stand until [`carry_until`](Self::carry_until) carries them in.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            knocks: Mutex::default(),
            reruns: Mutex::default(),
            bell: Notify::new(),
            policies: Notify::new(),
        }
    }

    /// Carries wakes into the record, and has policies read again, until told to stop. What stands at the
    /// door then is carried in, if the record can be had.
    pub async fn carry_until(&self, stop: &CancellationToken) {
        tokio::join!(self.carry_wakes(stop), self.carry_policies(stop));
    }

    async fn carry_wakes(&self, stop: &CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let stopped = stop.is_cancelled();
            match self.carry().await {
                Ok(()) if stopped => return,
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        () = self.bell.notified() => {}
                    }
                }
                Err(error) => {
                    warn!(%error, "wakes could not be recorded; trying again");
                    if stopped {
                        return;
                    }
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Carries in what stands at the door now.
    pub async fn carry(&self) -> Result<(), StoreError> {
        self.find_reruns().await?;
        let knocks = std::mem::take(&mut *self.knocks.lock().unwrap_or_else(PoisonError::into_inner));
        let outcome = self.record(&knocks).await;
        if outcome.is_err() {
            for (target, knock) in knocks {
                self.knock(target, knock);
            }
        }
        outcome
    }

    /// What commits are to run again stands at the door as targets.
    async fn find_reruns(&self) -> Result<(), StoreError> {
        let next = || self.reruns.lock().unwrap_or_else(PoisonError::into_inner).first().cloned();
        while let Some((source, head)) = next() {
            for target in self.engine.run_again(&source, &head).await? {
                self.knock(target, Knock { lane: Lane::Fresh, anew: false });
            }
            self.reruns.lock().unwrap_or_else(PoisonError::into_inner).remove(&(source, head));
        }
        Ok(())
    }

    async fn record(&self, knocks: &BTreeMap<Target, Knock>) -> Result<(), StoreError> {
        for target in knocks.iter().filter(|(_, knock)| knock.anew).map(|(target, _)| target) {
            if let Some(proposal) = &target.proposal {
                self.engine.ports.store.assess_again(&target.source, proposal).await?;
            }
        }
        let due = self.engine.ports.clock.now();
        let wakes: Vec<Wake> =
            knocks.iter().map(|(target, knock)| Wake { target: target.clone(), lane: knock.lane, due }).collect();
        self.engine.wake_all(&wakes).await
    }

    async fn carry_policies(&self, stop: &CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.policies.notified() => {}
            }
            let judge = &self.engine.ports.judge;
            let before = judge.policies();
            match judge.reload().await {
                Ok(policies) if policies == before => continue,
                Ok(policies) => info!(policies = policies.short(), "policies changed"),
                Err(error) => error!(%error, "nothing is let through until the policies are mended"),
            }
            for source in self.engine.settings.sources.keys() {
                self.wake(Target::branch(source.clone()), WakeReason::PolicyChange);
            }
        }
    }

    fn knock(&self, target: Target, knock: Knock) {
        let mut knocks = self.knocks.lock().unwrap_or_else(PoisonError::into_inner);
        if knocks.len() >= MOST && !knocks.contains_key(&target) {
            return;
        }
        let known = knocks.entry(target).or_insert(knock);
        *known = Knock { lane: known.lane.min(knock.lane), anew: known.anew || knock.anew };
        drop(knocks);
        self.bell.notify_one();
    }
}

impl Door for EngineDoor {
    fn wake(&self, target: Target, reason: WakeReason) {
        debug!(source = %target.source, reason = reason.as_str(), "woken");
        self.knock(target, Knock { lane: lane_of(reason), anew: false });
    }

    fn look_anew(&self, target: Target) {
        self.knock(target, Knock { lane: Lane::Fresh, anew: true });
    }

    fn run_again(&self, source: SourceName, head: Revision) {
        let mut reruns = self.reruns.lock().unwrap_or_else(PoisonError::into_inner);
        if reruns.len() < MOST {
            reruns.insert((source, head));
        }
        drop(reruns);
        self.bell.notify_one();
    }

    fn recorded(&self, _: &[Target]) {
        self.engine.ring(Bell::Wakes);
    }

    fn asked(&self) {
        self.engine.ring(Bell::Requests);
    }

    fn policies_changed(&self) {
        self.policies.notify_one();
    }
}

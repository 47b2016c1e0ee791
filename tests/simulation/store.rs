//! The real record, as one replica reaches it: each call is made at once, and may be kept waiting, fail, or
//! be the last of its replica. What comes about is looked at by the rules of the world.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use meshwright::domain::activity::{ActivityEvent, FencingToken};
use meshwright::domain::forge::delivery::Delivery;
use meshwright::domain::plan::ActivityId;
use meshwright::domain::report::Report;
use meshwright::domain::time::Timestamp;
use meshwright::port::store::{
    ActivityRecord, Bell, Listener, Pass, Recorded, Store, StoreError, TakenWake, Wake, WantedReport,
};

use super::at_once::at_once;
use super::fleet::Outside;
use super::watch;
use super::world::{Broken, Replica, World};
use super::wrapped_store::{Hook, Kind, WrappedStore};

/// The way of one replica to the record.
#[derive(Clone)]
pub struct Way {
    outside: Arc<Outside>,
    replica: Arc<Replica>,
}

/// The record, as one replica reaches it.
pub fn reached(outside: &Arc<Outside>, replica: &Arc<Replica>) -> Arc<dyn Store> {
    let way = Way { outside: Arc::clone(outside), replica: Arc::clone(replica) };
    Arc::new(WrappedStore::with(outside.record.store(), way))
}

impl Way {
    fn world(&self) -> &World {
        &self.replica.world
    }

    fn is_broken(&self, broken: Broken) -> bool {
        self.world().broken == Some(broken)
    }

    /// A write that does not come about, if so.
    fn refused(&self) -> Option<StoreError> {
        let world = self.world();
        if world.elapsed() < world.disk_full_until.load(Ordering::SeqCst) {
            world.count("write on a full disk");
            return Some(StoreError::Unavailable("no space left on device".to_owned()));
        }
        let fails = world.fault("record fails", world.rates.store_fails);
        fails.then(|| StoreError::Unavailable("the connection was refused".to_owned()))
    }

    /// A write that came about, and of which nobody hears, if so.
    fn lost(&self) -> Option<StoreError> {
        let world = self.world();
        let is_lost = world.fault("record's answer is lost", world.rates.store_answer_lost);
        is_lost.then(|| StoreError::Unavailable("the connection was lost".to_owned()))
    }
}

impl Hook for Way {
    async fn call<T, E>(
        &self,
        kind: Kind,
        name: &'static str,
        made: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Debug + Send,
    {
        self.replica.enter().await;
        let outcome = if kind == Kind::Read {
            at_once(made)
        } else {
            let outcome = match self.refused() {
                Some(error) => Err(error.into()),
                None => at_once(made),
            };
            let outcome = match outcome {
                Ok(value) => self.lost().map_or(Ok(value), |error| Err(error.into())),
                failed => failed,
            };
            let told: Result<(), &E> = outcome.as_ref().map(|_| ());
            self.world().tell(format_args!("{} {name} {told:?}", self.replica.name));
            outcome
        };
        self.replica.leave().await;
        outcome
    }

    fn fences(&self) -> bool {
        !self.is_broken(Broken::NoFencing)
    }

    fn token(&self, id: &ActivityId, token: Option<FencingToken>) -> Option<FencingToken> {
        if self.fences() {
            return token;
        }
        let newest = self.world().tokens.lock().unwrap().get(id).copied();
        token.and(newest).or(token)
    }

    fn wakes(&self, wakes: &[Wake]) -> Vec<Wake> {
        let mut wakes = wakes.to_vec();
        if self.is_broken(Broken::WakeCleared) {
            wakes.retain(|wake| !self.world().looks.lock().unwrap().contains_key(&wake.target));
        }
        wakes
    }

    fn rings(&self) -> bool {
        !self.replica.is_dead()
    }

    fn hears(&self, listener: Box<dyn Listener>) -> Box<dyn Listener> {
        Box::new(Hearing { inner: listener, replica: Arc::clone(&self.replica) })
    }

    fn claimed(&self, id: &ActivityId, token: FencingToken) {
        self.world().tokens.lock().unwrap().insert(id.clone(), token);
        self.world().tell(format_args!("{} has {id} under {token:?}", self.replica.name));
    }

    fn woken(&self, wakes: &[Wake]) {
        let mut looks = self.world().looks.lock().unwrap();
        for wake in wakes {
            looks.entry(wake.target.clone()).and_modify(|woken| *woken = true);
        }
    }

    fn taken(&self, taken: &TakenWake) {
        // This look answers all wakes that came before it.
        self.world().looks.lock().unwrap().insert(taken.target.clone(), false);
        self.world().tell(format_args!("{} looks at {:?} under {:?}", self.replica.name, taken.target, taken.lease));
    }

    fn settled(&self, store: &dyn Store, taken: &TakenWake) {
        let world = self.world();
        if world.looks.lock().unwrap().remove(&taken.target) == Some(true) {
            watch::woken_again(world, store, &taken.target);
        }
    }

    fn passed(&self, pass: &Pass) {
        let plan = &pass.plan;
        self.world().tell(format_args!(
            "{} has recorded {} {} plan {} of {} activities",
            self.replica.name,
            plan.source,
            plan.revision.short(),
            plan.digest.short(),
            plan.activities.len()
        ));
        watch::planned(&self.outside, pass);
    }

    fn wanted(&self, store: &dyn Store, reports: &[Report]) {
        watch::wanted(&self.outside, store, reports);
    }

    fn proposed(&self, store: &dyn Store, reports: &[Report]) {
        let Ok(rows) = at_once(store.report_rows(1_000)) else { return };
        let is_wanted = |report: &&Report| {
            rows.iter().any(|row| {
                (&row.source, &row.revision, &row.context) == (&report.source, &report.revision, &report.context)
                    && (row.state == report.state.as_str() && row.description == report.description)
            })
        };
        let reports: Vec<Report> = reports.iter().filter(is_wanted).cloned().collect();
        watch::wanted(&self.outside, store, &reports);
    }

    fn appended(&self, id: &ActivityId, event: &ActivityEvent) {
        self.world().tell(format_args!("{} has appended {id} {event:?}", self.replica.name));
    }

    fn offered(&self, store: &dyn Store, offered: &[WantedReport], now: Timestamp) {
        if self.is_broken(Broken::MarkedBeforeSent) {
            for report in offered {
                at_once(store.published(report, report.external.as_deref(), now)).unwrap();
            }
        }
    }

    fn troubled(&self, found: &mut Vec<ActivityRecord>) {
        if self.is_broken(Broken::OwnActivitiesAlone) {
            found.clear();
        }
    }

    fn delivered(&self, delivery: &Delivery, recorded: Recorded) {
        watch::delivered(self.world(), delivery, recorded);
    }
}

/// Rings of others may be late, and may be lost.
struct Hearing {
    inner: Box<dyn Listener>,
    replica: Arc<Replica>,
}

#[async_trait]
impl Listener for Hearing {
    async fn next(&mut self) -> Bell {
        loop {
            let bell = self.inner.next().await;
            self.replica.enter().await;
            let world = &self.replica.world;
            if !world.fault("ring is lost", world.rates.rings_lost) {
                return bell;
            }
        }
    }
}

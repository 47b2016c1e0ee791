//! What all parts of a run share: chance, trace, time, and which faults there are now.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use meshwright::domain::activity::FencingToken;
use meshwright::domain::id::{Digest, Revision, SourceName};
use meshwright::domain::plan::ActivityId;
use meshwright::domain::source::Target;
use meshwright::domain::time::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::at_once::is_under_way;
use super::chance::Chance;
use super::trace::Trace;
use super::watch::Seen;

/// Where time begins, in milliseconds since 1970.
const BEGINNING: i64 = 1_795_000_000_000;

/// A build that is broken on purpose, by what stands between the engine and its ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Neither the record nor the executors compare tokens.
    NoFencing,
    /// Each attempt of a task gets a key of its own.
    KeyRenewed,
    /// A wake that comes while its target is looked at is cleared with the one that was taken.
    WakeCleared,
    /// A report is marked as published before it is sent.
    MarkedBeforeSent,
    /// The status of a stage is worked out from what its own commit planned alone.
    OwnActivitiesAlone,
}

/// How likely things go wrong while they may, out of a thousand calls each.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    pub store_fails: u64,
    pub store_answer_lost: u64,
    pub fetch_fails: u64,
    pub old_head: u64,
    pub task_fails: u64,
    pub task_answer_lost: u64,
    pub task_hangs: u64,
    pub task_dies: u64,
    pub forge_fails: u64,
    pub forge_answer_lost: u64,
    pub forge_limits: u64,
    pub forge_hangs: u64,
    pub judge_fails: u64,
    pub rings_lost: u64,
    /// How often a call is kept waiting.
    pub delays: u64,
}

/// What all parts of a run share.
pub struct World {
    pub chance: Chance,
    pub trace: Trace,
    pub rates: Rates,
    pub broken: Option<Broken>,
    /// Whether anything goes wrong by chance now.
    pub faulty: AtomicBool,
    /// Until when writes to the record fail, in milliseconds of the run.
    pub disk_full_until: AtomicU64,
    /// By how much the clocks of all were set, in milliseconds.
    jumped: AtomicI64,
    /// The newest token of each activity.
    pub tokens: Mutex<BTreeMap<ActivityId, FencingToken>>,
    /// Targets that are looked at, and whether somebody has woken them meanwhile.
    pub looks: Mutex<BTreeMap<Target, bool>>,
    /// Which edition of the policies is right.
    pub policies: AtomicU64,
    /// What has come about.
    pub seen: Mutex<Seen>,
    violations: Mutex<Vec<String>>,
    /// How often which fault happened.
    pub faults: Mutex<BTreeMap<&'static str, u64>>,
    began: Instant,
    /// How long it had gone on when it was asked last.
    told: AtomicU64,
}

impl World {
    /// A world at its beginning.
    pub fn new(seed: u64, rates: Rates, broken: Option<Broken>, keep_trace: bool) -> Self {
        Self {
            chance: Chance::of(seed, "calls"),
            trace: Trace::new(keep_trace),
            rates,
            broken,
            faulty: AtomicBool::new(true),
            disk_full_until: AtomicU64::new(0),
            jumped: AtomicI64::new(0),
            tokens: Mutex::default(),
            looks: Mutex::default(),
            policies: AtomicU64::new(1),
            seen: Mutex::default(),
            violations: Mutex::default(),
            faults: Mutex::default(),
            began: Instant::now(),
            told: AtomicU64::new(0),
        }
    }

    /// How long the run has gone on, in milliseconds of its own time.
    pub fn elapsed(&self) -> u64 {
        if is_under_way() {
            return self.told.load(Ordering::SeqCst);
        }
        let elapsed = u64::try_from(self.began.elapsed().as_millis()).unwrap();
        self.told.store(elapsed, Ordering::SeqCst);
        elapsed
    }

    /// Sets all clocks.
    pub fn jump(&self, millis: i64) {
        self.jumped.fetch_add(millis, Ordering::SeqCst);
    }

    /// The time, as right clocks tell it.
    pub fn now(&self) -> Timestamp {
        self.now_with(0)
    }

    fn now_with(&self, skew: i64) -> Timestamp {
        let millis = BEGINNING + i64::try_from(self.elapsed()).unwrap() + self.jumped.load(Ordering::SeqCst) + skew;
        Timestamp::from_millisecond(millis).unwrap()
    }

    /// A line of the trace.
    pub fn tell(&self, text: fmt::Arguments<'_>) {
        self.trace.line(format_args!("{:>8} {text}", self.elapsed()));
    }

    /// Something is as it may never be.
    pub fn violated(&self, what: String) {
        self.tell(format_args!("VIOLATED {what}"));
        self.violations.lock().unwrap().push(what);
    }

    /// What was not as it must be.
    pub fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap().clone()
    }

    /// Whether a fault happens now that happens so many times of a thousand.
    pub fn fault(&self, name: &'static str, per_mille: u64) -> bool {
        let happens = self.faulty.load(Ordering::SeqCst) && self.chance.per_mille(per_mille);
        if happens {
            self.count(name);
        }
        happens
    }

    /// Counts a fault.
    pub fn count(&self, name: &'static str) {
        *self.faults.lock().unwrap().entry(name).or_default() += 1;
    }

    /// The digest of the policies of this edition.
    pub fn policies_digest(edition: u64) -> Digest {
        Digest::of(format!("policies {edition}").as_bytes())
    }
}

/// One run of one replica, from its start to its end: what it keeps to itself, and what is done to it.
pub struct Replica {
    pub world: std::sync::Arc<World>,
    /// `r1`, and after a restart `r1'`.
    pub name: String,
    /// It was killed: whatever it still calls never comes back.
    dead: AtomicBool,
    /// Until when it does not run, in milliseconds of the run.
    paused_until: AtomicU64,
    /// It dies at its call with this number from now, if that is above 0; and whether after it.
    dies_in: AtomicI64,
    dies_after_call: AtomicBool,
    /// Rung when it has died.
    pub died: Notify,
    /// By how much its clock is wrong, in milliseconds.
    pub skew: AtomicI64,
    /// The policies that it has loaded.
    pub policies: AtomicU64,
    /// The commits that it has fetched.
    pub mirror: Mutex<BTreeSet<(SourceName, Revision)>>,
}

impl Replica {
    /// One that has just started.
    pub fn new(world: &std::sync::Arc<World>, name: String, skew: i64) -> Self {
        Self {
            world: std::sync::Arc::clone(world),
            name,
            dead: AtomicBool::new(false),
            paused_until: AtomicU64::new(0),
            dies_in: AtomicI64::new(0),
            dies_after_call: AtomicBool::new(false),
            died: Notify::new(),
            skew: AtomicI64::new(skew),
            policies: AtomicU64::new(world.policies.load(Ordering::SeqCst)),
            mirror: Mutex::default(),
        }
    }

    /// The time, as its clock tells it.
    pub fn now(&self) -> Timestamp {
        self.world.now_with(self.skew.load(Ordering::SeqCst))
    }

    /// Whether it was killed.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Kills it at its call with this number from now on: before the call is made, or when it was made and
    /// its answer is on its way.
    pub fn kill_in(&self, calls: i64, after: bool) {
        self.dies_after_call.store(after, Ordering::SeqCst);
        self.dies_in.store(calls.max(1), Ordering::SeqCst);
    }

    /// Kills it, if it is not dead yet.
    pub fn kill(&self) {
        if !self.dead.swap(true, Ordering::SeqCst) {
            self.world.count("kill");
            self.world.tell(format_args!("{} killed", self.name));
            self.died.notify_one();
        }
    }

    /// It is not to be killed any more.
    pub fn spare(&self) {
        self.dies_in.store(0, Ordering::SeqCst);
    }

    /// It does not run until then.
    pub fn pause(&self, length: Duration) {
        let until = self.world.elapsed() + u64::try_from(length.as_millis()).unwrap();
        self.paused_until.fetch_max(until, Ordering::SeqCst);
    }

    /// It runs again.
    pub fn resume(&self) {
        self.paused_until.store(0, Ordering::SeqCst);
    }

    /// Waits while it does not run; for ever when it is dead.
    async fn running(&self) {
        loop {
            if self.is_dead() {
                std::future::pending::<()>().await;
            }
            let (now, until) = (self.world.elapsed(), self.paused_until.load(Ordering::SeqCst));
            if until <= now {
                return;
            }
            tokio::time::sleep(Duration::from_millis((until - now).min(500))).await;
        }
    }

    /// It is about to make a call.
    pub async fn enter(&self) {
        self.running().await;
        let world = &self.world;
        if world.chance.per_mille(world.rates.delays) {
            match world.chance.number(0..=2) {
                0 => tokio::task::yield_now().await,
                _ => tokio::time::sleep(world.chance.millis(1..=30)).await,
            }
            self.running().await;
        }
        if self.dies_in.load(Ordering::SeqCst) == 1 && !self.dies_after_call.load(Ordering::SeqCst) {
            self.kill();
            std::future::pending::<()>().await;
        }
    }

    /// The call was made, and its answer comes back.
    pub async fn leave(&self) {
        if self.dies_in.load(Ordering::SeqCst) > 0 && self.dies_in.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.kill();
        }
        self.running().await;
    }
}

impl meshwright::port::clock::Clock for Replica {
    fn now(&self) -> Timestamp {
        Replica::now(self)
    }
}

//! An executor with a ledger of its own: what it did out in the world, under which key and token, whoever
//! may remember it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use meshwright::domain::activity::{FailureKind, FencingToken};
use meshwright::domain::id::{ContainerId, Digest};
use meshwright::domain::plan::ActivityId;
use meshwright::port::executor::{Executor, Progress, TaskCall, TaskError, TaskOutcome};
use serde_json::{Map, Value, json};

use super::world::{Broken, Replica, World};

/// What was done under one key.
#[derive(Debug, Clone)]
pub struct Done {
    pub activity: ActivityId,
    pub container: ContainerId,
    pub task: String,
    times: u64,
}

/// What the executor knows of a container.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// The greatest token that came.
    pub token: u64,
    /// The token of what was done last.
    pub done_under: u64,
    /// What was done last: activity, version, digest.
    pub last: Option<(ActivityId, String, Digest)>,
    /// Attempts that are under way: activity and token.
    under_way: Vec<(ActivityId, FencingToken)>,
}

/// All that executors did, by key and by container.
#[derive(Debug, Default)]
pub struct Ledger {
    pub keys: BTreeMap<String, Done>,
    pub sites: BTreeMap<ContainerId, Site>,
    /// The keys under which each task of each activity came.
    tasks: BTreeMap<(ActivityId, String), BTreeSet<String>>,
    pub refused: u64,
}

/// The executors of one replica, over the one ledger.
pub struct SimExecutor {
    pub replica: Arc<Replica>,
    pub ledger: Arc<Mutex<Ledger>>,
}

/// What becomes of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    FailsBefore,
    FailsAfter,
    HangsBefore,
    HangsAfter,
    Dies,
}

impl SimExecutor {
    fn world(&self) -> &World {
        &self.replica.world
    }

    fn fences(&self) -> bool {
        self.world().broken != Some(Broken::NoFencing)
    }

    fn key(&self, call: &TaskCall) -> String {
        if self.world().broken == Some(Broken::KeyRenewed) && call.attempt > 1 {
            return format!("{}-{}", call.key, call.attempt);
        }
        call.key.to_string()
    }

    fn fate(&self) -> Fate {
        let (world, rates) = (self.world(), &self.world().rates);
        if world.fault("task fails", rates.task_fails) {
            Fate::FailsBefore
        } else if world.fault("task's answer is lost", rates.task_answer_lost) {
            Fate::FailsAfter
        } else if world.fault("task hangs", rates.task_hangs) {
            if world.chance.one_in(2) { Fate::HangsBefore } else { Fate::HangsAfter }
        } else if world.fault("task fails for good", rates.task_dies) {
            Fate::Dies
        } else {
            Fate::Done
        }
    }

    /// An attempt has come here.
    fn begin(&self, call: &TaskCall) -> Result<(), TaskError> {
        let key = self.key(call);
        let mut ledger = self.ledger.lock().unwrap();
        let keys = ledger.tasks.entry((call.activity.clone(), call.task.clone())).or_default();
        if keys.insert(key) && keys.len() > 1 {
            let what = format!("{} {} came under another key: {keys:?}", call.activity, call.task);
            self.world().violated(what);
        }
        let site = ledger.sites.entry(call.container.clone()).or_default();
        let is_old = call.token.0 < site.token;
        site.token = site.token.max(call.token.0);
        if is_old && self.fences() {
            ledger.refused += 1;
            return Err(TaskError::permanent("a newer holder has been here"));
        }
        // Another activity of the container may be under way only for a holder that was overtaken, whose
        // effects are refused from now on.
        let others: Vec<_> =
            site.under_way.iter().filter(|(other, token)| *other != call.activity && *token >= call.token).collect();
        if !others.is_empty() {
            let what = format!("{} runs in {} together with {others:?}", call.activity, call.container);
            self.world().violated(what);
        }
        site.under_way.push((call.activity.clone(), call.token));
        Ok(())
    }

    fn end(&self, call: &TaskCall) {
        let mut ledger = self.ledger.lock().unwrap();
        let Some(site) = ledger.sites.get_mut(&call.container) else { return };
        if let Some(place) = site.under_way.iter().position(|it| *it == (call.activity.clone(), call.token)) {
            site.under_way.swap_remove(place);
        }
    }

    /// The effect comes about, unless somebody has come with a greater token.
    fn apply(&self, call: &TaskCall) -> Result<TaskOutcome, TaskError> {
        let (world, key) = (self.world(), self.key(call));
        let mut ledger = self.ledger.lock().unwrap();
        let site = ledger.sites.entry(call.container.clone()).or_default();
        if call.token.0 < site.token && self.fences() {
            ledger.refused += 1;
            world.count("stale effect refused");
            return Err(TaskError::permanent("a newer holder has been here"));
        }
        if call.token.0 < site.done_under {
            let what = format!("{} was done in {} after a greater token", call.activity, call.container);
            world.violated(what);
        }
        site.done_under = site.done_under.max(call.token.0);
        let (version, digest) = (call.version.version.to_string(), call.version.digest.clone());
        site.last = Some((call.activity.clone(), version, digest));
        let done = ledger.keys.entry(key.clone()).or_insert_with(|| Done {
            activity: call.activity.clone(),
            container: call.container.clone(),
            task: call.task.clone(),
            times: 0,
        });
        done.times += 1;
        if (&done.activity, &done.task) != (&call.activity, &call.task) {
            world.violated(format!("the key {key} stands for two things"));
        }
        let times = done.times;
        world.tell(format_args!(
            "effect {} {} {} {} token {} time {times}",
            call.container, call.task, call.version.version, key, call.token.0
        ));
        let results: Map<String, Value> =
            [("place".to_owned(), json!(call.container.to_string()))].into_iter().collect();
        Ok(TaskOutcome { results })
    }

    async fn attempt(&self, call: &TaskCall, progress: &dyn Progress) -> Result<TaskOutcome, TaskError> {
        let (world, fate) = (self.world(), self.fate());
        if world.chance.one_in(4) {
            progress.checkpoint(&format!("{}/{}", call.key, call.attempt)).await;
        }
        if world.chance.one_in(8) {
            progress.log("on its way").await;
        }
        let slow = if world.chance.one_in(12) { 2_000..=15_000 } else { 20..=800 };
        tokio::time::sleep(world.chance.millis(slow)).await;
        match fate {
            Fate::FailsBefore => return Err(TaskError::transient("the service is busy")),
            Fate::HangsBefore => std::future::pending().await,
            Fate::Dies => return Err(TaskError::permanent("the service does not want it")),
            Fate::Done | Fate::FailsAfter | Fate::HangsAfter => {}
        }
        let outcome = self.apply(call)?;
        tokio::time::sleep(world.chance.millis(1..=300)).await;
        match fate {
            Fate::FailsAfter => Err(TaskError::transient("the connection was lost")),
            Fate::HangsAfter => std::future::pending().await,
            _ => Ok(outcome),
        }
    }
}

/// An attempt that is under way ends here, however it ends.
struct UnderWay<'a>(&'a SimExecutor, &'a TaskCall);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.end(self.1);
    }
}

#[async_trait]
impl Executor for SimExecutor {
    async fn run(&self, call: &TaskCall, progress: &dyn Progress) -> Result<TaskOutcome, TaskError> {
        self.replica.enter().await;
        let (world, name) = (self.world(), &self.replica.name);
        world.tell(format_args!(
            "{name} run {} {} {} attempt {} token {}",
            call.activity, call.container, call.task, call.attempt, call.token.0
        ));
        self.begin(call)?;
        let under_way = UnderWay(self, call);
        let outcome = tokio::select! {
            biased;
            outcome = self.attempt(call, progress) => outcome,
            () = call.cancel.cancelled() => Err(TaskError { kind: FailureKind::Cancelled, message: "cancelled".to_owned() }),
            () = tokio::time::sleep(call.timeout) => {
                let message = format!("it took longer than {} s", call.timeout.as_secs());
                Err(TaskError { kind: FailureKind::TimedOut, message })
            }
        };
        drop(under_way);
        // It is also done when nobody hears of it.
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.replica.leave().await;
        outcome
    }

    async fn observe(&self, container: &ContainerId) -> Result<Option<Value>, TaskError> {
        let last = self.ledger.lock().unwrap().sites.get(container).and_then(|site| site.last.clone());
        Ok(last.map(|(activity, version, _)| json!({"activity": activity, "version": version})))
    }
}

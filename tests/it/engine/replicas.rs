//! Several replicas on one record: they share the work, take over from each other, and hand over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use meshwright::adapter::store::SqlStore;
use meshwright::domain::activity::FencingToken;
use meshwright::domain::id::{ContainerId, Revision};
use meshwright::domain::stage::Phase;
use meshwright::engine::Engine;
use meshwright::port::clock::Clock;
use meshwright::port::door::WakeReason;
use meshwright::port::executor::{Executor, Progress, TaskCall, TaskError, TaskOutcome};
use meshwright::port::store::{ActivityBook, Lane, Look, Store, TakeWake, WakeBook};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::support::world::{Descriptor, World, eventually, statuses, target};

/// Remembers who called, and lets calls go on one by one.
struct Gated {
    calls: Mutex<Vec<(String, u32, FencingToken)>>,
    ended: Mutex<Vec<FencingToken>>,
    gate: Semaphore,
}

impl Gated {
    fn new() -> Arc<Self> {
        Arc::new(Self { calls: Mutex::default(), ended: Mutex::default(), gate: Semaphore::new(0) })
    }

    fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }
}

#[async_trait]
impl Executor for Gated {
    async fn run(&self, call: &TaskCall, _: &dyn Progress) -> Result<TaskOutcome, TaskError> {
        self.calls.lock().unwrap().push((call.key.to_string(), call.attempt, call.token));
        self.gate.acquire().await.unwrap().forget();
        self.ended.lock().unwrap().push(call.token);
        Ok(TaskOutcome::default())
    }

    async fn observe(&self, _: &ContainerId) -> Result<Option<Value>, TaskError> {
        Ok(None)
    }
}

/// A replica whose loops run.
struct Running {
    engine: Arc<Engine>,
    stop: CancellationToken,
    loops: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(world: &World, holder: &str, store: &Arc<SqlStore>) -> Self {
        let engine = world.replica(holder, Arc::clone(store) as Arc<dyn Store>);
        engine.recover().await.unwrap();
        let stop = CancellationToken::new();
        let (own, ending) = (Arc::clone(&engine), stop.clone());
        let loops = tokio::spawn(async move { own.run_until(&ending).await });
        Self { engine, stop, loops }
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(20), self.loops).await.expect("it stops").unwrap();
    }
}

async fn open(world: &World) -> Arc<SqlStore> {
    Arc::new(SqlStore::open(&world.state()).await.unwrap())
}

fn is_green(world: &World, head: &Revision) -> bool {
    let statuses = statuses(world.repository.path(), head);
    statuses.len() == 5 && statuses.values().all(|status| status.starts_with("success"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_share_the_work_and_everything_is_done_once_and_told() {
    let world = World::new();
    let names: Vec<String> = (0..8).map(|number| format!("p{number}")).collect();
    let head = world.commit(&names.iter().map(|name| Descriptor::new(name, "1.0.0")).collect::<Vec<_>>());
    let store = open(&world).await;
    let mut replicas = Vec::new();
    for holder in ["one", "two", "three"] {
        replicas.push(Running::start(&world, holder, &store).await);
    }
    replicas[0].engine.wake(&target(), WakeReason::Webhook).await.unwrap();
    eventually("the commit is green", async || is_green(&world, &head)).await;
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for effect in world.ledger() {
        *times.entry(effect.key).or_default() += 1;
    }
    assert_eq!(times.len(), 8 * 2 * 3, "each task of each product at each stage");
    assert!(times.values().all(|count| *count == 1), "{times:?}");
    let held = store.lease_rows().await.unwrap();
    let replicas_there: Vec<&str> =
        held.iter().filter(|row| row.kind == "replica").map(|row| row.subject.as_str()).collect();
    assert_eq!(replicas_there, ["one", "three", "two"]);
    assert_eq!(held.iter().filter(|row| row.kind == "publisher").count(), 1, "one writes what the forge shows");
    for replica in replicas {
        replica.stop().await;
    }
    assert_eq!(store.lease_rows().await.unwrap(), [], "all was handed back");
    assert_eq!(store.wake_rows(9).await.unwrap(), []);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_replica_that_stops_has_under_way_goes_on_at_another_at_once() {
    let mut world = World::new();
    let gated = Gated::new();
    world.replaced.insert(Phase::Build, Arc::clone(&gated) as Arc<dyn Executor>);
    let head = world.commit(&[Descriptor::new("orders", "1.0.0")]);
    let store = open(&world).await;
    let one = Running::start(&world, "one", &store).await;
    one.engine.wake(&target(), WakeReason::Webhook).await.unwrap();
    eventually("the build runs", async || gated.calls() == 1).await;
    let two = Running::start(&world, "two", &store).await;
    one.stop().await;
    // The clock stands: nothing was waited for but the handing over.
    eventually("the build runs again", async || gated.calls() == 2).await;
    gated.gate.add_permits(9);
    eventually("the commit is green", async || is_green(&world, &head)).await;
    two.stop().await;
    let calls = gated.calls.lock().unwrap().clone();
    assert_eq!((&calls[0].0, calls[0].1), (&calls[1].0, calls[1].1), "under the same key, as the same attempt");
    assert!(calls[1].2 > calls[0].2, "with a greater token");
    assert_eq!(calls.len(), 3, "dev twice, and prod: {calls:?}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_thought_dead_stops_and_another_goes_on() {
    let mut world = World::new();
    world.lease = Duration::from_secs(3);
    let gated = Gated::new();
    world.replaced.insert(Phase::Build, Arc::clone(&gated) as Arc<dyn Executor>);
    world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let store = open(&world).await;
    let one = world.replica("one", Arc::clone(&store) as Arc<dyn Store>);
    one.pass(&target()).await.unwrap();
    let stop = CancellationToken::new();
    let first = {
        let (one, stop) = (Arc::clone(&one), stop.clone());
        tokio::spawn(async move { one.roll_out_all(&stop).await })
    };
    eventually("the build runs", async || gated.calls() == 1).await;
    let id = store.unfinished().await.unwrap()[0].planned.id.clone();
    // As if it had been stopped for a minute: its heart has not beaten, and its time is over.
    world.clock.advance(Duration::from_secs(60));
    let later = world.clock.now().checked_add(Duration::from_secs(600)).unwrap();
    let token = store.claim(&id, "two", world.clock.now(), later).await.unwrap().unwrap();
    eventually("the first stops", async || first.is_finished()).await;
    first.await.unwrap().unwrap();
    assert_eq!(gated.ended.lock().unwrap().len(), 0, "its attempt was broken off");
    let record = store.activity(&id).await.unwrap().unwrap();
    assert_eq!(record.state.token, Some(token));
    assert_eq!(record.state.tasks.len(), 3);
    gated.gate.add_permits(9);
    one.roll_out_all(&stop).await.unwrap();
    assert_eq!(gated.calls(), 1, "it is the other's");
    let two = world.replica("two", Arc::clone(&store) as Arc<dyn Store>);
    two.roll_out_all(&stop).await.unwrap();
    assert_eq!(store.container_rows().await.unwrap().len(), 1);
    assert_eq!(gated.ended.lock().unwrap().len(), 1);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_ends_whoever_looks_at_it_is_left_alone_and_says_so() {
    let world = World::new();
    let head = world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let store = open(&world).await;
    let engine = world.replica("one", Arc::clone(&store) as Arc<dyn Store>);
    engine.wake(&target(), WakeReason::Webhook).await.unwrap();
    for _ in 0..3 {
        let now = world.clock.now();
        let ask = TakeWake { holder: "dead", order: Lane::ALL.map(|lane| (lane, None)), now, until: now };
        assert!(store.take_wake(&ask).await.unwrap().is_some());
    }
    let stop = CancellationToken::new();
    let looking = {
        let (engine, stop) = (Arc::clone(&engine), stop.clone());
        tokio::spawn(async move { engine.pass_until(&stop).await })
    };
    let row = async || store.wake_rows(9).await.unwrap().pop();
    eventually("it is left alone", async || row().await.is_some_and(|row| row.state == "backing-off")).await;
    let source = store.sources().await.unwrap().remove(0);
    assert_eq!(source.condition.as_deref(), Some("pass-failed"));
    assert!(source.message.unwrap().contains("broken off 3 times in a row"));
    assert_eq!(source.revision, None);
    // When its time has come, it is looked at all the same; the innocent one is whole again.
    world.clock.advance(Duration::from_secs(120));
    engine.ring(meshwright::port::store::Bell::Wakes);
    eventually("it is looked at", async || row().await.is_none()).await;
    let source = store.sources().await.unwrap().remove(0);
    assert_eq!((source.condition, source.revision), (None, Some(head)));
    stop.cancel();
    looking.await.unwrap();
    store.close().await;
}

//! What rests between two attempts holds nothing: others have its place, and it goes on at its time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use meshwright::domain::activity::{ActivityEvent, ActivityStatus, FencingToken, TaskStatus};
use meshwright::domain::forge::Person;
use meshwright::domain::id::ContainerId;
use meshwright::domain::plan::ActivityId;
use meshwright::domain::stage::Phase;
use meshwright::port::clock::Clock;
use meshwright::port::executor::{Executor, Progress, TaskCall, TaskError, TaskOutcome};
use meshwright::port::store::{ActivityBook, ApprovalBook, Bell, Decision, Look, Ruling};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::support::world::{Descriptor, Started, World, eventually, source};

/// Fails for one product, in a way that may pass, as often as it is told; remembers who called.
struct Unsteady {
    product: &'static str,
    failures: Mutex<u32>,
    calls: Mutex<Vec<(String, String, u32, FencingToken)>>,
}

impl Unsteady {
    fn calls_of(&self, product: &str) -> Vec<(String, u32, FencingToken)> {
        let calls = self.calls.lock().unwrap().clone();
        calls
            .into_iter()
            .filter(|call| call.0 == product)
            .map(|(_, key, attempt, token)| (key, attempt, token))
            .collect()
    }
}

#[async_trait]
impl Executor for Unsteady {
    async fn run(&self, call: &TaskCall, _: &dyn Progress) -> Result<TaskOutcome, TaskError> {
        let product = call.container.product.product_name().to_owned();
        self.calls.lock().unwrap().push((product.clone(), call.key.to_string(), call.attempt, call.token));
        let mut failures = self.failures.lock().unwrap();
        if product == self.product && *failures > 0 {
            *failures -= 1;
            return Err(TaskError::transient("the warehouse is busy"));
        }
        Ok(TaskOutcome::default())
    }

    async fn observe(&self, _: &ContainerId) -> Result<Option<Value>, TaskError> {
        Ok(None)
    }
}

/// One place, two products; the first of them fails once in `build`, and rests for 20 to 40 seconds.
async fn one_rests() -> (World, Started, Arc<Unsteady>, tokio::task::JoinHandle<()>, CancellationToken, ActivityId) {
    let executor = Arc::new(Unsteady { product: "aaa", failures: Mutex::new(1), calls: Mutex::default() });
    let mut world = World::new();
    world.parallel = 1;
    world.retry_pause = Duration::from_secs(40);
    world.replaced.insert(Phase::Build, Arc::clone(&executor) as Arc<dyn Executor>);
    let products = ["aaa", "bbb"].map(|name| Descriptor::new(name, "1.0.0").only_at("dev"));
    world.commit(&products);
    let started = world.start().await;
    let plan = started.plan().await;
    let id = plan.activities.iter().find(|it| it.container.product.product_name() == "aaa").unwrap().id.clone();
    let (engine, stop) = (Arc::clone(&started.engine), CancellationToken::new());
    let ending = stop.clone();
    let rolling = tokio::spawn(async move { engine.roll_out_until(&ending).await });
    let runs = async || started.running().await == ["bbb dev 1.0.0"];
    eventually("the other has its place", runs).await;
    (world, started, executor, rolling, stop, id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_have_the_place_of_what_rests_and_it_goes_on_at_its_time() {
    let (world, started, executor, rolling, stop, id) = one_rests().await;
    let resting = started.store.activity(&id).await.unwrap().unwrap();
    assert_eq!(resting.state.status, ActivityStatus::Running);
    assert!(resting.state.tasks.iter().any(|task| matches!(task, TaskStatus::Retrying { attempts: 1, .. })));
    let held = started.store.lease_rows().await.unwrap();
    assert_eq!(held.iter().filter(|row| row.kind == "container").count(), 0, "{held:?}");
    assert_eq!(executor.calls_of("aaa").len(), 1);

    // Before its time, nobody goes on with it, whoever looks.
    world.clock.advance(Duration::from_secs(10));
    let events = started.store.events(&id).await.unwrap().len();
    started.engine.ring(Bell::Rollouts);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(started.store.events(&id).await.unwrap().len(), events);
    world.clock.advance(Duration::from_secs(31));
    started.engine.ring(Bell::Rollouts);
    eventually("it goes on", async || started.running().await.len() == 2).await;
    let calls = executor.calls_of("aaa");
    assert_eq!((calls.len(), &calls[0].0, calls[0].1, calls[1].1), (2, &calls[1].0, 1, 2), "{calls:?}");
    assert!(calls[1].2 > calls[0].2, "with a greater token");
    stop.cancel();
    rolling.await.unwrap();
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_rests_is_cancelled_without_waiting_for_its_time() {
    let (world, started, executor, rolling, stop, id) = one_rests().await;
    let decision = Decision {
        request: "r1".to_owned(),
        source: source(),
        ruling: Ruling::Cancel(vec![id.clone()]),
        by: Person { name: "ann".to_owned(), via: "acme".to_owned() },
        at: world.clock.now(),
        outcome: "cancelled".to_owned(),
    };
    started.store.decide(&decision).await.unwrap();
    started.engine.ring(Bell::Rollouts);
    let status = async || started.store.activity(&id).await.unwrap().unwrap().state.status;
    eventually("it is cancelled", async || status().await == ActivityStatus::Cancelled).await;
    assert_eq!(executor.calls_of("aaa").len(), 1);
    stop.cancel();
    rolling.await.unwrap();
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_pass_and_out_waits_for_what_rests() {
    let executor = Arc::new(Unsteady { product: "aaa", failures: Mutex::new(1), calls: Mutex::default() });
    let mut world = World::new();
    // Long enough to be let go of, short enough to be waited for.
    world.retry_pause = Duration::from_millis(1_200);
    world.replaced.insert(Phase::Build, Arc::clone(&executor) as Arc<dyn Executor>);
    world.commit(&[Descriptor::new("aaa", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    let plan = started.plan().await;
    let rolling = started.rolling();
    let failed = async || {
        let events = started.store.events(&plan.activities[0].id).await.unwrap();
        events.iter().any(|(_, event)| matches!(event, ActivityEvent::TaskFailed { .. }))
    };
    eventually("the first attempt has failed", failed).await;
    world.clock.advance(Duration::from_millis(1_300));
    rolling.await.unwrap();
    assert_eq!(started.running().await, ["aaa dev 1.0.0"]);
    started.close().await;
}

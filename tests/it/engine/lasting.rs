//! What lasts over restarts: deadlines, pauses, and attempts that ended while nobody was there.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use meshwright::domain::activity::{ActivityEvent, Backoff, FailureKind, FencingToken};
use meshwright::domain::id::ContainerId;
use meshwright::domain::plan::Plan;
use meshwright::domain::stage::Phase;
use meshwright::domain::time::Timestamp;
use meshwright::port::clock::Clock;
use meshwright::port::executor::{Executor, Progress, TaskCall, TaskError, TaskOutcome, Whereabouts};
use meshwright::port::store::{ActivityBook, AppendError, Look, PassBook};
use serde_json::{Value, json};

use crate::support::samples::PassSample;
use crate::support::world::{Descriptor, Started, World, eventually, source};

/// An executor that can be asked.
struct Remembering {
    hangs: AtomicBool,
    runs: Mutex<Vec<(Option<String>, Duration)>>,
    abandoned: AtomicUsize,
    answer: Mutex<Whereabouts>,
}

impl Remembering {
    fn new() -> Arc<Self> {
        let (runs, abandoned) = (Mutex::default(), AtomicUsize::default());
        Arc::new(Self { hangs: AtomicBool::new(true), runs, abandoned, answer: Mutex::new(Whereabouts::Unknown) })
    }

    fn runs(&self) -> Vec<(Option<String>, Duration)> {
        self.runs.lock().unwrap().clone()
    }
}

#[async_trait]
impl Executor for Remembering {
    async fn run(&self, call: &TaskCall, progress: &dyn Progress) -> Result<TaskOutcome, TaskError> {
        progress.checkpoint("job 7").await;
        self.runs.lock().unwrap().push((call.handle.clone(), call.timeout));
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(TaskOutcome::default())
    }

    async fn whereabouts(&self, call: &TaskCall) -> Result<Whereabouts, TaskError> {
        assert_eq!(call.handle.as_deref(), Some("job 7"));
        Ok(self.answer.lock().unwrap().clone())
    }

    async fn abandon(&self, _: &TaskCall) -> Result<(), TaskError> {
        self.abandoned.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn observe(&self, _: &ContainerId) -> Result<Option<Value>, TaskError> {
        Ok(None)
    }
}

/// A world in which the build is under way while the process dies, and so much time goes by.
async fn died_while_it_ran(executor: &Arc<Remembering>, away: u64) -> (World, Plan, Timestamp) {
    let mut world = World::new();
    world.replaced.insert(Phase::Build, Arc::clone(executor) as _);
    world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let began = world.clock.now();
    let started = world.start().await;
    let plan = started.plan().await;
    let (engine, stop) = (Arc::clone(&started.engine), started.stop.clone());
    let rollout = tokio::spawn(async move { engine.roll_out_all(&stop).await.unwrap() });
    eventually("the build runs", async || !executor.runs().is_empty()).await;
    started.stop.cancel();
    rollout.await.unwrap();
    started.close().await;
    world.clock.advance(Duration::from_secs(away));
    executor.hangs.store(false, Ordering::SeqCst);
    (world, plan, began)
}

async fn events(started: &Started, plan: &Plan) -> Vec<ActivityEvent> {
    let events = started.store.events(&plan.activities[0].id).await.unwrap();
    events.into_iter().map(|(_, event)| event).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ended_well_while_nobody_was_there_counts_though_its_time_is_over() {
    let executor = Remembering::new();
    let (world, plan, _) = died_while_it_ran(&executor, 3_600).await;
    let results = json!({"file": "a"}).as_object().unwrap().clone();
    *executor.answer.lock().unwrap() = Whereabouts::Ended(Ok(TaskOutcome { results }));
    let started = world.start().await;
    started.settle().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    assert_eq!(executor.runs().len(), 1, "it is not run again");
    assert!(
        events(&started, &plan).await.iter().any(|event| {
            matches!(event, ActivityEvent::TaskSucceeded { task: 1, results } if results["file"] == "a")
        })
    );
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passed_its_deadline_while_nobody_was_there_has_timed_out() {
    for answer in [Whereabouts::Unknown, Whereabouts::GoesOn] {
        let executor = Remembering::new();
        let (world, plan, _) = died_while_it_ran(&executor, 31).await;
        *executor.answer.lock().unwrap() = answer;
        let started = world.start().await;
        started.settle().await;
        assert_eq!(executor.abandoned.load(Ordering::SeqCst), 1);
        let events = events(&started, &plan).await;
        let timed_out = events.iter().position(|event| {
            matches!(event, ActivityEvent::TaskFailed { attempt: 1, kind: FailureKind::TimedOut, retry: true, .. })
        });
        let again =
            events.iter().position(|event| matches!(event, ActivityEvent::TaskStarted { task: 1, attempt: 2, .. }));
        assert!(timed_out.unwrap() < again.unwrap(), "{events:?}");
        assert_eq!(started.running().await, ["orders dev 1.0.0"]);
        started.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_gives_an_attempt_what_is_left_of_its_time_and_its_handle() {
    let executor = Remembering::new();
    let (world, plan, began) = died_while_it_ran(&executor, 20).await;
    *executor.answer.lock().unwrap() = Whereabouts::GoesOn;
    let started = world.start().await;
    started.settle().await;
    let runs = executor.runs();
    assert_eq!(runs[0], (None, Duration::from_secs(30)));
    assert_eq!(runs[1], (Some("job 7".to_owned()), Duration::from_secs(10)));
    let until = began.checked_add(Duration::from_secs(30)).unwrap();
    let deadlines: Vec<Option<Timestamp>> = events(&started, &plan)
        .await
        .into_iter()
        .filter_map(|event| match event {
            ActivityEvent::TaskStarted { task: 1, deadline, .. } => Some(deadline),
            _ => None,
        })
        .collect();
    assert_eq!(deadlines, [Some(until), Some(until)]);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_moment_of_the_next_attempt_is_recorded_and_follows_from_the_key() {
    let world = World::new();
    world.control("orders", "build", "[ $MESHWRIGHT_ATTEMPT -ge 3 ] || exit 75");
    world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    let plan = started.trip().await;
    let key = &plan.activities[0].tasks[1].key;
    let backoff = Backoff { first: Duration::from_millis(5), longest: Duration::from_secs(60) };
    let moments: Vec<Timestamp> = events(&started, &plan)
        .await
        .into_iter()
        .filter_map(|event| match event {
            ActivityEvent::TaskFailed { again, .. } => again,
            _ => None,
        })
        .collect();
    let expected = [1, 2].map(|attempt| world.clock.now().checked_add(backoff.after(key, attempt)).unwrap());
    assert_eq!(moments, expected);
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_and_forged_results_change_nothing_and_are_counted() {
    let world = World::new();
    world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    let plan = started.trip().await;
    let id = &plan.activities[0].id;
    let before = (events(&started, &plan).await, started.store.container_rows().await.unwrap());
    let late = ActivityEvent::TaskSucceeded { task: 1, results: json!({"file": "another"}) };
    let (held, forged) = (FencingToken(1), FencingToken(77));
    for (token, is_fenced) in [(Some(held), true), (Some(forged), true), (None, false)] {
        let refused = started.store.append(id, token, &late, world.clock.now()).await.unwrap_err();
        match refused {
            AppendError::Fenced => {}
            AppendError::Illegal(illegal) => {
                assert!(!is_fenced || token == Some(held));
                assert!(illegal.to_string().contains("another"), "{illegal}");
                assert!(illegal.to_string().contains("Succeeded"), "{illegal}");
            }
            AppendError::Store(error) => panic!("{error}"),
        }
    }
    assert_eq!((events(&started, &plan).await, started.store.container_rows().await.unwrap()), before);
    assert_eq!(started.store.activity_rows(1).await.unwrap()[0].refused_events, 3);
    started.close().await;
}

/// A start after a crash, with all of this unfinished: each waits for the one that was recorded after it, and
/// the last for people. A look that is quadratic takes minutes for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_at_ten_thousand_unfinished_rollouts_is_no_matter() {
    const MANY: usize = 10_000;
    let mut world = World::new();
    world.approvals = 1;
    let started = world.start().await;
    let mut pass = PassSample::new(1, 0);
    for number in 0..MANY {
        pass = pass.activity(&format!("p{number}"), "prod", "1.0.0", "a");
    }
    let pass = pass.with(|pass| {
        for number in 0..MANY - 1 {
            let later = pass.plan.activities[number + 1].id.clone();
            pass.plan.activities[number].after.push(later);
        }
    });
    started.store.record_pass(&pass.build()).await.unwrap();
    let began = Instant::now();
    started.engine.roll_out_all(&started.stop).await.unwrap();
    let look = began.elapsed();
    let began = Instant::now();
    let unfinished = started.engine.unfinished_of(&source()).await.unwrap();
    eprintln!("a look at {MANY} unfinished rollouts took {look:?}, counting them {:?}", began.elapsed());
    assert_eq!((unfinished.going_on, unfinished.waiting_for_people), (0, MANY));
    assert!(look < Duration::from_secs(60), "{look:?}");
    started.close().await;
}

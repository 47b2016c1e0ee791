//! Crash after every recorded event: whatever was recorded last, a new process over the same record
//! comes to the same end, and does nothing under a new key.

#![expect(clippy::disallowed_methods, reason = "helpers of tests fail as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use meshwright::adapter::store::SqlStore;
use meshwright::domain::forge::Person;
use meshwright::domain::id::Revision;
use meshwright::domain::time::Timestamp;
use meshwright::engine::PassOutcome;
use meshwright::port::requests::{Action, Origin, Request};
use meshwright::port::store::{ActivityBook, Look, Store};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio_util::sync::CancellationToken;

use crate::support::crashing_store::CrashingStore;
use crate::support::forge::ModelRequests;
use crate::support::repository::TestRepository;
use crate::support::world::{Allowing, Descriptor, Started, World, path_of, source, statuses, target};

/// More writes than any story makes.
const UNDISTURBED: i64 = 1_000_000;
/// How many stories are told at once.
const THREADS: usize = 4;

/// How a story ended, as far as it must not depend on crashes.
#[derive(Debug, PartialEq, Eq)]
struct Ending {
    /// `product stage version digest activity`.
    containers: Vec<String>,
    /// What was done out in the world: key and meaning.
    effects: BTreeSet<(String, String)>,
    /// `revision context state description delivery`.
    reports: BTreeSet<String>,
    /// What the repository's notes show of each commit.
    notes: Vec<BTreeMap<String, String>>,
    /// Every activity with its status and the number of its tasks that succeeded.
    activities: BTreeSet<String>,
    /// The audit trail's decisions, without their times.
    decided: Vec<String>,
}

/// Somebody who approves what waits at `prod`, once.
fn approver() -> Arc<ModelRequests> {
    let book = ModelRequests::default();
    book.asked.lock().unwrap().push(Request {
        id: "machine/1".to_owned(),
        source: source(),
        action: Ok(Action::Approve("prod".parse().unwrap())),
        origin: Origin::Machine { plan: None },
        by: Person { name: "ann".to_owned(), via: "command line".to_owned() },
        at: Timestamp::UNIX_EPOCH,
    });
    Arc::new(book)
}

/// A story: what was committed, and what is done before the engine is run into the crash.
struct Story {
    repository: TestRepository,
    revisions: Vec<Revision>,
    /// Every commit but the last is rolled out undisturbed.
    crash_over: usize,
    /// Whether `prod` has a gate, and somebody approves the last commit.
    gated: bool,
    /// What programs do, by product and task: then they also undo what they did.
    controls: &'static [(&'static str, &'static str, &'static str)],
}

impl Story {
    /// The repository at its beginning, to be moved on commit by commit.
    fn world(&self) -> World {
        let mut world = World::of(self.repository.copy());
        world.undoes = !self.controls.is_empty();
        for (product, task, script) in self.controls {
            world.control(product, task, script);
        }
        if self.gated {
            world.approvals = 1;
            world.requests.push(approver() as _);
        }
        world
    }

    fn move_to(&self, world: &World, revision: &Revision) {
        world.repository.git(&["update-ref", "refs/heads/main", revision.as_str()]);
    }
}

/// Passes, publishes, rolls out and publishes, as far as the record lets it; whether it came to the end.
async fn drive(world: &World, store: Arc<dyn Store>, stop: &CancellationToken) -> bool {
    let engine = world.engine(store, Arc::new(Allowing));
    engine.pass(&target()).await.is_ok()
        && engine.publish_due().await.is_ok()
        && engine.roll_out_all(stop).await.is_ok()
        && engine.answer_requests().await.is_ok()
        && engine.roll_out_all(stop).await.is_ok()
        && engine.publish_due().await.is_ok()
}

/// Tells the story with a crash after so many writes; says how many writes were made, and how it ended.
async fn tell(story: &Story, world: &World, writes: i64) -> (i64, Ending) {
    for revision in &story.revisions[..story.crash_over] {
        story.move_to(world, revision);
        let before = world.start().await;
        before.trip().await;
        before.close().await;
    }
    story.move_to(world, &story.revisions[story.crash_over]);

    let inner = Arc::new(SqlStore::open(&world.state()).await.unwrap());
    let store = Arc::new(CrashingStore::new(Arc::clone(&inner) as Arc<dyn Store>, writes));
    let came_to_the_end = drive(world, Arc::clone(&store) as Arc<dyn Store>, &store.died).await;
    let made = writes - store.writes_left().max(0);
    assert_eq!(came_to_the_end, store.writes_left() > 0, "only a dead record stops the engine");
    inner.close().await;

    let restarted = world.start().await;
    let outcome = restarted.pass().await;
    if came_to_the_end {
        assert!(matches!(outcome, PassOutcome::Unchanged { .. }), "a pass over what is settled: {outcome:?}");
    }
    restarted.settle().await;
    let trail = restarted.store.audit_rows(10_000).await.unwrap();
    if story.gated && !trail.iter().any(|row| row.kind == "rollout-approved") {
        assert!(!world.done().iter().any(|what| what.contains(" prod ")), "nobody has approved it yet");
    }
    restarted.engine.answer_requests().await.unwrap();
    restarted.settle().await;
    everything_again_changes_nothing(&restarted, world).await;
    let ending = ending(story, world, &restarted).await;
    restarted.close().await;
    assert_eq!(integrity(&world.state()).await, ["ok"]);
    (made, ending)
}

/// Whatever has come to its end may be asked for again.
async fn everything_again_changes_nothing(started: &Started, world: &World) {
    let (trail, ledger) = (started.store.audit_rows(10_000).await.unwrap(), world.ledger());
    let reports = started.store.report_rows(10_000).await.unwrap();
    for _ in 0..2 {
        assert!(matches!(started.pass().await, PassOutcome::Unchanged { .. }));
        assert_eq!(started.engine.publish_due().await.unwrap(), 0);
        started.engine.roll_out_all(&started.stop).await.unwrap();
    }
    for row in started.store.activity_rows(10_000).await.unwrap() {
        let id = row.activity.parse().unwrap();
        let now = meshwright::domain::time::Timestamp::UNIX_EPOCH;
        assert_eq!(
            started.store.claim(&id, "world", now, now).await.unwrap(),
            None,
            "what has ended is not claimed again"
        );
    }
    assert_eq!(started.store.audit_rows(10_000).await.unwrap(), trail);
    assert_eq!(started.store.report_rows(10_000).await.unwrap(), reports);
    assert_eq!(world.ledger(), ledger);
}

async fn ending(story: &Story, world: &World, started: &Started) -> Ending {
    let store = &started.store;
    assert_eq!(store.unfinished().await.unwrap(), [], "nothing is left unfinished");
    let containers = store.container_rows().await.unwrap();
    let reports = store.report_rows(10_000).await.unwrap();
    let activities = store.activity_rows(10_000).await.unwrap();
    let mut trail = store.audit_rows(10_000).await.unwrap();
    trail.reverse();
    let mut decided: Vec<String> = trail.iter().map(|row| format!("{} {}", row.kind, row.subject)).collect();
    // Two rollouts at once may end in either order.
    decided.sort();
    Ending {
        containers: containers
            .iter()
            .map(|row| format!("{} {} {} {} {}", row.product, row.stage, row.version, row.digest, row.activity))
            .collect(),
        effects: world.ledger().into_iter().map(|effect| (effect.key, effect.what)).collect(),
        reports: reports
            .iter()
            .map(|row| {
                let revision = row.revision.short();
                format!("{revision} {} {} {} {}", row.context, row.state, row.description, row.delivery)
            })
            .collect(),
        notes: story.revisions.iter().map(|revision| statuses(world.repository.path(), revision)).collect(),
        activities: activities
            .iter()
            .map(|row| format!("{} {} {}/{}", row.activity, row.status, row.done, row.tasks))
            .collect(),
        decided,
    }
}

async fn integrity(path: &Path) -> Vec<String> {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    let mut said: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut connection).await.unwrap();
    let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut connection).await.unwrap();
    said.extend(broken.iter().map(|_| "a reference leads nowhere".to_owned()));
    connection.close().await.unwrap();
    said
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Tells the story once for every write that it makes, each time with a crash right after that write.
fn crash_after_every_write(story: Story, at_least: i64) {
    let world = story.world();
    let (writes, undisturbed) = runtime().block_on(tell(&story, &world, UNDISTURBED));
    assert!(writes >= at_least, "a story of {writes} writes is too short to tell anything");
    for report in &undisturbed.reports {
        assert!(report.ends_with(" published"), "{report}");
    }
    let keys: BTreeSet<&String> = undisturbed.effects.iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), undisturbed.effects.len(), "one key stands for one thing");

    let (next, story) = (AtomicI64::new(0), Mutex::new(story));
    std::thread::scope(|scope| {
        let tellers: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let crash = next.fetch_add(1, Ordering::SeqCst);
                        if crash > writes {
                            break;
                        }
                        let (world, own) = {
                            let story = story.lock().unwrap();
                            let own = Story {
                                repository: story.repository.copy(),
                                revisions: story.revisions.clone(),
                                crash_over: story.crash_over,
                                gated: story.gated,
                                controls: story.controls,
                            };
                            (story.world(), own)
                        };
                        let told = runtime().block_on(async {
                            tokio::time::timeout(Duration::from_secs(120), tell(&own, &world, crash)).await
                        });
                        let (made, ending) = told.unwrap_or_else(|_| panic!("after write {crash}: it hangs"));
                        assert_eq!(made, crash);
                        assert_eq!(ending, undisturbed, "after write {crash} of {writes}");
                    }
                })
            })
            .collect();
        for teller in tellers {
            teller.join().unwrap();
        }
    });
}

/// Commits descriptors, and takes away what the list of paths names.
fn commit(repository: &TestRepository, descriptors: &[Descriptor], gone: &[&str]) -> Revision {
    for path in gone {
        repository.git(&["rm", "--quiet", path]);
    }
    let files: Vec<(String, String)> = descriptors.iter().map(|product| (product.path(), product.yaml())).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    repository.commit(&files, "a change")
}

#[test]
fn a_first_commit_survives_a_crash_after_every_write() {
    let repository = TestRepository::new();
    let mesh = [
        Descriptor::new("orders", "1.0.0"),
        Descriptor::new("sales", "1.0.0").reads("orders"),
        Descriptor::new("late", "1.0.0").reads("sales").only_at("dev"),
    ];
    let revisions = vec![commit(&repository, &mesh, &[])];
    crash_after_every_write(Story { repository, revisions, crash_over: 0, gated: false, controls: &[] }, 40);
}

#[test]
fn a_later_commit_survives_a_crash_after_every_write() {
    let repository = TestRepository::new();
    let orders = Descriptor::new("orders", "1.0.0");
    let sales = Descriptor::new("sales", "1.0.0").reads("orders").only_at("dev");
    let first = commit(&repository, &[orders, sales, Descriptor::new("old", "1.0.0").only_at("dev")], &[]);
    // One goes on, one comes, one leaves, and one is broken.
    let next = [Descriptor::new("orders", "1.1.0"), Descriptor::new("new", "1.0.0").reads("orders").only_at("dev")];
    std::fs::write(repository.file(&path_of("sales")), "info: [").unwrap();
    let second = commit(&repository, &next, &[&path_of("old")]);
    crash_after_every_write(
        Story { repository, revisions: vec![first, second], crash_over: 1, gated: false, controls: &[] },
        25,
    );
}

/// What waits for people begins when it was approved, and not before: no crash opens a gate, none loses an
/// approval, and none asks twice.
#[test]
fn a_gate_survives_a_crash_after_every_write() {
    let repository = TestRepository::new();
    let sales = Descriptor::new("sales", "1.0.0").reads("orders").only_at("prod");
    let revisions = vec![commit(&repository, &[Descriptor::new("orders", "1.0.0"), sales], &[])];
    crash_after_every_write(Story { repository, revisions, crash_over: 0, gated: true, controls: &[] }, 30);
}

/// What failed half-way is undone, once and under the same keys, whatever crash comes in between; that one
/// of its tasks cannot be undone hides neither the cause nor the others.
#[test]
fn undoing_survives_a_crash_after_every_write() {
    let repository = TestRepository::new();
    let orders = Descriptor::new("orders", "1.0.0").only_at("dev");
    let stock = Descriptor::new("stock", "1.0.0").only_at("dev");
    let revisions = vec![commit(&repository, &[orders, stock], &[])];
    let controls = &[("orders", "deploy", "exit 1"), ("orders", "undo-build", "exit 1")];
    crash_after_every_write(Story { repository, revisions, crash_over: 0, gated: false, controls }, 20);
}

/// Rolls out until the build of `orders` has begun, has it cancelled, and comes to the end, as far as the
/// record lets it.
async fn drive_and_cancel(world: &World, store: Arc<dyn Store>, stop: &CancellationToken) {
    let engine = world.engine(store, Arc::new(Allowing));
    if engine.pass(&target()).await.is_err() {
        return;
    }
    let (rolling, until) = (Arc::clone(&engine), stop.clone());
    let rollout = tokio::spawn(async move { rolling.roll_out_all(&until).await.is_ok() });
    while !world.done().contains("orders dev build 1.0.0") && !stop.is_cancelled() && !rollout.is_finished() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let answered = engine.answer_requests().await.is_ok();
    if !answered {
        stop.cancel();
    }
    let _ = rollout.await.unwrap() && engine.publish_due().await.is_ok();
}

/// A decision to stop what runs is not lost, and what it stops ends once, with all of it undone.
#[test]
fn cancelling_survives_a_crash_after_every_write() {
    let repository = TestRepository::new();
    let sales = Descriptor::new("sales", "1.0.0").reads("orders").only_at("dev");
    let revision = commit(&repository, &[Descriptor::new("orders", "1.0.0").only_at("dev"), sales], &[]);
    let mut endings = BTreeSet::new();
    for crash in (0..40).chain([UNDISTURBED]) {
        let mut world = World::of(repository.copy());
        world.undoes = true;
        world.control("orders", "build", "while :; do sleep 0.02; done");
        let book = approver();
        book.asked.lock().unwrap()[0].action = Ok(Action::Cancel(None));
        world.requests.push(book as _);
        let told = async {
            let inner = Arc::new(SqlStore::open(&world.state()).await.unwrap());
            let store = Arc::new(CrashingStore::new(Arc::clone(&inner) as Arc<dyn Store>, crash));
            drive_and_cancel(&world, Arc::clone(&store) as Arc<dyn Store>, &store.died).await;
            let died = store.writes_left() <= 0;
            inner.close().await;
            let restarted = world.start().await;
            drive_and_cancel(&world, Arc::clone(&restarted.store) as Arc<dyn Store>, &restarted.stop).await;
            restarted.settle().await;
            everything_again_changes_nothing(&restarted, &world).await;
            let story = Story {
                repository: repository.copy(),
                revisions: vec![revision.clone()],
                crash_over: 0,
                gated: false,
                controls: &[],
            };
            let ending = ending(&story, &world, &restarted).await;
            restarted.close().await;
            (died, ending)
        };
        let told = runtime().block_on(async { tokio::time::timeout(Duration::from_secs(120), told).await });
        let (died, ending) = told.unwrap_or_else(|_| panic!("after write {crash}: it hangs"));
        assert!(died || crash > 10, "a story of {crash} writes is too short to tell anything");
        let undone: Vec<&str> = ending.effects.iter().map(|(_, what)| what.as_str()).collect();
        for what in ["orders dev undo-build 1.0.0", "orders dev undo-provision 1.0.0"] {
            assert_eq!(undone.iter().filter(|other| **other == what).count(), 1, "after write {crash}: {undone:?}");
        }
        assert!(ending.activities.iter().all(|line| line.contains(" cancelled ")), "after write {crash}: {ending:?}");
        endings.insert(format!("{:?} {:?}", ending.effects, ending.activities));
    }
    assert_eq!(endings.len(), 1, "{endings:?}");
}

/// The commit after the crash is not the one before it: what had begun is brought to its end, what
/// had not is superseded, and no status of either commit stays pending.
#[test]
fn a_newer_commit_after_a_crash_comes_to_its_own_end() {
    let repository = TestRepository::new();
    let mesh = |version: &str| {
        [Descriptor::new("orders", version), Descriptor::new("sales", version).reads("orders").only_at("dev")]
    };
    let first = commit(&repository, &mesh("1.0.0"), &[]);
    let second = commit(&repository, &mesh("1.1.0"), &[]);
    let ended = ["orders dev 1.1.0", "orders prod 1.1.0", "sales dev 1.1.0"];
    for crash in (1..25).step_by(2) {
        let world = World::of(repository.copy());
        world.repository.git(&["update-ref", "refs/heads/main", first.as_str()]);
        runtime().block_on(async {
            let inner = Arc::new(SqlStore::open(&world.state()).await.unwrap());
            let store = Arc::new(CrashingStore::new(Arc::clone(&inner) as Arc<dyn Store>, crash));
            assert!(!drive(&world, Arc::clone(&store) as Arc<dyn Store>, &store.died).await, "{crash}");
            inner.close().await;
            world.repository.git(&["update-ref", "refs/heads/main", second.as_str()]);
            let restarted = world.start().await;
            restarted.trip().await;
            assert_eq!(restarted.running().await, ended, "after write {crash}");
            assert_eq!(restarted.store.unfinished().await.unwrap(), []);
            for revision in [&first, &second] {
                for (context, status) in restarted.statuses(revision) {
                    assert!(status.starts_with("success: "), "after write {crash}, {context}: {status}");
                }
            }
            everything_again_changes_nothing(&restarted, &world).await;
            restarted.close().await;
        });
        let effects: BTreeSet<(String, String)> =
            world.ledger().into_iter().map(|effect| (effect.key, effect.what)).collect();
        let (keys, things): (BTreeSet<_>, BTreeSet<_>) = effects.iter().cloned().unzip();
        assert_eq!((keys.len(), things.len()), (effects.len(), effects.len()), "one key for one thing: {effects:?}");
    }
}

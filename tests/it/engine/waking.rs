//! The loops, woken and stopped.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use meshwright::domain::forge::Proposal;
use meshwright::domain::id::Revision;
use meshwright::domain::source::Target;
use meshwright::engine::{Engine, Ports};
use meshwright::port::door::WakeReason;
use meshwright::port::store::{ActivityBook, Look, ProposalBook as _};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::reviews::{PullRequests, pull};
use crate::support::world::{Descriptor, Started, World, eventually, source, target};
use crate::support::wrapped_source::{Hook, WrappedSource};

/// Fetches wait until they are let through.
struct Gate {
    begun: AtomicUsize,
    permits: Semaphore,
    /// How many proposals were brought together, each time.
    together: Mutex<Vec<usize>>,
}

impl Hook for Gate {
    async fn fetch<T: Send>(&self, made: impl Future<Output = T> + Send) -> T {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await.unwrap().forget();
        made.await
    }

    fn brings(&self, proposals: usize) {
        self.together.lock().unwrap().push(proposals);
    }
}

/// An engine behind a gate.
struct Gated {
    engine: Arc<Engine>,
    source: Arc<WrappedSource<Gate>>,
    stop: CancellationToken,
}

impl Gated {
    fn of(started: &Started, permits: usize) -> Self {
        let ports = started.engine.ports();
        let gate = Gate { begun: AtomicUsize::new(0), permits: Semaphore::new(permits), together: Mutex::default() };
        let source = WrappedSource::of(Arc::clone(&ports.source), gate);
        let ports = Ports { source: Arc::clone(&source) as _, ..ports.clone() };
        let engine = Arc::new(Engine::new(ports, started.engine.settings().clone()));
        Self { engine, source, stop: CancellationToken::new() }
    }

    /// Its looks begin.
    fn work(&self) -> JoinHandle<()> {
        let (engine, stop) = (Arc::clone(&self.engine), self.stop.clone());
        tokio::spawn(async move { engine.pass_until(&stop).await })
    }

    async fn wake(&self, target: &Target) {
        self.engine.wake(target, WakeReason::Webhook).await.unwrap();
    }

    /// How many fetches have begun.
    fn begun(&self) -> usize {
        self.source.hook.begun.load(Ordering::SeqCst)
    }

    fn let_through(&self, fetches: usize) {
        self.source.hook.permits.add_permits(fetches);
    }

    fn together(&self) -> Vec<usize> {
        self.source.hook.together.lock().unwrap().clone()
    }

    async fn stop(&self, working: JoinHandle<()>) {
        self.stop.cancel();
        working.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wakes_during_a_pass_cause_exactly_one_more() {
    let world = World::new();
    world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    let gated = Gated::of(&started, 0);
    let working = gated.work();
    gated.wake(&target()).await;
    eventually("the first pass fetches", async || gated.begun() == 1).await;
    // The commit comes after the fetch has begun, and two triggers tell of it.
    world.commit(&[Descriptor::new("orders", "1.1.0").only_at("dev")]);
    gated.wake(&target()).await;
    gated.wake(&target()).await;
    gated.let_through(1);
    eventually("the second pass fetches", async || gated.begun() == 2).await;
    gated.let_through(10);
    eventually("the commit is seen", async || {
        let versions = started.store.versions(None).await.unwrap();
        versions.iter().any(|row| row.version == "1.1.0")
    })
    .await;
    // A wake that comes later is a pass of its own; had there been a third for the two, it would be counted.
    gated.wake(&target()).await;
    eventually("the last pass fetches", async || gated.begun() >= 3).await;
    gated.stop(working).await;
    assert_eq!(gated.begun(), 3);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_branch_that_moves_is_looked_at_once_for_all_its_proposals() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.trip().await;
    for number in 1..=8 {
        pulls.push(&world.repository, number, &base, &[("README.md", &number.to_string())]);
        started.engine.review(&pull(number), &Proposal::Pull(number)).await.unwrap();
    }
    let gated = Gated::of(&started, 100);
    let working = gated.work();
    let moved = world.commit(&[Descriptor::new("orders", "1.1.0").only_at("dev")]);
    gated.wake(&target()).await;
    eventually("all are assessed against it", async || {
        let open = started.store.open_proposals(&source()).await.unwrap();
        open.len() == 8 && open.iter().all(|record| record.inputs.base == moved)
    })
    .await;
    assert_eq!(gated.begun(), 1);
    // What somebody waits for is compared with the branch as it stands now.
    let newest = world.commit(&[Descriptor::new("orders", "1.2.0").only_at("dev")]);
    gated.wake(&pull(3)).await;
    eventually("the one that was asked for is", async || {
        let record = started.store.proposal(&source(), &Proposal::Pull(3)).await.unwrap().unwrap();
        record.inputs.base == newest
    })
    .await;
    assert_eq!(gated.begun(), 2);
    gated.stop(working).await;
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_proposals_that_wait_are_brought_together() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.trip().await;
    for number in 1..=8 {
        pulls.push(&world.repository, number, &base, &[("README.md", &number.to_string())]);
    }
    let gated = Gated::of(&started, 100);
    for number in 1..=8 {
        gated.wake(&pull(number)).await;
    }
    let working = gated.work();
    eventually("all are assessed", async || started.store.open_proposals(&source()).await.unwrap().len() == 8).await;
    assert_eq!(gated.together(), [8], "those that come after the first are here");
    // One that comes alone is brought by itself.
    pulls.push(&world.repository, 9, &base, &[("README.md", "9")]);
    gated.wake(&pull(9)).await;
    eventually("it is assessed", async || started.store.open_proposals(&source()).await.unwrap().len() == 9).await;
    assert_eq!(gated.together().len(), 1);
    gated.stop(working).await;
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loops_do_it_all_by_themselves_and_stop_when_told() {
    let world = World::new();
    let head = world.commit(&[Descriptor::new("orders", "1.0.0"), Descriptor::new("sales", "1.0.0").reads("orders")]);
    let started = world.start().await;
    let stop = CancellationToken::new();
    let looping = {
        let (engine, stop) = (Arc::clone(&started.engine), stop.clone());
        tokio::spawn(async move {
            tokio::join!(engine.pass_until(&stop), engine.roll_out_until(&stop), engine.publish_until(&stop))
        })
    };
    started.engine.wake(&target(), WakeReason::Webhook).await.unwrap();
    let shows = async |head: &Revision| {
        let statuses = started.statuses(head);
        statuses.len() == 5 && statuses.values().all(|status| status.starts_with("success"))
    };
    eventually("the first commit is green", async || shows(&head).await).await;

    // A task under way when the loops are stopped is gone at once, and is still the record's.
    world.control("orders", "build", "sleep 600");
    let head = world.commit(&[Descriptor::new("orders", "1.1.0")]);
    started.engine.wake(&target(), WakeReason::Webhook).await.unwrap();
    eventually("the build runs", async || world.done().contains("orders dev build 1.1.0")).await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(10), looping).await.expect("the loops stop").unwrap();
    assert_eq!(started.store.unfinished().await.unwrap().len(), 2);
    started.close().await;

    world.control("orders", "build", "");
    let started = world.start().await;
    started.pass().await;
    started.settle().await;
    assert_eq!(started.running().await.len(), 4);
    assert!(started.statuses(&head).values().all(|status| status.starts_with("success")));
    let builds: Vec<_> = world.ledger().into_iter().filter(|effect| effect.what == "orders dev build 1.1.0").collect();
    assert_eq!(builds.len(), 2, "it ran again");
    assert_eq!((&builds[0].key, builds[0].attempt), (&builds[1].key, builds[1].attempt));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_that_vanishes_is_made_again() {
    let world = World::new();
    world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.trip().await;
    // What stands beside the mirror belongs to the running process.
    let mut removed = 0;
    for mirror in std::fs::read_dir(world.path("mirrors")).unwrap() {
        let path = mirror.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "git") {
            std::fs::remove_dir_all(path).unwrap();
            removed += 1;
        }
    }
    assert_eq!(removed, 1);
    world.commit(&[Descriptor::new("orders", "1.0.1").only_at("dev")]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.1"]);
    assert_eq!(started.store.sources().await.unwrap()[0].condition, None);
    started.close().await;
}

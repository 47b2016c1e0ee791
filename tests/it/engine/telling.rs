//! Telling the forge.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use meshwright::domain::activity::{ActivityEvent, FailureKind};
use meshwright::domain::report::Report;
use meshwright::engine::PassOutcome;
use meshwright::port::clock::Clock;
use meshwright::port::forge::{Abilities, Forge, ForgeError};
use meshwright::port::store::{ActivityBook, Look, ReportBook};

use crate::support::repository::TestRepository;
use crate::support::world::{Descriptor, Started, World, source};

/// A forge that fails so often before it shows anything.
#[derive(Debug, Default)]
struct Failing {
    left: AtomicUsize,
    calls: AtomicUsize,
    permanent: bool,
    shown: Mutex<BTreeMap<String, String>>,
}

#[async_trait]
impl Forge for Failing {
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    async fn publish(&self, report: &Report, _: Option<&str>) -> Result<Option<String>, ForgeError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(if self.permanent {
                ForgeError::Permanent("the repository is gone".to_owned())
            } else {
                ForgeError::Transient("busy".to_owned())
            });
        }
        self.shown.lock().unwrap().insert(report.context.clone(), report.state.as_str().to_owned());
        Ok(None)
    }

    async fn shows(&self, report: &Report, _: Option<&str>) -> Result<bool, ForgeError> {
        Ok(self.shown.lock().unwrap().contains_key(&report.context))
    }
}

async fn deliveries(started: &Started) -> BTreeMap<String, usize> {
    let mut deliveries = BTreeMap::new();
    for row in started.store.report_rows(1_000).await.unwrap() {
        *deliveries.entry(format!("{} {}", row.source, row.delivery)).or_default() += 1;
    }
    deliveries
}

fn orders() -> Descriptor {
    Descriptor::new("orders", "1.0.0").only_at("dev")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forge_that_is_busy_is_told_later() {
    let forge = Arc::new(Failing { left: AtomicUsize::new(4), ..Failing::default() });
    let mut world = World::new();
    world.forges.insert(source(), Arc::clone(&forge) as Arc<dyn Forge>);
    world.commit(&[orders()]);
    let started = world.start().await;
    started.trip().await;
    assert_eq!(forge.calls.load(Ordering::SeqCst), 3, "after three failures it is left alone");
    assert_eq!(deliveries(&started).await, BTreeMap::from([("retail waiting".to_owned(), 5)]));
    // At the next look: the others, of which the first fails; what failed is not due yet.
    assert_eq!(started.engine.publish_due().await.unwrap(), 1);
    assert_eq!(forge.calls.load(Ordering::SeqCst), 5);
    assert_eq!(started.engine.publish_due().await.unwrap(), 0, "it is not due yet");

    forge.left.store(1, Ordering::SeqCst);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(started.engine.publish_due().await.unwrap(), 3);
    // What failed twice rests twice as long.
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(started.engine.publish_due().await.unwrap(), 0);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(started.engine.publish_due().await.unwrap(), 1);
    assert_eq!(deliveries(&started).await, BTreeMap::from([("retail published".to_owned(), 5)]));
    assert!(forge.shown.lock().unwrap().values().all(|state| state == "success"));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forge_that_is_gone_is_given_up_and_stops_no_other() {
    let (other, gone) =
        (TestRepository::new(), Failing { left: AtomicUsize::new(5), permanent: true, ..Failing::default() });
    let forge = Arc::new(gone);
    let mut world = World::new();
    world.others.insert("wholesale".parse().unwrap(), other.path().to_path_buf());
    world.forges.insert(source(), Arc::clone(&forge) as Arc<dyn Forge>);
    world.commit(&[orders()]);
    let stock = Descriptor::new("stock", "1.0.0").only_at("dev");
    let head = other.commit(&[(&stock.path(), &stock.yaml())], "stock");
    let started = world.start().await;
    let wholesale = meshwright::domain::source::Target::branch("wholesale".parse().unwrap());
    assert!(matches!(started.engine.pass(&wholesale).await.unwrap(), PassOutcome::Recorded { .. }));
    started.trip().await;
    let wanted = BTreeMap::from([("retail given-up".to_owned(), 5), ("wholesale published".to_owned(), 5)]);
    assert_eq!(deliveries(&started).await, wanted);
    assert!(crate::support::world::statuses(other.path(), &head).values().all(|status| status.starts_with("success")));
    // Rollouts do not depend on it, and what was given up is not tried for ever.
    assert_eq!(started.running().await, ["orders dev 1.0.0", "stock dev 1.0.0"]);
    world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(started.engine.publish_due().await.unwrap(), 0);
    assert_eq!(forge.calls.load(Ordering::SeqCst), 5);
    let rows = started.store.report_rows(1_000).await.unwrap();
    let given_up = rows.iter().find(|row| row.delivery == "given-up").unwrap();
    assert!(given_up.message.as_ref().unwrap().contains("the repository is gone"));

    // Another state is worth another try.
    world.commit(&[Descriptor::new("orders", "1.0.1").only_at("dev")]);
    started.trip().await;
    assert_eq!(forge.shown.lock().unwrap().len(), 5);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_a_killed_process_left_keeps_nobody_out() {
    let world = World::new();
    let head = world.commit(&[orders()]);
    let started = world.start().await;
    started.plan().await;
    let notes = world.repository.file(".git/refs/notes");
    std::fs::create_dir_all(&notes).unwrap();
    let lock = std::fs::File::create(notes.join("meshwright.lock")).unwrap();
    // It may be held right now: it is waited for.
    assert_eq!(started.engine.publish_due().await.unwrap(), 0);
    assert!(notes.join("meshwright.lock").exists());
    let long_ago = lock.metadata().unwrap().modified().unwrap() - Duration::from_secs(60);
    lock.set_modified(long_ago).unwrap();
    world.clock.advance(Duration::from_secs(10));
    started.settle().await;
    assert!(started.statuses(&head).values().all(|status| status.starts_with("success")));
    assert_eq!(deliveries(&started).await, BTreeMap::from([("retail published".to_owned(), 5)]));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_has_left_untold_is_told_by_whoever_comes() {
    let world = World::new();
    let head = world.commit(&[orders().only_at("dev")]);
    let started = world.start().await;
    let plan = started.plan().await;
    let id = &plan.activities[0].id;
    let now = world.clock.now();
    let token = started.store.claim(id, "dead", now, now).await.unwrap();
    let failed = ActivityEvent::TaskFailed {
        task: 0,
        attempt: 1,
        kind: FailureKind::Permanent,
        message: "no such table".to_owned(),
        retry: false,
        again: None,
    };
    for event in [ActivityEvent::TaskStarted { task: 0, attempt: 1, deadline: None }, failed, ActivityEvent::Failed] {
        started.store.append(id, token, &event, now).await.unwrap();
    }
    started.engine.publish_due().await.unwrap();
    assert!(started.statuses(&head)["dev"].starts_with("pending"), "it died before it told");
    started.settle().await;
    let told = started.statuses(&head)["dev"].clone();
    assert!(told.starts_with("failure: 1 of 1 not running: orders: ") && told.ends_with("no such table"), "{told}");
    assert_eq!(started.store.untold().await.unwrap(), []);
    started.close().await;
}

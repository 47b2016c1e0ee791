//! Reports come to be shown, whatever forges do; and no forge is pressed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use meshwright::domain::report::{Comment, Detail, Report, ReportContext, ReportState};
use meshwright::domain::source::Target;
use meshwright::domain::time::Timestamp;
use meshwright::port::clock::Clock;
use meshwright::port::forge::{Forge, ForgeError};
use meshwright::port::store::{Look, ReportBook};

use crate::support::forge::{Fault, ModelForge};
use crate::support::repository::TestRepository;
use crate::support::world::{Descriptor, Started, World, eventually, source};

fn orders(version: &str) -> Descriptor {
    Descriptor::new("orders", version).only_at("dev")
}

fn with_forge(forge: &Arc<ModelForge>) -> World {
    let mut world = World::new();
    world.forges.insert(source(), Arc::clone(forge) as Arc<dyn Forge>);
    world
}

fn later(world: &World, seconds: i64) -> Timestamp {
    Timestamp::from_second(world.clock.now().as_second() + seconds).unwrap()
}

fn limited(until: Timestamp) -> ForgeError {
    ForgeError::Limited { until, message: "secondary rate limit".to_owned() }
}

async fn deliveries(started: &Started) -> BTreeMap<String, usize> {
    let mut deliveries = BTreeMap::new();
    for row in started.store.report_rows(10_000).await.unwrap() {
        *deliveries.entry(row.delivery).or_default() += 1;
    }
    deliveries
}

/// All that is wanted is shown, as it is wanted.
async fn converged(started: &Started, forge: &ModelForge) -> bool {
    let rows = started.store.report_rows(10_000).await.unwrap();
    let wanted: BTreeSet<String> = rows
        .iter()
        .map(|row| format!("{} {} {}: {}: {}", row.source, row.sort, row.context, row.state, row.description))
        .collect();
    rows.iter().all(|row| row.delivery == "published") && wanted == forge.shown()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_faster_than_it_is_written_is_written_once() {
    let forge = Arc::new(ModelForge::default());
    let world = with_forge(&forge);
    let head = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    for number in 0..50 {
        let text = format!("{number} of 50 done");
        let report = Report::new(&source(), &head, &ReportContext::Plan, ReportState::Pending, &text);
        started.store.want(&[report], world.clock.now()).await.unwrap();
    }
    assert_eq!(started.engine.publish_due().await.unwrap(), 1);
    assert_eq!(forge.writes().len(), 1);
    assert!(forge.shown().iter().next().unwrap().ends_with("49 of 50 done"));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_pauses_the_whole_account_and_outlives_a_restart() {
    let forge = Arc::new(ModelForge::default());
    let mut world = with_forge(&forge);
    let other = TestRepository::new();
    world.others.insert("wholesale".parse().unwrap(), other.path().to_path_buf());
    world.forges.insert("wholesale".parse().unwrap(), Arc::clone(&forge) as Arc<dyn Forge>);
    world.commit(&[orders("1.0.0")]);
    let stock = Descriptor::new("stock", "1.0.0").only_at("dev");
    other.commit(&[(&stock.path(), &stock.yaml())], "stock");
    let until = later(&world, 600);
    forge.faults(move |_| Some(Fault::Instead(limited(until))));

    let started = world.start().await;
    started.engine.pass(&Target::branch("wholesale".parse().unwrap())).await.unwrap();
    started.trip().await;
    assert_eq!(forge.writes().len(), 1, "one answer is enough for all that goes through the account");
    started.close().await;

    forge.works();
    let started = world.start().await;
    world.clock.advance(Duration::from_secs(590));
    assert_eq!(started.engine.publish_due().await.unwrap(), 0, "the next process keeps to it");
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(started.engine.publish_due().await.unwrap(), 10);
    assert!(converged(&started, &forge).await);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statuses_do_not_wait_until_more_comments_may_be_made() {
    let forge = Arc::new(ModelForge::able());
    let world = with_forge(&forge);
    let head = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    let until = later(&world, 1_800);
    forge.faults(move |report| {
        let message = "500 in an hour".to_owned();
        (report.sort() != "status").then_some(Fault::Instead(ForgeError::Crowded { until, message }))
    });
    let report = |number: u64, sort: &str| {
        let report = Report::new(&source(), &head, &ReportContext::Plan, ReportState::Success, sort);
        let body = format!("<!-- {number} -->");
        let detail = match sort {
            "comment" => Some(Detail::Comment(Comment { pull: number, body, answers: String::new() })),
            _ => None,
        };
        Report { detail, context: format!("{sort} {number}"), ..report }
    };
    let comments: Vec<Report> = (1..=20).map(|number| report(number, "comment")).collect();
    started.store.want(&comments, world.clock.now()).await.unwrap();
    started.engine.publish_due().await.unwrap();
    assert_eq!(forge.writes().len(), 1, "one answer is enough for all of the sort");
    started.store.want(&[report(1, "status")], world.clock.now()).await.unwrap();
    assert_eq!(started.engine.publish_due().await.unwrap(), 1);
    assert!(forge.shown().iter().next().unwrap().contains("status 1"), "{:?}", forge.shown());
    assert_eq!(forge.writes().len(), 2);
    forge.works();
    world.clock.advance(Duration::from_secs(1_800));
    assert_eq!(started.engine.publish_due().await.unwrap(), 20);
    assert!(converged(&started, &forge).await);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_without_sense_is_taken_with_care() {
    let forge = Arc::new(ModelForge::default());
    let world = with_forge(&forge);
    world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.plan().await;
    // Long ago: the forge is not pressed. For ever: it is asked again the next day.
    for (until, pause) in [(Timestamp::UNIX_EPOCH, 1), (Timestamp::MAX, 24 * 3_600)] {
        forge.faults(move |_| Some(Fault::Instead(limited(until))));
        let before = forge.writes().len();
        started.engine.publish_due().await.unwrap();
        assert_eq!(forge.writes().len(), before + 1);
        started.engine.publish_due().await.unwrap();
        assert_eq!(forge.writes().len(), before + 1);
        world.clock.advance(Duration::from_secs(pause));
    }
    forge.works();
    started.settle().await;
    assert!(converged(&started, &forge).await);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_we_may_not_write_is_a_condition_and_no_loop() {
    let forge = Arc::new(ModelForge::able());
    let world = with_forge(&forge);
    world.commit(&[orders("1.0.0")]);
    forge.faults(|report| {
        let denied = || Fault::Instead(ForgeError::Denied("the permission 'deployments' is missing".to_owned()));
        (report.sort() == "deployment").then(denied)
    });
    let started = world.start().await;
    started.trip().await;
    let count = || forge.writes().iter().filter(|write| write.starts_with("deployment")).count();
    assert_eq!(count(), 1);
    let condition = async || started.store.sources().await.unwrap().remove(0).condition;
    assert_eq!(condition().await.as_deref(), Some("forge-denied"));
    // Statuses go on, a pass over what is settled does not end it, and it is tried again rarely.
    for minute in 1..=60 {
        world.clock.advance(Duration::from_secs(60));
        started.pass().await;
        started.engine.publish_due().await.unwrap();
        assert_eq!(condition().await.as_deref(), Some("forge-denied"), "in minute {minute}");
    }
    // After ten minutes and a little, behind whatever else may be denied: with this clock, after eleven.
    assert_eq!(count(), 6);
    assert_eq!(forge.shown().iter().filter(|shown| shown.contains(" status ")).count(), 5);

    forge.works();
    world.clock.advance(Duration::from_secs(600));
    started.engine.publish_due().await.unwrap();
    assert_eq!(condition().await, None);
    assert!(converged(&started, &forge).await);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_denied_holds_up_no_other_of_its_sort() {
    let forge = Arc::new(ModelForge::able());
    let world = with_forge(&forge);
    let head = world.commit(&[orders("1.0.0")]);
    forge.faults(|report| match &report.detail {
        Some(Detail::Comment(comment)) if comment.pull == 1 => {
            Some(Fault::Instead(ForgeError::Denied("the conversation is locked".to_owned())))
        }
        _ => None,
    });
    let started = world.start().await;
    for pull in [1, 2] {
        let mut report = Report::new(&source(), &head, &ReportContext::Plan, ReportState::Success, "c");
        report.detail = Some(Detail::Comment(Comment { pull, body: "hello".to_owned(), answers: String::new() }));
        started.store.want(&[report], world.clock.now()).await.unwrap();
    }
    for _ in 0..15 {
        world.clock.advance(Duration::from_secs(60));
        started.engine.publish_due().await.unwrap();
    }
    assert!(forge.of("pull/2", "meshwright/plan").is_some());
    assert!(forge.of("pull/1", "meshwright/plan").is_none());
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_forge_cannot_show_is_not_written_to_it() {
    let forge = Arc::new(ModelForge::default());
    let world = with_forge(&forge);
    let head = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    let comment = Comment { pull: 1, body: "hello".to_owned(), answers: String::new() };
    let mut report = Report::new(&source(), &head, &ReportContext::Plan, ReportState::Success, "c");
    report.detail = Some(Detail::Comment(comment));
    started.store.want(&[report], world.clock.now()).await.unwrap();
    assert_eq!(started.engine.publish_due().await.unwrap(), 0);
    assert_eq!(forge.writes(), [""; 0]);
    assert_eq!(deliveries(&started).await, BTreeMap::from([("given-up".to_owned(), 1)]));
    started.close().await;
}

/// A forge that never answers, and one beside it: run as the daemon runs them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forge_that_hangs_holds_up_no_other() {
    let (hanging, quick) = (Arc::new(ModelForge::default()), Arc::new(ModelForge::default()));
    hanging.faults(|_| Some(Fault::Hang));
    let mut world = with_forge(&hanging);
    let other = TestRepository::new();
    world.others.insert("wholesale".parse().unwrap(), other.path().to_path_buf());
    world.forges.insert("wholesale".parse().unwrap(), Arc::clone(&quick) as Arc<dyn Forge>);
    world.commit(&[orders("1.0.0")]);
    let stock = Descriptor::new("stock", "1.0.0").only_at("dev");
    other.commit(&[(&stock.path(), &stock.yaml())], "stock");
    let started = world.start().await;
    let (engine, stop) = (Arc::clone(&started.engine), started.stop.clone());
    let publishing = tokio::spawn(async move { engine.publish_until(&stop).await });
    started.pass().await;
    eventually("the first is being written", async || hanging.writes().len() == 1).await;
    started.engine.pass(&Target::branch("wholesale".parse().unwrap())).await.unwrap();
    eventually("the other forge is told", async || quick.shown().len() == 5).await;
    assert_eq!(hanging.writes().len(), 1);
    started.stop.cancel();
    publishing.await.unwrap();
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_forge_has_lost_is_written_again() {
    let forge = Arc::new(ModelForge::default());
    let world = with_forge(&forge);
    world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    assert_eq!(started.engine.verify_due().await.unwrap(), 0, "a minute has to pass");
    world.clock.advance(Duration::from_secs(60));
    forge.lose("meshwright/p");
    // Policy, plan and prod: a few at a time.
    let mut lost = 0;
    for _ in 0..3 {
        lost += started.engine.verify_due().await.unwrap();
    }
    assert_eq!(lost, 3);
    started.engine.publish_due().await.unwrap();
    assert!(converged(&started, &forge).await);
    // For a week after that it costs a dozen requests each, and then none.
    let before = forge.reads();
    for _ in 0..(8 * 24) {
        world.clock.advance(Duration::from_secs(3_600));
        started.engine.verify_due().await.unwrap();
    }
    let reads = forge.reads() - before;
    assert!((5 * 5..=5 * 14).contains(&reads), "{reads} requests");
    started.close().await;
}

/// The bound: after the last fault has ended, everything is shown within the longest pause (with its
/// jitter), one refusal's pause, and a few looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_pending_after_the_last_fault_has_ended() {
    const LOOK: u64 = 5;
    const BOUND: u64 = 10 * 60 + 2 * 60;
    for seed in 0..5 {
        let forge = Arc::new(ModelForge::able());
        let world = with_forge(&forge);
        let clock = Arc::clone(&world.clock);
        let mut random = fastrand::Rng::with_seed(seed);
        forge.faults(move |_| {
            let soon = |seconds: i64| Timestamp::from_second(clock.now().as_second() + seconds).unwrap();
            match random.u8(0..10) {
                0..=2 => Some(Fault::Instead(ForgeError::Transient("HTTP 502".to_owned()))),
                3..=4 => Some(Fault::After(ForgeError::Transient("the connection was lost".to_owned()))),
                5 => Some(Fault::Instead(limited(soon(random.i64(-60..60))))),
                6 if random.u8(0..4) == 0 => Some(Fault::Instead(ForgeError::Denied("HTTP 403".to_owned()))),
                _ => None,
            }
        });
        let mut started = world.start().await;
        // A quarter of an hour of commits, rollouts, faults, losses and restarts.
        let mut random = fastrand::Rng::with_seed(1_000 + seed);
        for step in 0..(15 * 60 / LOOK) {
            if step % 30 == 0 {
                world.commit(&[orders(&format!("1.{step}.0"))]);
                started.plan().await;
            }
            if step % 30 == 3 {
                started.engine.roll_out_all(&started.stop).await.unwrap();
            }
            if random.u8(0..20) == 0 {
                forge.lose(["meshwright/dev", "meshwright/plan", "deployment/"][random.usize(0..3)]);
            }
            if random.u8(0..40) == 0 {
                started.close().await;
                started = world.start().await;
            }
            started.engine.publish_due().await.unwrap();
            started.engine.verify_due().await.unwrap();
            world.clock.advance(Duration::from_secs(LOOK));
        }
        forge.works();
        let mut waited = 0;
        loop {
            started.engine.publish_due().await.unwrap();
            let rows = started.store.report_rows(10_000).await.unwrap();
            if rows.iter().all(|row| row.delivery == "published") {
                break;
            }
            assert!(waited <= BOUND, "seed {seed}: after {waited} s: {rows:#?}");
            world.clock.advance(Duration::from_secs(LOOK));
            waited += LOOK;
        }
        assert!(forge.writes().len() > 40, "seed {seed}: there was something to write");
        // What was lost before is found in the time that the looks take.
        for _ in 0..200 {
            world.clock.advance(Duration::from_secs(60));
            started.engine.verify_due().await.unwrap();
            started.engine.publish_due().await.unwrap();
        }
        assert!(converged(&started, &forge).await, "seed {seed}");
        started.close().await;
    }
}

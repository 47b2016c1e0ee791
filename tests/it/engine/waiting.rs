//! What waits for something, for how long, and what becomes of it when nobody wants it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use meshwright::domain::id::{ContainerId, Revision};
use meshwright::domain::plan::Plan;
use meshwright::domain::source::Target;
use meshwright::domain::stage::Phase;
use meshwright::engine::{PassError, PassOutcome};
use meshwright::port::executor::{Executor, Progress, TaskCall, TaskError, TaskOutcome};
use meshwright::port::store::{ActivityBook, Look, ReportBook};
use serde_json::Value;

use crate::support::repository::TestRepository;
use crate::support::world::{Descriptor, Hesitant, Started, World, eventually, path_of, source, statuses};

fn orders(version: &str) -> Descriptor {
    Descriptor::new("orders", version).only_at("dev")
}

/// It reads from orders.
fn sales(version: &str) -> Descriptor {
    Descriptor::new("sales", version).only_at("dev").reads("orders")
}

/// Which products a plan holds, and for what.
fn held(plan: &Plan) -> Vec<String> {
    let line = |held: &meshwright::domain::plan::Held| {
        let container = &held.container;
        format!("{} {} {}", container.product.product_name(), container.stage, held.waits_for.product_name())
    };
    plan.held.iter().map(line).collect()
}

async fn activities(started: &Started) -> Vec<String> {
    let rows = started.store.activity_rows(1_000).await.unwrap();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {} {} {}", row.product.product_name(), row.stage, row.version, row.status))
        .collect();
    lines.sort();
    lines
}

/// Nothing that any forge should show is pending.
async fn nothing_is_pending(started: &Started) {
    let rows = started.store.report_rows(1_000).await.unwrap();
    let pending: Vec<_> = rows.iter().filter(|row| row.state == "pending").collect();
    assert!(pending.is_empty(), "{pending:?}");
}

fn first_of(world: &World, what: &str) -> usize {
    let ledger = world.ledger();
    ledger.iter().position(|effect| effect.what == what).unwrap_or_else(|| panic!("no '{what}' in {ledger:?}"))
}

fn read_me(world: &World, text: &str) -> Revision {
    world.repository.commit(&[("README.md", text)], "words only")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_waits_for_one_that_is_refused_and_follows_when_it_is_mended() {
    let world = World::new();
    let broken = orders("1.0.0").configured("build", "{ x: '${dev.results.none.x}' }");
    let head = world.commit(&[broken, sales("1.0.0")]);
    let started = world.start().await;
    let plan = started.trip().await;
    assert_eq!(held(&plan), ["sales dev orders"]);
    assert_eq!(plan.activities, []);
    assert_eq!(started.running().await, Vec::<String>::new());
    let status = started.statuses(&head)["dev"].clone();
    assert!(status.starts_with("failure") && status.contains("sales: waits for orders"), "{status}");
    // Looking again changes nothing.
    started.pass().await;
    started.settle().await;
    assert_eq!(started.statuses(&head)["dev"], status);

    let head = world.commit(&[orders("1.0.0")]);
    let plan = started.trip().await;
    assert_eq!(held(&plan), Vec::<String>::new());
    assert_eq!(started.running().await, ["orders dev 1.0.0", "sales dev 1.0.0"]);
    assert!(first_of(&world, "orders dev deploy 1.0.0") < first_of(&world, "sales dev provision 1.0.0"));
    let statuses = started.statuses(&head);
    assert!(statuses.values().all(|status| status.starts_with("success")), "{statuses:?}");
    nothing_is_pending(&started).await;
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_waits_for_one_whose_file_cannot_be_read() {
    let world = World::new();
    let text = sales("1.0.0").yaml();
    let files = [(path_of("orders"), "info: [".to_owned()), (path_of("sales"), text)];
    let head = world.repository.commit(&files.each_ref().map(|(path, text)| (path.as_str(), text.as_str())), "broken");
    let started = world.start().await;
    let plan = started.trip().await;
    assert_eq!(held(&plan), ["sales dev orders"]);
    let status = started.statuses(&head)["dev"].clone();
    assert!(status.starts_with("failure") && status.contains("waits for orders"), "{status}");
    let head = world.commit(&[orders("1.0.0")]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "sales dev 1.0.0"]);
    let statuses = started.statuses(&head);
    assert!(statuses.values().all(|status| status.starts_with("success")), "{statuses:?}");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_told_but_not_tried_again_before_it_is_touched() {
    let world = World::new();
    world.control("orders", "build", "exit 1");
    world.commit(&[orders("1.0.0"), sales("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    assert_eq!(activities(&started).await, ["orders dev 1.0.0 failed", "sales dev 1.0.0 skipped"]);

    let head = read_me(&world, "other words");
    started.trip().await;
    let before = activities(&started).await;
    assert_eq!(before, ["orders dev 1.0.0 failed", "sales dev 1.0.0 skipped"]);
    for _ in 0..3 {
        started.pass().await;
        started.settle().await;
    }
    assert_eq!(activities(&started).await, before);
    let status = started.statuses(&head)["dev"].clone();
    assert!(status.starts_with("failure"), "{status}");

    // Its script is mended; its descriptor is the same.
    world.control("orders", "build", "");
    let head = world.repository.commit(&[("orders/build.sql", "select 1")], "mended");
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "sales dev 1.0.0"]);
    assert!(first_of(&world, "orders dev deploy 1.0.0") < first_of(&world, "sales dev provision 1.0.0"));
    let statuses = started.statuses(&head);
    assert!(statuses.values().all(|status| status.starts_with("success")), "{statuses:?}");
    nothing_is_pending(&started).await;
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_words_tells_of_what_an_earlier_one_still_does() {
    for (end, wanted) in [("exit 0", "success"), ("exit 1", "failure")] {
        let world = World::new();
        let open = world.gate("orders", "build", end);
        let older = world.commit(&[orders("1.0.0")]);
        let started = world.start().await;
        started.plan().await;
        // While it only waits.
        let words = read_me(&world, "words");
        assert_eq!(started.plan().await.activities, []);
        started.engine.publish_due().await.unwrap();
        assert!(started.statuses(&words)["dev"].starts_with("pending"), "{:?}", started.statuses(&words));
        let rollout = started.rolling();
        eventually("the build runs", async || world.done().contains("orders dev build 1.0.0")).await;
        // While it runs.
        let more = read_me(&world, "more words");
        started.plan().await;
        started.engine.publish_due().await.unwrap();
        assert!(started.statuses(&more)["dev"].starts_with("pending"), "{:?}", started.statuses(&more));
        std::fs::write(&open, "").unwrap();
        rollout.await.unwrap();
        started.settle().await;
        for revision in [&older, &words, &more] {
            let status = started.statuses(revision)["dev"].clone();
            assert!(status.starts_with(wanted), "{status} instead of {wanted}");
        }
        nothing_is_pending(&started).await;
        started.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_words_settles_when_what_it_told_of_is_superseded() {
    let world = World::new();
    world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.plan().await;
    let words = read_me(&world, "words");
    started.plan().await;
    // The newer one fails, which is no fault of the older ones.
    world.control("orders", "build", "exit 1");
    let newer = world.commit(&[orders("1.0.1")]);
    started.trip().await;
    assert!(started.statuses(&newer)["dev"].starts_with("failure"), "{:?}", started.statuses(&newer));
    assert_eq!(started.statuses(&words)["dev"], "success: 0 products running, 1 superseded by a later commit");
    nothing_is_pending(&started).await;
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_stage_that_is_dropped_is_withdrawn() {
    let world = World::new();
    let open = world.gate("orders", "build", "");
    let older = world.commit(&[Descriptor::new("orders", "1.0.0")]);
    let started = world.start().await;
    started.plan().await;
    let rollout = started.rolling();
    eventually("the build runs", async || world.done().contains("orders dev build 1.0.0")).await;
    let newer = world.commit(&[orders("1.0.1")]);
    assert_eq!(started.plan().await.withdrawn.len(), 1);
    std::fs::write(&open, "").unwrap();
    rollout.await.unwrap();
    started.settle().await;
    let wanted = ["orders dev 1.0.0 succeeded", "orders dev 1.0.1 succeeded", "orders prod 1.0.0 superseded"];
    assert_eq!(activities(&started).await, wanted);
    assert!(!world.done().iter().any(|what| what.contains(" prod ")), "{:?}", world.done());
    nothing_is_pending(&started).await;
    for revision in [&older, &newer] {
        let statuses = started.statuses(revision);
        assert!(statuses.values().all(|status| status.starts_with("success")), "{statuses:?}");
    }
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_product_that_is_retired_is_withdrawn() {
    let world = World::new();
    let open = world.gate("orders", "build", "");
    world.commit(&[Descriptor::new("orders", "1.0.0"), Descriptor::new("stock", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.plan().await;
    let rollout = started.rolling();
    eventually("the build runs", async || world.done().contains("orders dev build 1.0.0")).await;
    world.repository.git(&["rm", "--quiet", "-r", "orders"]);
    world.repository.commit(&[], "orders goes");
    assert_eq!(started.plan().await.withdrawn.len(), 1);
    std::fs::write(&open, "").unwrap();
    rollout.await.unwrap();
    started.settle().await;
    let wanted = ["orders dev 1.0.0 succeeded", "orders prod 1.0.0 superseded", "stock dev 1.0.0 succeeded"];
    assert_eq!(activities(&started).await, wanted);
    assert!(!world.done().iter().any(|what| what.contains(" prod ")), "{:?}", world.done());
    nothing_is_pending(&started).await;
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_that_is_renamed_in_its_file_is_retired_under_its_old_name() {
    let world = World::new();
    world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    let renamed = Descriptor::new("purchases", "1.0.0").only_at("dev").yaml();
    world.repository.commit(&[(&path_of("orders"), &renamed)], "renamed");
    started.trip().await;
    let retired = async || {
        let rows = started.store.products().await.unwrap();
        let mut lines: Vec<String> =
            rows.iter().map(|row| format!("{} {}", row.product.product_name(), row.retired)).collect();
        lines.sort();
        lines
    };
    assert_eq!(retired().await, ["orders true", "purchases false"]);
    assert_eq!(started.running().await, ["orders dev 1.0.0", "purchases dev 1.0.0"]);

    let again = orders("1.1.0").yaml();
    let head = world.repository.commit(&[(&path_of("elsewhere"), &again)], "orders once more");
    started.trip().await;
    assert_eq!(started.findings().await, Vec::<String>::new());
    assert_eq!(retired().await, ["orders false", "purchases false"]);
    assert_eq!(started.running().await, ["orders dev 1.1.0", "purchases dev 1.0.0"]);
    let statuses = started.statuses(&head);
    assert!(statuses.values().all(|status| status.starts_with("success")), "{statuses:?}");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_sources_one_has_a_name_with_all_its_majors() {
    let other = TestRepository::new();
    let mut world = World::new();
    world.others.insert("wholesale".parse().unwrap(), other.path().to_path_buf());
    world.commit(&[orders("1.0.0")]);
    other.commit(&[(&path_of("orders"), &orders("1.0.0").described("theirs").yaml())], "at the same time");
    let started = world.start().await;
    let (ours, theirs) = (crate::support::world::target(), Target::branch("wholesale".parse().unwrap()));
    let (first, second) = tokio::join!(started.engine.pass(&ours), started.engine.pass(&theirs));
    // Who comes second is told by the check, or by the record; then the pass is made anew.
    let mut changes = 0;
    for (target, outcome) in [(&ours, first), (&theirs, second)] {
        let outcome = match outcome {
            Err(PassError::Store(_)) => started.engine.pass(target).await,
            other => other,
        };
        let PassOutcome::Recorded { plan } = outcome.unwrap() else { panic!("no plan was recorded") };
        changes += plan.changes.len();
    }
    assert_eq!(changes, 1, "one of the two has it");
    started.settle().await;
    assert_eq!(started.findings().await, ["identity/claimed-twice orders/data-product-descriptor.yaml:3"]);
    assert_eq!(activities(&started).await, ["orders dev 1.0.0 succeeded"]);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_major_of_a_product_is_its_owners() {
    let other = TestRepository::new();
    let mut world = World::new();
    world.others.insert("wholesale".parse().unwrap(), other.path().to_path_buf());
    world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    let head = other.commit(&[(&path_of("orders"), &orders("2.0.0").yaml())], "the next major");
    let theirs = Target::branch("wholesale".parse().unwrap());
    started.engine.pass(&theirs).await.unwrap();
    started.settle().await;
    assert_eq!(started.findings().await, ["identity/claimed-twice orders/data-product-descriptor.yaml:3"]);
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    let shown = statuses(other.path(), &head);
    assert!(shown["validate"].starts_with("failure"), "{shown:?}");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_that_read_in_a_circle_come_to_run() {
    let world = World::new();
    let head = world.commit(&[orders("1.0.0").reads("sales"), sales("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "sales dev 1.0.0"]);
    let statuses = started.statuses(&head);
    assert!(statuses["dev"].starts_with("success"), "{statuses:?}");
    nothing_is_pending(&started).await;
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_circle_that_is_built_up_over_commits_does_not_wait_for_ever() {
    let world = World::new();
    let stock = Descriptor::new("stock", "1.0.0").only_at("dev");
    world.commit(&[orders("1.0.0"), stock]);
    let started = world.start().await;
    started.plan().await;
    world.commit(&[sales("1.0.0")]);
    started.plan().await;
    // From here on each of the two waits for the other; a third one has nothing to do with it.
    let head = world.commit(&[orders("1.1.0").reads("sales")]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.1.0", "sales dev 1.0.0", "stock dev 1.0.0"]);
    assert_eq!(started.store.unfinished().await.unwrap(), []);
    let statuses = started.statuses(&head);
    assert!(statuses["dev"].starts_with("success"), "{statuses:?}");
    nothing_is_pending(&started).await;
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_judge_that_had_no_answer_is_asked_again_about_the_same_commit() {
    let world = World::new();
    let head = world.commit(&[orders("1.0.0"), sales("1.0.0")]);
    let started = world.start_with(Arc::new(Hesitant::default())).await;
    started.trip().await;
    assert_eq!(started.running().await, Vec::<String>::new());
    assert!(started.statuses(&head)["policy"].starts_with("error"), "{:?}", started.statuses(&head));
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "sales dev 1.0.0"]);
    let statuses = started.statuses(&head);
    assert!(statuses.values().all(|status| status.starts_with("success")), "{statuses:?}");
    assert!(matches!(started.pass().await, PassOutcome::Unchanged { .. }));
    started.close().await;
}

/// It waited at prod for what it reads from when it failed at dev, so there is nothing of it at prod that could fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_tells_of_what_failed_before_it_also_when_nothing_touches_that_any_more() {
    let world = World::new();
    world.control("sales", "build", "exit 1");
    world.commit(&[
        Descriptor::new("orders", "1.0.0").only_at("dev"),
        Descriptor::new("sales", "1.0.0").reads("orders"),
    ]);
    let started = world.start().await;
    started.trip().await;
    for text in ["one", "two", "three"] {
        let head = world.repository.commit(&[("README.md", text)], "nothing of a product");
        started.trip().await;
        let statuses = started.statuses(&head);
        for stage in ["dev", "prod"] {
            assert!(statuses[stage].starts_with("failure: 1 of 1 not running: sales: "), "{text}: {statuses:?}");
        }
        assert_eq!(statuses["prod"].ends_with("did not come through dev"), text != "one", "{statuses:?}");
        // Also when it is told anew, and not only by the pass.
        started.engine.run_again(&source(), &head).await.unwrap();
        started.engine.publish_due().await.unwrap();
        assert_eq!(started.statuses(&head), statuses);
    }
    started.close().await;
}

/// An executor with a mistake in it, that shows at one product.
#[derive(Debug, Default)]
struct Mistaken {
    calls: AtomicUsize,
}

#[async_trait]
impl Executor for Mistaken {
    async fn run(&self, call: &TaskCall, _: &dyn Progress) -> Result<TaskOutcome, TaskError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        assert_ne!(call.container.product.product_name(), "orders", "a mistake of ours");
        Ok(TaskOutcome::default())
    }

    async fn observe(&self, _: &ContainerId) -> Result<Option<Value>, TaskError> {
        Ok(None)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_over_one_activity_ends_that_one_only() {
    let mut world = World::new();
    let mistaken = Arc::new(Mistaken::default());
    world.replaced.insert(Phase::Build, Arc::clone(&mistaken) as Arc<dyn Executor>);
    let head = world.commit(&[orders("1.0.0"), sales("1.0.0"), Descriptor::new("stock", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.plan().await;
    // The daemon's loop, which goes on for as long as it is not told to stop.
    let (engine, stop) = (Arc::clone(&started.engine), started.stop.clone());
    let daemon = tokio::spawn(async move { engine.roll_out_until(&stop).await });
    eventually("all have ended", async || started.store.unfinished().await.unwrap().is_empty()).await;
    eventually("it is told", async || started.store.untold().await.unwrap().is_empty()).await;
    started.engine.publish_due().await.unwrap();
    let wanted = ["orders dev 1.0.0 failed", "sales dev 1.0.0 skipped", "stock dev 1.0.0 succeeded"];
    assert_eq!(activities(&started).await, wanted);
    assert_eq!(mistaken.calls.load(Ordering::SeqCst), 2, "each was run once");
    let rows = started.store.activity_rows(10).await.unwrap();
    let failed = rows.iter().find(|row| row.status == "failed").unwrap();
    assert!(failed.message.as_ref().unwrap().contains("an error of Meshwright itself"), "{failed:?}");
    assert!(started.statuses(&head)["dev"].starts_with("failure"), "{:?}", started.statuses(&head));
    started.stop.cancel();
    daemon.await.unwrap();
    started.close().await;
}

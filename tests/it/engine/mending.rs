//! What went wrong, and is mended by the next look or the next commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use meshwright::domain::id::Digest;
use meshwright::domain::policy::{Question, Verdict, Written};
use meshwright::port::judge::{Judge, PolicyLoadError};
use meshwright::port::store::Look;

use crate::support::world::{Descriptor, World, path_of};

fn orders(version: &str) -> Descriptor {
    Descriptor::new("orders", version).only_at("dev")
}

fn stock() -> Descriptor {
    Descriptor::new("stock", "1.0.0").only_at("dev")
}

/// A judge that has no answer about one product when it is asked first.
#[derive(Debug, Default)]
struct Hesitant {
    asked: AtomicUsize,
}

#[async_trait]
impl Judge for Hesitant {
    fn policies(&self) -> Digest {
        Digest::of(b"hesitant")
    }

    async fn reload(&self) -> Result<Digest, PolicyLoadError> {
        Ok(self.policies())
    }

    async fn judge(&self, questions: Vec<Question>) -> Vec<Verdict> {
        let first = self.asked.fetch_add(1, Ordering::SeqCst) == 0;
        let name = |state: &Written| state.value().pointer("/dataProductVersion/info/name").cloned();
        let answer = |question: &Question| {
            if first && question.after_state.as_ref().and_then(name).is_some_and(|name| name == "stock") {
                return Verdict::not_evaluated(self.policies(), "the worker was killed");
            }
            Verdict { policies: self.policies(), violations: Vec::new() }
        };
        questions.iter().map(answer).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_evaluated_at_the_second_look_is_not_left_out_any_more() {
    let world = World::new();
    let head = world.commit(&[orders("1.0.0"), stock()]);
    let started = world.start_with(Arc::new(Hesitant::default())).await;
    let plan = started.plan().await;
    assert_eq!((plan.activities.len(), plan.refused.len()), (1, 1));
    let plan = started.plan().await;
    assert_eq!((&plan.revision, plan.activities.len(), plan.refused.len()), (&head, 1, 0));
    started.settle().await;
    assert_eq!(started.statuses(&head)["dev"], "success: 2 products running");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_when_another_commit_came_before_its_rollouts_ended() {
    let world = World::new();
    let first = world.commit(&[orders("1.0.0"), stock()]);
    let started = world.start_with(Arc::new(Hesitant::default())).await;
    started.plan().await;
    started.plan().await;
    world.commit(&[Descriptor::new("late", "1.0.0").only_at("dev")]);
    started.trip().await;
    assert_eq!(started.running().await, ["late dev 1.0.0", "orders dev 1.0.0", "stock dev 1.0.0"]);
    assert_eq!(started.statuses(&first)["dev"], "success: 2 products running");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_that_is_moved_and_broken_in_one_is_mended_where_it_stands() {
    let world = World::new();
    world.commit(&[orders("1.0.0"), stock()]);
    let started = world.start().await;
    started.trip().await;
    world.repository.git(&["mv", "orders", "purchases"]);
    let path = path_of("purchases");
    let broken = orders("1.1.0").yaml().replace("$href: build", "$href: nobody");
    world.repository.commit(&[(&path, &broken)], "moved and broken");
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "stock dev 1.0.0"]);

    let head = world.repository.commit(&[(&path, &orders("1.1.0").yaml())], "mended");
    started.trip().await;
    assert_eq!(started.findings().await, Vec::<String>::new());
    assert_eq!(started.running().await, ["orders dev 1.1.0", "stock dev 1.0.0"]);
    assert!(started.statuses(&head)["validate"].starts_with("success"), "{:?}", started.statuses(&head));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_that_is_moved_and_broken_in_one_is_retired_when_it_leaves() {
    let world = World::new();
    world.commit(&[orders("1.0.0"), stock()]);
    let started = world.start().await;
    started.trip().await;
    world.repository.git(&["mv", "orders", "purchases"]);
    let broken = orders("1.1.0").yaml().replace("$href: build", "$href: nobody");
    world.repository.commit(&[(&path_of("purchases"), &broken)], "moved and broken");
    started.trip().await;
    world.repository.git(&["rm", "--quiet", "-r", "purchases"]);
    world.repository.commit(&[("README.md", "orders are gone")], "gone");
    started.trip().await;
    let rows = started.store.products().await.unwrap();
    let retired: Vec<&str> = rows.iter().filter(|row| row.retired).map(|row| row.product.product_name()).collect();
    assert_eq!(retired, ["orders"]);
    started.close().await;
}

/// What waits is looked at again where it stands, and not where it was accepted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_that_waits_and_was_moved_and_broken_is_not_looked_for_where_it_was() {
    let world = World::new();
    let sales = Descriptor::new("sales", "1.0.0").only_at("dev").reads("orders");
    world.control("orders", "build", "exit 1");
    world.commit(&[orders("1.0.0"), sales.clone()]);
    let started = world.start().await;
    started.trip().await;
    world.repository.git(&["mv", "sales", "sold"]);
    let broken = sales.yaml().replace("$href: build", "$href: nobody");
    world.repository.commit(&[(&path_of("sold"), &broken)], "moved and broken");
    started.trip().await;
    started.pass().await;
    let findings = started.findings().await;
    assert!(findings.iter().all(|line| line.contains("sold/")), "{findings:?}");

    world.control("orders", "build", "true");
    let text = sales.yaml().replace("1.0.0\n  description", "1.1.0\n  description");
    world.repository.commit(&[(&path_of("sold"), &text), ("orders/README.md", "mended")], "mended");
    started.trip().await;
    assert_eq!(started.findings().await, Vec::<String>::new());
    assert_eq!(started.running().await, ["orders dev 1.0.0", "sales dev 1.1.0"]);
    started.close().await;
}

/// Going back to what the record has as running is work, when something was begun in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_that_was_left_half_way_is_brought_back() {
    let world = World::new();
    world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    world.control("orders", "deploy", "exit 1");
    world.commit(&[orders("1.1.0")]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0"], "the last that succeeded");
    let before = world.ledger().len();

    world.control("orders", "deploy", "true");
    let head = world.commit(&[orders("1.0.0")]);
    let plan = started.trip().await;
    assert_eq!(plan.activities.len(), 1);
    let done: Vec<String> = world.ledger().split_off(before).into_iter().map(|effect| effect.what).collect();
    assert_eq!(done, ["orders dev provision 1.0.0", "orders dev build 1.0.0", "orders dev deploy 1.0.0"]);
    assert_eq!(started.statuses(&head)["dev"], "success: 1 product running");
    // And then it is there.
    world.repository.commit(&[("orders/README.md", "words")], "words");
    assert_eq!(started.trip().await.activities.len(), 0);
    started.close().await;
}

/// Another replica may have planned it, or an earlier run on another disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_the_mirror_lacks_is_fetched_for_its_rollouts() {
    let world = World::new();
    world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.plan().await;
    started.close().await;
    std::fs::remove_dir_all(world.path("mirrors")).unwrap();
    let started = world.start().await;
    started.settle().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    started.close().await;
}

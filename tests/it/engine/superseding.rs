//! A newer commit while the older one is not through yet.

use std::time::Duration;

use meshwright::domain::activity::ActivityStatus;
use meshwright::domain::time::Timestamp;
use meshwright::engine::{Retain, prune};
use meshwright::port::store::{ActivityBook, Look};
use tokio_util::sync::CancellationToken;

use crate::support::world::{Descriptor, World, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_superseded_and_what_runs_is_finished() {
    let world = World::new();
    let open = world.gate("orders", "build", "");
    let mesh = |version: &str| {
        [Descriptor::new("orders", version), Descriptor::new("sales", version).reads("orders").only_at("dev")]
    };
    let older = world.commit(&mesh("1.0.0"));
    let started = world.start().await;
    started.plan().await;
    let rollout = started.rolling();
    eventually("the build runs", async || world.done().contains("orders dev build 1.0.0")).await;

    let newer = world.commit(&mesh("1.1.0"));
    started.plan().await;
    started.engine.publish_due().await.unwrap();
    // The running one has not been stopped, and the older commit says so.
    assert!(started.statuses(&older)["dev"].starts_with("pending"), "{:?}", started.statuses(&older));
    assert_eq!(started.statuses(&older)["prod"], "success: 0 products running, 1 superseded by a later commit");

    std::fs::write(&open, "").unwrap();
    rollout.await.unwrap();
    started.settle().await;
    assert_eq!(started.running().await, ["orders dev 1.1.0", "orders prod 1.1.0", "sales dev 1.1.0"]);
    let ended = [
        "orders dev 1.0.0 succeeded",
        "orders dev 1.1.0 succeeded",
        "orders prod 1.0.0 superseded",
        "orders prod 1.1.0 succeeded",
        "sales dev 1.0.0 superseded",
        "sales dev 1.1.0 succeeded",
    ];
    assert_eq!(started.stand().await, ended);
    assert!(!world.done().iter().any(|what| what.starts_with("sales") && what.ends_with("1.0.0")));
    for revision in [&older, &newer] {
        let statuses = started.statuses(revision);
        assert!(statuses.values().all(|status| status.starts_with("success")), "{statuses:?}");
    }
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_commit_whose_waiting_product_is_retired_does_not_stay_pending() {
    let world = World::new();
    let older = world.commit(&[Descriptor::new("orders", "1.0.0"), Descriptor::new("stock", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.plan().await;
    world.repository.git(&["rm", "--quiet", "-r", "orders"]);
    let newer = world.repository.commit(&[], "orders goes");
    started.trip().await;
    assert_eq!(started.running().await, ["stock dev 1.0.0"]);
    assert_eq!(started.store.unfinished().await.unwrap(), []);
    assert_eq!(started.statuses(&older)["prod"], "success: 0 products running, 1 superseded by a later commit");
    assert_eq!(started.statuses(&older)["dev"], "success: 1 product running, 1 superseded by a later commit");
    assert!(started.statuses(&newer).values().all(|status| status.starts_with("success")));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_is_not_green_while_a_product_that_it_retires_is_still_rolled_out() {
    let world = World::new();
    let open = world.gate("orders", "build", "");
    world
        .commit(&[Descriptor::new("orders", "1.0.0").only_at("dev"), Descriptor::new("stock", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.plan().await;
    let rollout = started.rolling();
    eventually("the build runs", async || world.done().contains("orders dev build 1.0.0")).await;
    eventually("stock runs", async || !started.running().await.is_empty()).await;

    world.repository.git(&["rm", "--quiet", "-r", "orders"]);
    let retiring = world.repository.commit(&[], "orders goes");
    started.plan().await;
    let touching = world.repository.commit(&[("README.md", "stock alone")], "nothing of a product");
    started.plan().await;
    started.engine.publish_due().await.unwrap();
    for revision in [&retiring, &touching] {
        assert_eq!(started.statuses(revision)["dev"], "pending: 0 of 1 rollout done");
    }
    std::fs::write(&open, "").unwrap();
    rollout.await.unwrap();
    started.settle().await;
    for revision in [&retiring, &touching] {
        let statuses = started.statuses(revision);
        assert!(statuses.values().all(|status| status.starts_with("success")), "{statuses:?}");
    }
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_is_not_green_while_a_rollout_goes_on_behind_which_it_withdraws_another() {
    let world = World::new();
    let open = world.gate("orders", "build", "");
    let mesh = |version: &str| {
        [Descriptor::new("orders", version).only_at("dev"), Descriptor::new("stock", "1.0.0").only_at("dev")]
    };
    world.commit(&mesh("1.0.0"));
    let started = world.start().await;
    started.plan().await;
    let rollout = started.rolling();
    eventually("the build runs", async || world.done().contains("orders dev build 1.0.0")).await;
    eventually("stock runs", async || !started.running().await.is_empty()).await;
    world.commit(&mesh("1.1.0"));
    started.plan().await;
    world.repository.git(&["rm", "--quiet", "-r", "orders"]);
    let retiring = world.repository.commit(&[], "orders goes");
    assert_eq!(started.plan().await.withdrawn.len(), 1);
    started.engine.publish_due().await.unwrap();
    assert_eq!(started.statuses(&retiring)["dev"], "pending: 0 of 1 rollout done");
    std::fs::write(&open, "").unwrap();
    rollout.await.unwrap();
    started.settle().await;
    assert_eq!(started.stand().await[..2], ["orders dev 1.0.0 succeeded", "orders dev 1.1.0 superseded"]);
    assert!(started.statuses(&retiring)["dev"].starts_with("success"), "{:?}", started.statuses(&retiring));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_is_told_as_that_also_while_an_earlier_rollout_of_it_goes_on() {
    let world = World::new();
    let open = world.gate("orders", "build", "");
    let orders = |version: &str| Descriptor::new("orders", version).only_at("dev");
    world.commit(&[orders("1.0.0"), Descriptor::new("stock", "1.0.0").only_at("prod")]);
    let started = world.start().await;
    started.plan().await;
    let rollout = started.rolling();
    eventually("the build runs", async || world.done().contains("orders dev build 1.0.0")).await;
    world.commit(&[orders("1.1.0")]);
    started.plan().await;
    // It reads from what does not come to its stage.
    let holding = world.commit(&[orders("1.2.0").reads("stock")]);
    let plan = started.plan().await;
    assert_eq!((plan.held.len(), plan.withdrawn.len()), (1, 1));
    started.engine.publish_due().await.unwrap();
    let status = started.statuses(&holding)["dev"].clone();
    assert!(status.starts_with("failure: 1 of 1 not running: orders"), "{status}");
    std::fs::write(&open, "").unwrap();
    rollout.await.unwrap();
    started.settle().await;
    assert_eq!(started.statuses(&holding)["dev"], status);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_commit_that_refused_something_does_not_turn_green_when_it_is_superseded() {
    let world = World::new();
    let broken = Descriptor::new("sales", "1.0.0").only_at("dev").configured("build", "{ x: '${dev.results.none.x}' }");
    let older = world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev"), broken]);
    let started = world.start().await;
    assert_eq!(started.plan().await.refused.len(), 1);
    world
        .commit(&[Descriptor::new("orders", "1.1.0").only_at("dev"), Descriptor::new("sales", "1.0.0").only_at("dev")]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.1.0", "sales dev 1.0.0"]);
    let status = &started.statuses(&older)["dev"];
    assert!(status.starts_with("failure"), "{status}");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_commit_is_not_blamed_for_what_a_newer_one_breaks() {
    let world = World::new();
    let open = world.gate("orders", "build", "");
    let older = world
        .commit(&[Descriptor::new("orders", "1.0.0").only_at("dev"), Descriptor::new("stock", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.plan().await;
    let rollout = started.rolling();
    eventually("the build runs", async || world.done().contains("orders dev build 1.0.0")).await;
    let newer = world.repository.commit(&[(&crate::support::world::path_of("stock"), "info: [")], "broken");
    started.plan().await;
    std::fs::write(&open, "").unwrap();
    rollout.await.unwrap();
    started.settle().await;
    assert_eq!(started.statuses(&older)["dev"], "success: 2 products running");
    assert!(started.statuses(&newer)["dev"].starts_with("failure"), "{:?}", started.statuses(&newer));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn downstream_of_something_superseded_waits_for_what_took_its_place() {
    let world = World::new();
    let sales = Descriptor::new("sales", "1.0.0").reads("orders").only_at("dev");
    world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev"), sales]);
    let started = world.start().await;
    started.plan().await;
    // Only the upstream is in the newer commit; the downstream's activity stays as it was planned.
    let newer = world.commit(&[Descriptor::new("orders", "1.1.0").only_at("dev")]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.1.0", "sales dev 1.0.0"]);
    let all = started.store.activities_of(&crate::support::world::source(), &newer).await.unwrap();
    assert!(all.iter().all(|record| record.state.status == ActivityStatus::Succeeded));
    let first_of = |what: &str| world.ledger().iter().position(|effect| effect.what == what).unwrap();
    assert!(first_of("orders dev deploy 1.1.0") < first_of("sales dev provision 1.0.0"));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forced_push_takes_nothing_from_what_runs_already() {
    let world = World::new();
    let open = world.gate("orders", "provision", "");
    let first = world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.plan().await;
    let rollout = started.rolling();
    eventually("it runs", async || world.done().contains("orders dev provision 1.0.0")).await;
    // Killed half way; meanwhile the commit leaves the repository for good.
    started.stop.cancel();
    rollout.await.unwrap();
    started.close().await;
    world.repository.git(&["commit", "--quiet", "--amend", "--message", "another"]);
    let head = world.commit(&[Descriptor::new("orders", "1.1.0").only_at("dev")]);
    world.repository.git(&["reflog", "expire", "--expire=now", "--all"]);
    world.repository.git(&["gc", "--quiet", "--prune=now"]);
    std::fs::write(&open, "").unwrap();

    let started = world.start().await;
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.1.0"]);
    let keys: std::collections::BTreeSet<String> = world
        .ledger()
        .into_iter()
        .filter(|effect| effect.what == "orders dev provision 1.0.0")
        .map(|effect| effect.key)
        .collect();
    assert_eq!(keys.len(), 1);
    assert!(started.stand().await.contains(&"orders dev 1.0.0 succeeded".to_owned()), "{:?}", started.stand().await);
    assert!(started.statuses(&head).values().all(|status| status.starts_with("success")));
    // The commit that is gone cannot be told, and that is known.
    let rows = started.store.report_rows(100).await.unwrap();
    let gone: Vec<&str> = rows.iter().filter(|row| row.revision == first).map(|row| row.delivery.as_str()).collect();
    assert!(gone.iter().all(|delivery| *delivery == "given-up" || *delivery == "published"), "{gone:?}");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_the_branch_goes_through_once_more_was_looked_at_also_when_history_has_gone() {
    let world = World::new();
    let open = world.gate("orders", "build", "");
    let first = world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.plan().await;
    let rollout = started.rolling();
    eventually("the build runs", async || world.done().contains("orders dev build 1.0.0")).await;
    let passed = world.repository.commit(&[("orders/README.md", "read me")], "tells of what the first began");
    started.plan().await;
    world.repository.git(&["reset", "--quiet", "--hard", first.as_str()]);
    started.plan().await;

    let nothing = Retain {
        rollouts_for: Duration::ZERO,
        activities: 0,
        contents_for: Duration::ZERO,
        audit_for: Duration::ZERO,
        audit: 0,
    };
    let tomorrow = Timestamp::now() + Duration::from_secs(86_400);
    prune(&*started.store, tomorrow, &nothing, None, false, &CancellationToken::new()).await.unwrap();
    world.repository.git(&["reset", "--quiet", "--hard", passed.as_str()]);
    world.repository.commit(&[("orders/README.md", "read me twice")], "on top of it");
    started.plan().await;
    std::fs::write(&open, "").unwrap();
    rollout.await.unwrap();
    started.settle().await;
    let told = started.statuses(&passed);
    assert_eq!((told["dev"].as_str(), told["plan"].split(':').next()), ("success: 1 product running", Some("success")));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_the_branch_comes_back_to_is_not_red_for_what_failed_before() {
    let world = World::new();
    let mesh = |version: &str| {
        [Descriptor::new("orders", version).only_at("dev"), Descriptor::new("stock", version).only_at("dev")]
    };
    world.commit(&mesh("1.0.0"));
    let started = world.start().await;
    started.trip().await;
    world.control("orders", "build", "exit 1");
    let failing = world.commit(&mesh("1.1.0"));
    started.trip().await;
    assert!(started.statuses(&failing)["dev"].starts_with("failure"), "{:?}", started.statuses(&failing));

    world.control("orders", "build", "");
    world.repository.commit(&[("orders/README.md", "mended")], "mended");
    started.trip().await;
    let running = ["orders dev 1.1.0", "stock dev 1.1.0"];
    assert_eq!(started.running().await, running);
    world.repository.git(&["reset", "--quiet", "--hard", failing.as_str()]);
    started.trip().await;
    assert_eq!(started.running().await, running);
    assert!(started.statuses(&failing)["dev"].starts_with("success"), "{:?}", started.statuses(&failing));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_begun_goes_on_with_its_own_content_when_its_number_gets_another() {
    let world = World::new();
    let open = world.gate("orders", "provision", "");
    world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.plan().await;
    let rollout = started.rolling();
    eventually("it runs", async || world.done().contains("orders dev provision 1.0.0")).await;
    started.stop.cancel();
    rollout.await.unwrap();
    started.close().await;

    // Nothing was released under the number yet, so it may still change.
    world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev").configured("build", "{ x: 1 }")]);
    let started = world.start().await;
    started.plan().await;
    std::fs::write(&open, "").unwrap();
    started.settle().await;
    assert_eq!(started.stand().await, ["orders dev 1.0.0 succeeded", "orders dev 1.0.0 succeeded"]);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_commit_is_not_green_while_a_rollout_of_an_earlier_one_runs_or_after_it_failed() {
    let world = World::new();
    let open = world.gate("orders", "build", "exit 1");
    let stock = |version: &str| Descriptor::new("stock", version).only_at("dev");
    world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev"), stock("1.0.0")]);
    let started = world.start().await;
    started.plan().await;
    let rollout = started.rolling();
    eventually("the build runs", async || world.done().contains("orders dev build 1.0.0")).await;
    eventually("the other is there", async || started.running().await == ["stock dev 1.0.0"]).await;

    let head = world.commit(&[stock("1.1.0")]);
    started.plan().await;
    eventually("its own rollout is through", async || started.running().await == ["stock dev 1.1.0"]).await;
    started.engine.publish_due().await.unwrap();
    assert!(started.statuses(&head)["dev"].starts_with("pending"), "{:?}", started.statuses(&head));

    std::fs::write(&open, "").unwrap();
    rollout.await.unwrap();
    started.settle().await;
    assert!(started.statuses(&head)["dev"].starts_with("failure"), "{:?}", started.statuses(&head));

    let last = world.commit(&[stock("1.2.0")]);
    started.trip().await;
    assert_eq!(started.running().await, ["stock dev 1.2.0"]);
    assert!(started.statuses(&last)["dev"].starts_with("failure"), "{:?}", started.statuses(&last));
    started.close().await;
}

//! How rollouts go, and go wrong.

use std::time::{Duration, Instant};

use meshwright::port::store::Look;

use crate::support::world::{Descriptor, World};

fn orders(version: &str) -> Descriptor {
    Descriptor::new("orders", version).only_at("dev")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn downstream_is_held_back_by_a_failed_upstream_and_follows_when_it_is_mended() {
    let world = World::new();
    world.control("orders", "build", "echo 'no such table' >&2; exit 1");
    let sales = Descriptor::new("sales", "1.0.0").reads("orders").only_at("dev");
    let late = Descriptor::new("late", "1.0.0").reads("sales").only_at("dev");
    let head = world.commit(&[orders("1.0.0"), sales, late]);
    let started = world.start().await;
    started.trip().await;
    assert_eq!(started.running().await, Vec::<String>::new());
    assert_eq!(
        started.statuses(&head)["dev"],
        "failure: 3 of 3 not running: orders: build: the program 'sh' ended with exit code 1: no such table"
    );
    let mut rows = started.store.activity_rows(10).await.unwrap();
    rows.sort_by(|a, b| a.product.cmp(&b.product));
    let stand: Vec<&str> = rows.iter().map(|row| row.status.as_str()).collect();
    assert_eq!(stand, ["skipped", "failed", "skipped"]);
    assert!(world.done().iter().all(|what| what.starts_with("orders ")), "nothing of what was held back ran");

    // Only the upstream is touched; what it held back follows by itself.
    world.control("orders", "build", "");
    let head = world.commit(&[orders("1.0.1")]);
    started.trip().await;
    assert_eq!(started.running().await, ["late dev 1.0.0", "orders dev 1.0.1", "sales dev 1.0.0"]);
    assert_eq!(started.statuses(&head)["dev"], "success: 3 products running");
    let order: Vec<String> = world.ledger().into_iter().map(|effect| effect.what).skip(2).collect();
    assert_eq!(order.first().map(String::as_str), Some("orders dev provision 1.0.1"));
    assert_eq!(order.last().map(String::as_str), Some("late dev deploy 1.0.0"));

    // And then it is done: the next commit has nothing to do with it.
    world.repository.commit(&[("README.md", "hello")], "a word");
    assert_eq!(started.trip().await.activities.len(), 0);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_at_a_stage_does_not_reach_the_next_one() {
    let world = World::new();
    world.control("orders", "deploy", "[ \"$MESHWRIGHT_STAGE\" = dev ] && exit 3; exit 0");
    let head = world.commit(&[Descriptor::new("orders", "1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    assert_eq!(started.running().await, Vec::<String>::new());
    assert!(world.done().iter().all(|what| what.contains(" dev ")), "{:?}", world.done());
    let statuses = started.statuses(&head);
    assert!(statuses["dev"].starts_with("failure: 1 of 1 not running: orders: deploy: "), "{statuses:?}");
    assert_eq!(statuses["prod"], "failure: 1 of 1 not running: orders: what it reads from is not running");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_executor_that_hangs_is_stopped_and_the_task_is_named() {
    let mut world = World::new();
    world.task_timeout = 1;
    world.control("orders", "build", "sleep 600");
    let head = world.commit(&[orders("1.0.0"), Descriptor::new("stock", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    let began = Instant::now();
    started.trip().await;
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert_eq!(started.running().await, ["stock dev 1.0.0"]);
    let status = &started.statuses(&head)["dev"];
    assert!(status.starts_with("failure: 1 of 2 not running: orders: build: "), "{status}");
    assert!(status.contains("longer than 1s"), "{status}");
    // A time-out is not tried again: whatever hung may still have its effect.
    assert_eq!(world.ledger().iter().filter(|effect| effect.what.starts_with("orders dev build")).count(), 1);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passing_failure_is_tried_again_under_the_same_key() {
    let world = World::new();
    world.control("orders", "build", "[ \"$MESHWRIGHT_ATTEMPT\" -ge 3 ] || exit 75");
    world.control("stock", "build", "exit 75");
    let head = world.commit(&[orders("1.0.0"), Descriptor::new("stock", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    for product in ["orders", "stock"] {
        let what = format!("{product} dev build 1.0.0");
        let builds: Vec<_> = world.ledger().into_iter().filter(|effect| effect.what == what).collect();
        assert_eq!(builds.iter().map(|effect| effect.attempt).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(builds.iter().all(|effect| effect.key == builds[0].key));
    }
    assert!(started.statuses(&head)["dev"].starts_with("failure: 1 of 2 not running: stock: build: "));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_reach_later_tasks_and_stages_and_a_missing_one_stops_the_task_before_it_runs() {
    let world = World::new();
    world.control("orders", "build", "echo '{\"rows\": 7, \"place\": {\"table\": \"t_'$MESHWRIGHT_STAGE'\"}}'");
    let told = world.path("told");
    world.control("orders", "deploy", &format!("cat >> '{}'; echo >> '{}'", told.display(), told.display()));
    let configurations = "{ dev: '${dev.results.build.place.table}', text: 'rows: ${dev.results.build.rows}' }";
    world.commit(&[Descriptor::new("orders", "1.0.0").configured("deploy", configurations).only_at("dev")]);
    let started = world.start().await;
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    let told = std::fs::read_to_string(told).unwrap();
    let call: serde_json::Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!(call["configurations"], serde_json::json!({"dev": "t_dev", "text": "rows: 7"}));

    // The task that should return it does not: the one that wants it never runs.
    let missing = "{ from: '${dev.results.build.plaice.table}' }";
    let head = world.commit(&[orders("1.1.0").configured("deploy", missing)]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    assert!(!world.done().contains("orders dev deploy 1.1.0"));
    let status = &started.statuses(&head)["dev"];
    assert!(status.contains("orders: deploy: ${dev.results.build.plaice.table} has no value"), "{status}");

    // A task that no plan has is refused before anything runs at all.
    let unknown = "{ from: '${dev.results.biuld.rows}' }";
    let head = world.commit(&[orders("1.2.0").configured("deploy", unknown)]);
    assert_eq!(started.trip().await.refused.len(), 1);
    assert!(!world.done().iter().any(|what| what.ends_with(" 1.2.0")));
    assert_eq!(started.findings().await, ["lifecycle/unresolved-placeholder orders/data-product-descriptor.yaml:23"]);
    assert!(started.statuses(&head)["plan"].starts_with("failure"));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_misbehaves_fails_its_own_task_only() {
    let world = World::new();
    let ways = [
        ("nonsense", "printf '{\"status\": \"perhaps\"}' > \"$MESHWRIGHT_RESULT\""),
        (
            "loud",
            "i=0; while [ $i -lt 3000 ]; do echo 'a line of output that goes on and on'; i=$((i+1)); done; exit 1",
        ),
        ("killed", "kill -9 $$"),
        ("forking", "sleep 600 & exit 1"),
        ("large", "head -c 400000 /dev/zero > \"$MESHWRIGHT_RESULT\""),
    ];
    for (name, script) in ways {
        world.control(name, "build", script);
    }
    let mut mesh: Vec<Descriptor> =
        ways.iter().map(|(name, _)| Descriptor::new(name, "1.0.0").only_at("dev")).collect();
    mesh.push(orders("1.0.0"));
    let head = world.commit(&mesh);
    let started = world.start().await;
    let began = Instant::now();
    started.trip().await;
    assert!(began.elapsed() < Duration::from_secs(45), "{:?}", began.elapsed());
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    assert!(started.statuses(&head)["dev"].starts_with("failure: 5 of 6 not running: "));
    for row in started.store.activity_rows(10).await.unwrap() {
        let is_told = row.message.as_ref().is_some_and(|message| !message.is_empty());
        assert_eq!(row.status == "failed", is_told, "{row:?}");
    }
    started.close().await;
}

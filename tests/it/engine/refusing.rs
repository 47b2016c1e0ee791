//! Where policies are asked, and what becomes of a no. The policies are real, and run in the worker.

use crate::support::world::{Descriptor, World};

fn policy(package: &str, event: &str, body: &str) -> String {
    format!("# METADATA\n# custom:\n#   events: [{event}]\n#   enforcement: block\npackage mesh.{package}\n\n{body}\n")
}

fn mesh() -> [Descriptor; 2] {
    [Descriptor::new("orders", "1.0.0"), Descriptor::new("stock", "1.0.0").only_at("dev")]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_is_refused_before_the_first_phase() {
    let world = World::new();
    let body = "deny contains {\"msg\": \"nobody goes to prod on a Friday\"} if input.stage == \"prod\"";
    world.policy("friday", &policy("friday", "ACTIVITY_STAGE_TRANSITION", body));
    let head = world.commit(&mesh());
    let started = world.start_with(world.worker_judge().await).await;
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "stock dev 1.0.0"]);
    assert!(world.done().iter().all(|what| what.contains(" dev ")), "nothing ran at prod");
    let statuses = started.statuses(&head);
    assert_eq!(statuses["dev"], "success: 2 products running");
    assert!(statuses["prod"].starts_with("failure: 1 of 1 not running: orders: "), "{statuses:?}");
    assert_eq!(statuses["policy"], "success: policies agree");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_phase_is_refused_after_an_earlier_one_ran() {
    let world = World::new();
    let body = "deny contains {\"msg\": \"not deployed today\"} if input.afterState.phase == \"deploy\"";
    world.policy("phase", &policy("phase", "ACTIVITY_STAGE_TRANSITION", body));
    world.commit(&[Descriptor::new("orders", "1.0.0")]);
    let started = world.start_with(world.worker_judge().await).await;
    started.trip().await;
    assert_eq!(started.running().await, Vec::<String>::new());
    let done: Vec<String> = world.done().into_iter().collect();
    assert_eq!(done, ["orders dev build 1.0.0", "orders dev provision 1.0.0"]);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_whose_result_is_refused_is_not_done() {
    let world = World::new();
    let body = "deny contains {\"msg\": \"too few rows\"} if input.currentState.task.results.rows < 10";
    world.policy("rows", &policy("rows", "TASK_EXECUTION_RESULT", body));
    world.control("orders", "build", "echo '{\"rows\": 3}'");
    world.control("stock", "build", "echo '{\"rows\": 30}'");
    let head = world.commit(&mesh());
    let started = world.start_with(world.worker_judge().await).await;
    started.trip().await;
    assert_eq!(started.running().await, ["stock dev 1.0.0"]);
    assert!(!world.done().contains("orders dev deploy 1.0.0"), "what comes after it does not run");
    let statuses = started.statuses(&head);
    assert!(statuses["dev"].starts_with("failure: 1 of 2 not running: orders: refused by policies"), "{statuses:?}");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activity_whose_result_is_refused_does_not_run() {
    let world = World::new();
    let body =
        "deny contains {\"msg\": \"not this one\"} if input.currentState.activity.dataProductVersion == \"1.0.0\"";
    world.policy("whole", &policy("whole", "ACTIVITY_EXECUTION_RESULT", body));
    let head = world.commit(&[Descriptor::new("orders", "1.0.0")]);
    let started = world.start_with(world.worker_judge().await).await;
    started.trip().await;
    assert_eq!(started.running().await, Vec::<String>::new());
    assert!(world.done().contains("orders dev deploy 1.0.0"), "all of its tasks ran");
    assert!(started.statuses(&head)["dev"].starts_with("failure"));

    // It was never released, and the next version is another.
    world.commit(&[Descriptor::new("orders", "1.0.1")]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.1", "orders prod 1.0.1"]);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_that_change_are_asked_again_about_the_same_commit() {
    let world = World::new();
    let never = "deny contains {\"msg\": \"never\"} if false";
    world.policy("words", &policy("words", "DATA_PRODUCT_UPDATE", never));
    let head = world.commit(&mesh());
    let judge = world.worker_judge().await;
    let started = world.start_with(judge.clone()).await;
    started.trip().await;
    assert_eq!(started.statuses(&head)["policy"], "success: policies agree");

    let body = "deny contains {\"msg\": \"say more\", \"pointer\": \"/info/description\"} if \
                input.afterState.dataProductVersion.info.description == \"a product\"";
    let events = "DATA_PRODUCT_CREATION, DATA_PRODUCT_UPDATE";
    world.policy("words", &policy("words", events, body));
    meshwright::port::judge::Judge::reload(judge.as_ref()).await.unwrap();
    started.trip().await;
    assert_eq!(started.statuses(&head)["policy"], "failure: 2 products refused by policies");
    let findings = started.findings().await;
    assert!(findings[0].ends_with("orders/data-product-descriptor.yaml:5"), "{findings:?}");
    // What ran keeps running.
    assert_eq!(started.running().await.len(), 3);

    // A policy that cannot be read lets nothing through.
    world.policy("words", "package mesh.words\ndeny contains {");
    meshwright::port::judge::Judge::reload(judge.as_ref()).await.unwrap_err();
    started.trip().await;
    let status = &started.statuses(&head)["policy"];
    assert!(status.starts_with("error: policies could not be evaluated for 2 products"), "{status}");

    world.policy("words", &policy("words", events, never));
    meshwright::port::judge::Judge::reload(judge.as_ref()).await.unwrap();
    started.trip().await;
    assert!(started.statuses(&head).values().all(|status| status.starts_with("success")));
    assert_eq!(started.findings().await, Vec::<String>::new());
    started.close().await;
}

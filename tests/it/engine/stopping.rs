//! What goes no further: cancelled by people, stopped for a later commit, failed or refused half-way; and
//! what was begun is undone.

use std::sync::Arc;

use async_trait::async_trait;
use meshwright::domain::activity::ActivityEvent;
use meshwright::domain::forge::Person;
use meshwright::domain::id::Digest;
use meshwright::domain::plan::ActivityId;
use meshwright::domain::policy::{PolicyEvent, Question, Verdict};
use meshwright::domain::stage::OnNewCommit;
use meshwright::port::clock::Clock;
use meshwright::port::judge::{Judge, PolicyLoadError};
use meshwright::port::requests::{Action, Origin, Request};
use meshwright::port::store::{ActivityBook, Look};

use crate::support::forge::ModelRequests;
use crate::support::world::{Descriptor, Started, World, eventually, source};

/// A world whose programs undo what they did, and somebody who may ask for everything.
fn world() -> (World, Arc<ModelRequests>) {
    let book = Arc::new(ModelRequests::default());
    let mut world = World::new();
    world.undoes = true;
    world.requests.push(Arc::clone(&book) as _);
    (world, book)
}

async fn ask(world: &World, book: &ModelRequests, started: &Started, action: Action) -> String {
    let id = format!("machine/{}", book.asked.lock().unwrap().len());
    let by = Person { name: "ann".to_owned(), via: "command line".to_owned() };
    let origin = Origin::Machine { plan: None };
    let request = Request { id: id.clone(), source: source(), action: Ok(action), origin, by, at: world.clock.now() };
    book.asked.lock().unwrap().push(request);
    started.engine.answer_requests().await.unwrap();
    book.answer_to(&id).unwrap()
}

/// What of the ledger undid something, in its order.
fn undone(world: &World) -> Vec<String> {
    world.ledger().into_iter().map(|effect| effect.what).filter(|what| what.contains("undo-")).collect()
}

async fn message(started: &Started, activity: &str) -> String {
    let rows = started.store.activity_rows(100).await.unwrap();
    let row = rows.iter().find(|row| format!("{} {}", row.product.product_name(), row.stage) == activity).unwrap();
    row.message.clone().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_cancels_is_stopped_and_undone_and_nothing_follows_it() {
    let (world, book) = world();
    world.control(
        "orders",
        "build",
        &format!("echo $$ > '{}'; while :; do sleep 0.05; done", world.path("pid").display()),
    );
    let sales = Descriptor::new("sales", "1.0.0").reads("orders").only_at("dev");
    let revision = world.commit(&[Descriptor::new("orders", "1.0.0"), sales]);
    let started = world.start().await;
    started.plan().await;
    let rollout = started.rolling();
    eventually("the build runs", async || world.path("pid").exists()).await;

    let answer = ask(&world, &book, &started, Action::Cancel(None)).await;
    assert_eq!(answer, "done: the source: 3 rollouts cancelled");
    rollout.await.unwrap();
    started.engine.publish_due().await.unwrap();
    let ended = ["orders dev 1.0.0 cancelled", "orders prod 1.0.0 cancelled", "sales dev 1.0.0 cancelled"];
    assert_eq!(started.stand().await, ended);
    assert_eq!(undone(&world), ["orders dev undo-build 1.0.0", "orders dev undo-provision 1.0.0"]);
    let pid = std::fs::read_to_string(world.path("pid")).unwrap();
    assert!(!std::path::Path::new(&format!("/proc/{}", pid.trim())).exists(), "nothing of it runs");
    let status = &started.statuses(&revision)["dev"];
    assert!(status.starts_with("failure: ") && status.contains("cancelled by ann (command line)"), "{status}");
    assert_eq!(started.running().await, Vec::<String>::new());
    let again = ask(&world, &book, &started, Action::Cancel(None)).await;
    assert_eq!(again, "refused: nothing of the source runs or waits");
    let trail = started.store.audit_rows(100).await.unwrap();
    assert!(trail.iter().any(|row| row.kind == "rollout-cancelled" && row.detail["by"] == "ann"));

    // It is not tried again by itself, but when somebody asks for it.
    world.control("orders", "build", "true");
    ask(&world, &book, &started, Action::Retry).await;
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "orders prod 1.0.0", "sales dev 1.0.0"]);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_activity_is_cancelled_and_what_depends_on_it_is_skipped() {
    let (world, book) = world();
    let sales = Descriptor::new("sales", "1.0.0").reads("orders").only_at("dev");
    world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev"), sales, Descriptor::new("stock", "1.0.0")]);
    let started = world.start().await;
    let plan = started.plan().await;
    let orders = plan.activities.iter().find(|it| it.container.product.product_name() == "orders").unwrap();
    let answer = ask(&world, &book, &started, Action::Cancel(Some(orders.id.clone()))).await;
    assert_eq!(answer, format!("done: the activity {}: 1 rollout cancelled", orders.id));
    let unknown: ActivityId = "act-0000000000000000".parse().unwrap();
    let answer = ask(&world, &book, &started, Action::Cancel(Some(unknown))).await;
    assert!(answer.starts_with("refused: nothing of the activity act-0000000000000000"), "{answer}");
    started.settle().await;
    let ended = [
        "orders dev 1.0.0 cancelled",
        "sales dev 1.0.0 skipped",
        "stock dev 1.0.0 succeeded",
        "stock prod 1.0.0 succeeded",
    ];
    assert_eq!(started.stand().await, ended);
    assert_eq!(undone(&world), Vec::<String>::new(), "it had not begun");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_runs_makes_way_for_a_later_commit_where_the_stage_says_so() {
    for parallel in [1, 2] {
        let (mut world, _) = world();
        world.on_new_commit = OnNewCommit::Cancel;
        world.parallel = parallel;
        let old = "if [ \"$MESHWRIGHT_VERSION\" = 1.0.0 ]; then while :; do sleep 0.05; done; fi";
        world.control("orders", "build", old);
        let older = world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
        let started = world.start().await;
        started.plan().await;
        let rollout = started.rolling();
        eventually("the build runs", async || world.done().contains("orders dev build 1.0.0")).await;
        let newer = world.commit(&[Descriptor::new("orders", "1.1.0").only_at("dev")]);
        started.plan().await;
        rollout.await.unwrap();
        started.settle().await;
        assert_eq!(started.running().await, ["orders dev 1.1.0"]);
        assert_eq!(started.stand().await, ["orders dev 1.0.0 superseded", "orders dev 1.1.0 succeeded"]);
        let undoing = ["orders dev undo-build 1.0.0", "orders dev undo-provision 1.0.0"];
        assert_eq!(undone(&world), undoing);
        let first_of = |what: &str| world.ledger().iter().position(|effect| effect.what == what).unwrap();
        assert!(first_of("orders dev undo-provision 1.0.0") < first_of("orders dev provision 1.1.0"));
        for revision in [&older, &newer] {
            let statuses = started.statuses(revision);
            assert!(statuses.values().all(|status| status.starts_with("success")), "{statuses:?}");
        }
        started.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_undone_in_reverse_and_the_first_cause_is_told_first() {
    let (world, _) = world();
    world.control("orders", "deploy", "echo 'no room' >&2; exit 1");
    world.control("orders", "undo-build", "echo 'locked' >&2; exit 1");
    let revision = world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.trip().await;
    assert_eq!(started.stand().await, ["orders dev 1.0.0 failed"]);
    let order = ["orders dev undo-deploy 1.0.0", "orders dev undo-build 1.0.0", "orders dev undo-provision 1.0.0"];
    assert_eq!(undone(&world), order);
    let said = message(&started, "orders dev").await;
    let (cause, left) = said.split_once("; ").unwrap();
    assert!(cause.starts_with("deploy: ") && cause.contains("no room"), "{said}");
    assert!(left.starts_with("build could not be undone: ") && left.contains("locked"), "{said}");
    assert!(started.statuses(&revision)["dev"].contains("no room"));
    let keys: std::collections::BTreeSet<String> = world.ledger().into_iter().map(|effect| effect.key).collect();
    assert_eq!(keys.len(), 6, "undoing has keys of its own");
    started.close().await;
}

/// Refuses what the task `deploy` returned.
struct AgainstDeploying;

#[async_trait]
impl Judge for AgainstDeploying {
    fn policies(&self) -> Digest {
        Digest::of(b"nothing is deployed")
    }

    async fn reload(&self) -> Result<Digest, PolicyLoadError> {
        Ok(self.policies())
    }

    async fn judge(&self, questions: Vec<Question>) -> Vec<Verdict> {
        let refuses = |question: &Question| {
            question.event == PolicyEvent::TaskExecutionResult
                && question.current_state.as_ref().is_some_and(|state| state.value()["task"]["name"] == "deploy")
        };
        let verdict = |question: &Question| match refuses(question) {
            true => Verdict::not_evaluated(self.policies(), "nothing is deployed on Fridays"),
            false => Verdict { policies: self.policies(), violations: Vec::new() },
        };
        questions.iter().map(verdict).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_policies_refuse_half_way_is_undone_and_stays_refused() {
    let (world, _) = world();
    world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let started = world.start_with(Arc::new(AgainstDeploying)).await;
    let plan = started.trip().await;
    assert_eq!(started.stand().await, ["orders dev 1.0.0 refused"]);
    assert_eq!(undone(&world).len(), 3);
    assert_eq!(message(&started, "orders dev").await, "nothing is deployed on Fridays");
    let events = started.store.events(&plan.activities[0].id).await.unwrap();
    let kinds: Vec<bool> = events.iter().map(|(_, event)| matches!(event, ActivityEvent::Refusing { .. })).collect();
    assert_eq!(kinds.iter().filter(|is| **is).count(), 1);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_can_be_undone_nothing_is() {
    let (mut world, _) = world();
    world.undoes = false;
    world.control("orders", "build", "exit 1");
    world.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.trip().await;
    assert_eq!(started.stand().await, ["orders dev 1.0.0 failed"]);
    assert_eq!(undone(&world), Vec::<String>::new());
    started.close().await;
}

//! Rollouts that wait for people, and what people decide about them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use meshwright::domain::id::{Digest, Revision};
use meshwright::domain::policy::{Question, Verdict};
use meshwright::domain::report::{Detail, Report};
use meshwright::port::clock::Clock;
use meshwright::port::forge::Forge;
use meshwright::port::judge::{Judge, PolicyLoadError};
use meshwright::port::requests::{Action, Origin, Request};
use meshwright::port::store::Look;
use std::sync::Mutex;

use crate::support::forge::{ModelForge, ModelRequests, deployment};
use crate::support::world::{Descriptor, Started, World, eventually, source};

const WAITS: &str = "pending: waits for approval (0 of 1): comment '/meshwright approve prod' on its pull request, \
                     or run 'meshwright approve prod'";

/// A world whose `prod` has a gate, and where somebody on the machine can ask for something.
fn gated(approvals: u32) -> (World, Arc<ModelRequests>) {
    let requests = Arc::new(ModelRequests::default());
    let mut world = World::new();
    world.approvals = approvals;
    world.requests.push(Arc::clone(&requests) as _);
    (world, requests)
}

/// Somebody asks on the machine; what is answered.
async fn ask(world: &World, started: &Started, book: &ModelRequests, who: &str, action: Action) -> String {
    ask_about(world, started, book, who, action, None).await
}

async fn ask_about(
    world: &World,
    started: &Started,
    book: &ModelRequests,
    who: &str,
    action: Action,
    plan: Option<Digest>,
) -> String {
    let id = format!("machine/{}", book.asked.lock().unwrap().len());
    book.asked.lock().unwrap().push(Request {
        id: id.clone(),
        source: source(),
        action: Ok(action),
        origin: Origin::Machine { plan },
        by: meshwright::domain::forge::Person { name: who.to_owned(), via: "command line".to_owned() },
        at: world.clock.now(),
    });
    assert_eq!(started.engine.answer_requests().await.unwrap(), 1);
    started.settle().await;
    book.answer_to(&id).unwrap()
}

fn approve() -> Action {
    Action::Approve("prod".parse().unwrap())
}

fn reject() -> Action {
    Action::Reject("prod".parse().unwrap())
}

fn orders(version: &str) -> Descriptor {
    Descriptor::new("orders", version)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_back_before_it_was_approved_waits_for_nobody() {
    let (world, book) = gated(1);
    world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    ask(&world, &started, &book, "ann", approve()).await;
    let sales = Descriptor::new("sales", "1.0.0").reads("orders");
    world.commit(&[orders("1.1.0"), sales.clone()]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.1.0", "orders prod 1.0.0", "sales dev 1.0.0"]);

    let head = world.commit(&[orders("1.0.0"), sales.clone()]);
    started.trip().await;
    let stand = started.stand().await;
    assert!(stand.contains(&"orders prod 1.1.0 superseded".to_owned()), "{stand:?}");
    assert_eq!(stand.iter().filter(|line| line.starts_with("orders prod 1.0.0")).count(), 1, "it runs already");
    // So it is when there is a newer one again, and for who begins anew.
    world.commit(&[orders("1.2.0"), sales]);
    started.trip().await;
    started.close().await;
    let started = world.start().await;
    started.settle().await;
    let stand = started.stand().await;
    assert!(stand.contains(&"sales prod 1.0.0 waiting".to_owned()), "{stand:?}");
    world.repository.git(&["reset", "--quiet", "--hard", head.as_str()]);
    started.trip().await;
    // What waited for the newer one reads from what runs.
    ask(&world, &started, &book, "ann", approve()).await;
    let running = ["orders dev 1.0.0", "orders prod 1.0.0", "sales dev 1.0.0", "sales prod 1.0.0"];
    assert_eq!(started.running().await, running);
    assert!(started.statuses(&head)["prod"].starts_with("success"), "{:?}", started.statuses(&head));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prod_waits_until_it_is_approved() {
    let (world, book) = gated(1);
    // Another product, whose prod reads from the one that waits.
    let head = world.commit(&[orders("1.0.0"), Descriptor::new("sales", "1.0.0").reads("orders")]);
    let started = world.start().await;
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "sales dev 1.0.0"]);
    assert_eq!(started.statuses(&head)["prod"], WAITS);
    assert_eq!(started.statuses(&head)["dev"], "success: 2 products running");
    // However often it is looked at, by this process or the next.
    started.close().await;
    let started = world.start().await;
    started.settle().await;
    assert_eq!(started.running().await.len(), 2);
    let unfinished = started.engine.unfinished_of(&source()).await.unwrap();
    assert_eq!((unfinished.going_on, unfinished.waiting_for_people), (0, 2));

    let answer = ask(&world, &started, &book, "ann", approve()).await;
    assert_eq!(answer, "done: the source: approved at 'prod' (1 of 1)");
    assert_eq!(started.running().await.len(), 4);
    assert_eq!(started.statuses(&head)["prod"], "success: 2 products running");
    let trail = started.store.audit_rows(99).await.unwrap();
    let approved = trail.iter().find(|row| row.kind == "rollout-approved").unwrap();
    assert_eq!(approved.detail["by"], "ann");
    assert_eq!(approved.detail["what"][0]["stage"], "prod");
    // What is done is done: there is nothing left to be approved.
    let answer = ask(&world, &started, &book, "bob", approve()).await;
    assert_eq!(answer, "refused: nothing of the source waits at 'prod'");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_are_two_people() {
    let (world, book) = gated(2);
    let head = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    let answer = ask(&world, &started, &book, "ann", approve()).await;
    assert_eq!(answer, "done: the source: approved at 'prod' (1 of 2)");
    assert!(started.statuses(&head)["prod"].starts_with("pending: waits for approval (1 of 2)"));
    // The same person under another spelling is the same person.
    let answer = ask(&world, &started, &book, "Ann", approve()).await;
    assert_eq!(answer, "refused: Ann has approved it already: another person has to");
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    ask(&world, &started, &book, "bob", approve()).await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "orders prod 1.0.0"]);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_for_what_was_approved_and_nothing_else() {
    let (world, book) = gated(1);
    let first = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.plan().await;
    // Approved before dev is through: it counts, and prod begins when dev has ended.
    let answer = ask(&world, &started, &book, "ann", approve()).await;
    assert!(answer.starts_with("done"), "{answer}");
    assert_eq!(started.running().await, ["orders dev 1.0.0", "orders prod 1.0.0"]);

    // The next commit is another plan.
    let second = world.commit(&[orders("1.1.0")]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.1.0", "orders prod 1.0.0"]);
    assert_eq!(started.statuses(&second)["prod"], WAITS);
    // And so is the one after it, which takes its place: what was approved is never rolled out.
    let third = world.commit(&[orders("1.2.0")]);
    let plan = started.plan().await;
    let older = Digest::of(b"another plan");
    let answer = ask_about(&world, &started, &book, "ann", approve(), Some(older)).await;
    assert!(answer.starts_with("refused: nothing of the plan"), "{answer}");
    started.settle().await;
    assert_eq!(started.statuses(&second)["prod"], "success: 0 products running, 1 superseded by a later commit");
    assert_eq!(started.statuses(&third)["prod"], WAITS);
    let answer = ask_about(&world, &started, &book, "ann", approve(), Some(plan.digest)).await;
    assert!(answer.starts_with("done"), "{answer}");
    assert_eq!(started.running().await, ["orders dev 1.2.0", "orders prod 1.2.0"]);
    assert!(!world.done().iter().any(|what| what == "orders prod deploy 1.1.0"));
    assert!(started.statuses(&first)["prod"].starts_with("success"));
    started.close().await;
}

/// Policies whose digest can be set; they allow everything.
struct Changing(Mutex<Digest>);

#[async_trait]
impl Judge for Changing {
    fn policies(&self) -> Digest {
        self.0.lock().unwrap().clone()
    }

    async fn reload(&self) -> Result<Digest, PolicyLoadError> {
        Ok(self.policies())
    }

    async fn judge(&self, questions: Vec<Question>) -> Vec<Verdict> {
        questions.iter().map(|_| Verdict { policies: self.policies(), violations: Vec::new() }).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_policies_void_what_was_approved_under_the_old_ones() {
    let (world, book) = gated(2);
    let head = world.commit(&[orders("1.0.0")]);
    let judge = Arc::new(Changing(Mutex::new(Digest::of(b"old"))));
    let started = world.start_with(Arc::clone(&judge) as Arc<dyn Judge>).await;
    started.trip().await;
    ask(&world, &started, &book, "ann", approve()).await;
    *judge.0.lock().unwrap() = Digest::of(b"new");
    // Nobody approves what was not looked at under the policies of now.
    let answer = ask(&world, &started, &book, "bob", approve()).await;
    assert!(answer.starts_with("refused: the policies have changed"), "{answer}");
    started.pass().await;
    started.settle().await;
    assert!(started.statuses(&head)["prod"].starts_with("pending: waits for approval (0 of 2)"));
    ask(&world, &started, &book, "bob", approve()).await;
    assert_eq!(started.running().await, ["orders dev 1.0.0"], "what ann approved was another thing");
    assert!(started.statuses(&head)["prod"].starts_with("pending: waits for approval (1 of 2)"));
    ask(&world, &started, &book, "ann", approve()).await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "orders prod 1.0.0"]);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_says_that_its_approvals_do_not_count_any_more() {
    let (world, book) = gated(2);
    let head = world.commit(&[orders("1.0.0")]);
    let judge = Arc::new(Changing(Mutex::new(Digest::of(b"old"))));
    let started = world.start_with(Arc::clone(&judge) as Arc<dyn Judge>).await;
    started.trip().await;
    ask(&world, &started, &book, "ann", approve()).await;
    assert!(started.statuses(&head)["prod"].starts_with("pending: waits for approval (1 of 2)"));
    *judge.0.lock().unwrap() = Digest::of(b"new");
    let (engine, stop) = (Arc::clone(&started.engine), started.stop.clone());
    let answering = tokio::spawn(async move { engine.answer_until(&stop).await });
    eventually("it is told", async || {
        started.engine.publish_due().await.unwrap();
        started.statuses(&head)["prod"].starts_with("pending: waits for approval (0 of 2)")
    })
    .await;
    started.stop.cancel();
    answering.await.unwrap();
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_rejected_says_by_whom_and_when_and_comes_back_when_it_is_wanted_again() {
    let (world, book) = gated(1);
    let head = world.commit(&[orders("1.0.0"), Descriptor::new("sales", "1.0.0").reads("orders").only_at("prod")]);
    let started = world.start().await;
    started.trip().await;
    let answer = ask(&world, &started, &book, "ann", reject()).await;
    assert_eq!(answer, "done: the source: 2 rollouts rejected at 'prod'");
    let told = started.statuses(&head)["prod"].clone();
    assert!(
        told.starts_with("failure: 2 of 2 not running: orders: rejected by ann (command line) at 2026-11-"),
        "{told}"
    );
    // Nothing repeats it by itself.
    assert!(ask(&world, &started, &book, "bob", approve()).await.starts_with("refused"));
    started.pass().await;
    started.settle().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);

    let answer = ask(&world, &started, &book, "bob", Action::Retry).await;
    assert_eq!(answer, "done: the source: 2 rollouts to be tried again");
    started.trip().await;
    assert_eq!(started.statuses(&head)["prod"], WAITS);
    ask(&world, &started, &book, "bob", approve()).await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "orders prod 1.0.0", "sales prod 1.0.0"]);
    assert_eq!(started.statuses(&head)["prod"], "success: 2 products running");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_tried_again_on_demand() {
    let (world, book) = gated(0);
    world.control("orders", "build", "echo no; exit 3");
    let head = world.commit(&[orders("1.0.0").only_at("dev"), Descriptor::new("stock", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.trip().await;
    assert!(started.statuses(&head)["dev"].starts_with("failure: 1 of 2 not running: orders: build: "));
    world.control("orders", "build", "");
    started.pass().await;
    started.settle().await;
    assert_eq!(started.running().await, ["stock dev 1.0.0"]);
    ask(&world, &started, &book, "ann", Action::Retry).await;
    let plan = started.trip().await;
    assert_eq!(plan.activities.len(), 1, "what runs is left alone");
    assert_eq!(started.running().await, ["orders dev 1.0.0", "stock dev 1.0.0"]);
    assert_eq!(started.statuses(&head)["dev"], "success: 2 products running");
    assert_eq!(ask(&world, &started, &book, "ann", Action::Retry).await, "refused: nothing of the source has failed");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_goes_on_when_it_is_let_go() {
    let (world, book) = gated(0);
    let started = world.start().await;
    world.commit(&[orders("1.0.0")]);
    started.trip().await;
    assert_eq!(ask(&world, &started, &book, "ann", Action::Hold).await, "done: the source: held");
    let head = world.commit(&[orders("1.1.0")]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "orders prod 1.0.0"]);
    let held = "pending: held by ann (command line): approve it, or run 'meshwright resume'";
    assert_eq!(started.statuses(&head)["dev"], held);
    // Who approves one plan does not let go the whole source.
    let answer = ask(&world, &started, &book, "bob", approve()).await;
    assert_eq!(answer, "refused: the source is held by ann (command line): run 'meshwright resume' first");
    assert_eq!(ask(&world, &started, &book, "bob", Action::Resume).await, "done: the source: goes on");
    assert_eq!(started.running().await, ["orders dev 1.1.0", "orders prod 1.1.0"]);
    assert_eq!(ask(&world, &started, &book, "bob", Action::Resume).await, "refused: nothing of the source is held");

    // One plan, and not the next one.
    let third = world.commit(&[orders("1.2.0")]);
    let plan = started.plan().await;
    ask_about(&world, &started, &book, "ann", Action::Hold, Some(plan.digest)).await;
    assert_eq!(started.statuses(&third)["prod"], held);
    world.commit(&[orders("1.3.0")]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.3.0", "orders prod 1.3.0"]);
    started.close().await;
}

/// The engine lets products that wait for each other begin; a gate is no such circle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_is_not_taken_for_a_circle() {
    let (world, book) = gated(1);
    world.commit(&[orders("1.0.0"), Descriptor::new("late", "1.0.0").reads("orders").only_at("prod")]);
    let started = world.start().await;
    started.trip().await;
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(3_600));
        started.settle().await;
    }
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    ask(&world, &started, &book, "ann", approve()).await;
    assert_eq!(started.running().await.len(), 3);
    started.close().await;
}

fn report(forge: &ModelForge, revision: &Revision, context: &str) -> Report {
    forge.of(revision.as_str(), context).unwrap_or_else(|| panic!("no {context}: {:#?}", forge.shown()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_forge_shows_a_button_while_it_waits_and_where_it_runs() {
    let (mut world, book) = gated(1);
    let forge = Arc::new(ModelForge::able());
    world.forges.insert(source(), Arc::clone(&forge) as Arc<dyn Forge>);
    let head = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.plan().await;
    started.engine.publish_due().await.unwrap();
    let stage = |stage: &str| deployment(&report(&forge, &head, &format!("deployment/{stage}")));
    assert_eq!((stage("dev"), stage("prod")), (Some("queued"), Some("queued")));
    let buttons = || match report(&forge, &head, "Meshwright prod").detail {
        Some(Detail::Check(check)) => check.actions.into_iter().map(|it| it.identifier).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(buttons(), ["approve"]);
    assert_eq!(forge.of(head.as_str(), "Meshwright dev"), None, "a stage without a gate has none");
    started.settle().await;
    assert_eq!((stage("dev"), stage("prod")), (Some("success"), Some("queued")));
    ask(&world, &started, &book, "ann", approve()).await;
    assert_eq!(stage("prod"), Some("success"));
    assert_eq!(buttons(), [""; 0]);
    assert_eq!(report(&forge, &head, "Meshwright prod").state.as_str(), "success");

    // A commit that is superseded while it waits.
    let second = world.commit(&[orders("1.1.0")]);
    started.trip().await;
    world.commit(&[orders("1.2.0")]);
    started.trip().await;
    let check = report(&forge, &second, "Meshwright prod");
    assert_eq!(check.description, "0 products running, 1 superseded by a later commit");
    assert_eq!(deployment(&report(&forge, &second, "deployment/prod")), Some("inactive"));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_says_what_it_waits_for() {
    let world = World::new();
    let fails = "if [ \"$MESHWRIGHT_VERSION\" = 1.1.0 ]; then exit 1; fi";
    world.control("orders", "deploy", fails);
    let first = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.plan().await;
    started.engine.publish_due().await.unwrap();
    assert_eq!(started.statuses(&first)["dev"], "pending: 0 of 1 rollout done");
    assert_eq!(started.statuses(&first)["prod"], "pending: waits for dev: 0 of 1 rollout done");
    started.settle().await;
    let second = world.commit(&[orders("1.1.0")]);
    started.trip().await;
    assert!(started.statuses(&second)["dev"].starts_with("failure: 1 of 1 not running: orders: deploy: "));
    assert!(started.statuses(&second)["prod"].starts_with("failure: 1 of 1 not running: orders: "));
    started.close().await;
}

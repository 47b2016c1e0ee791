//! A commit is pushed, a policy changes, a neighbour comes.

use std::time::{Duration, Instant};

use crate::support::world::Descriptor;

use super::{NEVER, Place};

fn orders(version: &str) -> Descriptor {
    Descriptor::new("orders", version).only_at("dev")
}

#[test]
fn the_examples_are_rolled_out_and_a_push_is_seen_at_once() {
    let place = Place::examples();
    let head = place.repository.head();
    let mut daemon = place.serve();
    let mut ready = false;
    daemon.until("it lives", || place.state().exists());
    while !ready {
        ready = daemon.is_ready();
        daemon.until("it answers", || true);
    }
    daemon.until("the first commit is green", || place.is_green(&head));
    assert_eq!(place.containers().len(), 12);
    assert_eq!(place.statuses(&head)["prod"], "success: 6 products running");

    // Polling would take an hour.
    let began = Instant::now();
    let path = place.repository.file("sales/dailySales/data-product-descriptor.yaml");
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace("version: 1.0.0\n  displayName", "version: 1.0.1\n  displayName");
    let head = place.repository.commit(&[("sales/dailySales/data-product-descriptor.yaml", &text)], "a patch");
    daemon.until("the push is green", || place.is_green(&head));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let moved: Vec<String> = place.containers().into_iter().filter(|line| line.contains(" 1.0.1 ")).collect();
    assert_eq!(moved.len(), 2);
    daemon.stop();
}

#[test]
fn changed_policies_are_asked_about_the_same_commit() {
    let place = Place::small();
    place.policies(NEVER);
    let head = place.commit(&[orders("1.0.0")]);
    let mut daemon = place.serve();
    daemon.until("it is green", || place.is_green(&head));
    place.policies("deny contains {\"msg\": \"no\"} if true");
    let policy = |state: &str| place.statuses(&head).get("policy").is_some_and(|status| status.starts_with(state));
    daemon.until("stricter policies refuse it", || policy("failure"));
    place.policies(NEVER);
    daemon.until("mended policies agree", || place.is_green(&head));
    daemon.stop();
}

#[test]
fn policies_that_loop_or_allocate_refuse_and_the_daemon_lives() {
    let place = Place::small();
    let endless = "count([1 | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000); \
                   some c in numbers.range(1, 3000); a + b + c == 0]) > 0";
    place.policies(&format!("deny contains {{\"msg\": \"x\"}} if {endless}"));
    let head = place.commit(&[orders("1.0.0")]);
    let mut daemon = place.serve();
    let policy = |state: &str| place.statuses(&head).get("policy").is_some_and(|status| status.starts_with(state));
    let finding = || place.ask("SELECT body FROM findings").concat();
    daemon.until("a policy that loops refuses", || policy("error") && finding().contains("timed out"));
    place.policies("deny contains {\"msg\": \"x\"} if count(numbers.range(1, 300000000)) > 0");
    daemon.until("a policy that allocates refuses", || policy("error") && finding().contains("out of memory"));
    assert!(place.containers().is_empty());
    assert!(daemon.is_ready());
    place.policies(NEVER);
    daemon.until("mended, it goes through", || place.is_green(&head));
    daemon.stop();
}

//! People decide on the command line: while a daemon runs, and while none does.

use std::process::Output;

use crate::support::world::Descriptor;

use super::Place;

fn gated() -> Place {
    let place = Place::small();
    let path = place.path("meshwright.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let gated = text.replace("after: [dev] }", "after: [dev], gate: { approvals: 1 } }");
    assert_ne!(text, gated);
    std::fs::write(path, gated).unwrap();
    place
}

fn run(place: &Place, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = place.command(arguments).env("USER", "ann").output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn without_a_daemon_the_one_who_asks_answers() {
    let place = gated();
    let (code, _, told) = run(&place, &["approve", "prod"]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("no record"), "{told}");
    let head = place.commit(&[Descriptor::new("orders", "1.0.0")]);
    let (code, shown, told) = run(&place, &["reconcile"]);
    assert_eq!(code, 0, "waiting for people is no failure: {told}");
    assert!(shown.contains("waits for approval (0 of 1)"), "{shown}");

    let (code, shown, told) = run(&place, &["approve", "prod"]);
    assert_eq!((code, shown.as_str()), (0, "retail: the source: approved at 'prod' (1 of 1)\n"), "{told}");
    let (code, _, told) = run(&place, &["approve", "prod"]);
    assert_eq!(code, 1);
    assert!(told.contains("nothing of the source waits for approval at 'prod'"), "{told}");
    let (code, shown, told) = run(&place, &["reconcile"]);
    assert_eq!(code, 0, "{shown}{told}");
    assert!(place.is_green(&head));
    let (_, events, _) = run(&place, &["get", "events", "-o", "json"]);
    assert!(events.contains("rollout-approved") && events.contains("\"ann\""), "{events}");
    let left: Vec<_> = std::fs::read_dir(place.path(".meshwright/inbox")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn while_a_daemon_runs_it_answers() {
    let place = gated();
    let head = place.commit(&[Descriptor::new("orders", "1.0.0")]);
    let mut daemon = place.serve();
    let waits = |place: &Place| {
        let prod = place.statuses(&head).remove("prod").unwrap_or_default();
        prod.starts_with("pending: waits for approval") && place.containers().len() == 1
    };
    daemon.until("prod waits", || waits(&place));
    let (code, shown, told) = run(&place, &["approve", "prod", "--source", "retail"]);
    assert_eq!((code, shown.as_str()), (0, "retail: the source: approved at 'prod' (1 of 1)\n"), "{told}");
    daemon.until("it is green", || place.is_green(&head));

    let (code, _, told) = run(&place, &["hold"]);
    assert_eq!(code, 0, "{told}");
    let next = place.commit(&[Descriptor::new("orders", "1.1.0")]);
    let held = |place: &Place| {
        place.statuses(&next).get("dev").is_some_and(|dev| dev.starts_with("pending: held by ann (command line)"))
    };
    daemon.until("the next commit is held", || held(&place));
    assert_eq!(run(&place, &["resume"]).0, 0);
    daemon.until("it goes on", || waits_at_gate(&place, &next));
    assert_eq!(run(&place, &["reject", "prod"]).0, 0);
    let rejected = |place: &Place| place.statuses(&next)["prod"].contains("rejected by ann (command line)");
    daemon.until("it is rejected", || rejected(&place));
    assert_eq!(run(&place, &["retry"]).0, 0);
    daemon.until("it is asked again", || waits_at_gate(&place, &next));
    assert_eq!(run(&place, &["approve", "prod"]).0, 0);
    daemon.until("it is green", || place.is_green(&next));
    let (code, _, told) = run(&place, &["retry"]);
    assert_eq!(code, 1);
    assert!(told.contains("nothing of the source has failed"), "{told}");
    daemon.stop();
}

fn waits_at_gate(place: &Place, revision: &meshwright::domain::id::Revision) -> bool {
    let statuses = place.statuses(revision);
    statuses.get("prod").is_some_and(|prod| prod.starts_with("pending: waits for approval"))
        && statuses.get("dev").is_some_and(|dev| dev.starts_with("success"))
}

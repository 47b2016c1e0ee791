//! Statuses, check runs, comments and deployments: shown once, whatever happens on the way.

use meshwright::domain::report::{Detail, ReportState};
use meshwright::port::forge::{Forge as _, ForgeError};
use serde_json::Value;

use super::setting::{MARK, Setting, check, comment, deployment, status};
use crate::support::github::{Hub, RepositoryHandle, Trouble};

fn installed(hub: &Hub) -> (RepositoryHandle<'_>, Setting) {
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]);
    let app = hub.app("Meshwright");
    app.install_on("acme");
    let setting = Setting::app(hub, app, &[retail]);
    (retail, setting)
}

/// The requests that wrote, as `POST /repos/…`, without those for tokens.
fn written(hub: &Hub) -> Vec<String> {
    let requests =
        hub.requests().into_iter().filter(|seen| seen.method != "GET" && !seen.path.ends_with("/access_tokens"));
    requests.map(|seen| format!("{} {}", seen.method, seen.path)).collect()
}

#[tokio::test]
async fn the_newest_status_is_what_is_wanted_and_a_lost_one_is_noticed() {
    let hub = Hub::start();
    let (retail, at) = installed(&hub);
    let head = retail.head("main");
    let pending = status("retail", &head, ReportState::Pending, "looking");
    let green = status("retail", &head, ReportState::Success, &"é".repeat(500));
    at.forge.publish(&pending, None).await.unwrap();
    assert!(at.forge.shows(&pending, None).await.unwrap());
    assert!(!at.forge.shows(&green, None).await.unwrap());
    at.forge.publish(&green, None).await.unwrap();
    at.forge.publish(&green, None).await.unwrap();
    assert!(at.forge.shows(&green, None).await.unwrap());
    assert_eq!(retail.state(&head, "meshwright/validate").as_deref(), Some("success"));
    assert!(retail.statuses(&head).iter().all(|shown| shown.creator == "meshwright[bot]"));
}

#[tokio::test]
async fn a_commit_that_nobody_knows_and_a_thousand_statuses_are_final() {
    let hub = Hub::start();
    let (retail, at) = installed(&hub);
    hub.allow_points(1_000_000);
    let unknown = status("retail", &"0".repeat(40), ReportState::Success, "fine");
    let error = at.forge.publish(&unknown, None).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Permanent(message) if message.contains("No commit found")), "{error}");
    let head = retail.head("main");
    let asker = crate::github::model::client::Asker::person(&hub, "acme");
    let body = serde_json::json!({ "state": "pending", "context": "meshwright/validate" });
    for _ in 0..1000 {
        assert_eq!(asker.post(&format!("/repos/acme/retail/statuses/{head}"), &body).await.status, 201);
    }
    let error = at.forge.publish(&status("retail", &head, ReportState::Success, "fine"), None).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Permanent(message) if message.contains("1,000 statuses")), "{error}");
}

#[tokio::test]
async fn a_hundred_and_twenty_annotations_come_in_three_requests_in_their_order() {
    let hub = Hub::start();
    let (retail, at) = installed(&hub);
    let head = retail.head("main");
    let report = check(&head, ReportState::Failure, 120);
    let id = at.forge.publish(&report, None).await.unwrap().unwrap();
    let run = format!("PATCH /repos/acme/retail/check-runs/{id}");
    assert_eq!(written(&hub), ["POST /repos/acme/retail/check-runs".to_owned(), run.clone(), run]);
    let shown = retail.check_run(&head, "Meshwright").unwrap();
    let lines: Vec<u64> =
        shown.annotations.iter().map(|annotation| annotation["start_line"].as_u64().unwrap()).collect();
    assert_eq!(lines, (1..=120).collect::<Vec<u64>>());
    assert_eq!((shown.status.as_str(), shown.conclusion.as_deref()), ("completed", Some("failure")));
    assert_eq!(shown.title.as_deref(), Some("2 products, 120 findings"));
    assert!(at.forge.shows(&report, Some(&id)).await.unwrap());

    // Once more, as after a crash before it was noted: nothing is doubled.
    assert_eq!(at.forge.publish(&report, None).await.unwrap().as_deref(), Some(id.as_str()));
    assert_eq!(at.forge.publish(&report, Some(&id)).await.unwrap().as_deref(), Some(id.as_str()));
    assert_eq!(retail.check_runs().len(), 1);
    assert_eq!(retail.check_run(&head, "Meshwright").unwrap().annotations.len(), 120);
}

#[tokio::test]
async fn what_was_cut_short_between_batches_is_continued_and_not_begun_again() {
    let hub = Hub::start();
    let (retail, at) = installed(&hub);
    let report = check(&retail.head("main"), ReportState::Failure, 120);
    hub.fail("POST /repos/acme/retail/check-runs", Trouble::Lost, 1);
    assert!(matches!(at.forge.publish(&report, None).await, Err(ForgeError::Transient(_))));
    hub.fail("PATCH /repos/acme/retail/check-runs/*", Trouble::Html(502), 1);
    assert!(matches!(at.forge.publish(&report, None).await, Err(ForgeError::Transient(_))));
    hub.fail("PATCH /repos/acme/retail/check-runs/*", Trouble::Lost, 1);
    assert!(matches!(at.forge.publish(&report, None).await, Err(ForgeError::Transient(_))));
    at.forge.publish(&report, None).await.unwrap();
    let runs = retail.check_runs();
    assert_eq!((runs.len(), runs[0].annotations.len()), (1, 120));
    let lines: Vec<&Value> = runs[0].annotations.iter().map(|annotation| &annotation["start_line"]).collect();
    assert!(lines.windows(2).all(|two| two[0].as_u64() < two[1].as_u64()));
}

#[tokio::test]
async fn what_can_no_longer_be_taken_back_is_shown_by_a_new_check_run() {
    let hub = Hub::start();
    let (retail, at) = installed(&hub);
    let head = retail.head("main");
    let first = at.forge.publish(&check(&head, ReportState::Failure, 3), None).await.unwrap();
    // A first look is under way again: what has ended does not go on.
    let again = at.forge.publish(&check(&head, ReportState::Pending, 0), first.as_deref()).await.unwrap();
    assert_ne!(first, again);
    let green = check(&head, ReportState::Success, 0);
    let last = at.forge.publish(&green, again.as_deref()).await.unwrap();
    assert_eq!(last, again, "an edit can show it");
    let newest = retail.check_runs().into_iter().max_by_key(|run| run.id).unwrap();
    assert_eq!((newest.conclusion.as_deref(), newest.annotations.len()), (Some("success"), 0));
    assert!(at.forge.shows(&green, last.as_deref()).await.unwrap());
    // Found without its id, it is the newest that counts.
    assert!(at.forge.shows(&green, None).await.unwrap());
}

#[tokio::test]
async fn a_gate_has_a_button_and_does_not_pass() {
    let hub = Hub::start();
    let (retail, at) = installed(&hub);
    let head = retail.head("main");
    let mut report = check(&head, ReportState::Pending, 0);
    let Some(Detail::Check(gate)) = &mut report.detail else { panic!("a check") };
    gate.actions.push(meshwright::domain::report::CheckAction {
        label: "Approve".to_owned(),
        description: "Lets prod begin".to_owned(),
        identifier: "approve".to_owned(),
    });
    at.forge.publish(&report, None).await.unwrap();
    let shown = retail.check_run(&head, "Meshwright").unwrap();
    assert_eq!((shown.conclusion.as_deref(), shown.actions.len()), (Some("action_required"), 1));
}

#[tokio::test]
async fn a_check_run_of_another_app_with_our_mark_is_not_ours() {
    let hub = Hub::start();
    let (retail, at) = installed(&hub);
    let head = retail.head("main");
    let other = hub.app("Other");
    let theirs = other.install_on("acme");
    let asker = crate::github::model::client::Asker::installation(&hub, other, theirs).await;
    let body =
        serde_json::json!({ "name": "Meshwright", "head_sha": head, "external_id": "meshwright:retail:Meshwright" });
    assert_eq!(asker.post("/repos/acme/retail/check-runs", &body).await.status, 201);
    let report = check(&head, ReportState::Success, 0);
    assert!(!at.forge.shows(&report, None).await.unwrap());
    at.forge.publish(&report, None).await.unwrap();
    assert_eq!(retail.check_runs().len(), 2);
    assert!(retail.check_runs().iter().any(|run| run.app == other.id && run.conclusion.is_none()));
}

#[tokio::test]
async fn the_one_comment_is_found_among_many_and_spoofed_ones_are_left_alone() {
    let hub = Hub::start();
    let (retail, at) = installed(&hub);
    let pull = retail.open_pull_request("better", &[("README.md", "Hello, all")]);
    for number in 0..110 {
        pull.comment("mallory", &format!("{MARK}\nspoofed {number}"));
    }
    let id = at.forge.publish(&comment(&pull.head(), pull.number, "first"), None).await.unwrap().unwrap();
    for number in 0..30 {
        pull.comment("mallory", &format!("{MARK}\nspoofed again {number}"));
    }
    let second = comment(&pull.head(), pull.number, "second");
    // Its id is forgotten, and then it is known.
    assert_eq!(at.forge.publish(&second, None).await.unwrap().as_deref(), Some(id.as_str()));
    let third = comment(&pull.head(), pull.number, "third");
    assert_eq!(at.forge.publish(&third, Some(&id)).await.unwrap().as_deref(), Some(id.as_str()));
    assert!(at.forge.shows(&third, Some(&id)).await.unwrap() && at.forge.shows(&third, None).await.unwrap());
    let ours = pull.comments_by("meshwright[bot]");
    assert_eq!((ours.len(), ours[0].body.as_str()), (1, format!("{MARK}\nthird").as_str()));
    assert!(pull.comments_by("mallory").iter().all(|comment| comment.body.contains("spoofed")));

    // Somebody edits ours, and then removes it.
    pull.edit_comment(ours[0].id, "ada", "nothing to see here");
    assert!(!at.forge.shows(&third, Some(&id)).await.unwrap());
    at.forge.publish(&third, Some(&id)).await.unwrap();
    assert!(at.forge.shows(&third, Some(&id)).await.unwrap());
    pull.delete_comment(ours[0].id);
    assert!(!at.forge.shows(&third, Some(&id)).await.unwrap());
    let anew = at.forge.publish(&third, Some(&id)).await.unwrap();
    assert_ne!(anew.as_deref(), Some(id.as_str()));
    assert_eq!(pull.comments_by("meshwright[bot]").len(), 1);
}

#[tokio::test]
async fn a_comment_whose_answer_was_lost_is_not_written_twice() {
    let hub = Hub::start();
    let (retail, at) = installed(&hub);
    let pull = retail.open_pull_request("better", &[("README.md", "Hello, all")]);
    let report = comment(&pull.head(), pull.number, "words");
    hub.fail("POST /repos/acme/retail/issues/*/comments", Trouble::CutOff, 1);
    assert!(matches!(at.forge.publish(&report, None).await, Err(ForgeError::Transient(_))));
    at.forge.publish(&report, None).await.unwrap();
    assert_eq!(pull.comments_by("meshwright[bot]").len(), 1);
}

#[tokio::test]
async fn a_deployment_tells_how_it_goes_and_is_made_once() {
    let hub = Hub::start();
    let (retail, at) = installed(&hub);
    let head = retail.head("main");
    let id = at.forge.publish(&deployment(&head, ReportState::Pending), None).await.unwrap();
    let done = deployment(&head, ReportState::Success);
    assert!(!at.forge.shows(&done, id.as_deref()).await.unwrap());
    assert_eq!(at.forge.publish(&done, None).await.unwrap(), id, "found again without its id");
    assert_eq!(at.forge.publish(&done, id.as_deref()).await.unwrap(), id);
    assert!(at.forge.shows(&done, id.as_deref()).await.unwrap());
    let deployments = retail.deployments();
    let states: Vec<&str> = deployments[0].statuses.iter().map(|status| status.state.as_str()).collect();
    assert_eq!((deployments.len(), deployments[0].environment.as_str()), (1, "dev"));
    assert_eq!(states.iter().filter(|state| **state == "success").count(), 1, "{states:?}");
    assert!(states.contains(&"in_progress"), "{states:?}");

    // The next commit's deployment makes this one inactive, which is no loss.
    let next = retail.push("main", &[("README.md", "Hello again")]);
    at.forge.publish(&deployment(&next, ReportState::Success), None).await.unwrap();
    assert!(at.forge.shows(&done, id.as_deref()).await.unwrap());
    assert!(at.forge.abilities().deployments);
}

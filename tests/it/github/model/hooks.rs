//! Deliveries: signed as GitHub signs them, recorded with what became of them, sent once more on demand.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::client::Asker;
use crate::support::github::{Hub, Merge};

type Received = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// Somebody who takes deliveries, and answers with this code.
async fn receiver(code: u16) -> (String, Received) {
    let received = Received::default();
    let kept = Arc::clone(&received);
    let take = move |headers: HeaderMap, body: Bytes| async move {
        kept.lock().unwrap().push((headers, body));
        StatusCode::from_u16(code).unwrap()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks/github", listener.local_addr().unwrap());
    let router = Router::new().route("/webhooks/github", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, received)
}

fn events(hub: &Hub) -> Vec<String> {
    let name = |delivery: crate::support::github::Delivery| match delivery.action {
        Some(action) => format!("{}.{action}", delivery.event),
        None => delivery.event,
    };
    hub.deliveries().into_iter().map(name).collect()
}

#[tokio::test]
async fn deliveries_are_signed_and_recorded() {
    let hub = Hub::start();
    let (url, received) = receiver(202).await;
    let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    let app = hub.app("Meshwright").hook(&url, "s3cret");
    app.ping();
    let installation = app.install_on("acme");
    retail.push("main", &[("a.txt", "two\n")]);
    hub.until_sent().await;
    assert_eq!(events(&hub), ["ping", "installation.created", "push", "check_suite.requested"]);
    let received = received.lock().unwrap();
    let (headers, body) = &received[2];
    let header = |name: &str| headers.get(name).unwrap().to_str().unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(body);
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(header("x-hub-signature-256"), format!("sha256={digest}"));
    assert_eq!((header("x-github-event"), header("content-type")), ("push", "application/json"));
    let payload: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(payload["after"], retail.head("main"));
    assert_eq!(payload["installation"]["id"], installation);
    assert_eq!(payload["commits"][0]["modified"], json!(["a.txt"]));
    let sent = hub.deliveries();
    assert!(sent.iter().all(|delivery| delivery.status == Some(202)), "{}", hub.story_so_far());
    assert_eq!(header("x-github-delivery"), sent[2].guid);
}

#[tokio::test]
async fn lost_deliveries_are_found_and_sent_again_under_the_same_id() {
    let hub = Hub::start();
    let (url, received) = receiver(202).await;
    let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    let app = hub.app("Meshwright").hook(&url, "s3cret");
    app.install_on("acme");
    hub.until_sent().await;
    hub.lose_deliveries(true);
    retail.push("main", &[("a.txt", "two\n")]);
    hub.lose_deliveries(false);
    let asker = Asker::app(&hub, app);
    let failed = asker.get("/app/hook/deliveries?status=failure&per_page=1").await;
    assert_eq!(failed.json()[0]["event"], "check_suite");
    let next = failed.header("link");
    let next = next.trim_start_matches('<').split('>').next().unwrap();
    let push = asker.get(next).await.json()[0].clone();
    assert_eq!((push["event"].as_str(), push["status_code"].as_u64()), (Some("push"), Some(0)));
    let whole = asker.get(&format!("/app/hook/deliveries/{}", push["id"])).await.json();
    assert_eq!(whole["request"]["payload"]["after"], retail.head("main"));
    let again = asker.post(&format!("/app/hook/deliveries/{}/attempts", push["id"]), &json!(null)).await;
    assert_eq!(again.status, 202);
    hub.until_sent().await;
    let received = received.lock().unwrap();
    let (headers, _) = received.last().unwrap();
    assert_eq!(headers.get("x-github-delivery").unwrap().to_str().unwrap(), push["guid"].as_str().unwrap());
    assert!(hub.deliveries().last().unwrap().is_redelivery);
}

#[tokio::test]
async fn all_that_happens_is_told() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    let hook = retail.webhook("http://127.0.0.1:1/webhooks/github", "other");
    let app = hub.app("Meshwright");
    let bot = Asker::installation(&hub, app, app.install_on("acme")).await;
    let pull = retail.open_pull_request("better", &[("b.txt", "two\n")]);
    pull.push(&[("b.txt", "three\n")]);
    let comment = pull.comment("alice", "words");
    pull.edit_comment(comment, "alice", "other words");
    let group = pull.enqueue();
    let head = group.head.clone();
    assert_eq!(group.merge(), head);
    assert!(pull.is_merged());
    assert_eq!(retail.head("main"), head);
    retail.delete_branch("better");
    let told = events(&hub);
    let expected = [
        "push",
        "create",
        "pull_request.opened",
        "push",
        "pull_request.synchronize",
        "issue_comment.created",
        "issue_comment.edited",
        "push",
        "create",
        "merge_group.checks_requested",
        "pull_request.closed",
        "push",
        "merge_group.destroyed",
        "push",
        "delete",
        "push",
        "delete",
    ];
    assert_eq!(told, expected);
    hub.until_sent().await;
    assert!(hub.deliveries().iter().all(|delivery| delivery.status == Some(0)), "nobody listens there");
    // Buttons are told to the App whose they are, and to nobody else.
    let before = hub.deliveries().len();
    let run = json!({ "name": "Meshwright prod", "head_sha": head, "status": "in_progress", "actions": [
        { "label": "Approve", "description": "Roll out to prod", "identifier": "approve" },
    ] });
    assert_eq!(bot.post("/repos/acme/retail/check-runs", &run).await.status, 201);
    app.hook("http://127.0.0.1:1/webhooks/github", "s3cret");
    let run = retail.check_run(&head, "Meshwright prod").unwrap();
    retail.press(&run, "approve", "alice");
    retail.rerun(&run, "alice");
    assert_eq!(events(&hub)[before..], ["check_run.requested_action", "check_run.rerequested"]);
    let owner = Asker::person(&hub, "acme");
    let listed = owner.get(&format!("/repos/acme/retail/hooks/{hook}/deliveries?per_page=3")).await.json();
    assert_eq!(listed.as_array().unwrap().len(), 3);
    let first = listed[0]["id"].as_u64().unwrap();
    hub.redeliver(first);
    hub.until_sent().await;
}

#[tokio::test]
async fn a_merge_that_needs_no_queue_is_told_too() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    retail.webhook("http://127.0.0.1:1/", "other");
    let pull = retail.open_pull_request("better", &[("b.txt", "two\n")]);
    let before = pull.head();
    retail.push("other", &[("c.txt", "x\n")]);
    pull.force_push(&retail.head("other"));
    let group = pull.enqueue();
    group.leave();
    pull.merge(Merge::Squash);
    let told = events(&hub);
    assert!(told.ends_with(&["pull_request.closed".to_owned(), "push".to_owned()]), "{told:?}");
    let forced = hub.deliveries().into_iter().find(|delivery| delivery.payload["before"] == before).unwrap();
    assert_eq!(forced.payload["forced"], true);
    hub.until_sent().await;
}

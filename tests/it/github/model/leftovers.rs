//! Faults happen when they were asked for and as often; what is left over is a failure.

use std::time::Duration;

use serde_json::json;

use super::client::Asker;
use crate::support::github::{Hub, Trouble};

#[tokio::test]
async fn faults_happen_as_often_as_asked_for() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    let asker = Asker::person(&hub, "acme");
    let head = retail.head("main");
    let path = format!("/repos/acme/retail/statuses/{head}");
    let write = || asker.ask("POST", &path, Some(&STATUS), &[]);
    hub.fail("POST /repos/acme/retail/statuses/*", Trouble::Html(502), 2);
    hub.fail("POST /repos/acme/retail/statuses/*", Trouble::Status(500), 1);
    hub.fail("POST /repos/acme/retail/statuses/*", Trouble::Secondary(7), 1);
    hub.fail("POST /repos/acme/retail/statuses/*", Trouble::SecondaryBare, 1);
    hub.fail("POST /repos/acme/retail/statuses/*", Trouble::Refused, 1);
    let mut codes = Vec::new();
    for _ in 0..6 {
        codes.push(write().await.map_or(0, |got| got.status));
    }
    assert_eq!(codes, [502, 502, 500, 403, 429, 0]);
    assert!(retail.statuses(&head).is_empty());
    hub.fail("POST *", Trouble::Lost, 1);
    hub.fail("POST *", Trouble::CutOff, 1);
    assert!(write().await.is_err());
    assert!(write().await.is_err());
    assert_eq!(retail.statuses(&head).len(), 2, "both were carried out");
    hub.fail("GET /repos/*", Trouble::HtmlInstead, 1);
    assert_eq!(asker.get("/repos/acme/retail").await.header("content-type"), "text/html; charset=utf-8");
    hub.fail("GET /repos/*", Trouble::Hang, 1);
    let hanging = tokio::time::timeout(Duration::from_millis(200), asker.get("/repos/acme/retail")).await;
    assert!(hanging.is_err());
    assert_eq!(write().await.unwrap().status, 201);
    assert_eq!(hub.requests().len(), 11);
}

static STATUS: std::sync::LazyLock<serde_json::Value> =
    std::sync::LazyLock::new(|| json!({ "state": "pending", "context": "meshwright/plan" }));

#[tokio::test]
async fn faults_that_nobody_met_are_left_over() {
    let hub = Hub::start();
    hub.fail("GET /nowhere", Trouble::Status(404), 3);
    let leftovers = hub.take_leftovers();
    assert_eq!(leftovers, ["3 of 'GET /nowhere' were not met by Status(404)"]);
    hub.fail("GET /nowhere", Trouble::Hang, 1);
    hub.recover();
}

#[tokio::test]
async fn requests_that_the_model_does_not_know_are_left_over() {
    let hub = Hub::start();
    hub.repository("acme/retail");
    let got = Asker::nobody(&hub).get("/repos/acme/retail/traffic/views").await;
    assert_eq!(got.status, 404);
    let leftovers = hub.take_leftovers();
    assert_eq!(leftovers, ["GET /repos/acme/retail/traffic/views: the model knows no such request"]);
}

#[test]
fn what_is_left_over_fails_the_test() {
    let hub = Hub::start();
    hub.fail("GET /nowhere", Trouble::Status(404), 1);
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(hub)));
    let why = ended.expect_err("it must not pass");
    assert!(why.downcast_ref::<String>().unwrap().contains("GET /nowhere"));
}

#[tokio::test]
async fn the_story_so_far_names_requests_and_deliveries() {
    let hub = Hub::start();
    hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    Asker::nobody(&hub).get("/repos/acme/retail").await;
    assert!(hub.story_so_far().contains("200 GET /repos/acme/retail by nobody"), "{}", hub.story_so_far());
}

//! Limits, and how not to run into them.

use std::time::Duration;

use serde_json::json;

use super::client::Asker;
use crate::support::github::Hub;

#[tokio::test]
async fn an_hour_has_so_many_requests() {
    let hub = Hub::start();
    hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    let asker = Asker::person(&hub, "bob");
    hub.leave_requests("bob", 2);
    let first = asker.get("/repos/acme/retail").await;
    assert_eq!((first.header("x-ratelimit-remaining"), first.header("x-ratelimit-limit")), ("1".into(), "5000".into()));
    assert_eq!(asker.get("/repos/acme/retail").await.status, 200);
    let refused = asker.get("/repos/acme/retail").await;
    assert_eq!((refused.status, refused.header("x-ratelimit-remaining")), (403, "0".to_owned()));
    let reset: i64 = refused.header("x-ratelimit-reset").parse().unwrap();
    assert!((0..=3600).contains(&(reset - hub.now().as_second())), "{reset}");
    assert_eq!(asker.get("/rate_limit").await.json()["resources"]["core"]["remaining"], 0);
    hub.advance(Duration::from_secs(3601));
    assert_eq!(asker.get("/repos/acme/retail").await.status, 200);
}

#[tokio::test]
async fn what_has_not_changed_costs_nothing() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    let pull = retail.open_pull_request("better", &[("a.txt", "two\n")]);
    let asker = Asker::person(&hub, "bob");
    let first = asker.get("/repos/acme/retail/pulls/1").await;
    let tag = first.header("etag");
    let again = |tag: String| {
        let asker = asker.clone();
        async move { asker.ask("GET", "/repos/acme/retail/pulls/1", None, &[("if-none-match", &tag)]).await.unwrap() }
    };
    let same = again(tag.clone()).await;
    assert_eq!((same.status, same.text.as_str()), (304, ""));
    assert_eq!(same.header("x-ratelimit-remaining"), first.header("x-ratelimit-remaining"));
    pull.title("Another title");
    assert_eq!(again(tag).await.status, 200);
}

#[tokio::test]
async fn too_much_at_once_is_refused_for_a_while() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    retail.open_pull_request("better", &[("a.txt", "two\n")]);
    hub.allow_made(2, 3);
    let asker = Asker::person(&hub, "bob");
    let say = || async { asker.post("/repos/acme/retail/issues/1/comments", &json!({ "body": "words" })).await };
    assert_eq!((say().await.status, say().await.status), (201, 201));
    let refused = say().await;
    assert_eq!((refused.status, refused.header("retry-after")), (403, "60".to_owned()));
    assert!(refused.text.contains("secondary rate limit"), "{}", refused.text);
    assert_eq!(asker.get("/repos/acme/retail/issues/1/comments").await.json().as_array().unwrap().len(), 2);
    hub.advance(Duration::from_secs(3601));
    assert_eq!(say().await.status, 201);
}

#[tokio::test]
async fn reading_costs_one_point_and_writing_five() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    let path = format!("/repos/acme/retail/statuses/{}", retail.head("main"));
    hub.allow_points(7);
    let asker = Asker::person(&hub, "acme");
    let mut codes = Vec::new();
    for _ in 0..2 {
        codes.push(asker.get("/repos/acme/retail").await.status);
        codes.push(asker.post(&path, &json!({ "state": "pending" })).await.status);
    }
    assert_eq!(codes, [200, 201, 200, 403]);
    hub.advance(Duration::from_secs(60));
    assert_eq!(asker.post(&path, &json!({ "state": "pending" })).await.status, 201);
}

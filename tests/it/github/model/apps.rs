//! Apps: their tokens, their installations, and what they may.

use std::time::Duration;

use serde_json::json;

use super::client::{Asker, jwt, signed};
use crate::support::github::{Hub, Seen};
use crate::support::npm;

#[tokio::test]
async fn an_app_proves_who_it_is_for_ten_minutes_at_most() {
    let hub = Hub::start();
    let app = hub.app("Meshwright");
    let with = |issued, ends| Asker::with_token(&hub, &jwt(&hub, app, issued, ends));
    assert_eq!(with(-60, 540).get("/app").await.json()["slug"], "meshwright");
    for (issued, ends, why) in [(0, 700, "too far in the future"), (-700, -10, "('exp')"), (90, 500, "('iat')")] {
        let got = with(issued, ends).get("/app").await;
        assert_eq!(got.status, 401);
        assert!(got.text.contains(why), "{}", got.text);
    }
    let by_client_id = signed(&hub, app, &app.client_id(), 0, 60);
    assert_eq!(Asker::with_token(&hub, &by_client_id).get("/app").await.json()["id"], app.id);
    let other = hub.app("Other");
    let forged = jwt(&hub, other, 0, 60);
    let (head, signature) = forged.rsplit_once('.').unwrap();
    let (_, own) =
        jwt(&hub, app, 0, 60).rsplit_once('.').map(|(head, tail)| (head.to_owned(), tail.to_owned())).unwrap();
    assert_eq!(Asker::with_token(&hub, &format!("{head}.{signature}")).get("/app").await.json()["slug"], "other");
    let got = Asker::with_token(&hub, &format!("{head}.{own}")).get("/app").await;
    assert_eq!(got.status, 401, "{}", got.text);
}

#[tokio::test]
async fn a_clock_that_is_ahead_is_told_so() {
    let hub = Hub::start();
    let app = hub.app("Meshwright");
    let token = jwt(&hub, app, 0, 300);
    hub.turn_back(Duration::from_secs(90));
    let got = Asker::with_token(&hub, &token).get("/app").await;
    assert_eq!(got.status, 401);
    assert!(got.text.contains("'Issued at'"), "{}", got.text);
}

#[tokio::test]
async fn an_installation_token_ends_after_an_hour() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").private().with_files(&[("README.md", "Hello")]);
    let app = hub.app("Meshwright");
    let installation = app.install_on("acme");
    let got = Asker::app(&hub, app).get("/repos/acme/retail/installation").await;
    assert_eq!(got.json()["id"], installation);
    let asker = Asker::installation(&hub, app, installation).await;
    assert_eq!(asker.get("/repos/acme/retail").await.json()["full_name"], retail.full_name());
    assert_eq!(asker.get("/installation/repositories").await.json()["total_count"], 1);
    hub.advance(Duration::from_secs(3601));
    assert_eq!(asker.get("/repos/acme/retail").await.status, 401);
}

#[tokio::test]
async fn installations_see_what_they_were_given() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").private().with_files(&[("a", "b")]);
    hub.repository("acme/secret").private().with_files(&[("a", "b")]);
    let app = hub.app("Meshwright");
    let installation = app.install_for("acme", &[retail.id]);
    let asker = Asker::installation(&hub, app, installation).await;
    assert_eq!(asker.get("/repos/acme/retail").await.status, 200);
    assert_eq!(asker.get("/repos/acme/secret").await.status, 404);
    let path = format!("/repos/acme/retail/statuses/{}", retail.head("main"));
    assert_eq!(asker.post(&path, &json!({ "state": "pending" })).await.status, 201);
    app.grant(installation, "statuses", "none");
    let got = asker.post(&path, &json!({ "state": "pending" })).await;
    assert_eq!((got.status, got.json()["message"].as_str()), (403, Some("Resource not accessible by integration")));
    app.suspend(installation, true);
    assert_eq!(asker.get("/repos/acme/retail").await.status, 403);
    app.suspend(installation, false);
    app.uninstall(installation);
    assert_eq!(asker.get("/repos/acme/retail").await.status, 401);
    assert_eq!(Asker::app(&hub, app).get("/repos/acme/retail/installation").await.status, 404);
}

#[tokio::test]
async fn a_manifest_becomes_an_app_once() {
    let hub = Hub::start();
    let code = hub.submit_manifest(&json!({
        "name": "Mesh of Acme", "url": "https://meshwright.example.com", "default_events": ["push"],
        "default_permissions": { "checks": "write", "contents": "read" }, "hook_attributes": { "url": "http://127.0.0.1:1/webhooks/github" },
    }));
    let asker = Asker::nobody(&hub);
    let path = format!("/app-manifests/{code}/conversions");
    let got = asker.post(&path, &json!(null)).await;
    assert_eq!((got.status, got.json()["slug"].as_str()), (201, Some("mesh-of-acme")), "{}", got.text);
    assert!(got.json()["pem"].as_str().unwrap().starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    assert_eq!(asker.post(&path, &json!(null)).await.status, 404);
}

#[tokio::test]
async fn an_installation_has_the_permissions_that_the_app_had() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("a", "b")]);
    let app = hub.app("Reader").permission("statuses", "read").permission("checks", "none");
    let asker = Asker::installation(&hub, app, app.install_on("acme")).await;
    let head = retail.head("main");
    let body = json!({ "state": "pending" });
    assert_eq!(asker.post(&format!("/repos/acme/retail/statuses/{head}?a=b"), &body).await.status, 403);
    let run = json!({ "name": "Meshwright", "head_sha": head });
    assert_eq!(asker.post("/repos/acme/retail/check-runs", &run).await.status, 403);
    let refused: Vec<Seen> = hub.requests().into_iter().filter(|seen| seen.status == 403).collect();
    assert_eq!((refused[0].query.as_str(), &refused[0].body), ("a=b", &body));
    assert!(hub.take_leftovers().concat().contains("the query has 'a'") || npm::package("@octokit/openapi").is_none());
}

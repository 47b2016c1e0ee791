//! What commits show: statuses, check runs, deployments.

use serde_json::{Value, json};

use super::client::Asker;
use crate::support::github::{Hub, RepositoryHandle};

async fn installed(hub: &Hub) -> (RepositoryHandle<'_>, Asker) {
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]);
    let app = hub.app("Meshwright");
    let installation = app.install_on("acme");
    (retail, Asker::installation(hub, app, installation).await)
}

#[tokio::test]
async fn the_newest_status_of_a_context_is_shown() {
    let hub = Hub::start();
    let (retail, asker) = installed(&hub).await;
    let head = retail.head("main");
    for (context, state) in
        [("meshwright/plan", "pending"), ("meshwright/dev", "success"), ("meshwright/plan", "failure")]
    {
        let body = json!({ "state": state, "context": context, "description": "words" });
        assert_eq!(asker.post(&format!("/repos/acme/retail/statuses/{head}"), &body).await.status, 201);
    }
    assert_eq!(retail.state(&head, "meshwright/plan").as_deref(), Some("failure"));
    assert_eq!(retail.statuses(&head).len(), 3);
    let combined = asker.get("/repos/acme/retail/commits/main/status").await.json();
    assert_eq!((combined["state"].as_str(), combined["total_count"].as_u64()), (Some("failure"), Some(2)));
    let all = asker.get(&format!("/repos/acme/retail/commits/{head}/statuses")).await.json();
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert_eq!(all[0]["creator"]["login"], "meshwright[bot]");
}

#[tokio::test]
async fn a_commit_and_context_take_a_thousand_statuses() {
    let hub = Hub::start();
    let (retail, asker) = installed(&hub).await;
    let head = retail.head("main");
    retail.with_statuses(&head, "meshwright/dev", 999);
    let path = format!("/repos/acme/retail/statuses/{head}");
    let status = |context: &str| json!({ "state": "pending", "context": context });
    assert_eq!(asker.post(&path, &status("meshwright/dev")).await.status, 201);
    assert_eq!(asker.post(&path, &status("meshwright/dev")).await.status, 422);
    assert_eq!(asker.post(&path, &status("meshwright/prod")).await.status, 201);
}

#[tokio::test]
async fn statuses_have_short_descriptions_and_known_commits() {
    let hub = Hub::start();
    let (retail, asker) = installed(&hub).await;
    let body = |length| json!({ "state": "error", "description": "é".repeat(length) });
    let path = format!("/repos/acme/retail/statuses/{}", retail.head("main"));
    assert_eq!(asker.post(&path, &body(140)).await.status, 201);
    assert_eq!(asker.post(&path, &body(141)).await.status, 422);
    assert_eq!(hub.take_leftovers(), [format!("POST {path}: /description has 141 characters, and 140 are allowed")]);
    let unknown = format!("/repos/acme/retail/statuses/{}", "0".repeat(40));
    assert_eq!(asker.post(&unknown, &body(1)).await.status, 422);
}

fn annotations(count: usize) -> Value {
    (1..=count)
        .map(|line| {
            json!({ "path": "a.yaml", "start_line": line, "end_line": line, "annotation_level": "failure", "message": "no" })
        })
        .collect()
}

fn run(head: &str, annotations: &Value) -> Value {
    json!({
        "name": "Meshwright", "head_sha": head, "status": "completed", "conclusion": "failure",
        "output": { "title": "2 findings", "summary": "**no**", "annotations": annotations },
        "actions": [{ "label": "Approve", "description": "Roll out to prod", "identifier": "approve" }],
    })
}

#[tokio::test]
async fn a_request_brings_fifty_annotations_and_the_rest_follows() {
    let hub = Hub::start();
    let (retail, asker) = installed(&hub).await;
    let head = retail.head("main");
    assert_eq!(asker.post("/repos/acme/retail/check-runs", &run(&head, &annotations(51))).await.status, 422);
    assert!(hub.take_leftovers()[0].contains("51 annotations"));
    assert!(retail.check_runs().is_empty());
    let made = asker.post("/repos/acme/retail/check-runs", &run(&head, &annotations(50))).await.json();
    let path = format!("/repos/acme/retail/check-runs/{}", made["id"]);
    let more = json!({ "output": { "title": "2 findings", "summary": "**no**", "annotations": annotations(7) } });
    assert_eq!(asker.patch(&path, &more).await.json()["output"]["annotations_count"], 57);
    let page = asker.get(&format!("{path}/annotations?per_page=50&page=2")).await;
    assert_eq!(page.json().as_array().unwrap().len(), 7);
    assert_eq!(retail.check_run(&head, "Meshwright").unwrap().annotations.len(), 57);
    let listed = asker.get(&format!("/repos/acme/retail/commits/{head}/check-runs?check_name=Meshwright")).await.json();
    assert_eq!(listed["total_count"], 1);
}

#[tokio::test]
async fn only_apps_write_check_runs() {
    let hub = Hub::start();
    let (retail, _) = installed(&hub).await;
    let body = run(&retail.head("main"), &annotations(1));
    let got = Asker::person(&hub, "acme").post("/repos/acme/retail/check-runs", &body).await;
    assert_eq!((got.status, got.json()["message"].as_str()), (403, Some("You must authenticate via a GitHub App.")));
    assert_eq!(Asker::nobody(&hub).post("/repos/acme/retail/check-runs", &body).await.status, 401);
}

#[tokio::test]
async fn a_later_deployment_makes_the_earlier_one_inactive() {
    let hub = Hub::start();
    let (retail, asker) = installed(&hub).await;
    let mut made = Vec::new();
    for _ in 0..2 {
        let body =
            json!({ "ref": retail.head("main"), "environment": "dev", "auto_merge": false, "required_contexts": [] });
        let got = asker.post("/repos/acme/retail/deployments", &body).await;
        assert_eq!(got.status, 201, "{}", got.text);
        let path = format!("/repos/acme/retail/deployments/{}/statuses", got.json()["id"]);
        assert_eq!(asker.post(&path, &json!({ "state": "success" })).await.status, 201);
        made.push(path);
    }
    assert_eq!(asker.get(&made[0]).await.json()[0]["state"], "inactive");
    assert_eq!(asker.get(&made[1]).await.json()[0]["state"], "success");
    assert_eq!(asker.get("/repos/acme/retail/deployments?environment=dev").await.json().as_array().unwrap().len(), 2);
    assert_eq!(retail.deployments().len(), 2);
}

#[tokio::test]
async fn repositories_move_are_archived_and_go_away() {
    let hub = Hub::start();
    let (retail, asker) = installed(&hub).await;
    let head = retail.head("main");
    retail.rename("shop");
    let got = asker.get("/repos/acme/retail/commits/main/status?per_page=5").await;
    assert_eq!(got.status, 301);
    let place = format!("{}/repositories/{}/commits/main/status?per_page=5", hub.url(), retail.id);
    assert_eq!(got.header("location"), place);
    assert_eq!(asker.get(&place).await.status, 200);
    retail.archive(true);
    let got = asker.post(&format!("/repos/acme/shop/statuses/{head}"), &json!({ "state": "success" })).await;
    assert_eq!((got.status, got.json()["message"].as_str()), (403, Some("Repository was archived so is read-only.")));
    retail.archive(false);
    retail.transfer("other");
    assert_eq!(asker.get("/repos/acme/shop").await.status, 301);
    retail.delete();
    assert_eq!(asker.get("/repos/acme/shop").await.status, 404);
    assert_eq!(asker.get("/repos/other/shop").await.status, 404);
}

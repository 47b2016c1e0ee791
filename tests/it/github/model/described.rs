//! Requests are held against GitHub's own description.

use serde_json::json;

use super::client::Asker;
use crate::support::github::Hub;
use crate::support::npm;

#[tokio::test]
async fn what_github_would_overlook_or_refuse_is_left_over() {
    if npm::package("@octokit/openapi").is_none() {
        return;
    }
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    let app = hub.app("Meshwright");
    let bot = Asker::installation(&hub, app, app.install_on("acme")).await;
    let (head, path) = (retail.head("main"), format!("/repos/acme/retail/statuses/{}", retail.head("main")));
    let left = || hub.take_leftovers().join("\n");

    bot.post(&path, &json!({ "state": "success", "desciption": "a word too little" })).await;
    assert!(left().contains("'desciption' was unexpected"));

    bot.post(&path, &json!({ "state": "fine" })).await;
    assert!(left().contains("/state: \"fine\" is not one of"));

    bot.post(&path, &json!({ "context": "meshwright/plan" })).await;
    assert!(left().contains("\"state\" is a required property"));

    bot.get("/repos/acme/retail/pulls?state=merged&pre_page=100").await;
    let said = left();
    assert!(said.contains("'state': \"merged\" is not one of"), "{said}");
    assert!(said.contains("the query has 'pre_page', which is not described"), "{said}");

    let run = json!({ "name": "Meshwright", "head_sha": head, "output": { "title": "t", "summary": "s", "annotations": [
        { "path": "a.txt", "start_line": "one", "end_line": 1, "annotation_level": "failure", "message": "m" },
    ] } });
    bot.post("/repos/acme/retail/check-runs", &run).await;
    assert!(left().contains("/output/annotations/0/start_line: \"one\" is not of type \"integer\""));

    bot.get("/repos/acme/retail/verdicts").await;
    assert!(left().contains("GitHub's description has no such request"));

    bot.ask("GET", "/repos/acme/retail", Some(&json!({ "a": "body" })), &[]).await.unwrap();
    assert!(left().contains("a body where none is described"));

    // References may have slashes in them.
    retail.push("feature/better", &[("a.txt", "two\n")]);
    let found = bot.get("/repos/acme/retail/git/ref/heads/feature/better").await.json();
    assert_eq!(found["object"]["sha"], retail.head("feature/better"));
    assert_eq!(bot.get("/repos/acme/retail/branches/feature%2Fbetter").await.json()["name"], "feature/better");
}

/// Packages are pinned by version and digest; from where they come is the machine's business.
#[test]
fn the_lock_file_names_no_place() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/npm/package-lock.json")).unwrap();
    let lock: serde_json::Value = serde_json::from_str(&text).unwrap();
    let packages = lock["packages"].as_object().unwrap();
    assert!(packages.len() > 3);
    for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
        assert!(package.get("resolved").is_none(), "{name}: npm install --omit-lockfile-registry-resolved");
        assert!(package["integrity"].as_str().is_some_and(|digest| digest.starts_with("sha512-")), "{name}");
    }
}

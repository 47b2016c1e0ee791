//! Pull requests, and what is said about them.

use serde_json::json;

use super::client::Asker;
use crate::support::github::{Hub, Merge};

#[tokio::test]
async fn a_pull_request_lives_and_is_merged_in_three_ways() {
    for how in [Merge::Commit, Merge::Squash, Merge::Rebase] {
        let hub = Hub::start();
        let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
        let pull = retail.open_pull_request("better", &[("b.txt", "two\n")]);
        pull.push(&[("b.txt", "two\nthree\n")]);
        retail.push("main", &[("c.txt", "beside\n")]);
        let asker = Asker::nobody(&hub);
        let told = asker.get("/repos/acme/retail/pulls/1").await.json();
        assert_eq!(
            (told["mergeable"].as_bool(), told["commits"].as_u64(), told["additions"].as_u64()),
            (Some(true), Some(2), Some(2))
        );
        assert_eq!(told["head"]["sha"], pull.head());
        assert_eq!(asker.get("/repos/acme/retail/pulls/1/files").await.json()[0]["filename"], "b.txt");
        let merged = pull.merge(how);
        assert_eq!(retail.head("main"), merged);
        let told = asker.get("/repos/acme/retail/pulls/1").await.json();
        assert_eq!((told["state"].as_str(), told["merged"].as_bool()), (Some("closed"), Some(true)));
        assert_eq!(told["merge_commit_sha"], merged);
        let parents = asker.get("/repos/acme/retail/commits/main").await.json()["parents"].as_array().unwrap().len();
        assert_eq!(parents, if how == Merge::Commit { 2 } else { 1 });
        let found = asker.get(&format!("/repos/acme/retail/commits/{merged}/pulls")).await.json();
        assert_eq!(found[0]["number"], 1, "{how:?}");
    }
}

#[tokio::test]
async fn what_conflicts_does_not_merge_until_it_is_mended() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    let pull = retail.open_pull_request("better", &[("a.txt", "two\n")]);
    assert!(pull.is_mergeable());
    retail.push("main", &[("a.txt", "three\n")]);
    assert!(!pull.is_mergeable());
    let told = Asker::nobody(&hub).get("/repos/acme/retail/pulls/1").await.json();
    assert_eq!((told["mergeable"].as_bool(), told["mergeable_state"].as_str()), (Some(false), Some("dirty")));
    pull.push(&[("a.txt", "three\n")]);
    assert!(pull.is_mergeable());
}

#[tokio::test]
async fn pull_requests_are_listed_by_state_base_and_page() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    retail.push("next", &[("n.txt", "n\n")]);
    for number in 1..=5 {
        retail.open_pull_request(&format!("branch-{number}"), &[(&format!("{number}.txt"), "text\n")]);
    }
    let fork = retail.fork("mallory");
    fork.push("evil", &[("e.txt", "e\n")]);
    let foreign = retail.open_pull_request_from(fork, "evil");
    foreign.title("Something else");
    foreign.change_base("next");
    foreign.draft(true);
    let asker = Asker::nobody(&hub);
    let page = asker.get("/repos/acme/retail/pulls?base=main&state=open&per_page=2&page=2").await;
    let numbers: Vec<u64> =
        page.json().as_array().unwrap().iter().map(|pull| pull["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [3, 2]);
    for (relation, to) in [("prev", 1), ("next", 3), ("last", 3), ("first", 1)] {
        let link = format!(
            "<{}/repos/acme/retail/pulls?base=main&state=open&per_page=2&page={to}>; rel=\"{relation}\"",
            hub.url()
        );
        assert!(page.header("link").contains(&link), "{}", page.header("link"));
    }
    let told = asker.get("/repos/acme/retail/pulls?base=next").await.json();
    assert_eq!((told[0]["head"]["label"].as_str(), told[0]["draft"].as_bool()), (Some("mallory:evil"), Some(true)));
    foreign.close();
    assert_eq!(asker.get("/repos/acme/retail/pulls?base=next").await.json(), json!([]));
    foreign.reopen();
    fork.delete();
    let told = asker.get("/repos/acme/retail/pulls/6").await.json();
    assert_eq!((told["head"]["repo"].is_null(), told["state"].as_str()), (true, Some("open")));
}

#[tokio::test]
async fn comments_are_paged_edited_by_their_authors_and_limited() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").collaborator("bob", "write").with_files(&[("a.txt", "one\n")]);
    let pull = retail.open_pull_request("better", &[("a.txt", "two\n")]);
    let app = hub.app("Meshwright");
    let bot = Asker::installation(&hub, app, app.install_on("acme")).await;
    let comments = "/repos/acme/retail/issues/1/comments";
    for number in 0..101 {
        pull.comment("mallory", &format!("number {number}"));
    }
    let made = bot.post(comments, &json!({ "body": "<!-- marker -->\nverdict" })).await.json();
    let second = bot.get(&format!("{comments}?per_page=100&page=2")).await.json();
    assert_eq!(second.as_array().unwrap().len(), 2);
    assert_eq!(second[1]["user"]["login"], app.bot());
    let path = format!("/repos/acme/retail/issues/comments/{}", made["id"]);
    assert_eq!(bot.patch(&path, &json!({ "body": "another verdict" })).await.json()["body"], "another verdict");
    assert_eq!(Asker::person(&hub, "mallory").patch(&path, &json!({ "body": "fine" })).await.status, 403);
    let foreign = format!("/repos/acme/retail/issues/comments/{}", pull.comments()[0].id);
    assert_eq!(bot.patch(&foreign, &json!({ "body": "mine" })).await.status, 403);
    assert_eq!(bot.patch(&path, &json!({ "body": "x".repeat(65_536) })).await.status, 200);
    assert_eq!(bot.patch(&path, &json!({ "body": "x".repeat(65_537) })).await.status, 422);
    assert_eq!(pull.comments_by(&app.bot()).len(), 1);
    pull.delete_comment(made["id"].as_u64().unwrap());
    assert_eq!(bot.get(&path).await.status, 404);
    assert_eq!(hub.take_leftovers(), [format!("PATCH {path}: /body has 65537 characters, and 65536 are allowed")]);
}

#[tokio::test]
async fn a_reaction_is_there_once() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    let pull = retail.open_pull_request("better", &[("a.txt", "two\n")]);
    let comment = pull.comment("alice", "/meshwright plan");
    let app = hub.app("Meshwright");
    let bot = Asker::installation(&hub, app, app.install_on("acme")).await;
    let path = format!("/repos/acme/retail/issues/comments/{comment}/reactions");
    assert_eq!(bot.post(&path, &json!({ "content": "eyes" })).await.status, 201);
    assert_eq!(bot.post(&path, &json!({ "content": "eyes" })).await.status, 200);
    assert_eq!(pull.reactions(comment), [(app.bot(), "eyes".to_owned())]);
    assert_eq!(bot.get(&path).await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn permissions_of_collaborators_are_told() {
    let hub = Hub::start();
    hub.repository("acme/retail")
        .collaborator("bob", "write")
        .collaborator("carol", "maintain")
        .collaborator("dave", "triage")
        .with_files(&[("a.txt", "one\n")]);
    hub.token("mallory");
    let app = hub.app("Meshwright");
    let bot = Asker::installation(&hub, app, app.install_on("acme")).await;
    for (login, word) in
        [("bob", "write"), ("carol", "write"), ("dave", "read"), ("mallory", "read"), ("acme", "admin")]
    {
        let got = bot.get(&format!("/repos/acme/retail/collaborators/{login}/permission")).await;
        assert_eq!(got.json()["permission"], word, "{login}");
    }
    assert_eq!(bot.get("/repos/acme/retail/collaborators/stranger/permission").await.status, 404);
    assert_eq!(bot.get("/users/meshwright%5Bbot%5D").await.json()["type"], "Bot");
    assert_eq!(bot.get("/user").await.status, 403);
    assert_eq!(Asker::person(&hub, "bob").get("/user").await.json()["login"], "bob");
}

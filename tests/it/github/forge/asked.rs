//! What is asked: pull requests, people, deliveries that were lost, and what setting up wants to know.

use std::sync::Arc;

use meshwright::adapter::clock::SystemClock;
use meshwright::adapter::github::GithubFacts;
use meshwright::domain::forge::PullState;
use meshwright::face::setup::Manifest;
use meshwright::port::forge::redelivery::Redelivery as _;
use meshwright::port::forge::reviews::{Reaction, Reviews as _};
use meshwright::port::forge::{Abilities, Forge as _, ForgeError};

use super::setting::{Setting, source};
use crate::support::github::{Hub, Merge, Trouble};

#[tokio::test]
async fn pull_requests_are_told_as_they_are_now() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]);
    let app = hub.app("Meshwright");
    app.install_on("acme");
    let at = Setting::app(&hub, app, &[retail]);
    let first = retail.open_pull_request("better", &[("README.md", "Hello, all")]);
    let fork = retail.fork("mallory");
    fork.push("worse", &[("README.md", "Hello, nobody")]);
    let second = retail.open_pull_request_from(fork, "worse");
    second.draft(true);
    let open = at.forge.open_pull_requests(&source(), "main").await.unwrap();
    let told: Vec<(u64, bool, bool)> = open.iter().map(|pull| (pull.number, pull.is_fork, pull.is_draft)).collect();
    assert_eq!(told, [(first.number, false, false), (second.number, true, true)]);
    assert_eq!(open[0].head.as_str(), first.head());
    assert!(at.forge.open_pull_requests(&source(), "release/1").await.unwrap().is_empty());
    let head = first.push(&[("README.md", "Hello, everybody")]);
    let pull = at.forge.pull_request(&source(), first.number).await.unwrap().unwrap();
    assert_eq!((pull.head.as_str(), pull.state), (head.as_str(), PullState::Open));
    second.close();
    first.merge(Merge::Commit);
    let state = async |number| at.forge.pull_request(&source(), number).await.unwrap().unwrap().state;
    assert_eq!((state(first.number).await, state(second.number).await), (PullState::Merged, PullState::Closed));
    assert_eq!(at.forge.pull_request(&source(), 999).await, Ok(None));
}

#[tokio::test]
async fn people_may_what_github_says_and_are_answered_once() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]);
    let retail = retail.collaborator("ada", "maintain").collaborator("bob", "triage").collaborator("eve", "write");
    let app = hub.app("Meshwright");
    app.install_on("acme");
    let at = Setting::app(&hub, app, &[retail]);
    for (login, may) in [("ada", true), ("bob", false), ("eve", true), ("mallory", false), ("EVE", true)] {
        assert_eq!(at.forge.may_write(&source(), login).await, Ok(may), "{login}");
    }
    let pull = retail.open_pull_request("better", &[("README.md", "Hello, all")]);
    let comment = pull.comment("ada", "/meshwright plan");
    at.forge.react(&source(), comment, Reaction::Seen).await.unwrap();
    at.forge.react(&source(), comment, Reaction::Seen).await.unwrap();
    assert_eq!(pull.reactions(comment), [("meshwright[bot]".to_owned(), "+1".to_owned())]);
    hub.fail("GET /repos/acme/retail/collaborators/*", Trouble::Status(500), 1);
    assert!(at.forge.may_write(&source(), "ada").await.is_err(), "nobody may while GitHub does not say so");
}

#[tokio::test]
async fn a_person_has_statuses_and_comments() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]).collaborator("mesh", "write");
    let at = Setting::person(&hub, "mesh", &[retail]);
    assert_eq!(at.forge.abilities(), Abilities { checks: false, comments: true, deployments: false });
    let pull = retail.open_pull_request("better", &[("README.md", "Hello, all")]);
    for text in ["first", "second"] {
        let report = super::setting::comment(&pull.head(), pull.number, text);
        at.forge.publish(&report, None).await.unwrap();
    }
    assert_eq!(pull.comments_by("mesh").len(), 1);
}

#[tokio::test]
async fn deliveries_that_were_lost_are_found_and_made_again() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]);
    let app = hub.app("Meshwright").hook("http://127.0.0.1:9/webhooks/acme", "secret");
    app.install_on("acme");
    let at = Setting::app(&hub, app, &[retail]);
    hub.until_sent().await;
    hub.lose_deliveries(true);
    let since = hub.now();
    retail.push("main", &[("README.md", "Hello again")]);
    hub.until_sent().await;
    let found = at.forge.attempts(since - jiff::SignedDuration::from_secs(1)).await.unwrap();
    let lost: Vec<_> = found.attempts.iter().filter(|attempt| !attempt.arrived).collect();
    assert!(!lost.is_empty() && !found.is_cut, "{found:?}");
    assert!(at.forge.attempts(since + jiff::SignedDuration::from_secs(60)).await.unwrap().attempts.is_empty());
    let before = hub.deliveries().len();
    at.forge.redeliver(lost[0].id).await.unwrap();
    hub.until_sent().await;
    let again = hub.deliveries();
    assert_eq!(again.len(), before + 1);
    assert_eq!(again.last().unwrap().guid, lost[0].delivery, "it keeps its id");
}

#[tokio::test]
async fn setting_up_learns_what_it_needs() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]);
    let app = hub.app("Meshwright");
    let installation = app.install_on("acme");
    let at = Setting::app(&hub, app, &[retail]);
    let facts = at.forge.facts();
    let told = facts.app().await.unwrap();
    assert_eq!((told.id, told.slug.as_str()), (app.id, "meshwright"));
    assert_eq!(told.permissions["checks"], "write");
    assert!(told.events.iter().any(|event| event == "pull_request"));
    app.grant(installation, "deployments", "none");
    let granted = facts.installation(&source()).await.unwrap();
    assert!(granted.id == installation && !granted.permissions.contains_key("deployments"));
    let left = facts.rate_limit(&source()).await.unwrap();
    assert!(left.limit == 5000 && left.remaining <= 5000);
    let skew = facts.clock_skew().await.unwrap();
    assert!(skew.is_none_or(|skew| skew.as_secs().abs() < 30), "{skew:?}");

    let manifest = Manifest {
        name: "Mesh of Acme".to_owned(),
        url: "https://mesh.example.com".to_owned(),
        webhook: Some("https://mesh.example.com/webhooks/acme".to_owned()),
        redirect: "http://127.0.0.1:4000/setup/github/done".to_owned(),
        deployments: true,
    };
    let code = hub.submit_manifest(&manifest.to_json());
    let api = hub.api_url().parse().unwrap();
    let made = GithubFacts::convert_manifest(&api, &code, Arc::new(SystemClock)).await.unwrap();
    assert!(made.pem.contains("PRIVATE KEY") && !format!("{made:?}").contains("PRIVATE KEY"));
    let twice = GithubFacts::convert_manifest(&api, &code, Arc::new(SystemClock)).await;
    assert!(matches!(twice, Err(ForgeError::Permanent(_))), "a code is good once: {twice:?}");
    assert!(GithubFacts::convert_manifest(&api, "../../user", Arc::new(SystemClock)).await.is_err());
}

//! What is shown: nothing is written that is there already, and nothing of others' is touched.

use serde_json::{Value, json};

use super::stage::{Stage, reply, revision, source, status};
use crate::domain::forge::PullState;
use crate::domain::report::{Comment, Detail, Report, ReportContext, ReportState};
use crate::port::forge::reviews::{Reaction, Reviews as _};
use crate::port::forge::{Abilities, Forge as _, ForgeError};

const MARK: &str = "<!-- meshwright:source=retail -->";

fn comment(body: &str) -> Report {
    let mut report = Report::new(&source(), &revision(), &ReportContext::Plan, ReportState::Success, "");
    report.detail = Some(Detail::Comment(Comment { pull: 7, body: format!("{MARK}\n{body}"), answers: String::new() }));
    report
}

fn written(id: u64, login: &str, body: &str) -> Value {
    json!({ "id": id, "body": body, "user": { "login": login }, "issue_url": "https://h/repos/acme/retail/issues/7" })
}

#[tokio::test]
async fn with_a_token_there_are_statuses_and_comments_only() {
    let stage = Stage::new(|_, _| reply(500, &json!({}))).await;
    assert_eq!(stage.forge.abilities(), Abilities { checks: false, comments: true, deployments: false });
}

#[tokio::test]
async fn a_comment_is_found_over_pages_by_marker_and_author_and_edited_in_place() {
    let stage = Stage::new(|asked, _| match asked.what.as_str() {
        "GET /user" => reply(200, &json!({ "login": "Mesh" })),
        "GET /repos/acme/retail/issues/7/comments?per_page=100" => {
            let all: Vec<Value> = (0..100).map(|id| written(id, "mallory", &format!("{MARK}\nspoofed"))).collect();
            let host = asked.headers["host"].to_str().unwrap();
            let next =
                format!("<http://{host}/api/v3/repositories/1/issues/7/comments?per_page=100&page=2>; rel=\"next\"");
            reply(200, &json!(all)).with("link", &next)
        }
        "GET /repositories/1/issues/7/comments?per_page=100&page=2" => {
            reply(200, &json!([written(100, "mallory", MARK), written(101, "mesh", &format!("{MARK}\r\nold"))]))
        }
        "PATCH /repos/acme/retail/issues/comments/101" => reply(200, &json!({ "id": 101 })),
        other => panic!("{other}"),
    })
    .await;
    let id = stage.forge.publish(&comment("new"), None).await.unwrap();
    assert_eq!(id.as_deref(), Some("101"));
    assert_eq!(stage.forge.publish(&comment("old"), None).await.unwrap().as_deref(), Some("101"));
    let patches = stage.asked().iter().filter(|what| what.starts_with("PATCH")).count();
    assert_eq!(patches, 1, "what is there as it should be is not written");
}

#[tokio::test]
async fn a_comment_of_somebody_else_is_never_edited_though_its_id_is_known() {
    let stage = Stage::new(|asked, _| match asked.what.as_str() {
        "GET /user" => reply(200, &json!({ "login": "mesh" })),
        "GET /repos/acme/retail/issues/comments/5" => reply(200, &written(5, "mallory", MARK)),
        "GET /repos/acme/retail/issues/7/comments?per_page=100" => reply(200, &json!([])),
        "POST /repos/acme/retail/issues/7/comments" => reply(201, &json!({ "id": 9 })),
        other => panic!("{other}"),
    })
    .await;
    assert!(!stage.forge.shows(&comment("x"), Some("5")).await.unwrap());
    assert_eq!(stage.forge.publish(&comment("x"), Some("5")).await.unwrap().as_deref(), Some("9"));
}

#[tokio::test]
async fn a_pull_request_that_is_gone_is_told_from_a_repository_that_is_gone() {
    let answers = |stands: u16| {
        move |asked: &super::stage::Asked, _: usize| match asked.what.as_str() {
            "GET /user" => reply(200, &json!({ "login": "mesh" })),
            "GET /repos/acme/retail" => reply(stands, &json!({})),
            _ => reply(404, &json!({ "message": "Not Found" })),
        }
    };
    let stage = Stage::new(answers(200)).await;
    assert_eq!(stage.forge.pull_request(&source(), 7).await, Ok(None));
    assert_eq!(stage.forge.may_write(&source(), "nobody").await, Ok(false));
    let stage = Stage::new(answers(404)).await;
    assert!(matches!(stage.forge.pull_request(&source(), 7).await, Err(ForgeError::Denied(_))));
    assert!(matches!(stage.forge.may_write(&source(), "ada").await, Err(ForgeError::Denied(_))));
}

#[tokio::test]
async fn who_may_write_is_asked_of_github_and_odd_logins_of_nobody() {
    let stage = Stage::new(|asked, _| {
        let permission = match asked.what.as_str() {
            "GET /repos/acme/retail/collaborators/ada/permission" => "admin",
            "GET /repos/acme/retail/collaborators/writer/permission" => "write",
            "GET /repos/acme/retail/collaborators/reader/permission" => "read",
            other => panic!("{other}"),
        };
        reply(200, &json!({ "permission": permission, "role_name": permission }))
    })
    .await;
    for (login, may) in [("ada", true), ("writer", true), ("reader", false)] {
        assert_eq!(stage.forge.may_write(&source(), login).await, Ok(may), "{login}");
    }
    for login in ["", "../../pulls", "ada/permission?x=", "mesh[bot]", &"a".repeat(500)] {
        assert_eq!(stage.forge.may_write(&source(), login).await, Ok(false), "{login}");
    }
    assert_eq!(stage.asked().len(), 3);
}

#[tokio::test]
async fn open_pull_requests_come_by_number_and_from_no_more_than_ten_pages() {
    let stage = Stage::new(|asked, before| {
        let host = asked.headers["host"].to_str().unwrap();
        let numbers = (0..100).map(|at| 2000 - (before as u64 * 100 + at));
        let pulls: Vec<Value> = numbers
            .map(|number| {
                json!({
                    "number": number, "title": "a\nb", "user": null, "state": "open",
                    "head": { "ref": "x", "sha": "1".repeat(40), "repo": null },
                    "base": { "ref": "main", "sha": "2".repeat(40), "repo": { "id": 1 } },
                })
            })
            .collect();
        reply(200, &json!(pulls)).with("link", &format!("<http://{host}/api/v3/next?page={before}>; rel=\"next\""))
    })
    .await;
    let pulls = stage.forge.open_pull_requests(&source(), "main").await.unwrap();
    assert_eq!((pulls.len(), stage.asked().len()), (1000, 10));
    assert!(pulls.is_sorted_by_key(|pull| pull.number));
    let first = &pulls[0];
    assert_eq!((first.author.as_str(), first.title.as_str(), first.is_fork), ("ghost", "a b", true));
    assert_eq!(first.state, PullState::Open);
    assert!(stage.asked()[0].contains("state=open&base=main&"), "{}", stage.asked()[0]);
}

#[tokio::test]
async fn reactions_say_whether_a_command_was_taken() {
    let stage = Stage::new(|_, _| reply(201, &json!({ "id": 1 }))).await;
    stage.forge.react(&source(), 5, Reaction::Seen).await.unwrap();
    stage.forge.react(&source(), 5, Reaction::Refused).await.unwrap();
    let asked = stage.asked.lock().unwrap().clone();
    assert_eq!(asked[0].what, "POST /repos/acme/retail/issues/comments/5/reactions");
    assert_eq!([&asked[0].body["content"], &asked[1].body["content"]], ["+1", "confused"]);
}

#[tokio::test]
async fn a_status_is_shown_when_the_newest_of_its_context_says_the_same() {
    let stage = Stage::new(|_, before| {
        let description = if before == 0 { "fine" } else { "not so fine" };
        reply(
            200,
            &json!({ "statuses": [
            { "context": "meshwright/plan", "state": "success", "description": "fine" },
            { "context": "meshwright/validate", "state": "success", "description": description, "target_url": null },
        ] }),
        )
    })
    .await;
    assert!(stage.forge.shows(&status(), None).await.unwrap());
    assert!(!stage.forge.shows(&status(), None).await.unwrap());
}

//! What people ask for, and who is not listened to.

use meshwright::domain::forge::Command;
use meshwright::domain::forge::delivery::{Asked, CommandRequest};
use meshwright::port::store::DeliveryBook as _;
use serde_json::{Value, json};

use super::{Office, Request};

fn comment(id: u64, text: &str) -> Value {
    json!({
        "action": "created",
        "issue": { "number": 7, "pull_request": { "url": "https://x" } },
        "comment": {
            "id": id,
            "body": text,
            "user": { "login": "ada", "type": "User" },
            "created_at": "2026-11-20T11:59:58Z",
        },
        "repository": { "full_name": "acme/fleet" },
        "sender": { "login": "ada", "type": "User" },
    })
}

fn changed(mut payload: Value, pointer: &str, value: Value) -> Value {
    *payload.pointer_mut(pointer).unwrap() = value;
    payload
}

fn button(identifier: &str, check: &str) -> Value {
    json!({
        "action": "requested_action",
        "check_run": { "name": check, "head_sha": format!("{:040x}", 9) },
        "requested_action": { "identifier": identifier },
        "repository": { "full_name": "acme/retail" },
        "sender": { "login": "ada", "type": "User" },
    })
}

async fn open(office: &Office) -> Vec<CommandRequest> {
    office.store.open_commands(100, &[]).await.unwrap()
}

#[tokio::test]
async fn a_command_in_a_comment_is_taken_down_once() {
    let office = Office::open().await;
    let request = Request::github("issue_comment", "a", &comment(1, "Fine.\n/meshwright approve prod\n"));
    assert_eq!(office.deliver(&request).await, (200, vec![]));
    let taken = open(&office).await;
    assert_eq!(taken.len(), 1, "{taken:?}");
    let command = &taken[0];
    assert_eq!((command.source.as_str(), command.pull, command.comment), ("fleet", Some(7), Some(1)));
    assert_eq!((command.author.as_str(), command.delivery.as_str(), &command.head), ("ada", "a", &None));
    assert_eq!(command.asked, Asked::Command(Command::Approve("prod".parse().unwrap())));
    assert_eq!(office.ledger().await[0].verdict, "command");

    // Delivered again, and sent again by somebody who has seen it, under another id.
    office.deliver(&request).await;
    let replayed = request.clone().with("x-github-delivery", "another");
    office.store.command_done(command, "approved", super::NOW.parse().unwrap()).await.unwrap();
    assert_eq!(office.deliver(&replayed).await.0, 200);
    assert_eq!(open(&office).await, []);
}

#[tokio::test]
async fn what_is_not_understood_is_taken_down_with_the_reason() {
    let office = Office::open().await;
    office.deliver(&Request::github("issue_comment", "a", &comment(1, "/meshwright deploy <img src=x>"))).await;
    let taken = open(&office).await;
    assert!(matches!(&taken[0].asked, Asked::Unclear(why) if why.contains("no such command")), "{taken:?}");
    assert!(!format!("{taken:?}").contains("img"), "nothing of the comment is repeated");
}

#[tokio::test]
async fn edits_programs_quotations_and_old_comments_ask_for_nothing() {
    let office = Office::open().await;
    let plan = comment(1, "/meshwright plan");
    let bot = json!({ "login": "helper[bot]", "type": "Bot" });
    let silent = [
        changed(plan.clone(), "/action", json!("edited")),
        changed(plan.clone(), "/action", json!("deleted")),
        changed(plan.clone(), "/comment/user", bot.clone()),
        changed(plan.clone(), "/comment/user/login", json!("renovate[bot]")),
        changed(plan.clone(), "/comment/user", Value::Null),
        changed(plan.clone(), "/sender", bot),
        changed(plan.clone(), "/issue/pull_request", Value::Null),
        changed(plan.clone(), "/comment/body", Value::Null),
        comment(1, "> /meshwright plan"),
        comment(1, "try /meshwright plan"),
        comment(1, "Nothing."),
        changed(plan.clone(), "/comment/user/login", json!("a".repeat(101))),
    ];
    for (number, payload) in silent.iter().enumerate() {
        let found = office.deliver(&Request::github("issue_comment", &format!("d{number}"), payload)).await;
        assert_eq!(found, (202, vec![]), "{payload}");
    }
    assert_eq!(office.ledger().await, []);
    // From last week, sent again after its delivery was forgotten.
    let old = changed(plan.clone(), "/comment/created_at", json!("2026-11-13T12:00:00Z"));
    assert_eq!(office.deliver(&Request::github("issue_comment", "old", &old)).await, (200, vec![]));
    assert_eq!(office.ledger().await[0].verdict, "ignored");
    assert_eq!(open(&office).await, []);
    assert_eq!(office.deliver(&Request::github("issue_comment", "new", &plan)).await.0, 200);
    assert_eq!(open(&office).await.len(), 1);
}

#[tokio::test]
async fn a_pressed_button_asks_every_source_of_the_repository() {
    let office = Office::open().await;
    let approve = button("approve", "Meshwright prod");
    office.deliver(&Request::github("check_run", "a", &approve)).await;
    let taken = open(&office).await;
    let sources: Vec<&str> = taken.iter().map(|command| command.source.as_str()).collect();
    assert_eq!(sources, ["retail", "retail-next"]);
    let command = &taken[0];
    assert_eq!(command.asked, Asked::Command(Command::Approve("prod".parse().unwrap())));
    assert_eq!((command.pull, command.comment), (None, None));
    assert_eq!(command.head.as_ref().unwrap().as_str(), format!("{:040x}", 9));
    // The same signed words under another id are the same press.
    office.deliver(&Request::github("check_run", "b", &approve)).await;
    assert_eq!(open(&office).await.len(), 2);
    // Once it was answered, somebody may press it again.
    for command in &taken {
        office.store.command_done(command, "refused: nothing waits", super::NOW.parse().unwrap()).await.unwrap();
    }
    office.deliver(&Request::github("check_run", "b2", &approve)).await;
    assert_eq!(open(&office).await.len(), 2);
    let again = changed(approve.clone(), "/check_run/head_sha", json!(format!("{:040x}", 10)));
    office.deliver(&Request::github("check_run", "c", &again)).await;
    assert_eq!(open(&office).await.len(), 4);

    // Of the check of a proposal; the one of a source where several read the repository.
    let sources = async |check: &str, number: u64| {
        let before = open(&office).await.len();
        let payload = changed(button("plan", check), "/check_run/head_sha", json!(format!("{number:040x}")));
        assert_eq!(office.deliver(&Request::github("check_run", &format!("p{number}"), &payload)).await.0, 200);
        let asked: Vec<_> = open(&office).await.split_off(before);
        assert!(asked.iter().all(|command| command.asked == Asked::Command(Command::Plan)));
        asked.into_iter().map(|command| command.source.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(sources("Meshwright", 20).await, ["retail", "retail-next"]);
    assert_eq!(sources("Meshwright (retail-next)", 21).await, ["retail-next"]);
    assert_eq!(sources("Meshwright prod (retail)", 22).await, ["retail"]);

    let before = open(&office).await.len();
    for payload in [
        button("approve", "Somebody else's check"),
        button("approve", "Meshwright"),
        button("plan", "Somebody else's check"),
        button("approve", "Meshwright ../prod"),
        button("delete-everything", "Meshwright prod"),
        changed(approve.clone(), "/sender/type", json!("Bot")),
        changed(approve, "/requested_action", Value::Null),
    ] {
        assert_eq!(office.deliver(&Request::github("check_run", "x", &payload)).await, (202, vec![]), "{payload}");
    }
    assert_eq!(open(&office).await.len(), before);
}

#[tokio::test]
async fn other_forges_give_no_commands() {
    let office = Office::open().await;
    let body = comment(1, "/meshwright approve prod").to_string();
    let tea = Request::new("tea", body.clone())
        .with("x-gitea-event", "issue_comment")
        .with("x-gitea-signature", &super::hmac(super::SECRET, body.as_bytes()));
    let lab = Request::new("lab", body).with("x-gitlab-event", "Note Hook").with("x-gitlab-token", super::SECRET);
    assert_eq!(office.deliver(&tea).await.0, 202);
    assert_eq!(office.deliver(&lab).await.0, 202);
    assert_eq!(open(&office).await, []);
}

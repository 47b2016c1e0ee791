//! What each event of GitHub wakes.

use serde_json::{Value, json};

use super::{Office, Request, push};

fn commit(number: u64) -> String {
    format!("{number:040x}")
}

fn repository() -> Value {
    json!({ "full_name": "acme/retail" })
}

fn pull(action: &str, base: &str, changes: &Value) -> Value {
    json!({
        "action": action,
        "number": 7,
        "pull_request": { "head": { "ref": "topic", "sha": commit(9) }, "base": { "ref": base, "sha": commit(1) } },
        "changes": changes,
        "repository": repository(),
    })
}

fn check(action: &str, event: &str, branch: Option<&str>, pulls: &[u64]) -> Value {
    let pulls: Vec<Value> = pulls.iter().map(|number| json!({ "number": number })).collect();
    let mut check = json!({ "head_sha": commit(9), "pull_requests": pulls, "name": "Meshwright" });
    if event == "check_suite" {
        check["head_branch"] = json!(branch);
    } else {
        check["check_suite"] = json!({ "head_branch": branch });
    }
    json!({ "action": action, event: check, "repository": repository() })
}

/// Delivers each of them, and compares what is answered and woken.
async fn expect(cases: Vec<(&str, Value, u16, &[&str])>) {
    let office = Office::open().await;
    for (number, (event, payload, status, woken)) in cases.into_iter().enumerate() {
        let found = office.deliver(&Request::github(event, &format!("d{number}"), &payload)).await;
        let woken: Vec<String> = woken.iter().map(|target| (*target).to_owned()).collect();
        assert_eq!(found, (status, woken), "{event}: {payload}");
    }
}

#[tokio::test]
async fn pushes_wake_the_sources_of_their_branch() {
    let tag = json!({ "ref": "refs/tags/main", "before": commit(1), "after": commit(2), "repository": repository() });
    let mut upper = push("main", 1, 2);
    upper["repository"]["full_name"] = json!("ACME/Retail");
    let created = |kind: &str, name: &str| json!({ "ref": name, "ref_type": kind, "repository": repository() });
    expect(vec![
        ("push", push("main", 1, 2), 200, &["retail"]),
        ("push", push("next", 1, 2), 200, &["retail-next"]),
        ("push", push("topic", 1, 2), 200, &[]),
        ("push", push("main", 2, 0), 200, &["retail"]),
        ("push", upper, 200, &["retail"]),
        ("push", tag, 200, &[]),
        ("create", created("branch", "main"), 200, &["retail"]),
        ("delete", created("branch", "main"), 200, &["retail"]),
        ("delete", created("branch", "topic"), 200, &[]),
        ("create", created("tag", "main"), 202, &[]),
    ])
    .await;
}

#[tokio::test]
async fn pull_requests_wake_their_assessment() {
    let none = Value::Null;
    let from = |base: &str| json!({ "base": { "ref": { "from": base }, "sha": { "from": commit(1) } } });
    expect(vec![
        ("pull_request", pull("opened", "main", &none), 200, &["retail pull/7"]),
        ("pull_request", pull("synchronize", "main", &none), 200, &["retail pull/7"]),
        ("pull_request", pull("reopened", "next", &none), 200, &["retail-next pull/7"]),
        ("pull_request", pull("ready_for_review", "main", &none), 200, &["retail pull/7"]),
        ("pull_request", pull("closed", "main", &none), 200, &["retail pull/7"]),
        ("pull_request", pull("opened", "topic", &none), 200, &[]),
        // The old base has to let go of it.
        ("pull_request", pull("edited", "next", &from("main")), 200, &["retail pull/7", "retail-next pull/7"]),
        ("pull_request", pull("edited", "main", &json!({ "title": { "from": "x" } })), 202, &[]),
        ("pull_request", pull("labeled", "main", &none), 202, &[]),
    ])
    .await;
}

#[tokio::test]
async fn merge_groups_and_checks_wake_what_they_stand_for() {
    let group = |action: &str, base: &str| {
        let group = json!({ "head_sha": commit(5), "base_ref": base, "head_ref": "refs/heads/gh-readonly-queue/x" });
        json!({ "action": action, "merge_group": group, "repository": repository() })
    };
    let (of_main, of_next) =
        (format!("retail merge-group/{}", commit(5)), format!("retail-next merge-group/{}", commit(9)));
    let again = format!("retail merge-group/{}", commit(9));
    expect(vec![
        ("merge_group", group("checks_requested", "refs/heads/main"), 200, &[&of_main]),
        ("merge_group", group("destroyed", "refs/heads/main"), 200, &[&of_main]),
        ("merge_group", group("checks_requested", "refs/heads/topic"), 200, &[]),
        (
            "check_run",
            check("rerequested", "check_run", Some("topic"), &[7]),
            200,
            &["retail pull/7", "retail-next pull/7"],
        ),
        (
            "check_suite",
            check("rerequested", "check_suite", Some("topic"), &[7, 8]),
            200,
            &["retail pull/7", "retail pull/8", "retail-next pull/7", "retail-next pull/8"],
        ),
        ("check_suite", check("rerequested", "check_suite", Some("main"), &[]), 200, &["retail", "retail-next"]),
        (
            "check_run",
            check("rerequested", "check_run", Some("gh-readonly-queue/main/pr-7"), &[]),
            200,
            &[&again, &of_next],
        ),
        ("check_suite", check("rerequested", "check_suite", None, &[]), 200, &["retail", "retail-next"]),
        // We ourselves cause these, and many of them.
        ("check_run", check("created", "check_run", Some("main"), &[7]), 202, &[]),
        ("check_run", check("completed", "check_run", Some("main"), &[7]), 202, &[]),
        ("check_suite", check("requested", "check_suite", Some("main"), &[7]), 202, &[]),
    ])
    .await;
}

#[tokio::test]
async fn a_commit_that_runs_again_is_told_by_itself_because_forks_name_no_pull_request() {
    let office = Office::open().await;
    let rerun = check("rerequested", "check_run", Some("patch-1"), &[]);
    assert_eq!(office.deliver(&Request::github("check_run", "a", &rerun)).await.0, 200);
    let commit = commit(9);
    let short = commit.parse::<meshwright::domain::id::Revision>().unwrap().short().to_owned();
    let wanted = [format!("retail {short}"), format!("retail-next {short}")];
    assert_eq!(*office.door.1.lock().unwrap(), wanted);
    office.deliver(&Request::github("check_run", "a", &rerun)).await;
    office.deliver(&Request::github("check_run", "b", &check("completed", "check_run", Some("main"), &[]))).await;
    assert_eq!(office.door.1.lock().unwrap().len(), 2, "a duplicate runs nothing again, and neither does an end");
}

#[tokio::test]
async fn what_happens_to_repositories_and_installations_wakes_all_of_them() {
    let changed = |action: &str, name: &str, changes: Value| json!({ "action": action, "repository": { "full_name": name }, "changes": changes });
    let renamed = json!({ "repository": { "name": { "from": "retail" } } });
    let moved = json!({ "owner": { "from": { "organization": { "login": "acme", "id": 1 } } } });
    let person = json!({ "owner": { "from": { "user": { "login": "acme" } } } });
    let names = json!([{ "full_name": "acme/fleet" }, { "full_name": "acme/unknown" }]);
    let both: &[&str] = &["retail", "retail-next"];
    expect(vec![
        ("repository", changed("renamed", "acme/shop", renamed), 200, both),
        ("repository", changed("transferred", "globex/retail", moved), 200, both),
        ("repository", changed("transferred", "globex/retail", person), 200, both),
        ("repository", changed("archived", "acme/retail", Value::Null), 200, both),
        ("repository", changed("deleted", "acme/retail", json!({})), 200, both),
        ("repository", changed("starred", "acme/retail", Value::Null), 202, &[]),
        ("installation", json!({ "action": "created", "repositories": names }), 200, &["fleet"]),
        ("installation_repositories", json!({ "action": "removed", "repositories_removed": names }), 200, &["fleet"]),
        ("installation", json!({ "action": "suspend" }), 200, &["fleet", "retail", "retail-next"]),
    ])
    .await;
}

#[tokio::test]
async fn what_nobody_watches_is_forgotten_and_a_ping_is_not() {
    let office = Office::open().await;
    for name in ["acme/other", "acme", "", "<script>alert(1)</script>/x", "../../etc/passwd", "acme/retail\u{0}"] {
        let mut payload = push("main", 1, 2);
        payload["repository"]["full_name"] = json!(name);
        assert_eq!(office.deliver(&Request::github("push", "a", &payload)).await, (202, vec![]), "{name}");
    }
    assert_eq!(office.deliver(&Request::github("star", "b", &json!({ "action": "created" }))).await, (202, vec![]));
    assert_eq!(office.deliver(&Request::github("no such event", "c", &json!([]))).await, (202, vec![]));
    assert_eq!(office.ledger().await, []);
    assert_eq!((office.counts("hub").unknown, office.counts("hub").ignored), (6, 2));
    let ping = json!({ "zen": "Design for failure.", "hook_id": 1, "repository": { "full_name": "any/where" } });
    assert_eq!(office.deliver(&Request::github("ping", "d", &ping)).await, (200, vec![]));
    let row = office.ledger().await.remove(0);
    assert_eq!((row.event.as_str(), row.verdict.as_str(), row.repository), ("ping", "ignored", None));
}

#[tokio::test]
async fn the_ledger_says_what_came_and_what_became_of_it() {
    let office = Office::open().await;
    office.deliver(&Request::github("push", "one", &push("main", 1, 2))).await;
    office.deliver(&Request::github("push", "three", &push("main", 3, 4))).await;
    assert_eq!(office.deliver(&Request::github("push", "one", &push("main", 1, 2))).await, (200, vec![]));
    let rows = office.ledger().await;
    let shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let head = row.head.as_ref().map(|head| head.as_str().trim_start_matches('0')).unwrap_or_default();
            format!("{} {} {} {head} x{} {:?}", row.delivery, row.event, row.verdict, row.times, row.woke)
        })
        .collect();
    assert_eq!(shown, [r#"three push gap 4 x1 ["retail"]"#, r#"one push woke 2 x2 ["retail"]"#]);
    assert_eq!(rows[0].received_at, super::NOW);
    assert_eq!(rows[0].repository.as_deref(), Some("acme/retail"));
    let counts = office.counts("hub");
    assert_eq!((counts.accepted, counts.duplicates), (2, 1));
}

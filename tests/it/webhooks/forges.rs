//! Gitea and Forgejo, GitLab, and anything that can sign.

use serde_json::{Value, json};

use super::{Office, Request, SECRET, hmac, push};

fn gitea(event: &str, id: &str, payload: &Value) -> Request {
    let request = Request::new("tea", payload.to_string());
    let signature = hmac(SECRET, &request.body);
    request.with("x-gitea-event", event).with("x-gitea-delivery", id).with("x-gitea-signature", &signature)
}

fn gitlab(event: &str, id: &str, payload: &Value) -> Request {
    let request = Request::new("lab", payload.to_string()).with("x-gitlab-event", event);
    request.with("idempotency-key", id).with("x-gitlab-token", SECRET)
}

fn generic(payload: &Value) -> Request {
    let request = Request::new("own", payload.to_string());
    let signature = format!("sha256={}", hmac(SECRET, &request.body));
    request.with("x-meshwright-signature-256", &signature)
}

fn woken(targets: &[&str]) -> (u16, Vec<String>) {
    (200, targets.iter().map(|target| (*target).to_owned()).collect())
}

#[tokio::test]
async fn gitea_and_forgejo() {
    let office = Office::open().await;
    let body = push("main", 1, 2);
    assert_eq!(office.deliver(&gitea("push", "a", &body)).await, woken(&["retail"]));
    assert_eq!(office.deliver(&gitea("push", "a", &body)).await, woken(&[]), "a duplicate");
    // Forgejo's own header, and the one that both have after GitHub.
    let signature = hmac(SECRET, body.to_string().as_bytes());
    let bare = gitea("push", "b", &body).without("x-gitea-signature");
    assert_eq!(office.deliver(&bare).await.0, 401);
    assert_eq!(office.deliver(&bare.clone().with("x-forgejo-signature", &signature)).await, woken(&["retail"]));
    let after_github = bare.with("x-gitea-delivery", "c").with("x-hub-signature-256", &format!("sha256={signature}"));
    assert_eq!(office.deliver(&after_github).await, woken(&["retail"]));
    let pull = |action: &str| {
        json!({
            "action": action, "number": 3, "repository": { "full_name": "acme/fleet" },
            "pull_request": { "head": { "ref": "x", "sha": format!("{:040x}", 5) }, "base": { "ref": "main", "sha": "" } },
        })
    };
    assert_eq!(office.deliver(&gitea("pull_request", "d", &pull("synchronized"))).await, woken(&["fleet pull/3"]));
    assert_eq!(office.deliver(&gitea("pull_request", "e", &pull("label_updated"))).await, (202, vec![]));
    let created =
        json!({ "ref": "main", "ref_type": "branch", "sha": "x", "repository": { "full_name": "acme/fleet" } });
    assert_eq!(office.deliver(&gitea("create", "f", &created)).await, woken(&["fleet"]));
    let wrong = gitea("push", "g", &body).with("x-gitea-signature", &hmac("guessed", b""));
    assert_eq!(office.deliver(&wrong).await.0, 401);
}

#[tokio::test]
async fn gitlab_s_token_pushes_and_merge_requests() {
    let office = Office::open().await;
    let pushed = json!({
        "object_kind": "push", "ref": "refs/heads/main", "before": format!("{:040x}", 1), "after": format!("{:040x}", 2),
        "project": { "path_with_namespace": "acme/retail" },
    });
    assert_eq!(office.deliver(&gitlab("Push Hook", "a", &pushed)).await, woken(&["retail"]));
    assert_eq!(office.deliver(&gitlab("Push Hook", "a", &pushed)).await, woken(&[]), "a duplicate");
    // Older servers have no key: what cannot be told apart is never dropped.
    let bare = gitlab("Push Hook", "", &pushed).without("idempotency-key").with("x-gitlab-event-uuid", "same");
    let other = json!({ "x": 1, "ref": "refs/heads/main", "project": { "path_with_namespace": "acme/retail" } });
    assert_eq!(office.deliver(&bare).await, woken(&["retail"]));
    let other = gitlab("Push Hook", "", &other).without("idempotency-key").with("x-gitlab-event-uuid", "same");
    assert_eq!(office.deliver(&other).await, woken(&["retail"]));
    let request = |attributes: Value, changes: Value| {
        let mut all = json!({ "iid": 4, "target_branch": "main", "last_commit": { "id": format!("{:040x}", 5) } });
        all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
        json!({ "object_attributes": all, "changes": changes, "project": { "path_with_namespace": "acme/retail" } })
    };
    let base = json!({ "target_branch": { "previous": "next", "current": "main" } });
    let cases: Vec<(Value, (u16, Vec<String>))> = vec![
        (request(json!({ "action": "open" }), Value::Null), woken(&["retail pull/4"])),
        (request(json!({ "action": "merge" }), Value::Null), woken(&["retail pull/4"])),
        (request(json!({ "action": "update", "oldrev": "abc" }), json!({})), woken(&["retail pull/4"])),
        (request(json!({ "action": "update" }), base), woken(&["retail pull/4", "retail-next pull/4"])),
        (request(json!({ "action": "update" }), json!({ "title": {} })), (202, vec![])),
        (request(json!({ "action": "approved" }), Value::Null), (202, vec![])),
        (request(json!({}), Value::Null), (202, vec![])),
    ];
    for (number, (payload, expected)) in cases.into_iter().enumerate() {
        let found = office.deliver(&gitlab("Merge Request Hook", &format!("m{number}"), &payload)).await;
        assert_eq!(found, expected, "{payload}");
    }
    assert_eq!(office.deliver(&gitlab("Tag Push Hook", "t", &pushed)).await, (202, vec![]));
    for wrong in ["", "It's a Secret", "It's a Secret to Everybody!", "it's a secret to everybody"] {
        assert_eq!(office.deliver(&gitlab("Push Hook", "w", &pushed).with("x-gitlab-token", wrong)).await.0, 401);
    }
    assert_eq!(office.deliver(&gitlab("Push Hook", "w", &pushed).without("x-gitlab-token")).await.0, 401);
}

#[tokio::test]
async fn anything_that_can_sign() {
    let office = Office::open().await;
    let least = json!({ "repository": "acme/retail", "ref": "main" });
    assert_eq!(office.deliver(&generic(&least)).await, woken(&["retail"]));
    let whole = json!({
        "repository": "acme/retail", "ref": "refs/heads/next",
        "before": format!("{:040x}", 1), "after": format!("{:040x}", 2),
    });
    let named = generic(&whole).with("x-meshwright-delivery", "a");
    assert_eq!(office.deliver(&named).await, woken(&["retail-next"]));
    assert_eq!(office.deliver(&named).await, woken(&[]), "a duplicate");
    assert_eq!(
        office.deliver(&generic(&json!({ "repository": "acme/retail", "ref": "refs/tags/main" }))).await,
        woken(&[])
    );
    let answer = office.send(&generic(&json!({ "ref": "main" }))).await;
    assert_eq!((answer.status, answer.text.as_str()), (400, "line 1, column 14: missing field `repository`\n"));
    assert_eq!(office.deliver(&generic(&least).without("x-meshwright-signature-256")).await.0, 401);
    assert_eq!(office.deliver(&generic(&least).with("x-meshwright-delivery", "two words")).await.0, 400);
}

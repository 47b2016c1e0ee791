//! What answers mean: errors, limits, redirects, tags.

use serde_json::json;

use super::stage::{Stage, TOKEN, page, reply, source, status};
use crate::adapter::github::Pace;
use crate::domain::report::{Comment, Detail, Report};
use crate::port::clock::Clock as _;
use crate::port::forge::login::Logins as _;
use crate::port::forge::reviews::{Reaction, Reviews as _};
use crate::port::forge::{Forge as _, ForgeError};

fn pull(number: u64) -> serde_json::Value {
    json!({
        "number": number, "title": "Better", "user": { "login": "ada" }, "state": "open", "draft": false,
        "head": { "ref": "better", "sha": "1".repeat(40), "repo": { "id": 2 } },
        "base": { "ref": "main", "sha": "2".repeat(40), "repo": { "id": 1 } },
    })
}

#[tokio::test]
async fn what_is_sent_says_who_we_are_and_never_in_an_address() {
    let stage = Stage::new(|_, _| reply(201, &json!({}))).await;
    stage.forge.publish(&status(), None).await.unwrap();
    let asked = stage.asked.lock().unwrap().clone();
    assert_eq!(asked[0].what, "POST /repos/acme/retail/statuses/0123456789abcdef0123456789abcdef01234567");
    assert_eq!(asked[0].headers["authorization"], format!("Bearer {TOKEN}"));
    assert!(asked[0].headers["user-agent"].to_str().unwrap().starts_with("meshwright/"));
    assert_eq!(asked[0].headers.get_all("user-agent").iter().count(), 1);
    assert_eq!(asked[0].headers["accept"], "application/vnd.github+json");
    assert!(asked[0].headers.contains_key("x-github-api-version"));
    assert_eq!(asked[0].body, json!({ "state": "success", "context": "meshwright/validate", "description": "fine" }));
    assert!(!format!("{:?} {:?} {:?}", stage.forge, stage.forge.logins(), stage.forge.facts()).contains("hunter2"));
}

#[tokio::test]
async fn every_bad_answer_says_what_to_do_next() {
    let cases: [(u16, &str, &str); 11] = [
        (401, r#"{"message":"Bad credentials"}"#, "denied"),
        (403, r#"{"message":"Resource not accessible by personal access token"}"#, "denied"),
        (403, r#"{"message":"Repository was archived so is read-only."}"#, "denied"),
        (404, r#"{"message":"Not Found"}"#, "denied"),
        (410, r#"{"message":"Issues are disabled"}"#, "permanent"),
        (422, r#"{"message":"Validation Failed","errors":[{"message":"No commit found for SHA: 01"}]}"#, "permanent"),
        (429, "", "limited"),
        (500, "", "transient"),
        (502, "<html>Unicorn!</html>", "transient"),
        (503, r#"{"message":"hunter2"#, "transient"),
        (301, "", "denied"),
    ];
    for (status_code, body, wanted) in cases {
        let stage = Stage::new(move |_, _| page(status_code, body)).await;
        let error = stage.forge.publish(&status(), None).await.unwrap_err();
        let found = match &error {
            ForgeError::Transient(_) => "transient",
            ForgeError::Limited { .. } => "limited",
            ForgeError::Crowded { .. } => "crowded",
            ForgeError::Denied(_) => "denied",
            ForgeError::Permanent(_) => "permanent",
        };
        assert_eq!(found, wanted, "{status_code}: {error}");
        assert!(!error.to_string().contains('<') && !error.to_string().contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn half_answers_and_nobody_there_pass() {
    let stage = Stage::new(|_, _| reply(200, &pull(7)).cut()).await;
    let error = stage.forge.pull_request(&source(), 7).await.unwrap_err();
    assert!(matches!(error, ForgeError::Transient(_)), "{error}");
    let stage = Stage::new(|_, _| page(200, "<html>Sign in</html>")).await;
    let error = stage.forge.pull_request(&source(), 7).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Transient(message) if message.contains("an HTML page")), "{error}");
    let stage = Stage::new(|_, _| page(200, &"x".repeat(17 * 1024 * 1024))).await;
    let error = stage.forge.pull_request(&source(), 7).await.unwrap_err();
    assert!(matches!(error, ForgeError::Transient(_)), "an answer without an end is cut off: {error}");
}

#[tokio::test]
async fn a_limit_stops_all_requests_until_it_is_over() {
    let stage = Stage::new(|_, before| match before {
        0 => reply(403, &json!({ "message": "slow down" })).with("retry-after", "30"),
        _ => reply(201, &json!({})),
    })
    .await;
    let ForgeError::Limited { until, .. } = stage.forge.publish(&status(), None).await.unwrap_err() else {
        panic!("it is a limit")
    };
    assert_eq!(until.duration_since(stage.clock.now()).as_secs(), 30);
    stage.clock.forward(29);
    assert!(matches!(stage.forge.publish(&status(), None).await, Err(ForgeError::Limited { .. })));
    assert!(matches!(stage.forge.may_write(&source(), "ada").await, Err(ForgeError::Limited { .. })));
    assert_eq!(stage.asked().len(), 1, "nothing was asked meanwhile");
    stage.clock.forward(1);
    stage.forge.publish(&status(), None).await.unwrap();
}

#[tokio::test]
async fn the_last_request_of_the_hour_is_not_followed_by_one_too_many() {
    let stage = Stage::new(|_, _| {
        reply(201, &json!({})).with("x-ratelimit-remaining", "0").with("x-ratelimit-reset", "1800003600")
    })
    .await;
    stage.forge.publish(&status(), None).await.unwrap();
    let error = stage.forge.publish(&status(), None).await.unwrap_err();
    assert!(matches!(error, ForgeError::Limited { .. }), "{error}");
    assert_eq!(stage.asked().len(), 1);
}

#[tokio::test]
async fn a_secondary_limit_without_a_time_lasts_longer_each_time() {
    let body = json!({ "message": "You have exceeded a secondary rate limit." });
    let stage = Stage::new(move |_, _| reply(403, &body)).await;
    for wanted in [60, 120, 240] {
        let ForgeError::Limited { until, .. } = stage.forge.publish(&status(), None).await.unwrap_err() else {
            panic!("it is a limit")
        };
        assert_eq!(until.duration_since(stage.clock.now()).as_secs(), wanted);
        stage.clock.forward(wanted);
    }
}

#[tokio::test]
async fn whoever_would_wait_long_is_told_to_come_back() {
    let pace = Pace { points_a_minute: 10, ..Pace::GITHUB };
    let stage = Stage::with_pace(pace, |_, _| reply(201, &json!({}))).await;
    stage.forge.publish(&status(), None).await.unwrap();
    stage.forge.publish(&status(), None).await.unwrap();
    let ForgeError::Limited { until, .. } = stage.forge.publish(&status(), None).await.unwrap_err() else {
        panic!("ten points are two writes")
    };
    assert_eq!(until.duration_since(stage.clock.now()).as_secs(), 60);
    stage.clock.forward(60);
    stage.forge.publish(&status(), None).await.unwrap();
}

#[tokio::test]
async fn statuses_go_on_when_no_more_comments_may_be_made() {
    let pace = Pace { content_an_hour: 1, ..Pace::GITHUB };
    let stage = Stage::with_pace(pace, |asked, _| match asked.what.as_str() {
        "GET /user" => reply(200, &json!({ "login": "mesh" })),
        what if what.starts_with("GET") => reply(200, &json!([])),
        _ => reply(201, &json!({ "id": 9 })),
    })
    .await;
    let comment = |pull: u64| {
        let detail = Detail::Comment(Comment { pull, body: "text".to_owned(), answers: String::new() });
        Report { detail: Some(detail), ..status() }
    };
    stage.forge.publish(&comment(1), None).await.unwrap();
    let ForgeError::Crowded { until, .. } = stage.forge.publish(&comment(2), None).await.unwrap_err() else {
        panic!("one an hour is all")
    };
    assert_eq!(until.duration_since(stage.clock.now()).as_secs(), 3_600);
    stage.forge.publish(&status(), None).await.unwrap();
    stage.forge.react(&source(), 7, Reaction::Seen).await.unwrap();
    stage.clock.forward(3_600);
    stage.forge.publish(&comment(2), None).await.unwrap();
}

#[tokio::test]
async fn what_did_not_change_is_taken_from_what_was_answered_before() {
    let stage = Stage::new(|asked, _| match asked.headers.get("if-none-match") {
        Some(tag) if tag == "\"one\"" => page(304, ""),
        _ => reply(200, &pull(7)).with("etag", "\"one\""),
    })
    .await;
    let first = stage.forge.pull_request(&source(), 7).await.unwrap().unwrap();
    let second = stage.forge.pull_request(&source(), 7).await.unwrap().unwrap();
    assert_eq!(first, second);
    let asked = stage.asked.lock().unwrap().clone();
    assert!(!asked[0].headers.contains_key("if-none-match") && asked[1].headers.contains_key("if-none-match"));
}

#[tokio::test]
async fn a_renamed_repository_is_found_again_by_its_id_with_the_whole_request() {
    let stage = Stage::new(|asked, _| {
        let here = format!("http://{}", asked.headers["host"].to_str().unwrap());
        match asked.what.strip_prefix("POST /repos/acme/retail/") {
            Some(rest) => page(307, "").with("location", &format!("{here}/api/v3/repositories/1/{rest}")),
            None => reply(201, &json!({})),
        }
    })
    .await;
    stage.forge.publish(&status(), None).await.unwrap();
    let asked = stage.asked.lock().unwrap().clone();
    assert_eq!(asked[1].what, "POST /repositories/1/statuses/0123456789abcdef0123456789abcdef01234567");
    assert_eq!(asked[1].body["state"], "success");
    assert_eq!(asked[1].headers["authorization"], format!("Bearer {TOKEN}"));
}

#[tokio::test]
async fn nothing_is_sent_to_another_place_and_nothing_in_a_circle() {
    let elsewhere = Stage::new(|_, _| reply(201, &json!({}))).await;
    for target in [
        format!("{}/api/v3/repositories/1", elsewhere.base),
        "//evil.test/api/v3/x".to_owned(),
        "https://api.github.com.evil.test/x".to_owned(),
        "elsewhere".to_owned(),
        "/api/v3/../../x".to_owned(),
    ] {
        let answer = target.clone();
        let stage = Stage::new(move |_, _| page(301, "").with("location", &answer)).await;
        let error = stage.forge.publish(&status(), None).await.unwrap_err();
        assert!(matches!(error, ForgeError::Denied(_)), "{target}: {error}");
        assert_eq!(stage.asked().len(), 1, "{target}");
    }
    assert!(elsewhere.asked().is_empty());
    let circle = Stage::new(|_, _| page(302, "").with("location", "/api/v3/again")).await;
    assert!(matches!(circle.forge.publish(&status(), None).await, Err(ForgeError::Transient(_))));
    assert_eq!(circle.asked().len(), 4);
}

#[tokio::test]
async fn a_token_that_was_replaced_is_read_again_after_a_refusal() {
    let stage = Stage::new(|asked, _| match asked.headers["authorization"].to_str().unwrap() {
        "Bearer ghp_new" => reply(201, &json!({})),
        _ => reply(401, &json!({ "message": "Bad credentials" })),
    })
    .await;
    assert!(matches!(stage.forge.publish(&status(), None).await, Err(ForgeError::Denied(_))));
    tokio::fs::write(stage.token_file(), "ghp_new\n").await.unwrap();
    stage.forge.publish(&status(), None).await.unwrap();
    assert_eq!(stage.forge.logins().login(&source()).await.unwrap().password, "ghp_new");
}

#[tokio::test]
async fn githubs_clock_is_compared_with_ours() {
    let stage = Stage::new(|_, _| reply(200, &json!({})).with("date", "Fri, 15 Jan 2027 08:02:00 GMT")).await;
    let skew = stage.forge.facts().clock_skew().await.unwrap().unwrap();
    assert_eq!(skew.as_secs(), 120);
    assert!(!stage.asked.lock().unwrap()[0].headers.contains_key("authorization"), "our credentials may be wrong");
}

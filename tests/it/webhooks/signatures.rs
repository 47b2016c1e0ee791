//! Who is believed.

use std::io::Write as _;
use std::process::{Command, Stdio};

use meshwright::face::http::webhooks::Counts;
use serde_json::{Value, json};

use super::{Office, Request, SECRET, hmac, part, push};

#[tokio::test]
async fn without_a_right_signature_nothing_is_left_but_a_counter() {
    let office = Office::open().await;
    let right = Request::github("push", "a", &push("main", 1, 2));
    let signature = right.headers["x-hub-signature-256"].clone();
    let sha1 = "sha1=0000000000000000000000000000000000000000";
    let other_body = format!("sha256={}", hmac(SECRET, b"{}"));
    let other_secret = format!("sha256={}", hmac("guessed", &right.body));
    let no_secret = format!("sha256={}", hmac("", &right.body));
    let wrong = [
        right.clone().without("x-hub-signature-256"),
        right.clone().without("x-hub-signature-256").with("x-hub-signature", sha1),
        right.clone().with("x-hub-signature-256", ""),
        right.clone().with("x-hub-signature-256", &signature["sha256=".len()..]),
        right.clone().with("x-hub-signature-256", &signature.replace("sha256", "sha1")),
        right.clone().with("x-hub-signature-256", &signature[..signature.len() - 2]),
        right.clone().with("x-hub-signature-256", &other_body),
        right.clone().with("x-hub-signature-256", &other_secret),
        right.clone().with("x-hub-signature-256", &no_secret),
        // Signed as other forges do, or with the secret where anybody on the way can read it.
        right.clone().without("x-hub-signature-256").with("x-gitlab-token", SECRET),
        right.clone().without("x-hub-signature-256").with("x-gitea-signature", &hmac(SECRET, &right.body)),
        Request { path: format!("/webhooks/hub?secret={SECRET}").replace([' ', '\''], "%20"), ..right.clone() }
            .without("x-hub-signature-256"),
    ];
    for request in &wrong {
        let answer = office.send(request).await;
        assert_eq!((answer.status, answer.text.as_str()), (401, "the signature is missing or wrong\n"), "{request:?}");
    }
    assert_eq!(office.ledger().await, []);
    assert_eq!(office.counts("hub"), Counts { refused: wrong.len() as u64, ..Counts::default() });
    assert_eq!(office.deliver(&right).await, (200, vec!["retail".to_owned()]));
    // The one that counts is right, and the old one beside it is not looked at.
    let both = Request::github("push", "b", &push("main", 2, 3)).with("x-hub-signature", sha1);
    assert_eq!(office.deliver(&both).await, (200, vec!["retail".to_owned()]));
}

#[tokio::test]
async fn one_secret_is_replaced_by_another_without_a_pause() {
    let office = Office::open().await;
    let signed = |id: &str, secret: &str| {
        let request = Request::github("push", id, &push("main", 1, 2));
        let signature = format!("sha256={}", hmac(secret, &request.body));
        request.with("x-hub-signature-256", &signature)
    };
    *office.secrets.0.lock().unwrap() = vec!["old".to_owned(), "new".to_owned()];
    assert_eq!(office.send(&signed("a", "old")).await.status, 200);
    assert_eq!(office.send(&signed("b", "new")).await.status, 200);
    *office.secrets.0.lock().unwrap() = vec!["new".to_owned()];
    assert_eq!(office.send(&signed("c", "old")).await.status, 401);
    assert_eq!(office.send(&signed("d", "new")).await.status, 200);
    // Without a secret nobody can be believed, and an empty one is none.
    *office.secrets.0.lock().unwrap() = vec![String::new()];
    assert_eq!(office.send(&signed("e", "")).await.status, 503);
    assert_eq!(office.ledger().await.len(), 3);
}

#[tokio::test]
async fn other_forges_and_other_methods_are_not_there() {
    let office = Office::open().await;
    let right = Request::github("push", "a", &push("main", 1, 2));
    for path in ["/webhooks/gone", "/webhooks/..%2Fhub", "/webhooks/%00", "/webhooks/", "/webhooks", "/"] {
        assert_eq!(office.send(&Request { path: path.to_owned(), ..right.clone() }).await.status, 404, "{path}");
    }
    let mut line = office.connect().await;
    tokio::io::AsyncWriteExt::write_all(&mut line.0, b"GET /webhooks/hub HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert_eq!(line.answer().await.unwrap().status, 405);
    assert_eq!(office.counts("hub"), Counts::default());
}

/// Asks GitHub's own library.
fn ask(question: &Value) -> Option<Value> {
    part("webhooks-methods")?;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm");
    let child =
        Command::new("node").arg("sign.mjs").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("node is there where its packages are");
    child.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test]
async fn signatures_are_those_of_githubs_own_library() {
    let payloads: Vec<String> = (0..40)
        .map(|number| {
            let mut payload = push("main", number, number + 1);
            payload["text"] = json!(["plain", "é ß 漢字 🦀", "\u{0}\u{1f}\"\\", "\u{202e}x", ""][number as usize % 5]);
            payload.to_string()
        })
        .collect();
    let secrets = [SECRET, "x", "é🦀", &"long ".repeat(60)];
    let pairs: Vec<(&str, &String)> = payloads.iter().zip(secrets.into_iter().cycle()).map(|(p, s)| (s, p)).collect();
    let verify: Vec<Value> = pairs
        .iter()
        .map(|(secret, payload)| json!([secret, payload, format!("sha256={}", hmac(secret, payload.as_bytes()))]))
        .collect();
    let sign: Vec<Value> = pairs.iter().map(|(secret, payload)| json!([secret, payload])).collect();
    let Some(answer) = ask(&json!({ "sign": sign, "verify": verify })) else { return };
    assert!(answer["verify"].as_array().unwrap().iter().all(|verified| *verified == true), "{answer}");

    let office = Office::open().await;
    for (number, ((secret, payload), signature)) in pairs.iter().zip(answer["sign"].as_array().unwrap()).enumerate() {
        *office.secrets.0.lock().unwrap() = vec![(*secret).to_owned()];
        let request = Request::github_bytes("push", &format!("n{number}"), payload.as_str());
        let request = request.with("x-hub-signature-256", signature.as_str().unwrap());
        assert_eq!(office.deliver(&request).await, (200, vec!["retail".to_owned()]), "{payload}");
        // One letter more, and it is another body.
        let changed = Request { body: format!("{payload} ").into_bytes(), ..request };
        assert_eq!(office.deliver(&changed).await.0, 401);
    }
    assert_eq!(office.ledger().await.len(), payloads.len());
}

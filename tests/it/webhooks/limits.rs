//! What is too large, too slow, too deep, or nothing at all.

use std::time::{Duration, Instant};

use meshwright::face::http;
use serde_json::{Value, json};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

use super::{Line, Office, Request, push};

#[tokio::test]
async fn a_large_delivery_is_taken_and_a_gigantic_one_is_not_even_read() {
    let office = Office::open().await;
    let mut payload = push("main", 1, 2);
    payload["commits"] = json!(vec![json!({ "message": "x".repeat(1_000) }); 22_000]);
    let large = Request::github("push", "a", &payload);
    assert!(large.body.len() > 20 << 20);
    assert_eq!(office.deliver(&large).await, (200, vec!["retail".to_owned()]));

    // It says how long it is: nobody waits for the rest.
    let mut line = office.connect().await;
    let request = Request::github("push", "b", &payload);
    line.0.write_all(request.head("content-length: 26214401\r\n").as_bytes()).await.unwrap();
    line.0.write_all(&[b' '; 1000]).await.unwrap();
    assert_eq!(line.answer().await.unwrap().status, 413);
    assert_eq!(office.counts("hub").dropped, 1);
}

#[tokio::test]
async fn a_limit_that_is_narrower_holds_also_for_who_does_not_say_how_long_it_is() {
    let office = Office::open_with(|settings| settings.max_body = 100_000).await;
    let mut payload = push("main", 1, 2);
    payload["padding"] = json!("x".repeat(100_000));
    let request = Request::github("push", "a", &payload);
    assert_eq!(office.deliver(&request).await, (413, vec![]));
    let mut line = office.connect().await;
    line.0.write_all(request.head("transfer-encoding: chunked\r\n").as_bytes()).await.unwrap();
    for chunk in request.body.chunks(9_000) {
        let mut framed = format!("{:x}\r\n", chunk.len()).into_bytes();
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
        // The receiver hangs up when it has seen enough.
        if line.0.write_all(&framed).await.is_err() {
            break;
        }
    }
    assert!(line.answer().await.is_none_or(|answer| answer.status == 413));
    assert_eq!(office.counts("hub").dropped, 2);
    // In chunks, and small enough.
    let small = Request::github("push", "b", &push("main", 1, 2));
    let mut line = office.connect().await;
    let chunk = [format!("{:x}\r\n", small.body.len()).as_bytes(), &small.body, b"\r\n0\r\n\r\n"].concat();
    line.0.write_all(&[small.head("transfer-encoding: chunked\r\n").into_bytes(), chunk].concat()).await.unwrap();
    assert_eq!(line.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn who_is_slow_is_not_waited_for_and_holds_up_nobody() {
    let office = Office::open_with(|settings| settings.body_patience = Duration::from_millis(300)).await;
    let request = Request::github("push", "slow", &push("main", 1, 2));
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut line = office.connect().await;
        line.0.write_all(request.head("content-length: 5000\r\n").as_bytes()).await.unwrap();
        line.0.write_all(b"{").await.unwrap();
        slow.push(line);
    }
    let began = Instant::now();
    assert_eq!(office.send(&Request::github("push", "quick", &push("main", 1, 2))).await.status, 200);
    for mut line in slow {
        assert!(line.answer().await.is_none_or(|answer| answer.status == 408));
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(office.counts("hub").dropped, 100);
    assert_eq!(office.ledger().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_that_trickle_do_not_keep_the_others_waiting() {
    let office = Office::open().await;
    let mut payload = push("main", 1, 2);
    payload["padding"] = json!("x".repeat(1 << 20));
    let large = Request::github("push", "large", &payload);
    let mut slow = Vec::new();
    for number in 0..8 {
        // More of them say so than there are turns; half have sent enough to have one.
        let mut line = office.connect().await;
        line.0.write_all(large.head("content-length: 20000000\r\n").as_bytes()).await.unwrap();
        let sent = if number < 4 { 300 << 10 } else { 1_000 };
        line.0.write_all(&vec![b' '; sent]).await.unwrap();
        slow.push(line);
    }
    assert_eq!(office.deliver(&large).await, (200, vec!["retail".to_owned()]));
    for mut line in slow {
        assert!(line.answer().await.is_none_or(|answer| answer.status == 408));
    }
    assert_eq!(office.counts("hub").dropped, 8);
}

/// Time passes by itself here, as soon as everybody waits.
#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_and_a_line_that_says_nothing_are_hung_up_on() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(http::serve(listener, axum::Router::new(), stop.clone()));
    let began = tokio::time::Instant::now();
    let mut silent = Line::to(address).await.unwrap();
    let mut endless = Line::to(address).await.unwrap();
    endless.0.write_all(b"POST /webhooks/hub HTTP/1.1\r\nx: ").await.unwrap();
    let mut idle = Line::to(address).await.unwrap();
    idle.0.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert_eq!(idle.answer().await.unwrap().status, 404);
    for line in [&mut silent, &mut endless, &mut idle] {
        assert!(line.answer().await.is_none_or(|answer| answer.status == 408));
    }
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    stop.cancel();
    serving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_early_is_recorded_and_woken_or_neither() {
    let office = Office::open().await;
    for number in 0..200_u64 {
        let mut line = office.connect().await;
        let request = Request::github("push", &format!("d{number}"), &push("main", number, number + 1));
        line.0.write_all(&request.bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_micros(number * 20)).await;
        drop(line);
    }
    // The last ones are still on their way.
    let began = Instant::now();
    loop {
        let (recorded, woken) = (office.ledger().await.len(), office.door.0.lock().unwrap().len());
        let counted = office.counts("hub").accepted as usize;
        if recorded > 0 && recorded == woken && woken == counted && began.elapsed() > Duration::from_millis(500) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{recorded} recorded, {woken} woken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_is_busy_has_the_forge_come_back_and_loses_nothing() {
    let office = Office::open_with(|settings| settings.answer_patience = Duration::from_millis(300)).await;
    let state = SqliteConnectOptions::new().filename(office.folder.path().join("state.db"));
    let mut other = state.connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let request = Request::github("push", "a", &push("main", 1, 2));
    let answer = office.send(&request).await;
    assert_eq!((answer.status, answer.retry_after), (503, Some(5)), "{answer:?}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    // It was not given up: whoever was told to come back finds it recorded, and woken once.
    let began = Instant::now();
    while office.ledger().await.is_empty() {
        assert!(began.elapsed() < Duration::from_secs(20), "it is never recorded");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(office.deliver(&request).await.0, 200);
    assert_eq!(office.ledger().await[0].times, 2);
    assert_eq!(office.door.0.lock().unwrap().len(), 1);
    let counts = office.counts("hub");
    assert_eq!((counts.failed, counts.accepted, counts.duplicates), (1, 1, 1));
}

#[tokio::test]
async fn what_breaks_off_is_nothing() {
    let office = Office::open().await;
    let request = Request::github("push", "a", &push("main", 1, 2));
    let whole = request.bytes();
    for length in [1, 10, whole.len() / 2, whole.len() - 1] {
        let mut line = office.connect().await;
        line.0.write_all(&whole[..length]).await.unwrap();
        line.0.shutdown().await.unwrap();
        assert!(line.answer().await.is_none_or(|answer| answer.status == 400), "{length}");
    }
    assert_eq!(office.ledger().await, []);
    // Cut, and signed as it is.
    for length in [0, 1, request.body.len() / 2, request.body.len() - 1] {
        let cut = Request::github_bytes("push", "a", &request.body[..length]);
        let answer = office.send(&cut).await;
        assert!(answer.status == 400 && answer.text.contains("the payload ends too early"), "{answer:?}");
    }
    assert_eq!(office.counts("hub").malformed, 4);
}

#[tokio::test]
async fn nesting_does_no_harm() {
    let office = Office::open().await;
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(200_000), close.repeat(200_000));
    for nested in [deep("[", "]"), deep("{\"a\":", "}"), "[".repeat(1_000_000)] {
        // As the whole, in a field that is read, and in one that nobody reads.
        for body in [
            nested.clone(),
            format!("{{\"ref\":{nested}}}"),
            push("main", 1, 2).to_string().replace("\"commits\":[]", &format!("\"commits\":{nested}")),
        ] {
            let status = office.send(&Request::github_bytes("push", "a", body)).await.status;
            assert!([200, 400].contains(&status), "{status}");
        }
    }
    assert_eq!(office.send(&Request::github("push", "z", &push("main", 1, 2))).await.status, 200);
}

#[tokio::test]
async fn bytes_that_are_no_text_and_text_that_is_no_json() {
    let office = Office::open().await;
    let latin = push("main", 1, 2).to_string().replace("main", "m\u{e4}in");
    let latin: Vec<u8> = latin.chars().map(|c| c as u8).collect();
    let bodies: [&[u8]; 8] =
        [&latin, b"\xff\xfe{\x00}\x00", b"\x00", b"not json", b"<xml/>", b"{\"ref\":1,}", b"null", b"{} {}"];
    for body in bodies {
        let answer = office.send(&Request::github_bytes("push", "a", body)).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.text.starts_with("line ") && answer.text.len() < 100, "{answer:?}");
    }
    assert_eq!(office.ledger().await, []);
}

#[tokio::test]
async fn an_answer_repeats_nothing_of_the_payload() {
    let office = Office::open().await;
    let mut payload = push("main", 1, 2);
    payload["repository"] = json!("<script>alert(1)</script>");
    let answer = office.send(&Request::github("push", "a", &payload)).await;
    assert_eq!(answer.status, 400);
    assert!(!answer.text.contains("script"), "{answer:?}");
}

#[tokio::test]
async fn forms_are_read_and_other_content_is_refused() {
    let office = Office::open().await;
    let form = |id: &str, body: &str| {
        Request::github_bytes("push", id, body).with("content-type", "application/x-www-form-urlencoded")
    };
    let mut payload = push("main", 1, 2);
    payload["text"] = json!("a+b&c=d %41 é");
    let encoded: String = payload.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(office.deliver(&form("a", &format!("payload={encoded}"))).await, (200, vec!["retail".to_owned()]));
    assert_eq!(office.deliver(&form("b", &format!("x=1&payload={encoded}&y"))).await.0, 200);
    for bad in ["", "payload=", "payload", "body=%7B%7D", "payload=%FF%FE", "payload=%ZZ"] {
        assert_eq!(office.deliver(&form("c", bad)).await, (400, vec![]), "{bad}");
    }
    let right = Request::github("push", "d", &payload);
    assert_eq!(office.deliver(&right.clone().with("content-type", "Application/JSON; charset=utf-8")).await.0, 200);
    for other in ["text/plain", "multipart/form-data; boundary=x", "application/jsonp", "", "application/xml"] {
        assert_eq!(office.deliver(&right.clone().with("content-type", other)).await, (415, vec![]), "{other}");
    }
    assert_eq!(office.deliver(&right.without("content-type")).await, (415, vec![]));
}

#[tokio::test]
async fn ids_that_are_none_are_refused_and_missing_ones_are_made() {
    let office = Office::open().await;
    let payload: Value = push("main", 1, 2);
    for id in ["two words", &"x".repeat(129), "\u{e9}"] {
        assert_eq!(office.deliver(&Request::github("push", id, &payload)).await, (400, vec![]), "{id}");
    }
    let nameless = Request::github("push", "", &payload).without("x-github-delivery");
    assert_eq!(office.deliver(&nameless).await.0, 200);
    assert!(office.ledger().await[0].delivery.starts_with("made-"));
    let eventless = Request::github("push", "a", &payload).without("x-github-event");
    assert_eq!(office.deliver(&eventless).await, (400, vec![]));
}

use serde_json::Value;

use super::*;
use crate::face::verbs::fake_record::FakeRecord;

async fn run(locked: bool, arguments: &[&str]) -> (ExitStatus, String, String) {
    use clap::Parser;
    let words = ["meshwright", "get"].iter().chain(arguments);
    let crate::face::cli::Verb::Get(args) = crate::face::cli::Cli::try_parse_from(words).unwrap().verb else {
        panic!("get")
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut output = Output { out: &mut out, err: &mut err, colour: false, err_colour: false, width: 100 };
    let status = get(&FakeRecord { locked }, &args, &mut output).await.unwrap();
    (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

#[tokio::test]
async fn tables_are_aligned_and_harmless() {
    let (status, out, _) = run(false, &["products"]).await;
    assert_eq!(status, ExitStatus::Success);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 5);
    assert!(lines[0].starts_with("NAME    VERSION  DOMAIN  OWNER"), "{out}");
    assert!(lines[1].starts_with("trips   1.2.0    数据    evil␛[2J@example.com"), "{out}");
}

#[tokio::test]
async fn proposals_are_listed_and_their_titles_are_harmless() {
    let (status, out, _) = run(false, &["proposals", "--limit", "2"]).await;
    assert_eq!((status, out.lines().count()), (ExitStatus::Success, 3), "{out}");
    assert!(
        out.contains("pull/1") && out.contains("mona (fork)") && out.contains("Add␛[2J a column␊@everyone"),
        "{out}"
    );
    let (_, out, _) = run(false, &["pulls", "-o", "json"]).await;
    let rows: Vec<Value> = serde_json::from_str(&out).unwrap();
    assert_eq!((rows.len(), &rows[0]["fork"]), (50, &Value::Bool(true)));
}

#[tokio::test]
async fn filters_and_limits_hold_together() {
    let (_, out, _) = run(false, &["products", "--source", "a", "-o", "json"]).await;
    let rows: Vec<Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["displayName"], "trips");
    let (_, out, _) = run(false, &["activities", "--product", "trips", "--limit", "7", "-o", "json"]).await;
    let rows: Vec<Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(rows.len(), 7, "the limit counts what is shown, not what was looked at");
    let (_, out, _) = run(false, &["activities", "--limit", "2"]).await;
    assert_eq!(out.lines().count(), 3, "a line end in a message is no row: {out}");
}

#[tokio::test]
async fn yaml_says_what_json_says() {
    let (_, json, _) = run(false, &["products", "-o", "json"]).await;
    let (_, yaml, _) = run(false, &["products", "-o", "yaml"]).await;
    let (json, yaml): (Value, Value) = (serde_json::from_str(&json).unwrap(), serde_yaml::from_str(&yaml).unwrap());
    assert_eq!(json, yaml);
}

#[tokio::test]
async fn nothing_is_an_answer_and_a_locked_record_is_not() {
    let (status, out, err) = run(false, &["reports"]).await;
    assert_eq!((status, out.as_str(), err.as_str()), (ExitStatus::Success, "", "No reports are recorded.\n"));
    let (_, out, _) = run(false, &["reports", "-o", "json"]).await;
    assert_eq!(out, "[]\n");
    let (status, out, err) = run(true, &["products"]).await;
    assert_eq!((status, out.as_str()), (ExitStatus::Failed, ""));
    assert!(err.contains("not available for now: locked"));
}

#[tokio::test]
async fn deliveries_are_those_that_woke_the_source() {
    let (_, out, _) = run(false, &["deliveries"]).await;
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("RECEIVED") && lines[0].ends_with("DELIVERY"), "{out}");
    let first = "hub    pull_request.opened  acme/retail  main";
    assert!(lines[1].contains(first) && lines[1].contains("woke     a pull/7, b  2      d-1"), "{out}");
    assert!(lines[2].contains("␛[2J") && !out.contains('\u{202e}'), "anybody names a branch: {out}");
    for (source, expected) in [("a", 1), ("b", 1), ("ab", 1), ("c", 0)] {
        let (_, out, _) = run(false, &["deliveries", "--source", source, "-o", "json"]).await;
        let rows: Vec<Value> = serde_json::from_str(&out).unwrap();
        assert_eq!(rows.len(), expected, "{source}: {out}");
    }
}

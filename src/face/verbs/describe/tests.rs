use clap::Parser;
use serde_json::Value;

use super::*;
use crate::face::verbs::fake_record::{FakeRecord, activity_id};

async fn run(arguments: &[&str]) -> (ExitStatus, String, String) {
    let words = ["meshwright", "describe"].iter().chain(arguments);
    let crate::face::cli::Verb::Describe(args) = crate::face::cli::Cli::try_parse_from(words).unwrap().verb else {
        panic!("describe")
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut output = Output { out: &mut out, err: &mut err, colour: false, err_colour: false, width: 100 };
    let status = describe(&FakeRecord { locked: false }, &args, &mut output).await.unwrap();
    let (out, err) = (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap());
    assert!(!format!("{out}{err}").contains(['\u{1b}', '\u{202e}']) || arguments.contains(&"json"), "{out}{err}");
    (status, out, err)
}

#[tokio::test]
async fn a_product_is_shown_with_what_belongs_to_it() {
    let (status, out, _) = run(&["product", "trips"]).await;
    assert_eq!(status, ExitStatus::Success);
    for wanted in [
        "Name:         trips",
        "Product:      urn:dpds:com.example:dataproducts:trips:1",
        "reads:      nothing of others",
        "is read by: urn:dpds:com.example:dataproducts:orders:1",
        "trips:1  dev    1.1.0",
        "act-0000000000000000",
        "schema/unknown-field",
    ] {
        assert!(out.contains(wanted), "{wanted}: {out}");
    }
    let (_, json, _) = run(&["product", "trips:1", "-o", "json"]).await;
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["downstream"][0], "urn:dpds:com.example:dataproducts:orders:1");
    assert_eq!(document["activities"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn names_that_mean_nothing_or_several_things_are_answered_with_what_there_is() {
    let (status, out, err) = run(&["product", "trisp"]).await;
    assert_eq!((status, out.as_str()), (ExitStatus::Failed, ""));
    assert!(err.contains("there is no product 'trisp'") && err.contains("did you mean 'trips'?"), "{err}");
    let (status, _, err) = run(&["product", "fleet"]).await;
    assert_eq!(status, ExitStatus::Failed);
    assert!(err.contains("'fleet' is the name of 2 products") && err.contains("fleet:2"), "{err}");
    assert_eq!(run(&["product", "fleet:2"]).await.0, ExitStatus::Success);
    assert!(run(&["source", "b"]).await.2.contains("there is only 'a'"));
    assert!(run(&["activity", "act-"]).await.2.contains("several activities begin with 'act-'"));
    assert!(run(&["activity", "xyz"]).await.2.contains("`meshwright get activities`"));
    assert!(run(&["activity", "act-000000000000ffff"]).await.2.contains("there is no activity"));
}

#[tokio::test]
async fn a_version_is_shown_with_its_content() {
    let (status, out, _) = run(&["version", "trips@1.2.0"]).await;
    assert_eq!(status, ExitStatus::Success);
    assert!(out.contains("Released:     yes") && out.contains("  info:\n    name: trips"), "{out}");
    assert_eq!(run(&["version", "fleet@2.2.0"]).await.0, ExitStatus::Success, "the number says which major is meant");
    assert!(run(&["version", "trips@9.9.9"]).await.2.contains("there is only '1.2.0'"));
    assert!(run(&["version", "trips"]).await.2.contains("write product@version"));
}

#[tokio::test]
async fn an_activity_is_shown_with_its_tasks_events_and_the_end_of_its_log() {
    let (status, out, _) = run(&["activity", "act-0000000000000000"]).await;
    assert_eq!(status, ExitStatus::Success);
    for wanted in [
        "Status:       failed",
        "1. provision storage by warehouse: succeeded {\"schema\":\"dev_trips_v1\"}",
        "2. build load by warehouse: failed: no␛[2Jroom",
        "2026-11-20T10:00:00Z  claimed with token 7",
        "task 2 failed at attempt 1, for good: no␛[2Jroom",
        "… 50 earlier lines",
        "load | line 250␛[2J",
    ] {
        assert!(out.contains(wanted), "{wanted}: {out}");
    }
    let (_, json, _) = run(&["activity", activity_id().as_str(), "-o", "json"]).await;
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["log"].as_array().unwrap().len(), 250);
    assert_eq!(document["events"][0]["event"], "claimed");
}

#[tokio::test]
async fn a_source_is_shown_with_its_condition() {
    let (status, out, _) = run(&["source", "a"]).await;
    assert_eq!(status, ExitStatus::Success);
    for wanted in ["Condition:    unreachable", "Latest passes", "trips:1  trips/dp.yaml", "-        broken/dp.yaml"] {
        assert!(out.contains(wanted), "{wanted}: {out}");
    }
}

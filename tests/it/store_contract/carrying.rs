//! A record is carried from one database to another, whole or not at all.

use std::io::BufReader;
use std::path::Path;

use meshwright::adapter::store::SqlStore;
use meshwright::adapter::store::upkeep::{self, CarryError};
use meshwright::domain::forge::{Approval, Person};
use meshwright::domain::id::Digest;
use meshwright::domain::report::ReportState;
use meshwright::port::store::{
    ActivityBook, ApprovalBook, Decision, DeliveryBook, LogLine, Look, PassBook, ReportBook, Ruling,
};

use super::Room;
use super::activities::{finish, planned, roll_out};
use super::deliveries::push;
use super::postgres::PostgresRoom;
use crate::support::samples::{self, PassSample, at, report};

/// Something in most tables, and characters that databases stumble over.
async fn fill(store: &SqlStore) {
    let ids = planned(store, &["trips", "fares"]).await;
    roll_out(store, &ids[0], 5).await;
    let token = store.claim(&ids[1], "here", at(6), at(1_000)).await.unwrap().unwrap();
    let line = LogLine { task: 0, attempt: 1, at: at(6), line: "a\0b \u{fdd0} \"é\" \\u0000".to_owned() };
    store.append_log(&ids[1], token, &[line]).await.unwrap();
    store.want(&[report(1, ReportState::Pending, "begun"), report(2, ReportState::Error, "\0")], at(7)).await.unwrap();
    for number in 0..700 {
        store.want(&[report(100 + number, ReportState::Success, "many")], at(8)).await.unwrap();
    }
    store.record_delivery(push("one", Some(1), Some(2))).await.unwrap();
    let by = Person { name: "ada".to_owned(), via: "test".to_owned() };
    let plan = store.activity(&ids[1]).await.unwrap().unwrap().plan;
    let approval = Approval {
        source: samples::source(),
        plan,
        stage: "dev".parse().unwrap(),
        policies: Digest::of(b"policies"),
        by: by.clone(),
        at: at(9),
    };
    let decision = Decision {
        request: "approve".to_owned(),
        source: samples::source(),
        ruling: Ruling::Approve(vec![approval]),
        by,
        at: at(9),
        outcome: "approved".to_owned(),
    };
    store.decide(&decision).await.unwrap();
}

async fn exported(store: &SqlStore) -> Vec<u8> {
    let mut lines = Vec::new();
    upkeep::export(store, &mut lines).await.unwrap();
    lines
}

async fn import(store: &SqlStore, lines: &[u8]) -> Result<upkeep::Carried, CarryError> {
    upkeep::import(store, &mut BufReader::new(lines)).await
}

async fn file(folder: &Path, name: &str) -> SqlStore {
    SqlStore::open(&folder.join(name)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_file_to_a_server_and_back_it_is_the_same() {
    let Some(room) = PostgresRoom::new().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let first = file(folder.path(), "first.db").await;
    fill(&first).await;
    let lines = exported(&first).await;

    let server = SqlStore::connect(&room.options).await.unwrap();
    let carried = import(&server, &lines).await.unwrap();
    let standing = upkeep::standing(&first).await.unwrap();
    assert_eq!(carried.rows, standing.rows.iter().map(|(_, rows)| rows).sum::<u64>());
    assert!(exported(&server).await == lines, "the server has something else");

    let second = file(folder.path(), "second.db").await;
    import(&second, &lines).await.unwrap();
    assert!(exported(&second).await == lines, "the file has something else");

    // What was carried over goes on: numbers, tokens, sequences.
    for store in [&server, &second] {
        let standing = upkeep::standing(store).await.unwrap();
        assert_eq!((standing.unfinished, standing.oldest_unfinished.is_some()), (1, true));
        let running = store.unfinished().await.unwrap().remove(0).planned.id;
        finish(store, &running, 20).await;
        let sequence = store.source(&samples::source()).await.unwrap().unwrap().sequence;
        let pass = PassSample::new(30, sequence).version("trips", "2.0.0", "b").activity("trips", "dev", "2.0.0", "b");
        store.record_pass(&pass.build()).await.unwrap();
        store.record_delivery(push("two", Some(2), Some(3))).await.unwrap();
        assert_eq!(store.delivery_rows(9).await.unwrap()[0].delivery, "two");
        assert_eq!(store.log(&running).await.unwrap()[0].line, "a\0b \u{fdd0} \"é\" \\u0000");
    }
}

#[tokio::test]
async fn what_is_not_whole_or_was_changed_is_not_taken_in() {
    let folder = tempfile::tempdir().unwrap();
    let first = file(folder.path(), "first.db").await;
    planned(&first, &["trips"]).await;
    let lines = String::from_utf8(exported(&first).await).unwrap();
    let without_end = lines.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
    let target = file(folder.path(), "target.db").await;
    for (wrong, why) in [
        (String::new(), "empty"),
        (lines[..lines.len() / 2].to_owned(), "not whole"),
        (lines[..lines.len() - 1].to_owned(), "not whole"),
        (without_end, "the end is missing"),
        (lines.replace("TRIPS", "STRIP"), "digest"),
        (format!("{lines}[]\n"), "after the end"),
        (lines.replacen("\"schema\":", "\"schema\":9", 1), "schema version"),
        (lines.replacen("\"branch\"", "\"twig\"", 1), "tables"),
        (lines.replacen("[\"sources\",", "[\"songs\",", 1), "not known"),
        (lines.replacen("[\"sources\",", "[\"sources\",\"one too many\",", 1), "do not fit"),
        ("# Notes\n".repeat(9), "header"),
    ] {
        let error = import(&target, wrong.as_bytes()).await.unwrap_err();
        assert!(matches!(&error, CarryError::Stream { why: said, .. } if said.contains(why)), "{why}: {error}");
    }
    assert!(upkeep::standing(&target).await.unwrap().rows.iter().all(|(_, rows)| *rows == 0));
    import(&target, lines.as_bytes()).await.unwrap();
    match import(&target, lines.as_bytes()).await {
        Err(CarryError::Target(why)) => assert!(why.contains("a record already"), "{why}"),
        other => panic!("{other:?}"),
    }
}

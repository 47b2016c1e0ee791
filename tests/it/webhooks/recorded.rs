//! GitHub's own recorded deliveries, as they are and with something wrong in every place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::{Office, Request, part};

/// The events that are read.
const READ: [&str; 11] = [
    "ping",
    "push",
    "create",
    "delete",
    "pull_request",
    "merge_group",
    "check_run",
    "check_suite",
    "issue_comment",
    "repository",
    "installation",
];

/// Every recorded payload, by event.
fn examples(folder: &Path) -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(folder.join("api.github.com/index.json")).unwrap();
    let events: Vec<Value> = serde_json::from_str(&text).unwrap();
    let of_event = |event: &Value| {
        let name = event["name"].as_str().unwrap().to_owned();
        event["examples"].as_array().unwrap().iter().map(|example| (name.clone(), example.clone())).collect::<Vec<_>>()
    };
    let all: Vec<(String, Value)> = events.iter().flat_map(of_event).collect();
    assert!(all.len() > 300, "{}", all.len());
    all
}

/// A receiver that watches the default branch of every repository of the payloads.
async fn open(examples: &[(String, Value)]) -> Office {
    let names: BTreeSet<&str> =
        examples.iter().filter_map(|(_, payload)| payload["repository"]["full_name"].as_str()).collect();
    Office::open_with(|settings| {
        for (number, name) in names.into_iter().enumerate() {
            settings.index.add("hub".parse().unwrap(), name, format!("recorded-{number}").parse().unwrap(), "master");
        }
    })
    .await
}

#[tokio::test]
async fn every_recorded_payload_is_taken_without_an_error() {
    let Some(folder) = part("webhooks-examples") else { return };
    let examples = examples(&folder);
    let office = open(&examples).await;
    let mut line = office.connect().await;
    for (number, (event, payload)) in examples.iter().enumerate() {
        let answer = line.send(&Request::github(event, &format!("e{number}"), payload)).await;
        assert!([200, 202].contains(&answer.status), "{event}: {answer:?} {payload}");
    }
    let counts = office.counts("hub");
    assert_eq!((counts.malformed, counts.refused, counts.failed, counts.dropped, counts.duplicates), (0, 0, 0, 0, 0));
    assert_eq!(counts.accepted + counts.ignored + counts.unknown, examples.len() as u64);
    let rows = office.ledger().await;
    let woke: BTreeSet<&str> = rows.iter().filter(|row| !row.woke.is_empty()).map(|row| row.event.as_str()).collect();
    for event in ["push", "pull_request", "check_run", "check_suite", "repository", "installation"] {
        assert!(woke.contains(event), "{event}: {woke:?}");
    }
}

/// Every place in a value, as a pointer; of lists only the first entry.
fn places(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    found.insert(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                places(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            if let Some(first) = items.first() {
                places(first, &format!("{at}/0"), found);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn a_wrong_type_in_any_place_is_an_answer_and_no_panic() {
    let Some(folder) = part("webhooks-examples") else { return };
    let examples = examples(&folder);
    let office = open(&examples).await;
    let mut line = office.connect().await;
    let wrong =
        [Value::Null, json!(true), json!(-1), json!(1.5e300), json!("\u{202e}<b>"), json!([[]]), json!({ "": {} })];
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let mut tried: BTreeMap<u16, usize> = BTreeMap::new();
    for (event, payload) in examples {
        let mut found = BTreeSet::new();
        places(&payload, "", &mut found);
        // Down to the fields that are read; each place once for each event. Addresses are read nowhere.
        found.retain(|place| !place.ends_with("url"));
        found.retain(|place| READ.contains(&event.as_str()) && place.matches('/').count() <= 4);
        for place in found {
            if !seen.insert((event.clone(), place.clone())) {
                continue;
            }
            // One in each place, the types in turn: together all of them come to every field that is read.
            for value in wrong.iter().cycle().skip(seen.len()).take(2) {
                let mut changed = payload.clone();
                *changed.pointer_mut(&place).unwrap() = value.clone();
                let answer =
                    line.send(&Request::github(&event, &format!("w{}", tried.values().sum::<usize>()), &changed)).await;
                assert!([200, 202, 400].contains(&answer.status), "{event} {place}: {answer:?}");
                *tried.entry(answer.status).or_default() += 1;
            }
        }
    }
    assert!(tried[&400] > 50 && tried.values().sum::<usize>() > 1_000, "{tried:?}");
    assert_eq!(office.counts("hub").failed, 0);
}

/// The fields that are read, one by one, with every type that they do not have.
#[tokio::test]
async fn a_wrong_type_in_a_field_that_is_read_is_said_clearly() {
    let office = Office::open().await;
    let mut line = office.connect().await;
    let payload = super::push("main", 1, 2);
    for place in ["/ref", "/before", "/after", "/repository", "/repository/full_name"] {
        for value in [json!(true), json!(7), json!([]), json!({ "x": 1 })] {
            let mut changed = payload.clone();
            *changed.pointer_mut(place).unwrap() = value.clone();
            let answer = line.send(&Request::github("push", "a", &changed)).await;
            assert_eq!(answer.status, 400, "{place} {value}: {answer:?}");
            let is_clear = ["another type", "missing field"].iter().any(|words| answer.text.contains(words));
            assert!(is_clear, "{answer:?}");
        }
    }
    assert_eq!(office.ledger().await, []);
}

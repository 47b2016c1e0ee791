//! Comparisons of contracts against other implementations, over made-up pairs. The scripts under
//! `tests/oracles` make the pairs and ask; `tests/oracles/README.md` says how to have the tools, and
//! explains where two implementations differ. A disagreement that is not explained fails.
#![expect(clippy::disallowed_methods, reason = "the test runs the scripts")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use meshwright::check::contract::{Editions, LANGUAGES};
use meshwright::domain::change::Impact;
use meshwright::domain::compat::{Reason, Side};
use serde_json::Value;

/// What a script prints; `None` where its tools are not there, which is said loudly.
fn answers(script: &str) -> Option<Vec<Value>> {
    let program = if script.ends_with(".mjs") {
        "node".to_owned()
    } else {
        std::env::var("MESHWRIGHT_ORACLE_PYTHON").unwrap_or_else(|_| "python3".to_owned())
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles").join(script);
    let output = Command::new(program).arg(path).output();
    let missing = match &output {
        Err(error) => Some(error.to_string()),
        Ok(output) if output.status.code() == Some(77) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
        Ok(_) => None,
    };
    if let Some(missing) = missing {
        let required = std::env::var_os("MESHWRIGHT_REQUIRE_PARTS").is_some_and(|value| value == "1");
        assert!(!required, "{script}: {missing}");
        eprintln!("SKIPPED: {script} has nothing to compare with: {}", missing.trim());
        return None;
    }
    let output = output.unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn told(language: &str, pair: &Value, side: Side) -> Vec<Reason> {
    let language = LANGUAGES.iter().find(|one| one.specifications.contains(&language)).unwrap();
    let reasons =
        (language.compare)(&Editions { before: &pair["before"], after: &pair["after"], side, pointer: "/definition" });
    let unreadable = reasons.iter().find(|reason| reason.rule.ends_with("/unreadable"));
    assert!(unreadable.is_none(), "{pair:#}\n{reasons:#?}");
    reasons
}

fn heaviest(reasons: &[Reason]) -> Impact {
    reasons.iter().map(|reason| reason.impact).max().unwrap_or(Impact::Compatible)
}

/// Counts what agrees and what is explained, and fails on the rest.
fn weigh(name: &str, pairs: usize, explained: &BTreeMap<&str, usize>, unexplained: &[String]) {
    eprintln!(
        "{name}: {pairs} pairs, {unexplained} disagreements that are not explained",
        unexplained = unexplained.len()
    );
    for (why, count) in explained {
        eprintln!("  {count:>4} {why}");
    }
    let first: Vec<&str> = unexplained.iter().take(5).map(String::as_str).collect();
    assert!(unexplained.is_empty(), "{} disagreements, the first:\n{}", unexplained.len(), first.join("\n"));
}

#[test]
fn avro_is_resolved_as_others_do() {
    let Some(pairs) = answers("avro_pairs.py") else { return };
    assert!(pairs.len() >= 400, "{}", pairs.len());
    let (mut explained, mut unexplained) = (BTreeMap::new(), Vec::new());
    for pair in &pairs {
        let reasons = told("avro", pair, Side::Read);
        let ours = heaviest(&reasons) == Impact::Compatible;
        let (checker, read) = (pair["checker"].as_bool().unwrap(), pair["read"].as_bool().unwrap());
        let told = |rule: &str| reasons.iter().any(|reason| reason.rule == rule);
        let why = match (ours, checker, read) {
            (true, true, true) | (false, false, false) => continue,
            (false, true, false) if told("avro/string-to-bytes") => {
                "the checker takes bytes for text; fastavro fails where they are none"
            }
            _ => {
                unexplained.push(format!("ours {ours}, checker {checker}, read {read}\n{pair:#}\n{reasons:#?}"));
                continue;
            }
        };
        *explained.entry(why).or_insert(0) += 1;
    }
    weigh("Avro", pairs.len(), &explained, &unexplained);
}

#[test]
fn protobuf_is_weighed_as_buf_does() {
    let Some(pairs) = answers("protobuf_pairs.py") else { return };
    assert!(pairs.len() >= 300, "{}", pairs.len());
    let (mut explained, mut unexplained) = (BTreeMap::new(), Vec::new());
    for pair in &pairs {
        let mut reasons = told("protobuf", pair, Side::Read);
        reasons.extend(told("protobuf", pair, Side::Written));
        let theirs: Vec<&str> = pair["breaks"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let ours = heaviest(&reasons);
        let heavy: Vec<&str> =
            reasons.iter().filter(|reason| reason.impact == ours).map(|reason| reason.rule.as_str()).collect();
        let all = |rules: &[&str]| heavy.iter().all(|rule| rules.contains(rule));
        let why = match (ours, theirs.is_empty()) {
            (Impact::Compatible, true) | (Impact::Breaking, false) => continue,
            (Impact::Unknown, true) if all(&["protobuf/field-renamed", "protobuf/enum-value-renamed"]) => {
                "buf's WIRE leaves names aside; here another name may be another meaning"
            }
            (Impact::Unknown, true) if all(&["protobuf/enum-value-added"]) => {
                "buf does not weigh new values of an enum, which readers do not know"
            }
            (Impact::Unknown, true)
                if all(&["protobuf/type-widened", "protobuf/type-narrowed", "protobuf/type-of-same-encoding"]) =>
            {
                "buf takes types of one encoding for the same; here values may be cut"
            }
            (Impact::Breaking, true) if all(&["protobuf/field-removed", "protobuf/enum-value-removed"]) => {
                "buf lets go of what is reserved; here whoever read it misses it"
            }
            (Impact::Breaking, true) if all(&["protobuf/became-repeated", "protobuf/became-single"]) => {
                "buf lets text, bytes and messages become lists; here readers lose all but the last"
            }
            (Impact::Compatible, false) if theirs == ["FIELD_SAME_ONEOF"] && all(&["protobuf/oneof-of-one"]) => {
                "buf refuses a single field that becomes a oneof, which the guide to updating calls safe"
            }
            (Impact::Unknown, false) if theirs == ["FIELD_WIRE_COMPATIBLE_TYPE"] => {
                "buf refuses a type of the same encoding; here it depends on the values"
            }
            _ => {
                unexplained.push(format!(
                    "ours {ours:?}, buf {theirs:?}\n{}\n{}\n{reasons:#?}",
                    text(pair, "before"),
                    text(pair, "after")
                ));
                continue;
            }
        };
        *explained.entry(why).or_insert(0) += 1;
    }
    weigh("Protocol Buffers", pairs.len(), &explained, &unexplained);
}

#[test]
fn openapi_is_weighed_as_others_do() {
    let Some(pairs) = answers("openapi_pairs.mjs") else { return };
    assert!(pairs.len() >= 200, "{}", pairs.len());
    let (mut explained, mut unexplained) = (BTreeMap::new(), Vec::new());
    for pair in &pairs {
        let reasons = told("openapi", pair, Side::Read);
        let ours = heaviest(&reasons);
        let theirs: Vec<&str> = pair["breaks"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let done = text(pair, "done");
        let why = match (ours, theirs.is_empty()) {
            (Impact::Compatible, true) | (Impact::Breaking, false) => continue,
            (Impact::Breaking, true) if done == "answered: property removed" => {
                "it lets properties of a response go; here whoever read one misses it"
            }
            (Impact::Unknown, true) if done == "asked: property removed" => {
                "it lets properties of a request go; here it is not known what becomes of what is sent all the same"
            }
            (Impact::Breaking, true) if matches!(done, "answered: type changed" | "type of parameter changed") => {
                "it weighs another type in the body of a request only"
            }
            (Impact::Compatible, false) if done == "failure removed" => {
                "it takes every status that is gone for breaking; here those of success are"
            }
            _ => {
                unexplained.push(format!("{done}: ours {ours:?}, theirs {theirs:?}\n{reasons:#?}"));
                continue;
            }
        };
        *explained.entry(why).or_insert(0) += 1;
    }
    weigh("OpenAPI", pairs.len(), &explained, &unexplained);
}

fn text<'a>(pair: &'a Value, which: &str) -> &'a str {
    pair[which].as_str().unwrap_or_default()
}

//! The difference of two contents, as folders under `tests/cases/diff`: `before.json`,
//! `after.json`, and in `expected.txt` what is told of them. A new case is a new folder; run with
//! `MESHWRIGHT_BLESS=1` its expectation is written, to be read before it is committed.
#![expect(clippy::disallowed_methods, reason = "the test reads its cases")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use meshwright::check::contract;
use meshwright::domain::change::{Difference, compare};
use meshwright::domain::compat::ProductCompatibility;
use serde_json::Value;

/// The version under which what stands in `before.json` is taken to be recorded.
const RECORDED: &str = "1.2.3";

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/diff");
    let mut cases: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn content(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

fn told(difference: &Difference, compatibility: &ProductCompatibility) -> String {
    let mut text = String::new();
    let word_of_all = compatibility.compatibility.as_str();
    let (fields, required) = (difference.fields.len(), &compatibility.required);
    writeln!(text, "{word_of_all} in all, {fields} fields, at least {required} after {RECORDED}").unwrap();
    for port in &compatibility.ports {
        writeln!(text, "\n{:<10} {}.{}", port.compatibility.as_str(), port.kind.field(), port.name).unwrap();
        for reason in &port.reasons {
            writeln!(text, "  {:<10} {} [{}]", word(reason.impact), reason.path, reason.rule).unwrap();
            writeln!(text, "    {}\n    at {}", reason.message, reason.pointer).unwrap();
        }
    }
    for field in &difference.fields {
        let (class, op) = (word(field.class), word(field.op));
        writeln!(text, "\n{class:<9} {op:<8} {}", field.path).unwrap();
        writeln!(text, "  at {}", field.pointer).unwrap();
        for (side, value) in [("-", &field.before), ("+", &field.after)] {
            if let Some(value) = value {
                writeln!(text, "  {side} {value}").unwrap();
            }
        }
    }
    write!(text, "\n{}", difference.unified).unwrap();
    text
}

#[test]
fn every_case_is_told_as_expected() {
    let cases = cases();
    assert!(cases.len() >= 10, "the cases are not where they should be");
    let mut wrong = Vec::new();
    for case in cases {
        let (before, after) = (content(&case.join("before.json")), content(&case.join("after.json")));
        let compatibility = contract::compare(&before, &after, &RECORDED.parse().unwrap());
        let told = told(&compare(&before, &after), &compatibility);
        let expected = case.join("expected.txt");
        if std::env::var_os("MESHWRIGHT_BLESS").is_some() {
            fs::write(&expected, &told).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != told {
            wrong.push(format!("{}\n{told}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "told otherwise than expected:\n{}", wrong.join("\n"));
}

//! The difference of two contents, as folders under `tests/cases/diff`: `before.json`,
//! `after.json`, and in `expected.txt` what is told of them. A new case is a new folder; run with
//! `MESHWRIGHT_BLESS=1` its expectation is written, to be read before it is committed.
#![expect(clippy::disallowed_methods, reason = "the test reads its cases")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use meshwright::domain::change::{Difference, compare};
use serde_json::Value;

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

fn told(difference: &Difference) -> String {
    let mut text = String::new();
    writeln!(text, "{} in all, {} fields", word(difference.impact()), difference.fields.len()).unwrap();
    for field in &difference.fields {
        let (impact, class, op) = (word(field.impact), word(field.class), word(field.op));
        writeln!(text, "\n{impact:<10} {class:<9} {op:<8} {}", field.path).unwrap();
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
        let told = told(&compare(&before, &after));
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

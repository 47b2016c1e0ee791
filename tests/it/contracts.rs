//! What a change of a contract means, as folders under `tests/cases/compat/<language>/<case>`: `before.*`
//! and `after.*` (JSON is handed over as an object, all else as a text), and in `expected.json` who is on
//! the other side (`"side": "read"` or `"written"`) and the reasons. A new case is a new folder; run with
//! `MESHWRIGHT_BLESS=1` its expectation is written, to be read before it is committed.
#![expect(clippy::disallowed_methods, reason = "the test reads its cases")]

use std::fs;
use std::path::{Path, PathBuf};

use meshwright::check::contract::{Editions, LANGUAGES, Language};
use meshwright::domain::compat::Side;
use serde_json::{Value, json};

fn folders(of: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn language(folder: &str) -> Language {
    let word = folder.replace('-', "");
    *LANGUAGES.iter().find(|one| one.specifications.contains(&word.as_str())).unwrap_or_else(|| panic!("{folder}"))
}

fn edition(case: &Path, which: &str) -> Value {
    let files = fs::read_dir(case).unwrap().map(|entry| entry.unwrap().path());
    let file = files.into_iter().find(|path| path.file_stem().is_some_and(|stem| stem == which));
    let file = file.unwrap_or_else(|| panic!("{}: no {which}.*", case.display()));
    let text = fs::read_to_string(&file).unwrap();
    if file.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    } else {
        Value::from(text)
    }
}

fn told(language: Language, case: &Path, side: Side) -> Value {
    let (before, after) = (edition(case, "before"), edition(case, "after"));
    let reasons = (language.compare)(&Editions { before: &before, after: &after, side, pointer: "/definition" });
    for reason in &reasons {
        let is_of_a_table = LANGUAGES.iter().flat_map(|one| one.rules).any(|rule| rule.id == reason.rule);
        assert!(is_of_a_table, "{}: {} is in no table", case.display(), reason.rule);
        assert!(!reason.message.ends_with('.'), "{}: {}", case.display(), reason.message);
        let inner = reason.pointer.strip_prefix("/definition").unwrap_or_else(|| panic!("{}", reason.pointer));
        assert!(after.pointer(inner).is_some(), "{}: nothing is at {}", case.display(), reason.pointer);
    }
    let of_itself = (language.compare)(&Editions { before: &after, after: &after, side, pointer: "/definition" });
    assert!(of_itself.iter().all(|reason| reason.rule.ends_with("/unreadable")), "{}: {of_itself:?}", case.display());
    json!({"side": side, "reasons": reasons})
}

#[test]
fn every_case_is_told_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/compat");
    let mut wrong = Vec::new();
    for folder in folders(&root) {
        let language_name = name(&folder);
        let cases = folders(&folder);
        assert!(cases.len() >= 8, "{language_name} has {} cases only", cases.len());
        for case in cases {
            let file = case.join("expected.json");
            let text = fs::read_to_string(&file).unwrap_or_else(|_| r#"{"side": "read"}"#.to_owned());
            let expected: Value =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let side = serde_json::from_value(expected["side"].clone()).unwrap();
            let told = told(language(&language_name), &case, side);
            if std::env::var_os("MESHWRIGHT_BLESS").is_some() {
                fs::write(&file, format!("{told:#}\n")).unwrap();
            } else if told != expected {
                wrong.push(format!("{}\n{told:#}", case.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "told otherwise than expected:\n{}", wrong.join("\n"));
}

//! Contracts and ports that change, as folders under `tests/cases/compat/<language>/<case>`: `before.*`,
//! `after.*`, and in `expected.txt` what is told of them. Files that end in `.json` are objects, all others
//! are texts. In the room `ports` they are whole output ports; in all others they are definitions in the
//! language that is the room's name, seen once by those who read and once by those who send. A new case is
//! a new folder; run with `MESHWRIGHT_BLESS=1` its expectation is written, to be read before it is committed.
#![expect(clippy::disallowed_methods, reason = "the test reads its cases")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use meshwright::check::contract;
use meshwright::domain::compat::{Compatibility, PortCompatibility, ProductCompatibility};
use serde_json::{Value, json};

const RECORDED: &str = "1.2.3";

fn folders(root: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn content(case: &Path, name: &str) -> Value {
    let file = folders(case).into_iter().find(|file| file.file_stem().is_some_and(|stem| stem == name));
    let file = file.unwrap_or_else(|| panic!("{} has no {name}.*", case.display()));
    let text = fs::read_to_string(&file).unwrap();
    if file.extension().is_some_and(|ending| ending == "json") {
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    } else {
        Value::from(text)
    }
}

fn product(room: &str, content: &Value) -> Value {
    if room == "ports" {
        return json!({"interfaceComponents": {"outputPorts": [content]}});
    }
    let api = json!({"name": "api", "version": "1.0.0", "specification": room, "definition": content});
    let port = |name: &str| json!([{"name": name, "version": "1.0.0", "promises": {"api": api}}]);
    json!({"interfaceComponents": {"inputPorts": port("send"), "outputPorts": port("read")}})
}

fn compare(room: &str, case: &Path) -> ProductCompatibility {
    let (before, after) = (content(case, "before"), content(case, "after"));
    contract::compare(&product(room, &before), &product(room, &after), &RECORDED.parse().unwrap())
}

fn told(told: &ProductCompatibility) -> String {
    let mut text = format!("at least {} after {RECORDED}\n", told.required);
    for port in told.ports.iter().rev() {
        port_told(port, &mut text);
    }
    text
}

fn port_told(port: &PortCompatibility, text: &mut String) {
    let required = port.required.as_ref().map(|required| format!(", at least {required}")).unwrap_or_default();
    writeln!(text, "\n{}: {}{required}", port.name, port.compatibility.as_str()).unwrap();
    for reason in &port.reasons {
        let (impact, path) = (Compatibility::from(reason.impact).as_str(), &reason.path);
        let (_, pointer) = reason.pointer.split_once("Ports/0").unwrap();
        let pointer = pointer.strip_prefix("/promises/api/definition").unwrap_or(pointer);
        let within = reason.within.map(|within| format!(" {}:{}+{}", within.line, within.column, within.length));
        let at = format!("{pointer}{}", within.unwrap_or_default());
        writeln!(text, "  {impact:<10} {path}: {} [{}] at {at}", reason.message, reason.rule).unwrap();
    }
}

#[test]
fn every_case_is_told_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/compat");
    let (mut seen, mut wrong) = (0, Vec::new());
    for room in folders(&root) {
        let name = room.file_name().unwrap().to_str().unwrap().to_owned();
        for case in folders(&room) {
            seen += 1;
            let told = told(&compare(&name, &case));
            let expected = case.join("expected.txt");
            if std::env::var_os("MESHWRIGHT_BLESS").is_some() {
                fs::write(&expected, &told).unwrap();
            }
            if fs::read_to_string(&expected).unwrap_or_default() != told {
                wrong.push(format!("{}\n{told}", case.display()));
            }
        }
    }
    assert!(seen >= 30, "the cases are not where they should be: {seen}");
    assert!(wrong.is_empty(), "told otherwise than expected:\n{}", wrong.join("\n"));
}

/// A definition that did not change is identical, in every language and from both sides.
#[test]
fn no_case_differs_from_itself() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/compat");
    for room in folders(&root) {
        let name = room.file_name().unwrap().to_str().unwrap().to_owned();
        for case in folders(&room) {
            for edition in ["before", "after"] {
                let product = product(&name, &content(&case, edition));
                let told = contract::compare(&product, &product, &RECORDED.parse().unwrap());
                assert_eq!(told.compatibility, Compatibility::Identical, "{}", case.display());
                assert_eq!(told.required.to_string(), "1.2.4");
            }
        }
    }
}

/// Why Meshwright may say otherwise than a checker that asks of two JSON Schemas only whether every value of
/// the one is one of the other. `None` where it may not.
fn explained(rules: &[&str], compatibility: Compatibility, is_subset: bool, reads: bool) -> Option<&'static str> {
    let has = |rule: &str| rules.contains(&rule);
    match (compatibility, is_subset) {
        (Compatibility::Unknown, _) => Some("not told: never wrong, and never taken for compatible"),
        (Compatibility::Breaking, true) if reads && (has("property-removed") || has("property-refused")) => {
            Some("fewer values, but a property that was read is gone")
        }
        (Compatibility::Compatible, false) if !reads && has("property-added") => {
            Some("a value that was never declared may be refused, and is no part of the contract")
        }
        (Compatibility::Breaking, true) => Some("keywords are compared one by one: together they say the same"),
        _ => None,
    }
}

/// `tests/data/json-schema-pairs/make.py` asked jsonsubschema about some hundred pairs of schemas. The README
/// beside it has the table of what is told otherwise.
#[test]
fn a_checker_of_another_author_agrees() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/json-schema-pairs/pairs.jsonl");
    let (mut agreed, mut otherwise) = (0, std::collections::BTreeMap::<&str, usize>::new());
    for line in fs::read_to_string(file).unwrap().lines() {
        let pair: Value = serde_json::from_str(line).unwrap();
        let (before, after) = (product("json-schema", &pair["before"]), product("json-schema", &pair["after"]));
        let told = contract::compare(&before, &after, &RECORDED.parse().unwrap());
        for port in &told.ports {
            let reads = port.name == "read";
            let is_subset = pair[if reads { "narrower" } else { "wider" }].as_bool().unwrap();
            if (port.compatibility <= Compatibility::Compatible) == is_subset {
                agreed += 1;
                continue;
            }
            let rules: Vec<&str> = port.reasons.iter().filter_map(|reason| reason.rule.rsplit('/').next()).collect();
            let why = explained(&rules, port.compatibility, is_subset, reads);
            *otherwise.entry(why.unwrap_or_else(|| panic!("{line}\n{port:#?}"))).or_default() += 1;
        }
    }
    let expected = [
        ("a value that was never declared may be refused, and is no part of the contract", 16),
        ("fewer values, but a property that was read is gone", 2),
        ("keywords are compared one by one: together they say the same", 7),
        ("not told: never wrong, and never taken for compatible", 18),
    ];
    assert_eq!((agreed, otherwise), (757, expected.into_iter().collect()));
}

//! From bytes to located content.

use serde_json::Value;

use super::{Lines, assert_parallel, size, written};
use crate::check::limits::{MAX_DEPTH, MAX_NODES};
use crate::check::yaml::{self, Document, Problem, Syntax};

/// Reads the bytes as a file of YAML and as one of JSON.
///
/// - There is content, or something is said.
/// - Whatever is said, and each value, stands at a place of the file; content is within the limits.
/// - The reader of everyday YAML says what the full one says.
/// - JSON is read as its own library reads it.
/// - Content that is written as JSON is read again by both readers.
pub fn loader(bytes: &[u8]) {
    let lines = Lines::of(bytes);
    for syntax in [Syntax::Yaml, Syntax::Json] {
        let (document, problems) = yaml::read(bytes, syntax);
        assert!(document.is_some() || !problems.is_empty(), "{syntax:?}: nothing is said");
        problems.iter().for_each(|problem| lines.assert_holds(problem.mark));
        let Some(document) = document else { continue };
        within(&document, &lines);
        if problems.is_empty() {
            read_again(&document.value);
        }
        if syntax == Syntax::Json {
            as_the_library(bytes, &document, &problems);
        }
    }
    if let Ok(text) = yaml::text_of(bytes) {
        alike(text);
    }
}

fn within(document: &Document, lines: &Lines) {
    assert_parallel(&document.value, &document.located, 0);
    let (count, depth) = size(&document.value);
    assert!(count <= MAX_NODES && depth <= MAX_DEPTH, "{count} values, {depth} deep");
    for place in &document.located.places {
        lines.assert_holds(place.head);
        if place.key.line > 0 {
            lines.assert_holds(place.key);
        }
    }
    assert!(document.has_references || !has_reference(&document.value));
}

fn has_reference(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.contains_key("$ref") || fields.values().any(has_reference),
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}

fn alike(text: &str) {
    let (everyday, (full, problems)) = yaml::by_both_readers(text);
    let Some(everyday) = everyday else { return };
    assert!(problems.is_empty(), "there is something to say: {problems:?}");
    let full = full.expect("the full reader finds no content");
    assert_eq!(everyday.value, full.value);
    assert_eq!(everyday.located.keys, full.located.keys);
    assert_eq!(format!("{:?}", everyday.located.places), format!("{:?}", full.located.places));
    assert_eq!(everyday.has_references, full.has_references);
}

fn as_the_library(bytes: &[u8], ours: &Document, problems: &[Problem]) {
    let is_marked = bytes.starts_with("\u{FEFF}".as_bytes());
    match serde_json::from_slice::<Value>(bytes) {
        Ok(theirs) if problems.is_empty() => assert_eq!(with_one_zero(theirs), with_one_zero(ours.value.clone())),
        Ok(_) => {}
        Err(error) => assert!(is_marked || !problems.is_empty(), "{error}"),
    }
}

/// The library takes `-0` for a fraction, and it is the whole number that it is in YAML.
fn with_one_zero(value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_f64() == Some(0.0) => Value::from(0),
        Value::Array(items) => items.into_iter().map(with_one_zero).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, with_one_zero(value))).collect(),
        other => other,
    }
}

fn read_again(value: &Value) {
    let Some(text) = written(value) else { return };
    for syntax in [Syntax::Json, Syntax::Yaml] {
        let (document, problems) = yaml::read(text.as_bytes(), syntax);
        // YAML bounds the length of keys.
        assert!(problems.is_empty() || syntax == Syntax::Yaml, "{problems:?}\n{text}");
        if problems.is_empty() {
            assert_eq!(document.expect("there is content").value, *value, "{syntax:?}");
        }
    }
}

//! The canonical form and its digest.

use serde_json::Value;

use super::{reversed, written};
use crate::check::yaml::{self, Syntax};
use crate::domain::canonical;

/// Takes the bytes for content, in YAML.
///
/// - The canonical form is JSON, of the same content but for how numbers are written, and is its own
///   canonical form.
/// - Neither the order of keys, nor layout, nor the language of the file makes a difference.
/// - Content that differs in one scalar has another digest.
pub fn canonical(bytes: &[u8]) {
    let (Some(document), problems) = yaml::read(bytes, Syntax::Yaml) else { return };
    let value = document.value;
    let form = canonical::canonical(&value);
    let back: Value = serde_json::from_slice(&form).expect("the canonical form is JSON");
    assert!(is_alike(&value, &back), "{value}\n{back}");
    assert_eq!(canonical::canonical(&back), form, "{value}");
    let digest = canonical::digest(&value);
    assert_eq!(canonical::digest(&reversed(&value)), digest, "{value}");
    if problems.is_empty() && written(&value).is_some() {
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let (document, problems) = yaml::read(pretty.as_bytes(), Syntax::Json);
        assert!(problems.is_empty(), "{problems:?}\n{pretty}");
        assert_eq!(canonical::digest(&document.expect("there is content").value), digest, "{pretty}");
    }
    let mut other = value.clone();
    if differ_in_one(&mut other) {
        assert_ne!(canonical::digest(&other), digest, "{value}\n{other}");
    }
}

/// Whether two values are the same, with numbers taken for what they are worth.
fn is_alike(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Object(one), Value::Object(two)) => {
            one.len() == two.len()
                && one.iter().all(|(key, value)| two.get(key).is_some_and(|other| is_alike(value, other)))
        }
        (Value::Array(one), Value::Array(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| is_alike(one, two))
        }
        (Value::Number(one), Value::Number(two)) => one == two || one.as_f64() == two.as_f64(),
        (one, two) => one == two,
    }
}

/// Replaces the last scalar; `false` where there is none.
fn differ_in_one(value: &mut Value) -> bool {
    match value {
        Value::Object(fields) => fields.values_mut().rev().any(differ_in_one),
        Value::Array(items) => items.iter_mut().rev().any(differ_in_one),
        Value::String(text) => {
            text.push('.');
            true
        }
        Value::Bool(is) => {
            *is = !*is;
            true
        }
        Value::Null | Value::Number(_) => {
            *value = Value::from("other");
            true
        }
    }
}

//! What differs between two contents, and what that means to others.

use std::collections::BTreeSet;

use semver::Version;
use serde_json::{Value, json};

use super::reversed;
use crate::check::contract;
use crate::check::yaml::{self, Syntax};
use crate::domain::canonical::digest;
use crate::domain::change::{self, FieldOp, Impact};
use crate::domain::compat::{Compatibility, ProductCompatibility};

/// Takes the bytes for two editions of something: what it is, the recorded edition and the desired one, with
/// lines `===` between them. It is a `product`, a port (`ports`), or a definition in the language that a
/// port's `specification` would name; definitions are compared as texts and, where they are YAML, as objects.
///
/// - Nothing differs from itself, and what has the same digest is identical.
/// - Where something differs, it differs the other way round as well: what was added is what was removed.
/// - A port weighs what the heaviest of its reasons weighs, a product what the heaviest port weighs; what is
///   required goes forward.
/// - What is identical is so the other way round.
/// - Neither the order of keys nor whether a definition is a text or an object makes a difference.
/// - All that is told stands at a place of the desired content.
pub fn differ(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut parts = text.split("\n===\n");
    let (Some(kind), Some(before), Some(after)) = (parts.next(), parts.next(), parts.next()) else { return };
    let as_object = |text: &str| {
        // Of a key that stands twice, readers take the one or the other.
        let syntax = if text.trim_start().starts_with('{') { Syntax::Json } else { Syntax::Yaml };
        let (document, problems) = yaml::read(text.as_bytes(), syntax);
        document.filter(|_| problems.is_empty()).map(|document| document.value).filter(Value::is_object)
    };
    let objects = as_object(before).zip(as_object(after));
    if kind == "product" {
        if let Some((before, after)) = objects {
            pair(&before, &after);
        }
        return;
    }
    let wrapped = |definition: &Value| product(kind, definition);
    let of_objects = objects.map(|(before, after)| pair(&wrapped(&before), &wrapped(&after)));
    if kind != "ports" {
        let of_texts = pair(&wrapped(&before.into()), &wrapped(&after.into()));
        if let Some(of_objects) = of_objects.filter(|_| is_read(&of_texts)).filter(is_read) {
            assert_eq!(weights(&of_objects), weights(&of_texts), "as objects, and as texts");
        }
    }
}

/// A product with a port, or with definitions on both sides.
fn product(kind: &str, content: &Value) -> Value {
    if kind == "ports" {
        return json!({"interfaceComponents": {"outputPorts": [content]}});
    }
    let api = json!({"name": "api", "version": "1.0.0", "specification": kind, "definition": content});
    let port = |name: &str| json!([{"name": name, "version": "1.0.0", "promises": {"api": api}}]);
    json!({"interfaceComponents": {"inputPorts": port("send"), "outputPorts": port("read")}})
}

fn pair(before: &Value, after: &Value) -> ProductCompatibility {
    for one in [before, after] {
        assert_eq!(change::compare(one, one), change::Difference::default());
        let told = contract::compare(one, one, &recorded());
        assert_eq!((told.compatibility, told.required), (Compatibility::Identical, Version::new(1, 2, 4)));
    }
    fields(before, after);
    let told = contract::compare(before, after, &recorded());
    whole(&told, after);
    let back = contract::compare(after, before, &recorded());
    whole(&back, before);
    let is_identical = |told: &ProductCompatibility| told.compatibility == Compatibility::Identical;
    assert_eq!(is_identical(&told), is_identical(&back), "{told:#?}\n{back:#?}");
    assert!(is_identical(&told) || digest(before) != digest(after), "{told:#?}");
    let turned = contract::compare(&reversed(before), &reversed(after), &recorded());
    assert_eq!(weights(&turned), weights(&told), "with keys in another order");
    told
}

const fn recorded() -> Version {
    Version::new(1, 2, 3)
}

/// The structural difference, both ways.
fn fields(before: &Value, after: &Value) {
    let (there, back) = (change::compare(before, after), change::compare(after, before));
    let is_same = digest(before) == digest(after);
    assert_eq!(there.fields.is_empty() && there.unified.is_empty(), is_same, "{there:#?}");
    assert_eq!(there.fields.is_empty(), back.fields.is_empty(), "{there:#?}\n{back:#?}");
    for field in &there.fields {
        assert!(after.pointer(&field.pointer).is_some(), "{field:#?}");
        let (was, is) = (field.before.is_some(), field.after.is_some());
        let expected = match field.op {
            FieldOp::Added => (false, true),
            FieldOp::Removed => (true, false),
            FieldOp::Replaced => (true, true),
        };
        assert_eq!((was, is), expected, "{field:#?}");
    }
    let count = |fields: &[change::FieldChange], op: FieldOp| fields.iter().filter(|field| field.op == op).count();
    for (op, undone) in
        [(FieldOp::Added, FieldOp::Removed), (FieldOp::Removed, FieldOp::Added), (FieldOp::Replaced, FieldOp::Replaced)]
    {
        assert_eq!(count(&there.fields, op), count(&back.fields, undone), "{there:#?}\n{back:#?}");
    }
}

/// What is told holds together.
fn whole(told: &ProductCompatibility, after: &Value) {
    assert!(told.required > recorded());
    let heaviest = told.ports.iter().map(|port| port.compatibility).max().unwrap_or(Compatibility::Identical);
    assert_eq!(told.compatibility, heaviest);
    for port in &told.ports {
        let heaviest = port.reasons.iter().map(|reason| Compatibility::from(reason.impact)).max();
        assert_eq!(port.compatibility, heaviest.unwrap_or(Compatibility::Identical), "{port:#?}");
        for reason in &port.reasons {
            assert!(after.pointer(&reason.pointer).is_some(), "{reason:#?}");
        }
    }
}

/// A port's name, what its change weighs, and why.
type Weight = (String, Compatibility, BTreeSet<(String, Impact)>);

/// What each port weighs and why. Of a long list the heaviest weight alone counts, because its end is cut.
fn weights(told: &ProductCompatibility) -> Vec<Weight> {
    /// `check::contract` keeps so many of one definition.
    const LONG: usize = 100;
    let mut all: Vec<_> = (told.ports.iter())
        .map(|port| {
            let is_long = port.left_out > 0 || port.reasons.len() >= LONG;
            let reasons = port.reasons.iter().filter(|_| !is_long);
            let reasons = reasons.map(|reason| (reason.rule.clone(), reason.impact)).collect();
            (format!("{:?} {}", port.kind, port.name), port.compatibility, reasons)
        })
        .collect();
    all.sort();
    all
}

/// Whether both editions could be read.
fn is_read(told: &ProductCompatibility) -> bool {
    let mut reasons = told.ports.iter().flat_map(|port| &port.reasons);
    reasons.all(|reason| !reason.rule.ends_with("/unreadable"))
}

//! Personal data: how a port, a table, a column or a property says that it holds some.

use serde_json::{Map, Value};

use super::fields::{Spot, rule};
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::{ContractRule, Reason, Side};

const MARKED: ContractRule = rule(
    "privacy/personal-data-marked",
    "Something is marked as personal data that was not, by a tag or a field.",
    Breaking,
    Breaking,
    "whoever relied on it may not use it any more as before",
);
const UNMARKED: ContractRule = rule(
    "privacy/personal-data-unmarked",
    "Something is marked as personal data no longer.",
    Compatible,
    Compatible,
    "what was allowed before is still allowed",
);
const STRICTER: ContractRule = rule(
    "privacy/classification-raised",
    "The classification is stricter: public, internal, confidential, restricted, secret.",
    Breaking,
    Breaking,
    "fewer people may use it",
);
const LAXER: ContractRule = rule(
    "privacy/classification-lowered",
    "The classification is less strict.",
    Compatible,
    Compatible,
    "what was allowed before is still allowed",
);
const UNCLEAR: ContractRule = rule(
    "privacy/classification-changed",
    "The classification changed, and which of the two is stricter is not known.",
    Unknown,
    Unknown,
    "what is not understood is not compatible",
);

/// The rules of this room.
pub(super) const RULES: &[ContractRule] = &[MARKED, UNMARKED, STRICTER, LAXER, UNCLEAR];

/// Tags that mark personal data, in lower case and without `-`, `_` and spaces.
const MARKS: [&str; 8] =
    ["pii", "personal", "personaldata", "personalinformation", "gdpr", "phi", "sensitive", "sensitivedata"];
/// Fields that say it as a boolean, as [`word`] has them.
const FLAGS: [&str; 9] = [
    "pii",
    "ispii",
    "containspii",
    "personal",
    "ispersonal",
    "personaldata",
    "ispersonaldata",
    "sensitive",
    "issensitive",
];
/// Fields that classify, as [`word`] has them.
const CLASSES: [&str; 3] = ["classification", "dataclassification", "confidentiality"];
/// Words of classifications, the least strict first; those of a row weigh the same.
const ORDER: [&[&str]; 5] = [
    &["public", "open", "none"],
    &["internal", "private"],
    &["confidential", "personal", "pii", "sensitive"],
    &["restricted", "highlyconfidential", "phi"],
    &["secret", "topsecret"],
];

/// Whether a field is compared here.
pub(super) fn is_mark(field: &str) -> bool {
    field == "tags" || is_flag(field) || is_class(field)
}

/// The fields of an object that are compared here, as an object.
pub(super) fn marks_of(fields: &Map<String, Value>) -> Value {
    let marks = fields.iter().filter(|(field, _)| is_mark(field));
    Value::Object(marks.map(|(field, value)| (field.clone(), value.clone())).collect())
}

fn is_flag(field: &str) -> bool {
    FLAGS.contains(&word(field).as_str())
}

fn is_class(field: &str) -> bool {
    CLASSES.contains(&word(field).as_str())
}

/// A field's name without what marks an extension, and without regard to how its words are joined.
fn word(field: &str) -> String {
    plain(field.strip_prefix("x-").unwrap_or(field))
}

/// What differs in how something is marked.
pub(super) fn compare(spot: &Spot<'_>, side: Side) -> Vec<Reason> {
    let mut reasons = marks(spot, side);
    for (_, inner) in spot.differing().into_iter().filter(|(field, _)| is_class(field)) {
        let rank = |value: Option<&Value>| match value.and_then(Value::as_str) {
            None if value.is_none() => Some(0),
            word => word.and_then(|word| ORDER.iter().position(|row| row.contains(&plain(word).as_str()))),
        };
        let rule = match (rank(inner.before), rank(inner.after)) {
            // To hold personal data is another law, whatever else it was.
            (Some(_), Some(_)) if !is_personal(inner.before) && is_personal(inner.after) => &STRICTER,
            (Some(was), Some(is)) if is > was => &STRICTER,
            // What was not classified and is public now is as open as it was.
            (Some(was), Some(is)) if is < was || inner.before.is_none() => &LAXER,
            (Some(_), Some(_)) => continue,
            _ => &UNCLEAR,
        };
        reasons.push(inner.tell(rule, side, format!("the classification {}", inner.was_and_is())));
    }
    reasons
}

/// What differs in whether something is marked as personal data by a tag or a field.
pub(super) fn marks(spot: &Spot<'_>, side: Side) -> Vec<Reason> {
    match (spot.before.map(marked_by), spot.after.map(marked_by)) {
        (Some(None), Some(Some(field))) => {
            vec![spot.field(&field).tell(&MARKED, side, "it holds personal data from now on")]
        }
        (Some(Some(field)), Some(None)) => {
            vec![spot.field(&field).tell(&UNMARKED, side, "it holds personal data no longer")]
        }
        _ => Vec::new(),
    }
}

/// Whether a classification says that something is personal data.
fn is_personal(class: Option<&Value>) -> bool {
    class.and_then(Value::as_str).is_some_and(is_personal_class)
}

/// Whether a word of a classification says that something is personal data.
pub(super) fn is_personal_class(word: &str) -> bool {
    matches!(plain(word).as_str(), "pii" | "personal" | "personaldata" | "phi" | "gdpr")
}

fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

/// The field by which something is marked as personal data.
fn marked_by(thing: &Value) -> Option<String> {
    let tags = thing.get("tags").and_then(Value::as_array).into_iter().flatten();
    let mut tags = tags.filter_map(|tag| tag.as_str().or_else(|| tag.get("name")?.as_str()));
    if tags.any(|tag| MARKS.contains(&plain(tag).as_str())) {
        return Some("tags".to_owned());
    }
    let is_true = |value: Option<&Value>| match value {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => matches!(plain(text).as_str(), "true" | "yes"),
        _ => false,
    };
    // Properties of one's own, as data contracts have them: a list of `property` and `value`.
    let mut own = thing.get("customProperties").and_then(Value::as_array).into_iter().flatten();
    let says_so = |one: &Value| {
        let is_named = one.get("property").and_then(Value::as_str).is_some_and(is_flag);
        is_named && is_true(one.get("value"))
    };
    if own.any(says_so) {
        return Some("customProperties".to_owned());
    }
    let mut fields = thing.as_object().into_iter().flatten();
    fields.find(|(field, value)| is_flag(field) && is_true(Some(value))).map(|(field, _)| field.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mark_is_told_however_its_words_are_joined() {
        for mark in ["pii", "PII", "x-pii", "isPii", "contains_pii", "personal-data", "x-personalData", "sensitive"] {
            let (was, is) = (json!({"type": "string"}), json!({"type": "string", mark: true}));
            let spot = Spot { before: Some(&was), after: Some(&is), pointer: "/a".into(), path: "a".into() };
            let told: Vec<_> =
                compare(&spot, Side::Read).into_iter().map(|reason| (reason.rule, reason.pointer)).collect();
            assert_eq!(told, [(MARKED.id.to_owned(), format!("/a/{mark}"))]);
            assert!(is_mark(mark) && !is_mark("x"));
        }
        assert_eq!(marks_of(json!({"pii": true, "type": "string"}).as_object().unwrap()), json!({"pii": true}));
    }

    #[test]
    fn personal_data_weighs_whatever_it_was() {
        for (before, after, expected) in [
            ("confidential", "pii", "privacy/classification-raised"),
            ("restricted", "PII", "privacy/classification-raised"),
            ("secret", "personal", "privacy/classification-raised"),
            ("restricted", "confidential", "privacy/classification-lowered"),
            ("pii", "internal", "privacy/classification-lowered"),
        ] {
            let (was, is) = (json!({"classification": before}), json!({"classification": after}));
            let spot = Spot { before: Some(&was), after: Some(&is), pointer: String::new(), path: String::new() };
            let told: Vec<String> = compare(&spot, Side::Read).into_iter().map(|reason| reason.rule).collect();
            assert_eq!(told, [expected], "{before} to {after}");
        }
    }
}

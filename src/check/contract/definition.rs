//! A Standard Definition: in which language its `definition` is written, and the comparison in that
//! language.

use serde_json::Value;

use super::fields::{Spot, is_for_people, rule};
use super::vocabulary::Odd;
use super::{Editions, Fault, LANGUAGES, Language, is_same_edition, listed, notes};
use crate::check::yaml::Mark;
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::{ContractRule, Reason, Side};
use crate::domain::finding::Stretch;

const LANGUAGE_CHANGED: ContractRule = rule(
    "definition/language-changed",
    "`specification` names another language.",
    Breaking,
    Breaking,
    "whoever read the one cannot read the other",
);
const EDITION_CHANGED: ContractRule = rule(
    "definition/edition-changed",
    "`specificationVersion` names another edition of the language, in its major or minor number.",
    Unknown,
    Unknown,
    "what the same words mean may differ between editions",
);
const ADDED: ContractRule =
    rule("definition/added", "A definition stands where none was.", Compatible, Compatible, "it says what held before");
const REMOVED: ContractRule = rule(
    "definition/removed",
    "The definition is gone.",
    Breaking,
    Breaking,
    "what is not promised cannot be relied on",
);
const NOT_UNDERSTOOD: ContractRule = rule(
    "definition/not-understood",
    "The definition differs, and is in no language that is compared.",
    Unknown,
    Unknown,
    "what is not understood is not compatible",
);
const ELSEWHERE: ContractRule = rule(
    "definition/elsewhere",
    "The definition stands somewhere else, and is not read from there.",
    Unknown,
    Unknown,
    "only files of the repository are read",
);
const FIELD: ContractRule = rule(
    "definition/field-not-understood",
    "A field beside the definition differs of which the comparison knows nothing.",
    Unknown,
    Unknown,
    "what is not understood is not compatible",
);

/// The rules of this room.
pub(super) const RULES: &[ContractRule] =
    &[LANGUAGE_CHANGED, EDITION_CHANGED, ADDED, REMOVED, NOT_UNDERSTOOD, ELSEWHERE, FIELD];

/// Compares two editions of a Standard Definition that are both there.
pub(super) fn compare(standard: &Spot<'_>, side: Side) -> Vec<Reason> {
    let mut reasons = beside(standard, side);
    let specification = standard.field("specification");
    let names = (specification.before.and_then(Value::as_str), specification.after.and_then(Value::as_str));
    if let (Some(before), Some(after)) = names
        && plain(before) != plain(after)
    {
        let message = format!("the specification {}", specification.was_and_is());
        reasons.push(specification.tell(&LANGUAGE_CHANGED, side, message));
        return reasons;
    }
    let definition = standard.field("definition");
    match (definition.before, definition.after) {
        _ if definition.is_same() => {}
        (None, _) => reasons.push(definition.tell(&ADDED, side, "a definition is there")),
        (_, None) => reasons.push(definition.tell(&REMOVED, side, "the definition is gone")),
        (Some(before), Some(after)) => {
            let named = names.1.or(names.0).unwrap_or_default();
            reasons.extend(contents(
                named,
                &definition,
                &Editions { before, after, side, pointer: &definition.pointer },
            ));
        }
    }
    reasons
}

/// Why a definition is not in the language that `specification` names. `None` where it may well be, where the
/// language is none that is compared, and where it stands elsewhere.
pub(in crate::check) fn fault(specification: &str, definition: &Value) -> Option<Fault> {
    let language = named(specification)?;
    if ["$ref", "$href"].iter().any(|field| definition.get(field).is_some_and(Value::is_string)) {
        return None;
    }
    let mut fault = (language.fault)(definition)?;
    // Within a text there are no pointers.
    if definition.is_string() && !fault.pointer.is_empty() {
        let located = notes::located_object(definition).ok().map(|document| document.located);
        let mark = located.and_then(|located| located.head_mark(&fault.pointer));
        fault.within = mark.map(|Mark { line, column, length }| Stretch { line, column, length });
        fault.pointer.clear();
    }
    Some(fault)
}

/// What is odd about a definition that is in the language that `specification` names.
pub(in crate::check) fn odd(specification: &str, definition: &Value) -> Vec<Odd> {
    named(specification).map(|language| (language.odd)(definition)).unwrap_or_default()
}

/// What differs beside the definition itself.
fn beside(standard: &Spot<'_>, side: Side) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (field, spot) in standard.differing() {
        match field {
            // The number says nothing that the content does not say.
            "name" | "version" | "definition" | "specification" | "tags" | "fullyQualifiedName" => {}
            field if is_for_people(field) => {}
            "specificationVersion" if is_same_edition(&spot) => {}
            "specificationVersion" => {
                let message = format!("the edition of the specification {}", spot.was_and_is());
                reasons.push(spot.tell(&EDITION_CHANGED, side, message));
            }
            _ => {
                let message = spot.not_known(field);
                reasons.push(spot.tell(&FIELD, side, message));
            }
        }
    }
    reasons
}

fn contents(specification: &str, spot: &Spot<'_>, editions: &Editions<'_>) -> Vec<Reason> {
    let elsewhere =
        |value: &Value| ["$ref", "$href"].iter().any(|field| value.get(field).is_some_and(Value::is_string));
    if [editions.before, editions.after].into_iter().any(|value| elsewhere(value) && !is_local(value)) {
        return vec![spot.tell(&ELSEWHERE, editions.side, "the definition stands elsewhere, and differs")];
    }
    match language(specification, editions) {
        Some(language) => (language.compare)(editions).into_iter().map(at_its_place).collect(),
        None => {
            let name = if specification.is_empty() { "no specification".to_owned() } else { listed([specification]) };
            let message = format!("the definition differs, and {name} is no language that is compared");
            vec![spot.tell(&NOT_UNDERSTOOD, editions.side, message)]
        }
    }
}

/// That the desired edition cannot be read stands where the reading ended.
fn at_its_place(mut reason: Reason) -> Reason {
    if let Some(why) = reason.message.strip_prefix(notes::AFTER_UNREADABLE).filter(|_| reason.within.is_none()) {
        reason.within = Fault::of(why.to_owned()).within;
    }
    reason
}

fn is_local(value: &Value) -> bool {
    value.get("$ref").and_then(Value::as_str).is_some_and(|reference| reference.starts_with('#'))
}

/// The language of two editions: what `specification` says, or what both look like.
fn language(specification: &str, editions: &Editions<'_>) -> Option<&'static Language> {
    let looks = |language: &&Language| {
        (language.is_told_by_shape)(editions.before) && (language.is_told_by_shape)(editions.after)
    };
    named(specification).or_else(|| LANGUAGES.iter().find(looks))
}

fn named(specification: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.specifications.contains(&plain(specification).as_str()))
}

/// A name of a specification, as languages list it.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_')).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_valid_or_merely_not_understood_is_no_fault() {
        let proto = |text: &str| json!(format!("syntax = \"proto3\";\n{text}"));
        for (specification, definition) in [
            ("openapi", json!({"swagger": "2.0", "paths": {}})),
            ("openapi", json!("openapi: 3.1.0\npaths: {}")),
            ("Open API", json!({})),
            ("asyncapi", json!({"asyncapi": "1.0.0"})),
            ("odcs", json!({"kind": "DataContract", "apiVersion": "v2.2.2"})),
            ("datacontract", json!({"dataContractSpecification": "1.1.0"})),
            ("datastoreapi", json!({"schema": {"tables": []}})),
            ("avro", json!({"type": "record", "name": "A", "fields": [{"name": "a", "type": "Address"}]})),
            ("avro", json!({"type": "record", "name": "A", "fields": [{"name": "a", "type": "com.acme.Long"}]})),
            ("avro", json!("string")),
            ("protobuf", proto("enum E { option allow_alias = true; A = 0; B = 1; C = 1; }")),
            (
                "protobuf",
                proto("import \"google/protobuf/timestamp.proto\";\nmessage A { google.protobuf.Timestamp a = 1; }"),
            ),
            ("protobuf", json!("edition = \"2023\";\nmessage A { string a = 1; }")),
            ("sql", json!("CREATE DYNAMIC TABLE t TARGET_LAG = '1 hour' AS SELECT 1")),
            ("json-schema", json!({"type": "number", "minimum": 0, "exclusiveMinimum": true})),
            ("json-schema", json!({"$schema": "https://acme.example/meta", "type": "money"})),
            ("json-schema", json!(true)),
            ("custom", json!("anything")),
            ("openapi", json!({"$href": "https://acme.example/api.yaml"})),
        ] {
            assert_eq!(fault(specification, &definition), None, "{specification}: {definition}");
        }
    }

    #[test]
    fn what_is_certainly_none_is_told_with_its_place() {
        let lines = "syntax = \"proto3\";\nmessage A {\n  string a = 1;\n  string b = 1;\n}\n";
        for (specification, definition, why, pointer, line) in [
            ("openapi", json!({"asyncapi": "2.6.0"}), "it does not say 'openapi' or 'swagger'", "", None),
            ("openapi", json!("openapi: 3.0.0\npaths: ["), "this is not YAML", "", Some(2)),
            ("datastoreapi", json!("apis/orders.json"), "it is neither an object", "", None),
            ("protobuf", json!(lines), "'a' and 'b' of 'A' have the number 1", "", Some(4)),
            ("protobuf", json!("syntax = \"proto3\";\nmessage A {\n  string a 1;\n}"), "expected", "", Some(3)),
            (
                "avro",
                json!({"type": "record", "name": "A", "fields": [{"name": "a", "type": ["null", "strng"]}]}),
                "it has the type 'strng'; did you mean 'string'?",
                "/fields/0/type/1",
                None,
            ),
            (
                "json-schema",
                json!({"properties": {"a": {"type": "strng"}}}),
                "'type' cannot be",
                "/properties/a/type",
                None,
            ),
            ("sql", json!({"tables": []}), "it is not a text", "", None),
        ] {
            let found = fault(specification, &definition).unwrap_or_else(|| panic!("{definition}"));
            assert!(found.why.starts_with(why), "{found:?}");
            assert_eq!((found.pointer.as_str(), found.within.map(|it| it.line)), (pointer, line), "{definition}");
        }
    }
}

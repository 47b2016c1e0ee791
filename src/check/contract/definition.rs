//! A Standard Definition: in which language its `definition` is written, and the comparison in that
//! language.

use serde_json::Value;

use super::fields::{Spot, is_for_people, rule};
use super::vocabulary::Odd;
use super::{Editions, Fault, LANGUAGES, Language, avro, is_same_edition, listed, notes};
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

/// Why a definition is not in the language that `specification` names. Nothing where it may well be, where the
/// language is none that is compared, and where it stands elsewhere.
pub(in crate::check) fn faults(specification: &str, definition: &Value) -> Vec<Fault> {
    let Some(language) = named(specification) else { return Vec::new() };
    if ["$ref", "$href"].iter().any(|field| definition.get(field).is_some_and(Value::is_string)) {
        return Vec::new();
    }
    let mut faults = (language.faults)(definition);
    // Within a text there are no pointers.
    if let Value::String(text) = definition
        && faults.iter().any(|fault| !fault.pointer.is_empty())
    {
        let located = notes::document(text).ok().map(|document| document.located);
        for fault in faults.iter_mut().filter(|fault| !fault.pointer.is_empty()) {
            let mark = located.as_ref().and_then(|located| located.head_mark(&fault.pointer));
            fault.within = mark.map(|Mark { line, column, length }| Stretch { line, column, length });
            fault.pointer.clear();
        }
    }
    faults
}

/// Whether a document may be a list in the language that `specification` names; `None` of others.
pub(in crate::check) fn may_be_list(specification: &str) -> Option<bool> {
    named(specification).map(|language| language.name == avro::LANGUAGE.name)
}

/// The language that a `specification` probably names, where it names none that is known.
pub(in crate::check) fn meant(specification: &str) -> Option<&'static str> {
    const NAMES: [&str; 6] = ["datastoreapi", "openapi", "asyncapi", "avro", "protobuf", "jsonschema"];
    let plain = plain(specification);
    if named(specification).is_some() || plain.len() > 20 {
        return None;
    }
    let bare = plain.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | 'v' | 'x'));
    let is_near = |name: &&str| {
        let allowed = if name.len() > 8 { 2 } else { 1 };
        *name == bare || strsim::damerau_levenshtein(&plain, name) <= allowed
    };
    let near = NAMES.into_iter().find(is_near)?;
    Some(if near == "jsonschema" { "json-schema" } else { near })
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
            (
                "protobuf",
                proto("import \"acme/line.proto\";\nmessage A { Line a = 1; google.protobuf.Timestamp b = 2; }"),
            ),
            (
                "protobuf",
                proto(
                    "package acme.v1;\nmessage A { map<string, B> a = 1; v1.A.B b = 2; optional B c = 3; oneof d { .acme.v1.A e = 4; \
                     } extensions_of f = 5; message B { E e = 1; } enum E { X = 0; } } message extensions_of {} enum E { X = 0; } \
                     service S { rpc Get (A) returns (stream A.B); }",
                ),
            ),
            (
                "protobuf",
                json!(
                    "message A { extensions 100 to 199; optional group Inner = 1 { optional A a = 1; } enum E { B = 3; } }\n\
                     extend A { optional A.E e = 100; }"
                ),
            ),
            (
                "protobuf",
                json!(
                    "syntax = \"proto2\";\nimport \"google/protobuf/descriptor.proto\";\nextend \
                     google.protobuf.FieldOptions { optional google.protobuf.FieldOptions.CType pii = 50000; }"
                ),
            ),
            (
                "protobuf",
                proto("package google.protobuf;\nimport \"google/protobuf/any.proto\";\nmessage A { Any a = 1; }"),
            ),
            ("avro", json!(["null", {"type": "record", "name": "A", "fields": []}])),
            ("avro", json!({"type": "array", "items": {"type": "map", "values": ["null", "Money"]}})),
            ("protobuf", json!("edition = \"2023\";\nmessage A { string a = 1; }")),
            ("sql", json!("CREATE DYNAMIC TABLE t TARGET_LAG = '1 hour' AS SELECT 1")),
            ("json-schema", json!({"type": "number", "minimum": 0, "exclusiveMinimum": true})),
            ("json-schema", json!({"$schema": "https://acme.example/meta", "type": "money"})),
            ("json-schema", json!(true)),
            ("custom", json!("anything")),
            ("openapi", json!({"$href": "https://acme.example/api.yaml"})),
        ] {
            assert_eq!(faults(specification, &definition), [], "{specification}: {definition}");
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
                "it has the type 'strng', which is none of Avro's",
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
            (
                "avro",
                json!("[\"null\",\n {\"type\": \"record\", \"fields\": []}]"),
                "a record has no 'name'",
                "",
                Some(2),
            ),
        ] {
            let all = faults(specification, &definition);
            let found = all.first().unwrap_or_else(|| panic!("{definition}"));
            assert!(found.why.starts_with(why), "{found:?}");
            assert_eq!((found.pointer.as_str(), found.within.map(|it| it.line)), (pointer, line), "{definition}");
        }
    }

    #[test]
    fn what_hangs_on_a_type_of_another_file_is_told_all_the_same() {
        let field = |name: &str, of: Value| json!({"name": name, "type": of});
        let mut number = field("b", json!("int"));
        number["default"] = json!("one");
        let sku = field("a", json!("com.example.Sku"));
        let schema = json!({"type": "record", "name": "A", "fields": [sku, number, field("a", json!("Address"))]});
        let told: Vec<String> = faults("avro", &schema).into_iter().map(|fault| fault.why).collect();
        assert_eq!(
            told,
            ["the default of 'b' is \"one\", which is no value of the type 'int'", "the record 'A' has two fields 'a'"]
        );
    }

    #[test]
    fn defaults_that_fit_are_not_told_beside_others() {
        let first = json!({"type": "record", "name": "A", "namespace": "n", "fields": [
            {"name": "wrong", "type": "int", "default": "one"},
            {"name": "a", "type": ["null", "string"], "default": "none"},
            {"name": "b", "type": {"type": "map", "values": "double"}, "default": {"x": 1}},
            {"name": "c", "type": {"type": "array", "items": "long"}, "default": []},
            {"name": "d", "type": {"type": "enum", "name": "D", "symbols": ["X"]}, "default": "X"},
            {"name": "e", "type": "n.D", "default": "X"},
            {"name": "f", "type": {"type": "record", "name": "F", "fields": [
                {"name": "x", "type": "D"}, {"name": "y", "type": "int", "default": 1}]}, "default": {"x": "X"}},
            {"name": "g", "type": {"type": "bytes", "logicalType": "decimal", "precision": 4}, "default": "\u{0}"},
            {"name": "h", "type": "elsewhere.Type", "default": 5},
        ]});
        let told: Vec<String> = faults("avro", &first).into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(told, ["/fields/0/default"]);
    }

    #[test]
    fn many_faults_are_some_and_take_no_time() {
        let fields = |count: usize| -> Vec<Value> {
            (0..count).map(|index| json!({"name": format!("f{index}"), "type": "integer"})).collect()
        };
        let schema = json!({"type": "record", "name": "A", "fields": fields(20_000)});
        assert_eq!(faults("avro", &schema).len(), 20);
        // Each level of the value may be of either branch.
        let branch = |name: &str| {
            json!({"type": "record", "name": name, "fields": [
                {"name": "a", "type": ["A", "B", "null"]}, {"name": "b", "type": "boolean"}]})
        };
        let value = (0..60).fold(json!(7), |inner, _| json!({"a": inner, "b": true}));
        let schema = json!({"type": "record", "name": "R", "fields": [
            {"name": "a", "type": [branch("A"), branch("B")], "default": value},
            {"name": "c", "type": "integer"}]});
        assert_eq!(faults("avro", &schema).len(), 1);
    }

    #[test]
    fn a_language_that_is_nearly_known_is_probably_meant() {
        for (written, near) in [
            ("datastoreapis", "datastoreapi"),
            ("Open-APi 3.1", "openapi"),
            ("openpai", "openapi"),
            ("arvo", "avro"),
            ("json-shema", "json-schema"),
        ] {
            assert_eq!(meant(written), Some(near), "{written}");
        }
        for other in
            ["openapi", "custom", "odps", "graphql", "odata", "avdl", "rest", "openrpc", "soap", "xml-schema", ""]
        {
            assert_eq!(meant(other), None, "{other}");
        }
    }
}

//! The schema for editors: the same structure, before references are replaced. Wherever a part may
//! stand elsewhere, a reference may stand in its place; and the forms of texts are written as patterns,
//! because editors do not know our formats.

use serde_json::{Map, Value, json};

/// Parts that may be references (DPDS 1.0.0, Reference Object).
const REFERENCEABLE: [&str; 8] = [
    "port",
    "promises",
    "expectations",
    "obligations",
    "standardDefinition",
    "applicationComponent",
    "infrastructuralComponent",
    "configurations",
];

/// The forms of texts, as JSON Schema has them (ECMA-262).
const PATTERNS: [(&str, &str); 3] = [
    ("name", "^[a-zA-Z][a-zA-Z0-9]+$"),
    // Semantic Versioning 2.0.0, the expression that its own page suggests.
    (
        "version",
        "^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(?:-((?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\\.(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\\+([0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*))?$",
    ),
    ("fqn", "^urn:[a-zA-Z0-9.:_-]+$"),
];

/// Makes the schema for editors of the one for resolved content.
pub(super) fn schema(resolved: &Value) -> Value {
    let mut schema = rewritten(resolved);
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("title".to_owned(), json!("Data Product Descriptor 1.0.0"));
        fields.insert(
            "$comment".to_owned(),
            json!("For editors. References are not followed; `meshwright validate` follows them and knows more rules."),
        );
        if let Some(parts) = fields.get_mut("$defs").and_then(Value::as_object_mut) {
            parts.insert("reference".to_owned(), reference());
        }
    }
    schema
}

fn rewritten(part: &Value) -> Value {
    match part {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix("#/$defs/"))
                && REFERENCEABLE.contains(&name)
            {
                return or_reference(part);
            }
            Value::Object(fields.iter().map(|(key, value)| rewritten_field(key, value)).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(rewritten).collect()),
        other => other.clone(),
    }
}

fn rewritten_field(key: &str, value: &Value) -> (String, Value) {
    let pattern = PATTERNS.iter().find(|(format, _)| key == "format" && value == format);
    match pattern {
        Some((_, pattern)) => ("pattern".to_owned(), json!(pattern)),
        None => (key.to_owned(), rewritten(value)),
    }
}

/// One of two, told apart by whether `$ref` is there: so editors complain about the one that was meant.
fn or_reference(part: &Value) -> Value {
    let mut either = Map::new();
    either.insert("if".to_owned(), json!({"type": "object", "required": ["$ref"]}));
    either.insert("then".to_owned(), json!({"$ref": "#/$defs/reference"}));
    either.insert("else".to_owned(), part.clone());
    Value::Object(either)
}

fn reference() -> Value {
    json!({
        "type": "object",
        "required": ["$ref"],
        "properties": {
            "$ref": {
                "type": "string",
                "minLength": 1,
                "description": "A part of this document (#/components/…), a file of the repository, or a part of one (file.yaml#/…)",
            },
            "mediaType": { "type": "string" },
            "description": { "type": "string" },
        },
        "patternProperties": { "^x-": true },
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::super::formats;
    use super::*;
    use crate::check::dpds_schema;

    fn is_valid(descriptor: &Value) -> bool {
        jsonschema::draft202012::new(&dpds_schema()).unwrap().is_valid(descriptor)
    }

    fn descriptor(port: &Value) -> Value {
        json!({
            "dataProductDescriptor": "1.0.0",
            "info": {"name": "orders", "version": "1.0.0", "domain": "sales", "owner": {"id": "a@example.com"}},
            "interfaceComponents": {"outputPorts": [port]},
        })
    }

    #[test]
    fn it_is_a_schema_itself() {
        assert!(jsonschema::draft202012::meta::is_valid(&dpds_schema()));
    }

    #[test]
    fn a_reference_may_stand_for_a_part() {
        assert!(is_valid(&descriptor(&json!({"$ref": "ports/orders.json", "description": "d"}))));
        assert!(is_valid(&descriptor(
            &json!({"name": "p1", "version": "1.0.0", "promises": {"api": {"$ref": "api.yaml"}}})
        )));
        assert!(!is_valid(&descriptor(&json!({"$ref": "ports/orders.json", "name": "p1"}))));
        assert!(!is_valid(&descriptor(&json!({"name": "p1"}))));
    }

    #[test]
    fn patterns_say_what_our_formats_say() {
        let pattern = |wanted: &str| PATTERNS.iter().find(|(format, _)| *format == wanted).unwrap().1;
        let matches = |pattern: &str, text: &str| {
            jsonschema::draft202012::new(&json!({"type": "string", "pattern": pattern})).unwrap().is_valid(&json!(text))
        };
        for text in ["tripExecution", "a1", "a", "1a", "a-b", "aé", ""] {
            assert_eq!(matches(pattern("name"), text), formats::is_name(text), "{text}");
        }
        for text in ["1.2.3", "2.0.0-rc.1+b", "1.2", "01.2.3", "banana", "1.2.3-", "1.2.3-01"] {
            assert_eq!(matches(pattern("version"), text), formats::is_version(text), "{text}");
        }
        assert!(matches(pattern("fqn"), "urn:dpds:com.company-xyz:dataproducts:tripExecution:1"));
        assert!(!matches(pattern("fqn"), "trips"));
    }
}

use serde_json::{Value, json};

use super::*;
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::Compatibility;

fn told(before: &Value, after: &Value, side: Side) -> Vec<Reason> {
    compare(&Editions { before, after, side, pointer: "/d" })
}

fn verdict(before: &Value, after: &Value, side: Side) -> Compatibility {
    let heaviest = told(before, after, side).into_iter().map(|reason| reason.impact).max();
    heaviest.map_or(Compatibility::Identical, Compatibility::from)
}

/// Each pair, seen by those who read and by those who send; and the other way round with `reversed`.
#[test]
fn wider_and_narrower() {
    let narrower = [
        (json!({"type": "number"}), json!({"type": "integer"})),
        (json!({"type": ["string", "null"]}), json!({"type": "string"})),
        (json!({"type": "string", "nullable": true}), json!({"type": "string"})),
        (json!({"type": "string"}), json!({"type": "string", "enum": ["a"]})),
        (json!({"enum": ["a", "b"]}), json!({"const": "a"})),
        (json!({"type": "integer"}), json!({"type": "integer", "minimum": 0})),
        (json!({"maximum": 10}), json!({"exclusiveMaximum": 10})),
        (json!({"maximum": 10}), json!({"maximum": 10, "exclusiveMaximum": true})),
        (json!({"type": "string"}), json!({"type": "string", "maxLength": 3})),
        (json!({"type": "string"}), json!({"type": "string", "pattern": "^a"})),
        (json!({"type": "string"}), json!({"type": "string", "format": "date"})),
        (json!({"format": "int64"}), json!({"format": "int32"})),
        (json!({"multipleOf": 2}), json!({"multipleOf": 6})),
        (json!({"type": "object"}), json!({"type": "object", "required": ["a"]})),
        (json!({"type": "object"}), json!({"type": "object", "additionalProperties": false})),
        (json!({"type": "object"}), json!({"type": "object", "maxProperties": 3})),
        (json!({"type": "array"}), json!({"type": "array", "items": {"type": "string"}})),
        (json!({"type": "array"}), json!({"type": "array", "uniqueItems": true})),
        (json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), json!({"type": "string"})),
        (json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}), json!({"oneOf": [{"type": "string"}]})),
        (json!({"type": "object"}), json!({"allOf": [{"type": "object"}, {"required": ["a"]}]})),
        (json!(true), json!({"type": "string"})),
        (json!({"prefixItems": [{"type": "string"}]}), json!({"prefixItems": [{"type": "string"}], "items": false})),
    ];
    for (wide, narrow) in narrower {
        assert_eq!(verdict(&wide, &narrow, Side::Read), Compatibility::Compatible, "{wide} > {narrow}");
        assert_eq!(verdict(&wide, &narrow, Side::Written), Compatibility::Breaking, "{wide} > {narrow}");
        assert_eq!(verdict(&narrow, &wide, Side::Read), Compatibility::Breaking, "{narrow} > {wide}");
        assert_eq!(verdict(&narrow, &wide, Side::Written), Compatibility::Compatible, "{narrow} > {wide}");
    }
}

#[test]
fn what_breaks_both_and_what_cannot_be_told() {
    let cases = [
        (json!({"type": "string"}), json!({"type": "integer"}), Breaking),
        (json!({"format": "date"}), json!({"format": "date-time"}), Breaking),
        (json!({"multipleOf": 2}), json!({"multipleOf": 3}), Breaking),
        (json!({"pattern": "^a"}), json!({"pattern": "^b"}), Unknown),
        (json!({"not": {"type": "null"}}), json!({"not": {"type": "string"}}), Unknown),
        (json!({"if": {"type": "null"}}), json!({}), Unknown),
        (json!({"type": "date"}), json!({"type": "timestamp"}), Unknown),
        (json!({"x-unit": "km"}), json!({"x-unit": "mi"}), Unknown),
        (json!({"$ref": "other.json"}), json!({"$ref": "another.json"}), Unknown),
        (json!({"default": 1}), json!({"default": 2}), Unknown),
        // What is no JSON Schema is not passed over.
        (json!({"required": true}), json!({"required": false}), Unknown),
        (json!({"type": "object", "properties": ["a"]}), json!({"type": "object", "properties": ["b"]}), Unknown),
        (json!({"type": "array", "items": "a"}), json!({"type": "array", "items": "b"}), Unknown),
        (json!({"type": "object", "patternProperties": {"^a": {}}}), json!({"type": "object"}), Unknown),
    ];
    for (before, after, impact) in cases {
        for side in [Side::Read, Side::Written] {
            let reasons = told(&before, &after, side);
            let heaviest = reasons.iter().map(|reason| reason.impact).max();
            let freed = after == json!({}) && reasons[0].rule == rules::FREED.id;
            assert!(heaviest == Some(impact) || freed, "{before} > {after}: {reasons:?}");
        }
    }
}

#[test]
fn what_is_told_to_people_is_the_same() {
    let before = json!({"title": "a", "type": "object", "properties": {"x": {"description": "b", "type": "string"}}});
    let after = json!({"type": "object", "$comment": "c", "properties": {"x": {"type": "string", "examples": ["d"]}}});
    assert_eq!(told(&before, &after, Side::Read), []);
    // What a definition is called, and where it stands, does not matter either.
    let before = json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}});
    let after = json!({"$ref": "#/definitions/b", "definitions": {"b": {"type": "string"}}});
    assert_eq!(told(&before, &after, Side::Read), []);
}

#[test]
fn properties() {
    let object = |properties: Value, more: Value| {
        let mut schema = json!({"type": "object", "properties": properties});
        schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schema
    };
    let one = || json!({"a": {"type": "string"}});
    let two = || json!({"a": {"type": "string"}, "b": {"type": "integer"}});
    let closed = || json!({"additionalProperties": false});
    let cases = [
        (object(one(), json!({})), object(two(), json!({})), Compatible, Compatible),
        (object(one(), closed()), object(two(), closed()), Breaking, Compatible),
        (object(two(), json!({})), object(one(), json!({})), Breaking, Unknown),
        (object(two(), closed()), object(one(), closed()), Breaking, Breaking),
        (object(one(), json!({})), object(two(), json!({"required": ["b"]})), Compatible, Breaking),
        (
            object(one(), json!({"additionalProperties": {"type": "string"}})),
            object(two(), json!({"additionalProperties": {"type": "string"}})),
            Breaking,
            Breaking,
        ),
    ];
    for (before, after, read, written) in cases {
        assert_eq!(verdict(&before, &after, Side::Read), read.into(), "{before} > {after}");
        assert_eq!(verdict(&before, &after, Side::Written), written.into(), "{before} > {after}");
    }
    // A property that is gone is told once, though it was required.
    let gone = told(&object(two(), json!({"required": ["b"]})), &object(one(), json!({})), Side::Read);
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert_eq!((gone[0].path.as_str(), gone[0].pointer.as_str()), ("b", "/d/properties"));
}

#[test]
fn places_are_told_through_references() {
    let schema = |kind: &str| {
        json!({
            "type": "object",
            "properties": {"lines": {"type": "array", "items": {"$ref": "#/$defs/line"}}},
            "$defs": {"line": {"type": "object", "properties": {"sku": {"type": kind}, "part/of": {"type": "string"}}}}
        })
    };
    let reasons = told(&schema("string"), &schema("integer"), Side::Read);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert_eq!(reasons[0].path, "lines[].sku");
    assert_eq!(reasons[0].pointer, "/d/$defs/line/properties/sku/type");
    assert_eq!(reasons[0].message, "the type was string and is integer");
    assert_eq!(reasons[0].rule, "json-schema/type-changed");
}

#[test]
fn schemas_that_lead_to_themselves_come_to_an_end() {
    let tree = |leaf: &str| {
        json!({
            "$ref": "#/$defs/node",
            "$defs": {"node": {"allOf": [{"$ref": "#/$defs/node"}], "type": "object", "properties": {
                "value": {"type": leaf},
                "left": {"$ref": "#/$defs/node"},
                "right": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}
            }}}
        })
    };
    assert_eq!(told(&tree("string"), &tree("string"), Side::Read), []);
    let reasons = told(&tree("string"), &tree("integer"), Side::Read);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert_eq!(reasons[0].path, "value");
}

#[test]
fn a_mesh_of_references_is_bounded() {
    // Each definition offers all others, so that matching branches would take for ever.
    let mesh = |last: &str| {
        let names: Vec<String> = (0..12).map(|index| format!("d{index}")).collect();
        let offers: Vec<Value> =
            names.iter().map(|name| json!({"properties": {"n": {"$ref": format!("#/$defs/{name}")}}})).collect();
        let mut defs: serde_json::Map<String, Value> =
            names.iter().map(|name| (name.clone(), json!({"anyOf": offers, "title": name}))).collect();
        defs.insert("d11".to_owned(), json!({"type": last}));
        json!({"$ref": "#/$defs/d0", "$defs": defs})
    };
    let reasons = told(&mesh("string"), &mesh("integer"), Side::Read);
    assert!(reasons.iter().any(|reason| reason.impact != Compatible), "{reasons:?}");
    let mut deep = (json!({"type": "string"}), json!({"type": "integer"}));
    for _ in 0..200 {
        deep = (json!({"items": deep.0, "type": "array"}), json!({"items": deep.1, "type": "array"}));
    }
    let reasons = told(&deep.0, &deep.1, Side::Read);
    assert_eq!(reasons.iter().map(|reason| reason.rule.as_str()).collect::<Vec<_>>(), [rules::TOO_LARGE.id]);
}

#[test]
fn branches_are_matched_whatever_their_order() {
    let card = |more: Value| {
        let mut card = json!({"type": "object", "required": ["kind"], "properties": {"kind": {"const": "card"}}});
        card["properties"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        card
    };
    let bill = json!({"type": "object", "required": ["kind"], "properties": {"kind": {"const": "bill"}}});
    let before = json!({"oneOf": [card(json!({})), bill]});
    let after = json!({"oneOf": [bill, card(json!({"number": {"type": "string"}}))]});
    let reasons = told(&before, &after, Side::Read);
    assert_eq!(reasons.iter().map(|reason| reason.rule.as_str()).collect::<Vec<_>>(), ["json-schema/property-added"]);
    assert_eq!(reasons[0].path, "(oneOf 1).number");
    // Two alternatives that a value may match both: less of one may be more of the whole.
    let overlapping = |limit: u64| json!({"oneOf": [{"title": "a", "maximum": limit}, {"title": "b", "minimum": 5}]});
    assert_eq!(verdict(&overlapping(10), &overlapping(8), Side::Read), Compatibility::Unknown);
}

#[test]
fn a_text_is_read_and_has_one_place() {
    let text = |kind: &str| Value::from(format!(r#"{{"type": "{kind}"}}"#));
    let reasons = told(&text("string"), &text("integer"), Side::Read);
    assert_eq!((reasons[0].impact, reasons[0].pointer.as_str()), (Breaking, "/d"));
    assert_eq!(verdict(&text("string"), &json!({"type": "string"}), Side::Read), Compatibility::Identical);
    assert_eq!(verdict(&json!("{"), &text("string"), Side::Read), Compatibility::Unknown);
}

#[test]
fn references_that_are_not_found_are_unknown_where_the_document_differs() {
    let named = |body: Value| json!({"properties": {"a": {"$ref": "https://shop/b"}}, "$defs": {"b": body}});
    let (was, is) =
        (json!({"$id": "https://shop/b", "type": "string"}), json!({"$id": "https://shop/b", "type": "null"}));
    let anchored = |kind: &str| {
        json!({
            "properties": {"a": {"$ref": "#deep"}}, "$defs": {"b": {"properties": {"c": {"$anchor": "deep", "type": kind}}}},
        })
    };
    let dynamic = |kind: &str| {
        json!({
            "properties": {"a": {"$dynamicRef": "#node"}}, "$defs": {"b": {"$dynamicAnchor": "node", "type": kind}},
        })
    };
    let nullable = |flag: bool| json!({"properties": {"a": {"$ref": "#/$defs/b", "nullable": flag}}, "$defs": {"b": {"type": "null"}}});
    for (before, after) in [
        (named(was), named(is)),
        (anchored("string"), anchored("null")),
        (dynamic("string"), dynamic("null")),
        (nullable(false), nullable(true)),
    ] {
        let editions =
            crate::check::contract::Editions { before: &before, after: &after, side: Side::Read, pointer: "" };
        let reasons = super::compare(&editions);
        assert!(
            reasons.iter().any(|one| one.impact == crate::domain::change::Impact::Unknown),
            "{before}: {reasons:?}"
        );
    }
}

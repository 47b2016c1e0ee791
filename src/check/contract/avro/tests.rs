use serde_json::{Value, json};

use crate::check::contract::Editions;
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::{Reason, Side};

fn told(before: &Value, after: &Value, side: Side) -> Vec<Reason> {
    super::compare(&Editions { before, after, side, pointer: "/d" })
}

fn rules(before: &Value, after: &Value, side: Side) -> Vec<String> {
    told(before, after, side).into_iter().map(|reason| format!("{} {:?}", reason.rule, reason.impact)).collect()
}

fn record(fields: &Value) -> Value {
    json!({"type": "record", "name": "Order", "namespace": "shop", "fields": fields})
}

#[test]
fn an_alias_helps_whoever_has_it() {
    let old = record(&json!([{"name": "qty", "type": "int"}]));
    let new = record(&json!([{"name": "quantity", "aliases": ["qty"], "type": "int"}]));
    assert_eq!(rules(&old, &new, Side::Read), ["avro/field-renamed Breaking"]);
    assert_eq!(rules(&old, &new, Side::Written), ["avro/field-renamed Compatible"]);
    assert_eq!(rules(&new, &old, Side::Read), ["avro/field-renamed-to-alias Compatible"]);
}

#[test]
fn recursive_types_end() {
    let list = |value: &str| {
        json!({"type": "record", "name": "Node", "fields": [
            {"name": "value", "type": value},
            {"name": "next", "type": ["null", "Node"]},
        ]})
    };
    let reasons = told(&list("int"), &list("string"), Side::Read);
    assert_eq!(reasons.len(), 1);
    assert_eq!(reasons[0].pointer, "/d/fields/0/type");
    assert_eq!(reasons[0].path, "Node.value");
}

#[test]
fn a_definition_may_move_to_another_place_of_the_schema() {
    let money = json!({"type": "record", "name": "Money", "fields": [{"name": "cents", "type": "long"}]});
    let before = record(&json!([{"name": "net", "type": money}, {"name": "gross", "type": "Money"}]));
    let after = record(&json!([{"name": "gross", "type": money}, {"name": "net", "type": "Money"}]));
    assert!(told(&before, &after, Side::Read).is_empty());
    assert!(told(&before, &after, Side::Written).is_empty());
}

#[test]
fn a_union_is_resolved_branch_by_branch() {
    let (old, new) = (json!(["null", "int"]), json!(["null", "long", "string"]));
    assert_eq!(
        rules(&old, &new, Side::Read),
        [
            "avro/type-added-to-union Breaking",
            "avro/type-added-to-union Breaking",
            "avro/type-removed-from-union Compatible"
        ]
    );
    assert_eq!(
        rules(&old, &new, Side::Written),
        ["avro/type-widened Compatible", "avro/type-added-to-union Compatible"]
    );
}

#[test]
fn what_cannot_be_read_is_unknown() {
    let fine = json!("int");
    for broken in [json!({"type": "record", "name": "A"}), json!("{\"type\":\n"), json!(7), json!("nowhere.Defined")] {
        let reasons = told(&fine, &broken, Side::Read);
        assert_eq!(reasons.len(), 1, "{broken}");
        assert_eq!((reasons[0].rule.as_str(), reasons[0].impact), ("avro/unreadable", Unknown));
    }
    assert!(told(&fine, &json!("{\"type\":\n"), Side::Read)[0].message.contains("line 2"));
}

#[test]
fn deep_texts_do_not_reach_the_parser() {
    let text = format!("{}\"int\"{}", "{\"type\":\"array\",\"items\":".repeat(5000), "}".repeat(5000));
    assert_eq!(told(&json!("int"), &json!(text), Side::Read)[0].impact, Unknown);
}

#[test]
fn logical_types_count() {
    let of = |logical: Value| json!({"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": logical});
    assert_eq!(told(&of(json!(2)), &of(json!(4)), Side::Read)[0].impact, Breaking);
    let plain = json!("long");
    let stamp = json!({"type": "long", "logicalType": "timestamp-millis"});
    assert_eq!(told(&plain, &stamp, Side::Read)[0].impact, Compatible);
    assert_eq!(told(&stamp, &plain, Side::Read)[0].impact, Unknown);
}
